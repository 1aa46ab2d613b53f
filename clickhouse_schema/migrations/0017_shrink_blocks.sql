-- Whoever looks a key up unpacks a whole compressed block for each column, 64 KiB by default: a thousand
-- rows and more of short strings, of which a few are asked for. In tables that are read by keys
-- a block holds about a granule instead. Parts get it when they are written or merged.

ALTER TABLE engagement MODIFY SETTING min_compress_block_size = 8192;

ALTER TABLE engagement_targets MODIFY SETTING min_compress_block_size = 8192;

ALTER TABLE playbacks MODIFY SETTING min_compress_block_size = 8192;

ALTER TABLE playback_targets MODIFY SETTING min_compress_block_size = 8192;

ALTER TABLE deletions MODIFY SETTING min_compress_block_size = 8192;

ALTER TABLE video_versions MODIFY SETTING min_compress_block_size = 8192;

ALTER TABLE video_aliases MODIFY SETTING min_compress_block_size = 8192;

ALTER TABLE video_stats MODIFY SETTING min_compress_block_size = 8192;

ALTER TABLE video_places MODIFY SETTING min_compress_block_size = 8192;

ALTER TABLE first_seen MODIFY SETTING min_compress_block_size = 8192;

ALTER TABLE list_entries MODIFY SETTING min_compress_block_size = 8192;

-- Not tags and content: they are long, and packed worse in small pieces.
ALTER TABLE events_local MODIFY COLUMN id MODIFY SETTING min_compress_block_size = 8192;

ALTER TABLE events_local MODIFY COLUMN pubkey MODIFY SETTING min_compress_block_size = 8192;

ALTER TABLE events_local MODIFY COLUMN created_at MODIFY SETTING min_compress_block_size = 8192;

ALTER TABLE events_local MODIFY COLUMN kind MODIFY SETTING min_compress_block_size = 8192;

ALTER TABLE events_local MODIFY COLUMN expiration MODIFY SETTING min_compress_block_size = 8192;
