"""Accepts clients, one thread each, until told to stop; then lets running queries finish."""

from __future__ import annotations

import ipaddress
import select
import socket
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from threading import Lock, Thread
from typing import Any

import structlog

from .conversation import Conversation
from .engine import Engine
from .protocol import ErrorCode
from .watchdog import Watchdog

log = structlog.get_logger()

MAX_CLIENTS = 256
BACKLOG = 128
ACCEPT_RETRY_SECONDS = 0.1
# How long running queries may take to finish once the server has been told to stop.
DRAIN_SECONDS = 10
# How long a killed query may take to notice.
KILL_SECONDS = 5


class AddressRefused(Exception):
    """The server must not or cannot listen there; the text is a sentence for the operator."""


@dataclass(frozen=True, slots=True)
class Address:
    """Where to listen, as the operator wrote it and as the socket takes it."""

    host: str
    port: int
    family: socket.AddressFamily
    sockaddr: tuple[Any, ...]


def resolve(host: str, port: int, *, has_password: bool) -> Address:
    """The address to listen on; port 0 takes a free one.

    Raises AddressRefused, also where other machines could connect and no password would stop them.
    """
    try:
        family, _, _, _, sockaddr = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
    except (OSError, UnicodeError, OverflowError) as error:
        raise AddressRefused(f"{host} port {port} is not an address of this machine.") from error
    if not has_password and not ipaddress.ip_address(sockaddr[0]).is_loopback:
        raise AddressRefused(
            f"{host} can be reached from other machines: set CLICKHOUSE_PASSWORD, or listen on"
            " 127.0.0.1."
        )
    return Address(host, port, family, sockaddr)


def bind(address: Address) -> socket.socket:
    """A socket that is not listening yet: nobody is let in before the engine answers."""
    listener = socket.socket(address.family, socket.SOCK_STREAM)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(address.sockaddr)
    except (OSError, OverflowError) as error:
        listener.close()
        raise cannot_listen(address.host, address.port, error) from error
    return listener


def cannot_listen(host: str, port: int, error: Exception) -> AddressRefused:
    reason = getattr(error, "strerror", None) or str(error)
    return AddressRefused(f"Cannot listen on port {port} of {host}: {reason}.")


def listener_name(listener: socket.socket) -> str:
    host, port = listener.getsockname()[:2]
    return f"{host}:{port}"


class Server:
    """`listener` is bound; `accounts` are the passwords by user."""

    def __init__(
        self, listener: socket.socket, *, engine: Engine, accounts: Mapping[str, str]
    ) -> None:
        self._listener = listener
        self._engine = engine
        self._accounts = accounts
        self._watchdog = Watchdog()
        self._conversations: dict[Conversation, Thread] = {}
        self._lock = Lock()
        self._wake_receiver, self._wake_sender = socket.socketpair()
        self._wake_sender.setblocking(False)

    def open(self) -> None:
        """From here on clients are let in. Raises AddressRefused."""
        try:
            self._listener.listen(BACKLOG)
        except OSError as error:
            host, port = self._listener.getsockname()[:2]
            raise cannot_listen(host, port, error) from error
        # A client may give up between the poll and the accept, which must not wait then.
        self._listener.setblocking(False)
        self._watchdog.start()

    def serve(self) -> None:
        """Returns once `stop` was called and every client has been sent off."""
        poll = select.poll()
        poll.register(self._listener, select.POLLIN)
        poll.register(self._wake_receiver, select.POLLIN)
        stopping = self._wake_receiver.fileno()
        while not any(descriptor == stopping for descriptor, _ in poll.poll()):
            self._accept()
        self._listener.close()
        self._drain()
        self._watchdog.stop()
        self._wake_receiver.close()
        self._wake_sender.close()

    def stop(self) -> None:
        """May be called by a signal handler and by any thread, more than once."""
        try:
            self._wake_sender.send(b"\0")
        except OSError:
            return

    def _accept(self) -> None:
        try:
            client, _ = self._listener.accept()
        except BlockingIOError:
            return
        except OSError as error:
            # Such as too many open files: wait for some to be closed, without spinning.
            log.warning("accept_failed", reason=str(error))
            time.sleep(ACCEPT_RETRY_SECONDS)
            return
        client.setblocking(True)
        client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        client.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        conversation = Conversation(
            client, engine=self._engine, watchdog=self._watchdog, accounts=self._accounts
        )
        thread = Thread(target=self._converse, args=[conversation], name="client", daemon=True)
        with self._lock:
            full = len(self._conversations) >= MAX_CLIENTS
            if not full:
                self._conversations[conversation] = thread
        if full:
            log.warning("client_refused", reason="too_many_clients", limit=MAX_CLIENTS)
            conversation.refuse(
                ErrorCode.TOO_MANY_SIMULTANEOUS_QUERIES,
                f"Too many connections: {MAX_CLIENTS} are open",
            )
        else:
            thread.start()

    def _converse(self, conversation: Conversation) -> None:
        try:
            conversation.run()
        except Exception:
            # A bug met by one client must not end the others.
            log.exception("conversation_failed")
        finally:
            with self._lock:
                del self._conversations[conversation]

    def _drain(self) -> None:
        with self._lock:
            conversations = dict(self._conversations)
        log.info("clickhouse_local_draining", clients=len(conversations))
        for conversation in conversations:
            conversation.end()
        self._join(conversations.values(), DRAIN_SECONDS)
        self._watchdog.kill_all()
        self._join(conversations.values(), KILL_SECONDS)
        for conversation in conversations:
            conversation.cut()
        self._join(conversations.values(), KILL_SECONDS)

    @staticmethod
    def _join(threads: Iterable[Thread], seconds: float) -> None:
        deadline = time.monotonic() + seconds
        for thread in threads:
            thread.join(max(0, deadline - time.monotonic()))
