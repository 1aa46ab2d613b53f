-- Ids as they are: half of each is all that compressing takes away, and a merge, an insert and a look-up pay
-- for that each time. What repeats, such as what acts are about, is compressed lightly.
ALTER TABLE engagement
    MODIFY COLUMN target String CODEC(LZ4),
    MODIFY COLUMN unless_known String CODEC(LZ4),
    MODIFY COLUMN event_id String CODEC(NONE),
    MODIFY COLUMN actor String CODEC(NONE),
    MODIFY COLUMN pubkey String CODEC(NONE);

ALTER TABLE engagement_targets
    MODIFY COLUMN event_id String CODEC(NONE);
