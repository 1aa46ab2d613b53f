-- Whose videos they are: one author's, or those of whom somebody follows.
-- if author
AND pubkey = {author:String}
-- if followed_by
AND pubkey IN (
    SELECT arrayJoin(entries)
    FROM current_lists FINAL
    WHERE list = concat('3:', {followed_by:String}, ':')
)
-- end
