-- Categories, which are hashtags that everybody knows, by how many live videos have them.
SELECT
    substring(list, 2) AS name,
    count() AS video_count
FROM listed_videos FINAL
WHERE list IN (SELECT concat('#', arrayJoin({names:Array(String)})))
    AND position(list, lowerUTF8({text:String}), 2) > 0
    AND expiration > {now:UInt32}
    AND created_at <= {now:UInt32} + 900
GROUP BY list
ORDER BY
    video_count DESC,
    name ASC
LIMIT {row_limit:UInt16} OFFSET {row_offset:UInt32}
