-- How many events were erased by passes since then.
SELECT count() AS erased
FROM touched
WHERE pass > {since:UInt64} AND what = 'erased'
