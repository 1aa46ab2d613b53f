-- The videos after a place in an order by `place`, as in the ORDER BY of a page.
-- if after
AND (-place, -toInt64(published_at), id) > (
    -{after_place:Float64},
    -toInt64({after_published_at:UInt32}),
    {after_id:String}
)
-- end
