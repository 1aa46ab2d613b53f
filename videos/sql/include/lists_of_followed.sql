-- The lists of listed_videos that have the videos of those whom somebody follows.
-- if lists_of_followed
AND list IN (
    SELECT concat('by:', arrayJoin(entries))
    FROM current_lists FINAL
    WHERE list = concat('3:', {followed_by:String}, ':')
)
-- end
