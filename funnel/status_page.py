"""A worker's own port: its numbers for Prometheus, whether it lives and whether it is ready."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from socketserver import ThreadingMixIn
from typing import Any
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server
from wsgiref.types import StartResponse, WSGIEnvironment

import orjson
from prometheus_client import make_wsgi_app

# What keeps a worker from being alive or ready, each in a few words; empty: nothing does.
Obstacles = Callable[[], list[str]]


class _Server(ThreadingMixIn, WSGIServer):
    daemon_threads = True


class _Handler(WSGIRequestHandler):
    def log_message(self, format: str, *args: Any) -> None:
        """Says nothing: a probe that comes each second is no news."""


def start_status_page(port: int, *, health: Obstacles, ready: Obstacles) -> WSGIServer:
    """Serves /metrics, /health and /ready in a thread of its own.

    `health` and `ready` are called in that thread. 200 without an obstacle, 503 with one. Raises
    OSError or OverflowError for a port that cannot be listened at.
    """
    metrics = make_wsgi_app()
    answers = {"/health": health, "/ready": ready}

    def page(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        path = environ.get("PATH_INFO", "")
        if path == "/metrics":
            numbers: Iterable[bytes] = metrics(environ, start_response)
            return numbers
        if path not in answers:
            return _answer(start_response, "404 Not Found", {"error": "not found"})
        obstacles = answers[path]()
        if obstacles:
            return _answer(
                start_response,
                "503 Service Unavailable",
                {"status": "unavailable", "because": obstacles},
            )
        return _answer(start_response, "200 OK", {"status": "ok"})

    server = make_server("", port, page, server_class=_Server, handler_class=_Handler)
    threading.Thread(target=server.serve_forever, name="status_page", daemon=True).start()
    return server


def _answer(start_response: StartResponse, status: str, body: dict[str, Any]) -> list[bytes]:
    start_response(status, [("Content-Type", "application/json"), ("Cache-Control", "no-store")])
    return [orjson.dumps(body)]
