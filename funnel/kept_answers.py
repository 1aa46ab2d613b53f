"""Rendered answers that are kept, in this process and in Redis, and computed once for all who ask.

For the short time of `CACHE_FRESH_SECONDS` an answer is shown to everybody, and for longer where it
was dear: `CACHE_REST_FACTOR` times what it took. After that one request computes it anew, and until
then the others are shown the old one, as long as its promise (`max-age`) holds. A dear one is
computed anew beside the requests, for as long again: nobody waits for it. An older one is shown
only when ClickHouse fails.
"""

from __future__ import annotations

import contextvars
import threading
import time
from collections.abc import Callable
from concurrent.futures import Executor, ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import NamedTuple

import structlog
from cachetools import LRUCache
from django.conf import settings
from prometheus_client import Counter

from funnel import clock
from funnel.clickhouse import ClickhouseError, ClickhouseTimeout
from funnel.shared_cache import SharedCache

log = structlog.get_logger(__name__)

# How old an answer may be when ClickHouse fails. Longer would show what was erased meanwhile.
STALE_IF_ERROR_SECONDS = 3_600
# How long a question that has failed is not asked again while there is an answer to show.
REST_AFTER_FAILURE_SECONDS = 5
# How long a worker that died keeps the others from computing its answer.
LOCK_SECONDS = 15
# How long somebody waits for another's computation; longer than any may take.
WAIT_SECONDS = 40
POLL_SECONDS = 0.01
# So many answers a process computes beside its requests; whoever asks for more waits.
REFRESHERS = 2
# A URL that is longer is read anew each time; those of apps are not.
MAX_TARGET_CHARACTERS = 512
MAX_TARGETS = 20_000
# What an answer takes beside its body.
OVERHEAD_BYTES = 1_000

SERVED = Counter(
    "api_answers_total",
    "Answers that may be kept: fresh, stale, computed, awaited, or stale_after_failure.",
    ["source"],
)
REFRESHED = Counter(
    "api_answers_refreshed_total",
    "Answers computed anew beside the requests, which were shown the old one.",
)
# There from the start: Prometheus sees no increase in a series that begins with its first answer.
# Looked up once, because a look-up costs as much as the count.
SERVED_FROM = {
    source: SERVED.labels(source)
    for source in ("fresh", "stale", "computed", "awaited", "stale_after_failure")
}


class Answer(NamedTuple):
    """A rendered answer.

    headers: without `Cache-Control`, which depends on the age. computed_at: the clock of the
    answer, Unix seconds. seconds: how long after that it may be shown. retry_at: not computed anew
    before, because that has just failed. took_seconds: how long its computation took.
    """

    body: bytes
    headers: dict[str, str]
    etag: str
    computed_at: int
    seconds: int
    retry_at: int = 0
    took_seconds: float = 0.0

    def age(self, now: int) -> int:
        return max(0, now - self.computed_at)

    def holds(self, now: int) -> bool:
        return self.age(now) < self.seconds

    def may_be_shown_after_failure(self, now: int) -> bool:
        return self.age(now) < self.seconds + STALE_IF_ERROR_SECONDS


@dataclass(slots=True)
class Flight:
    """One computation that several threads wait for."""

    landed: threading.Event = field(default_factory=threading.Event)
    answer: Answer | None = None
    failure: Exception | None = None


class SharedAnswers:
    """What all workers know, in Redis. While it fails each worker goes on by itself."""

    def __init__(self) -> None:
        self._cache = SharedCache("answers")

    def get(self, key: str) -> Answer | None:
        found = self._cache.ask(lambda cache: cache.get(key), None)
        return Answer(*found) if found else None

    def put(self, key: str, answer: Answer) -> None:
        kept = answer.seconds + STALE_IF_ERROR_SECONDS
        self._cache.ask(lambda cache: cache.set(key, tuple(answer), kept), None)

    def lock(self, key: str) -> bool:
        """Whether the caller is the one that computes; without Redis everybody is."""
        return self._cache.ask(lambda cache: cache.add(f"{key}:lock", True, LOCK_SECONDS), True)

    def is_locked(self, key: str) -> bool:
        return self._cache.ask(lambda cache: cache.has_key(f"{key}:lock"), False)

    def unlock(self, key: str) -> None:
        self._cache.ask(lambda cache: cache.delete(f"{key}:lock"), True)


