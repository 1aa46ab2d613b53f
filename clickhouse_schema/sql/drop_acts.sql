-- Lets go of the acts that a pass has counted.
ALTER TABLE touched_acts DROP PARTITION {pass:UInt64}
