"""How many requests one client may send in a minute."""

from __future__ import annotations

import ipaddress
from collections.abc import Callable
from typing import TypeAlias

from django.conf import settings
from django.core.cache.backends.base import BaseCache
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase

from funnel import clock
from funnel.auth import CLOSED
from funnel.errors import error_response
from funnel.shared_cache import SharedCache

GetResponse: TypeAlias = Callable[[HttpRequest], HttpResponseBase]

WINDOW_SECONDS = 60
# Who has one IPv6 address has this many bits of them.
IPV6_CLIENT_BITS = 64


class RateLimit:
    """Answers 429 to a client that has sent more than `RATE_LIMIT` requests in this minute.

    Requests with a body, which ask for many things at once, are counted apart. Workers count
    together through Redis, else each by itself; while Redis is away nobody is refused.
    """

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response
        self.counts = SharedCache("guards")

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        if not request.path_info.startswith(CLOSED):
            return self.get_response(request)
        return self.refusal(request) or self.get_response(request)

    def refusal(self, request: HttpRequest) -> HttpResponse | None:
        is_bulk = request.method == "POST"
        limit = settings.RATE_LIMIT_BULK if is_bulk else settings.RATE_LIMIT
        if not limit:
            return None
        minute, second = divmod(clock.now(), WINDOW_SECONDS)
        name = f"rate:{'bulk' if is_bulk else 'one'}:{client_of(request)}:{minute}"
        if self.counts.ask(lambda cache: counted(cache, name), 0) <= limit:
            return None
        wait = WINDOW_SECONDS - second
        answer = error_response(429, f"Too many requests. Try again in {wait} seconds.")
        answer["Retry-After"] = str(wait)
        return answer


def counted(cache: BaseCache, name: str) -> int:
    """How often this was called with the name, this time included."""
    try:
        return cache.incr(name)
    except ValueError:
        # Nobody was before us, or somebody comes between.
        return 1 if cache.add(name, 1, 2 * WINDOW_SECONDS) else cache.incr(name)


def client_of(request: HttpRequest) -> str:
    """The address of the client, as the last proxy of ours that it came through saw it.

    X-Forwarded-For grows at its end; what stands before the entries of `TRUSTED_PROXIES` proxies
    is the client's word and never looked at.
    """
    address: str = request.META.get("REMOTE_ADDR", "")
    if settings.TRUSTED_PROXIES:
        hops = [hop.strip() for hop in request.META.get("HTTP_X_FORWARDED_FOR", "").split(",")]
        # Of a request that came past a proxy there are fewer; its own address is what is known.
        if len(hops) >= settings.TRUSTED_PROXIES:
            address = hops[-settings.TRUSTED_PROXIES] or address
    try:
        ip = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return "unknown"
    if isinstance(ip, ipaddress.IPv6Address):
        if ip.ipv4_mapped:
            return str(ip.ipv4_mapped)
        return str(ipaddress.ip_network((ip, IPV6_CLIENT_BITS), strict=False).network_address)
    return str(ip)
