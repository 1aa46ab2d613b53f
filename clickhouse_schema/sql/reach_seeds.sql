-- Begins to follow the follow lists: at the seeds.
INSERT INTO reached (pass, pubkey, hops)
SELECT
    {pass:UInt64} AS pass,
    arrayJoin({trust_seeds:Array(String)}) AS pubkey,
    0 AS hops
