-- Answers when ClickHouse does.
SELECT 1 AS answer
LIMIT 1
