-- Where a chunk of all lists, profiles or videos ends, in the order of their keys.
SELECT
    count() AS keys,
    max(key) AS until_key
FROM (
    SELECT DISTINCT {key_column:Identifier} AS key
    FROM {table:Identifier}
    WHERE {key_column:Identifier} > {after_key:String}
    ORDER BY key ASC
    LIMIT {row_limit:UInt32}
)
