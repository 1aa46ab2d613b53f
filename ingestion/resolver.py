"""Addresses of relays by their names, asked of the system in threads that nobody waits for."""

from __future__ import annotations

import asyncio
import concurrent.futures
import socket
import threading
from typing import Any

from aiohttp.abc import AbstractResolver, ResolveResult

NUMERIC_NAMES = socket.NI_NUMERICHOST | socket.NI_NUMERICSERV


class SystemResolver(AbstractResolver):
    """The system's resolver, whatever else is installed: it knows the names of a local network.

    A name server that does not answer holds up a look-up for many seconds, and a thread of the
    event loop's own executor would hold up the end of the process with it.
    """

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        """Raises OSError where there is no such name, ValueError where it cannot be one."""
        found: concurrent.futures.Future[list[Any]] = concurrent.futures.Future()

        def look_up() -> None:
            found.set_running_or_notify_cancel()
            try:
                found.set_result(
                    socket.getaddrinfo(
                        host, port, family, socket.SOCK_STREAM, flags=socket.AI_ADDRCONFIG
                    )
                )
            except Exception as error:  # whatever it is, it belongs to who asked
                found.set_exception(error)

        threading.Thread(target=look_up, name="resolver", daemon=True).start()
        return [
            ResolveResult(
                hostname=host,
                # With the interface of a link-local address.
                host=socket.getnameinfo(address, NUMERIC_NAMES)[0],
                port=address[1],
                family=of,
                proto=protocol,
                flags=socket.AI_NUMERICHOST | socket.AI_NUMERICSERV,
            )
            for of, _, protocol, _, address in await asyncio.wrap_future(found)
        ]

    async def close(self) -> None:
        """Nothing is open."""
