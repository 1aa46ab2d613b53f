-- What people have done with the live videos, and how many videos came in the last day.
SELECT
    count() AS videos,
    countIf(published_at > {now:UInt32} - 86400) AS videos_of_the_day,
    sum(reactions) AS reactions,
    sum(comments) AS comments,
    sum(reposts) AS reposts,
    sum(quotes) AS quotes,
    sum(bookmarks) AS bookmarks,
    sum(zaps) AS zaps,
    sum(views) AS views,
    sum(loops) AS loops
FROM videos(now = {now:UInt32})
