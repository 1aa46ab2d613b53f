-- The rows of the live videos that somebody's current list names, what else it names, and its event.
-- One row without a video where none of them is live; no event where there is no such list.
-- part list_entries
-- part named_videos (references = entries)
WITH
    (SELECT (groupArrayArray(entries), any(event_id)) FROM list_entries) AS found_list,
    found_list.1 AS entries
SELECT
    entries AS listed,
    found_list.2 AS source_event_id,
    named_videos.*
FROM (SELECT 1 AS one) AS always
LEFT JOIN named_videos ON always.one = toUInt8(named_videos.id != '')
