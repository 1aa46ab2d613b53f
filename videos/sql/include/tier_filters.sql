-- When they were published, in a list of listed_videos that is kept newest first.
-- if since
AND tier <= -toInt64({since:UInt32})
-- if before
AND tier >= -toInt64({before:UInt32})
-- end
