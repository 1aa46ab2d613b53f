"""Where the demo listens, all on loopback."""

from __future__ import annotations

import socket
from collections.abc import Mapping
from dataclasses import dataclass

HOST = "127.0.0.1"
CONNECT_SECONDS = 1


class PortRefused(Exception):
    """A port that can't be listened on; the message says which and how to choose another."""


@dataclass(frozen=True, slots=True)
class Ports:
    """One for each part that listens."""

    http: int
    clickhouse: int
    relay: int
    # nginx, and what it keeps answers in; only where it runs.
    edge: int = 8080
    keeper: int = 8081


def read_ports(environment: Mapping[str, str]) -> Ports:
    """Raises PortRefused for a number that is no port."""

    def port(name: str, default: int) -> int:
        text = environment.get(name, str(default))
        if not text.isascii() or not text.isdigit() or not 0 < int(text) < 65_536:
            raise PortRefused(f"{name} is malformed: it must be a port, 1 to 65535.")
        return int(text)

    return Ports(
        http=port("DEMO_HTTP_PORT", 8000),
        clickhouse=port("DEMO_CLICKHOUSE_PORT", 19_000),
        relay=port("DEMO_RELAY_PORT", 17_777),
        edge=port("DEMO_EDGE_PORT", 8080),
        keeper=port("DEMO_KEEPER_PORT", 8081),
    )


def refuse_taken_ports(ports: Ports, *, relay: bool, edge: bool = False) -> None:
    """Raises PortRefused that says which port is taken.

    relay: when a local one will run; edge: when nginx will.
    """
    wanted = {"DEMO_HTTP_PORT": ports.http, "DEMO_CLICKHOUSE_PORT": ports.clickhouse}
    if relay:
        wanted["DEMO_RELAY_PORT"] = ports.relay
    if edge:
        wanted |= {"DEMO_EDGE_PORT": ports.edge, "DEMO_KEEPER_PORT": ports.keeper}
    for name, port in wanted.items():
        if not is_free(port):
            raise PortRefused(f"Port {port} is taken; choose another: {name}={port + 1} make demo")


def is_free(port: int) -> bool:
    with socket.socket() as listener:
        # As servers do: a port whose last connections are still fading away is free.
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind((HOST, port))
        except OSError:
            return False
    return True


def answers(port: int) -> bool:
    try:
        socket.create_connection((HOST, port), timeout=CONNECT_SECONDS).close()
    except OSError:
        return False
    return True
