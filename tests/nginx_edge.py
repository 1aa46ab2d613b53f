"""A real nginx with our configuration, and an origin that counts what reaches it."""

from __future__ import annotations

import contextlib
import http.client
import socket
import subprocess
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from email.message import Message
from http.client import HTTPMessage
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from ingestion.demo.edge import Edge, NginxMissing
from tests.ports import free_port, free_ports

START_SECONDS = 20
# Whoever comes from here is counted; 127.0.0.1 is not.
STRANGER = "127.0.0.2"


@contextlib.contextmanager
def nginx_before(api_port: int, directory: Path) -> Iterator[int]:
    """The port of an nginx in front of that API. Skips where nginx is not installed."""
    listen, keeper = free_ports(2)
    edge = Edge(
        listen=f"127.0.0.1:{listen}",
        keeper=f"127.0.0.1:{keeper}",
        api=f"127.0.0.1:{api_port}",
        directory=directory / "edge",
    )
    try:
        command = edge.command()
    except NginxMissing as error:
        pytest.skip(str(error))
    log = directory / "nginx.log"
    with log.open("wb") as output:
        process = subprocess.Popen(command, stdout=output, stderr=output)
    try:
        deadline = time.monotonic() + START_SECONDS
        while True:
            with contextlib.suppress(OSError):
                socket.create_connection(("127.0.0.1", listen), timeout=1).close()
                break
            assert process.poll() is None, log.read_text()
            assert time.monotonic() < deadline, log.read_text()
            time.sleep(0.02)
        yield listen
    finally:
        process.terminate()
        process.wait(30)


@dataclass(frozen=True, slots=True)
class Got:
    status: int
    headers: HTTPMessage
    body: bytes

    @property
    def cache(self) -> str:
        """HIT, MISS, UPDATING and so on, as nginx names them."""
        return self.headers.get("X-Cache", "")


def get(
    port: int,
    target: str,
    *,
    method: str = "GET",
    headers: dict[str, str] | None = None,
    body: bytes | None = None,
    source: str = "127.0.0.1",
) -> Got:
    connection = http.client.HTTPConnection(
        "127.0.0.1", port, timeout=30, source_address=(source, 0)
    )
    try:
        connection.request(method, target, headers=headers or {}, body=body)
        response = connection.getresponse()
        return Got(response.status, response.headers, response.read())
    finally:
        connection.close()


@dataclass
class Said:
    """What the origin says to requests for a path."""

    status: int = 200
    cache_control: str = "public, max-age=60"
    body: bytes = b'{"answer": 1}'
    # Nobody is answered before it is set.
    gate: threading.Event = field(default_factory=threading.Event)
    etag: str = '"one"'

    def __post_init__(self) -> None:
        self.gate.set()


@dataclass(frozen=True, slots=True)
class Seen:
    method: str
    target: str
    headers: Message


class Origin:
    """Speaks HTTP in Django's place, so that each word of it can be chosen."""

    def __init__(self) -> None:
        self.said: dict[str, Said] = {}
        self.seen: list[Seen] = []
        self.port = free_port()
        self._server = self._listening(self.port)

    def says(self, path: str, said: Said) -> Said:
        self.said[path] = said
        return said

    def requests(self, path: str) -> list[Seen]:
        return [seen for seen in self.seen if seen.target.partition("?")[0] == path]

    def stop(self) -> None:
        self._server.shutdown()
        self._server.server_close()

    def start_again(self) -> None:
        self._server = self._listening(self.port)

    def _listening(self, port: int) -> ThreadingHTTPServer:
        origin = self

        class Handler(BaseHTTPRequestHandler):
            # One connection a request: a stopped origin has no open ones left.
            protocol_version = "HTTP/1.0"

            def do_GET(self) -> None:
                origin.seen.append(Seen(self.command, self.path, self.headers))
                said = origin.said[self.path.partition("?")[0]]
                assert said.gate.wait(30)
                self.rfile.read(int(self.headers.get("Content-Length", 0)))
                same = said.status == 200 and self.headers.get("If-None-Match") == said.etag
                self.send_response(304 if same else said.status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Cache-Control", said.cache_control)
                self.send_header("X-Request-ID", "of the origin")
                if said.status == 200:
                    self.send_header("ETag", said.etag)
                if not same:
                    self.send_header("Content-Length", str(len(said.body)))
                self.end_headers()
                if not same and self.command != "HEAD":
                    self.wfile.write(said.body)

            do_POST = do_HEAD = do_GET

            def log_message(self, format: str, *args: object) -> None:
                pass

        server = ThreadingHTTPServer(("127.0.0.1", port), Handler)
        threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
        return server
