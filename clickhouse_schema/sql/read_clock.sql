-- The server's clock, in milliseconds since 1970.
SELECT toUnixTimestamp64Milli(now64(3)) AS server_ms
