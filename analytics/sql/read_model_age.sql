-- How long ago the projector last completed a pass, in seconds; -1 before the first one.
SELECT if(max(version) = 0, -1, greatest(0, toInt64({now:UInt32}) - toInt64(intDiv(max(version), 1000000)))) AS seconds
FROM projection_state
