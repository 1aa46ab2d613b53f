-- What the pass has to compute again.
SELECT
    countIf(what = 'video') AS videos,
    countIf(
        what = 'video'
        AND key NOT IN (SELECT video_key FROM touched_targets WHERE pass = {pass:UInt64})
    ) AS without_targets,
    countIf(what = 'list') AS lists,
    countIf(what = 'person') AS people,
    countIf(what = 'profile') AS profiles,
    countIf(what = 'text') AS texts
FROM touched
WHERE pass = {pass:UInt64}
