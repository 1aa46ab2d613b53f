"""A cache of Django's that may be a Redis which fails: then it is left alone for a while."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

import structlog
from django.core.cache import caches
from django.core.cache.backends.base import BaseCache
from prometheus_client import Counter
from redis.exceptions import RedisError

log = structlog.get_logger(__name__)

REST_SECONDS = 5.0

FAILURES = Counter(
    "api_shared_cache_failures_total",
    "Times that Redis did not answer the API and was left alone for 5 seconds.",
)

T = TypeVar("T")


class SharedCache:
    """The cache with that alias of settings.CACHES; one for all threads of a process."""

    def __init__(self, alias: str) -> None:
        self._alias = alias
        self._rests_until = 0.0

    def ask(self, question: Callable[[BaseCache], T], otherwise: T) -> T:
        """What `question` answers, or `otherwise` while the cache is away."""
        if time.monotonic() < self._rests_until:
            return otherwise
        try:
            return question(caches[self._alias])
        except RedisError as error:
            self._rests_until = time.monotonic() + REST_SECONDS
            FAILURES.inc()
            log.warning("shared_cache_failed", alias=self._alias, error=type(error).__name__)
            return otherwise
