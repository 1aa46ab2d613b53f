-- How many people follow a pubkey, and how many it follows.
SELECT
    {pubkey:String} AS pubkey,
    (
        SELECT count()
        FROM list_entries FINAL
        WHERE entry = {pubkey:String} AND kind = 3
    ) AS follower_count,
    (
        SELECT sum(length(entries))
        FROM current_lists FINAL
        WHERE list = concat('3:', {pubkey:String}, ':') AND created_at <= {now:UInt32} + 900
    ) AS following_count
