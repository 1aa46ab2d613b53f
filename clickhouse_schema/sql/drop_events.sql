-- Lets go of the events that a pass has looked up.
ALTER TABLE touched_events DROP PARTITION {pass:UInt64}
