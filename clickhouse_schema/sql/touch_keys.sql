-- Takes a span of all lists, profiles or videos into the pass, whether anything has touched them or not.
INSERT INTO touched (pass, what, key)
SELECT DISTINCT
    {pass:UInt64} AS pass,
    {what:String} AS what,
    {key_column:Identifier} AS key
FROM {table:Identifier}
WHERE {key_column:Identifier} > {after_key:String} AND {key_column:Identifier} <= {until_key:String}
