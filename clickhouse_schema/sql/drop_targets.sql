-- Lets go of what stood for the videos that a pass has computed.
ALTER TABLE touched_targets DROP PARTITION {pass:UInt64}