class KeptAnswers:
    """Answers by key: in memory up to a number of bytes, the least used go first, and in Redis."""

    def __init__(
        self,
        *,
        fresh_seconds: int,
        memory_bytes: int,
        shared: SharedAnswers | None,
        rest_factor: int = 0,
        refresher: Executor | None = None,
    ) -> None:
        """rest_factor: an answer is fresh for so many times what it took, if that is longer.

        refresher: has threads in which such answers are computed anew; None: whoever asks does it.
        """
        self._fresh_seconds = fresh_seconds
        self._rest_factor = rest_factor
        self._shared = shared
        self._lock = threading.Lock()
        self._answers: LRUCache[str, Answer] = LRUCache(
            memory_bytes, getsizeof=lambda answer: len(answer.body) + OVERHEAD_BYTES
        )
        self._keys: LRUCache[tuple[object, ...], str] = LRUCache(MAX_TARGETS)
        self._flights: dict[str, Flight] = {}
        self._refresher = refresher
        self._refreshers = threading.BoundedSemaphore(REFRESHERS)

    # --- By the request as it was written ---------------------------------------------------------

    def fresh(self, target: tuple[object, ...], now: int) -> Answer | None:
        """The fresh answer in memory to a request that was written like an earlier one."""
        with self._lock:
            key = self._keys.get(target)
            answer = self._answers.get(key) if key else None
        if answer is None or not self._is_fresh(answer, now):
            return None
        return self._served(answer, "fresh")

    def remember(self, target: tuple[object, ...], key: str) -> None:
        """That `target` asks for `key`; what is long is not remembered."""
        if sum(len(part) for part in target if isinstance(part, str)) <= MAX_TARGET_CHARACTERS:
            with self._lock:
                self._keys[target] = key

    # --- By the key -------------------------------------------------------------------------------

    def answer(self, key: str, compute: Callable[[], Answer]) -> Answer:
        """The answer to show now; `compute` runs at most once at a time, in one worker.

        Raises what `compute` raises, for all who have waited for it too.
        """
        now = clock.now()
        known = self._known(key, now)
        if known and self._is_fresh(known, now):
            return self._served(known, "fresh")
        if known and now < known.retry_at:
            return self._served(known, "stale_after_failure")
        while True:
            flight, is_pilot = self._board(key)
            if is_pilot:
                if known and self._refresh(key, flight, known, compute, now=now):
                    return self._served(known, "stale")
                answer, source = self._fly(key, flight, known, compute)
                return self._served(answer, source)
            if known and known.holds(now):
                return self._served(known, "stale")
            if not flight.landed.wait(WAIT_SECONDS):
                raise ClickhouseTimeout
            if flight.answer:
                return self._served(flight.answer, "awaited")
            if flight.failure:
                raise flight.failure
            # The pilot was ended from outside; the next one takes over.

    def _board(self, key: str) -> tuple[Flight, bool]:
        with self._lock:
            flight = self._flights.get(key)
            if flight:
                return flight, False
            flight = self._flights[key] = Flight()
            return flight, True

    def _fly(
        self, key: str, flight: Flight, known: Answer | None, compute: Callable[[], Answer]
    ) -> tuple[Answer, str]:
        try:
            flight.answer, source = self._computed(key, known, compute)
        except Exception as error:
            flight.failure = error
            raise
        finally:
            with self._lock:
                del self._flights[key]
            flight.landed.set()
        return flight.answer, source

    def _refresh(
        self,
        key: str,
        flight: Flight,
        known: Answer,
        compute: Callable[[], Answer],
        *,
        now: int,
    ) -> bool:
        """Whether it is computed beside the requests, so that the old one can be shown."""
        rest_seconds = self._rest_seconds(known)
        if (
            self._refresher is None
            or rest_seconds <= self._fresh_seconds
            or known.age(now) >= min(2 * rest_seconds, known.seconds)
            or not self._refreshers.acquire(blocking=False)
        ):
            return False

        def fly() -> None:
            try:
                _, source = self._fly(key, flight, known, compute)
                if source == "computed":
                    REFRESHED.inc()
            except Exception as error:
                # Nobody waits for it who could be told; the next one to ask tries again.
                log.warning("answer_not_refreshed", error=type(error).__name__, exc_info=True)
            finally:
                self._refreshers.release()

        # With the request's id and endpoint, for the log and for the limits of its questions.
        try:
            self._refresher.submit(contextvars.copy_context().run, fly)
        except RuntimeError:  # the process ends
            self._refreshers.release()
            return False
        return True

    def close(self) -> None:
        """Begins nothing anew."""
        if self._refresher:
            self._refresher.shutdown(wait=False)

    def _computed(
        self, key: str, known: Answer | None, compute: Callable[[], Answer]
    ) -> tuple[Answer, str]:
        """In the one thread of this process that computes the key now."""
        deadline = time.monotonic() + WAIT_SECONDS
        while True:
            # Another thread or worker may have landed since this one looked.
            now = clock.now()
            known = self._known(key, now) or known
            if known and self._is_fresh(known, now):
                return known, "awaited"
            if self._shared is None or self._shared.lock(key):
                break
            if known and known.holds(now):
                return known, "stale"
            while self._shared.is_locked(key):
                if time.monotonic() > deadline:
                    raise ClickhouseTimeout
                time.sleep(POLL_SECONDS)
        try:
            if self._shared:
                # It may have landed between the look above and the lock.
                landed = self._known(key, now)
                if landed and self._is_fresh(landed, now):
                    return landed, "awaited"
            started = time.monotonic()
            answer = compute()._replace(took_seconds=time.monotonic() - started)
            return self._kept(key, answer), "computed"
        except ClickhouseError as error:
            if known is None or not known.may_be_shown_after_failure(now):
                raise
            log.warning("stale_answer_shown", error=type(error).__name__, age=known.age(now))
            rested = known._replace(retry_at=now + REST_AFTER_FAILURE_SECONDS)
            self._remembered(key, rested)
            return rested, "stale_after_failure"
        finally:
            if self._shared:
                self._shared.unlock(key)

    def _known(self, key: str, now: int) -> Answer | None:
        """The newest answer that memory or Redis has, however old."""
        with self._lock:
            own = self._answers.get(key)
        if self._shared is None or (own and (self._is_fresh(own, now) or now < own.retry_at)):
            return own
        theirs = self._shared.get(key)
        if theirs is None or (own and own.computed_at >= theirs.computed_at):
            return own
        return self._remembered(key, theirs)

    def _kept(self, key: str, answer: Answer) -> Answer:
        if self._shared:
            self._shared.put(key, answer)
        return self._remembered(key, answer)

    def _remembered(self, key: str, answer: Answer) -> Answer:
        with self._lock:
            # What is larger than all the memory is not kept there.
            if self._answers.getsizeof(answer) <= self._answers.maxsize:
                self._answers[key] = answer
        return answer

    def _is_fresh(self, answer: Answer, now: int) -> bool:
        fresh_seconds = max(self._fresh_seconds, self._rest_seconds(answer))
        return answer.age(now) < min(fresh_seconds, answer.seconds)

    def _rest_seconds(self, answer: Answer) -> float:
        """How long it is fresh for what it took; dear is what this makes fresh for longer."""
        return self._rest_factor * answer.took_seconds

    def _served(self, answer: Answer, source: str) -> Answer:
        SERVED_FROM[source].inc()
        return answer


_kept: KeptAnswers | None = None
_making = threading.Lock()


def kept_answers() -> KeptAnswers | None:
    """Those of this process; None where the settings give them no memory."""
    global _kept
    if _kept is None and settings.CACHE_MEMORY_MB:
        with _making:
            _kept = _kept or KeptAnswers(
                fresh_seconds=settings.CACHE_FRESH_SECONDS,
                rest_factor=settings.CACHE_REST_FACTOR,
                memory_bytes=settings.CACHE_MEMORY_MB * 2**20,
                shared=SharedAnswers() if "answers" in settings.CACHES else None,
                refresher=ThreadPoolExecutor(REFRESHERS, thread_name_prefix="refresher"),
            )
    return _kept


def forget_answers() -> None:
    """As after a start, with the settings of now."""
    global _kept
    if _kept:
        _kept.close()
    _kept = None
