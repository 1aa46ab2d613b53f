-- How many lists, profiles or videos there are.
SELECT uniqExact({key_column:Identifier}) AS keys
FROM {table:Identifier}
