-- Records that a pass is complete.
INSERT INTO projection_state (name, version, settled_until, due_until)
SELECT
    'read_model' AS name,
    {pass:UInt64} AS version,
    fromUnixTimestamp64Milli({settled_until_ms:Int64}, 'UTC') AS settled_until,
    {due_until:UInt32} AS due_until
