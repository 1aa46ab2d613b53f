"""An embedded ClickHouse: the engine of the chdb wheel behind ClickHouse's native TCP protocol.

One process owns one data directory and serves any number of clients on loopback, so that every
other process uses the path that production uses: clickhouse-driver against CLICKHOUSE_URL. It is
meant for development, tests and small sites; the code that talks to it cannot tell the difference.

    manage.py clickhouse_local        command line, signals
      server.py                       accepts sockets, one thread each, drains at the end
        conversation.py               one client: hello, queries, inserts
          protocol.py compression.py  packets, primitive values, LZ4 frames
          native.py                   where the columns of a block end
          statements.py               INSERTs that wait for data, query parameters
        watchdog.py                   ends queries whose client cancelled or left
      engine.py                       chDB: one connection per socket, settings, errors
      data_directory.py               one owner per directory

What it does not have, compared with a ClickHouse server:

- No users, grants, quotas or file jail. Whoever has a password can do everything that the process
  can: `file('/etc/hostname')`, `url(...)` and `INTO OUTFILE` reach beyond the data directory.
  Only SQL of this project may reach it, and only through loopback or a private network.
- No TLS: beyond loopback the password and the rows travel in the clear.
- WITH TOTALS and extremes lose their extra rows (the engine's Native output drops them).
- `DateTime('zone')` arrives as `DateTime`: its moments are right, its zone is lost (UTC).
- Types: JSON is inserted as text; Variant, Dynamic and AggregateFunction states are refused with
  NOT_IMPLEMENTED (48).
- External tables, ZSTD compression, query ids chosen by the client and server logs are not served.
- `async_insert` runs synchronously, the query cache has no effect, dictionaries do not reload by
  themselves, refreshable views need a database of their own (CREATE DATABASE), not `default`.
- A row that was acknowledged survives the death of the process, but, as with a server's defaults,
  not a power cut within the next seconds (`fsync_after_insert = 0`).

Protocol: https://clickhouse.com/docs/native-protocol
"""
