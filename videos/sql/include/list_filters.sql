-- The list of listed_videos that has the videos, and their other hashtags (`folded`: folded_hashtag).
-- if list
AND list = {list:String}
-- if hashtag
AND list = concat('#', folded({hashtag:String}))
-- if other_hashtags
AND video_key IN (
    SELECT video_key
    FROM listed_videos FINAL
    WHERE list IN (SELECT concat('#', folded(arrayJoin({other_hashtags:Array(String)}))))
    GROUP BY video_key
    HAVING uniqExact(list) = length(arrayDistinct(arrayMap(
        hashtag -> folded(hashtag),
        {other_hashtags:Array(String)}
    )))
)
-- end
