"""Answers that are kept: computed once, shown with a true age, and while ClickHouse is away."""

from __future__ import annotations

import functools
import re
import threading
from concurrent.futures import Executor, Future, ThreadPoolExecutor

import pytest
from django.conf import settings as django_settings
from django.test import Client
from nostr_sdk import PublicKey
from prometheus_client import REGISTRY

from funnel.caching import AUTHOR_SECONDS, LIST_SECONDS, STATS_SECONDS
from funnel.clickhouse import ClickhouseUnavailable, connections
from funnel.kept_answers import (
    REFRESHERS,
    REST_AFTER_FAILURE_SECONDS,
    STALE_IF_ERROR_SECONDS,
    Answer,
    KeptAnswers,
    SharedAnswers,
    forget_answers,
)
from tests.builders import a_video, alice
from tests.published import NOW, publish

RECENT = "/api/videos?sort=recent"
THREADS = 24
FRESH_SECONDS = 5


class Clock:
    def __init__(self):
        self.time = NOW

    def __call__(self):
        return self.time


@pytest.fixture
def clock(monkeypatch):
    clock = Clock()
    monkeypatch.setattr("funnel.clock.now", clock)
    return clock


@pytest.fixture
def kept(settings, clock):
    """Answers are kept, and none yet."""
    settings.CACHE_MEMORY_MB = 8
    settings.CACHE_FRESH_SECONDS = FRESH_SECONDS
    forget_answers()
    yield
    forget_answers()


@pytest.fixture
def clickhouse_is_away(monkeypatch):
    """Nobody listens where the API asks."""
    monkeypatch.setitem(django_settings.CLICKHOUSE["reader"], "port", 1)
    connections.doors.pop("reader", None)
    yield
    connections.doors.pop("reader", None)


def asked():
    """How often ClickHouse has been asked for the newest videos."""
    labels = {"endpoint": "videos", "query": "videos.feed_recent"}
    return REGISTRY.get_sample_value("api_clickhouse_query_duration_seconds_count", labels) or 0


def served(source):
    return REGISTRY.get_sample_value("api_answers_total", {"source": source}) or 0


def ids(response):
    return [row["id"] for row in response.json()]


# --- One question --------------------------------------------------------------------------------


def test_an_answer_is_computed_once_until_its_time_is_over(client, clickhouse, kept, clock):
    first, second = a_video(d="one"), a_video(d="two", at=1)
    publish(first)
    before = asked()

    assert [first.id] == ids(client.get(RECENT))
    publish(second)
    clock.time += FRESH_SECONDS - 1
    assert [first.id] == ids(client.get(RECENT))
    assert before + 1 == asked()
    clock.time += 1
    assert [second.id, first.id] == ids(client.get(RECENT))
    assert before + 2 == asked()


@pytest.mark.parametrize(
    "target",
    [
        "/api/videos?limit=50&sort=recent&author=" + alice.pubkey,
        "/api/videos?sort=recent&author=" + PublicKey.parse(alice.pubkey).to_bech32(),
        "/api/videos?sort=recent&viewer_country=BR&_cb=1&author=" + alice.pubkey,
        "/api/videos?kind=34236,21,22,34235&sort=recent&tag=&author=" + alice.pubkey,
        "/api/videos?sort=trending&sort=recent&author=" + alice.pubkey,
    ],
)
def test_requests_that_ask_the_same_share_an_answer(client, clickhouse, kept, target):
    client.get(f"/api/videos?sort=recent&author={alice.pubkey}")
    before = asked()

    assert 200 == client.get(target).status_code

    assert before == asked()


def test_requests_that_ask_something_else_do_not(client, clickhouse, kept):
    publish(a_video())
    everything = client.get(RECENT).json()

    assert [] == client.get(RECENT + "&tag=none").json()
    assert [] == client.get(RECENT + "&offset=1").json()
    assert {"data", "pagination"} == client.get("/api/v2/videos?sort=recent").json().keys()
    assert everything == client.get(RECENT).json()


def test_no_header_changes_what_a_url_asks_for(client, clickhouse, kept):
    cafe = a_video(tags=[("t", "café")])
    publish(cafe)
    target = f"{RECENT}&tag=caf%C3%A9"

    # The charset of a body that there is none of, by which Django reads the query too.
    first = client.get(target, headers={"Content-Type": "text/plain; charset=latin-1"})

    assert [cafe.id] == ids(first)
    assert [cafe.id] == ids(client.get(target))


def test_a_feed_names_itself_as_it_was_asked_for(client, clickhouse, kept):
    publish(a_video())

    for _ in range(2):
        for secure, scheme in ((False, "http"), (True, "https")):
            feed = client.get("/feed/latest", secure=secure).content.decode()
            assert {scheme} == set(re.findall(r'(https?)://[^"<]*/feed/latest', feed))


def test_a_browser_and_an_app_get_their_own_forms(client, clickhouse, kept):
    target = f"/api/users/{alice.pubkey}/feed"

    for _ in range(2):
        app = client.get(target)
        browser = client.get(target, headers={"Origin": "https://app.example"})
        assert dict is type(app.json())
        assert list is type(browser.json())
        assert "Origin" == app["Vary"] == browser["Vary"]


def test_a_stampede_asks_once(clickhouse, kept):
    publish(a_video())
    before, computed = asked(), served("computed")
    start = threading.Barrier(THREADS)

    def ask(_):
        start.wait()
        response = Client().get(RECENT)
        for door in connections.doors.values():
            door.close()
        return response.status_code, response.content

    with ThreadPoolExecutor(THREADS) as threads:
        answers = list(threads.map(ask, range(THREADS)))

    assert 1 == len(set(answers))
    assert 200 == answers[0][0]
    assert before + 1 == asked()
    assert computed + 1 == served("computed")


def test_errors_are_neither_kept_nor_shared_with_those_who_come_later(client, clickhouse, kept):
    video = a_video()

    response = client.get(f"/api/videos/{video.id}/stats")
    publish(video)

    assert (404, "no-store") == (response.status_code, response["Cache-Control"])
    assert 200 == client.get(f"/api/videos/{video.id}/stats").status_code


# --- Headers -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("target", "seconds"),
    [
        (RECENT, LIST_SECONDS),
        ("/api/stats", STATS_SECONDS),
        (f"/api/users/{alice.pubkey}/videos", AUTHOR_SECONDS),
        ("/feed/latest", LIST_SECONDS),
    ],
)
def test_the_rest_of_its_time_is_what_others_may_keep_it(
    client, clickhouse, kept, clock, target, seconds
):
    first = client.get(target)
    clock.time += 3
    later = client.get(target)

    assert first.content == later.content
    assert (
        f"public, max-age={seconds}, stale-while-revalidate={seconds}, stale-if-error=3600"
        == first["Cache-Control"]
    )
    assert later["Cache-Control"].startswith(f"public, max-age={seconds - 3}, ")
    # Browsers are told other times in lists by time (decision 0025), and nobody else anything else.
    assert ("Origin" if target == RECENT else "") == first.get("Vary", "")
    assert first["Content-Type"] == later["Content-Type"]


def test_who_has_the_answer_is_told_so_without_a_question(client, clickhouse, kept, clock):
    publish(a_video())
    first = client.get(RECENT)
    before = asked()

    for tag in (first["ETag"], f'"other", W/{first["ETag"]}', "*"):
        response = client.get(RECENT, headers={"If-None-Match": tag})
        assert 304 == response.status_code
        assert b"" == response.content
        assert first["ETag"] == response["ETag"]
        assert "max-age" in response["Cache-Control"]
        assert "Content-Type" not in response
    assert before == asked()
    assert 200 == client.get(RECENT, headers={"If-None-Match": '"other"'}).status_code


def test_what_has_not_changed_keeps_its_tag_and_what_has_does_not(client, clickhouse, kept, clock):
    publish(a_video(d="one"))
    tag = {"If-None-Match": client.get(RECENT + "&platform=x")["ETag"]}

    clock.time += LIST_SECONDS
    assert 304 == client.get(RECENT + "&platform=x", headers=tag).status_code
    assert 200 == client.get(RECENT, headers=tag).status_code


def test_head_is_answered_by_what_get_left(client, clickhouse, kept):
    got = client.get(RECENT)

    head = client.head(RECENT)

    assert got["ETag"] == head["ETag"]
    assert b"" == head.content


def test_headers_of_the_view_are_kept(client, clickhouse, kept):
    publish(a_video())
    target = f"/api/users/{alice.pubkey}/videos"

    assert ["1", "1"] == [client.get(target)["X-Total-Count"] for _ in range(2)]


def test_who_may_not_ask_gets_no_kept_answer(client, clickhouse, kept, settings):
    settings.API_TOKENS = ["token"]
    allowed = {"Authorization": "Bearer token"}

    assert 200 == client.get(RECENT, headers=allowed).status_code
    assert client.get(RECENT, headers=allowed)["Cache-Control"].startswith("private, max-age=")
    assert 401 == client.get(RECENT).status_code


# --- Without ClickHouse --------------------------------------------------------------------------


@pytest.fixture
def asked_before(client, clickhouse, kept):
    publish(a_video())
    return client.get(RECENT)


def test_a_kept_answer_is_shown_while_clickhouse_is_away(
    client, clock, asked_before, clickhouse_is_away
):
    stale = served("stale_after_failure")
    for seconds in (1, FRESH_SECONDS, 3 * LIST_SECONDS, STALE_IF_ERROR_SECONDS):
        clock.time = NOW + seconds
        response = client.get(RECENT)
        assert 200 == response.status_code
        assert asked_before.content == response.content
    assert response["Cache-Control"].startswith("public, max-age=1, ")
    assert stale + 3 == served("stale_after_failure")

    clock.time = NOW + LIST_SECONDS + STALE_IF_ERROR_SECONDS
    assert 503 == client.get(RECENT).status_code
    assert 503 == client.get("/api/videos?sort=popular").status_code


def test_clickhouse_is_left_alone_for_a_while_after_a_failure(
    client, clock, asked_before, clickhouse_is_away
):
    clock.time += 3 * LIST_SECONDS
    before = asked()

    for _ in range(5):
        assert 200 == client.get(RECENT).status_code
    assert before + 1 == asked()
    clock.time += REST_AFTER_FAILURE_SECONDS
    client.get(RECENT)
    assert before + 2 == asked()


# --- By itself -----------------------------------------------------------------------------------


def an_answer(text="answer", *, at=NOW):
    return Answer(text.encode(), {}, f'"{text}"', computed_at=at, seconds=10)


def test_a_stale_answer_is_shown_while_one_computes_it_anew(clock):
    answers = KeptAnswers(fresh_seconds=FRESH_SECONDS, memory_bytes=10_000, shared=None)
    answers.answer("key", an_answer)
    entered, go = threading.Event(), threading.Event()

    def slowly():
        entered.set()
        assert go.wait(10)
        return an_answer("new", at=clock.time)

    def must_not_compute():
        raise AssertionError

    clock.time += FRESH_SECONDS
    with ThreadPoolExecutor(1) as pilot:
        flight = pilot.submit(answers.answer, "key", slowly)
        assert entered.wait(10)
        stale = answers.answer("key", must_not_compute)
        go.set()
        assert b"new" == flight.result().body
    assert b"answer" == stale.body
    assert b"new" == answers.answer("key", must_not_compute).body


def test_a_dear_answer_is_shown_for_longer_but_not_than_it_may_be(clock, monkeypatch):
    answers = KeptAnswers(
        fresh_seconds=FRESH_SECONDS, memory_bytes=10_000, shared=None, rest_factor=2
    )
    took, timer = iter([3, 30, 1, 1]), Clock()
    monkeypatch.setattr("funnel.kept_answers.time.monotonic", timer)

    def compute():
        timer.time += next(took)
        return an_answer(at=clock.time)

    def asked_again_after(seconds):
        """Whether the answer is computed anew then, and not a second before."""
        computed = []
        for at in (seconds - 1, 1):
            clock.time += at
            before = served("computed")
            answers.answer("key", compute)
            computed.append(served("computed") - before)
        return computed == [0, 1]

    answers.answer("key", compute)
    assert asked_again_after(6)
    # Its lifetime.
    assert asked_again_after(10)
    assert asked_again_after(FRESH_SECONDS)


class Later(Executor):
    """Does what it is given when it is told to."""

    def __init__(self):
        self.given = []

    def submit(self, work, /, *args, **kwargs):
        self.given.append(functools.partial(work, *args, **kwargs))
        return Future()

    def work(self):
        while self.given:
            self.given.pop(0)()


@pytest.fixture
def later():
    return Later()


@pytest.fixture
def dear(clock, later, monkeypatch):
    """Answers that are computed anew later, and one among them that took three seconds, by its
    letter: it is fresh for twice that, and then shown for as long again."""
    timer = Clock()
    monkeypatch.setattr("funnel.kept_answers.time.monotonic", timer)

    class Dear(KeptAnswers):
        def asked(self, text, *, key="key", seconds=3, error=None):
            def compute():
                timer.time += seconds
                if error:
                    raise error
                return Answer(text.encode(), {}, "", computed_at=clock.time, seconds=30)

            return self.answer(key, compute).body.decode()

    answers = Dear(
        fresh_seconds=FRESH_SECONDS,
        memory_bytes=100_000,
        shared=None,
        rest_factor=2,
        refresher=later,
    )
    answers.asked("a")
    return answers


def test_a_dear_answer_is_computed_anew_beside_the_requests(clock, dear, later):
    clock.time += 6

    assert ("a", "a") == (dear.asked("b"), dear.asked("c"))
    assert 1 == len(later.given)
    later.work()

    assert "b" == dear.asked("d")


def test_a_dear_answer_is_not_shown_for_ever_because_nobody_asks(clock, dear, later):
    clock.time += 12

    assert "b" == dear.asked("b")
    assert not later.given


def test_an_answer_that_was_not_dear_is_computed_for_who_asks(clock, dear, later):
    dear.asked("a", key="cheap", seconds=1)
    clock.time += FRESH_SECONDS

    assert "b" == dear.asked("b", key="cheap")
    assert not later.given


def test_whoever_finds_all_who_compute_busy_computes(clock, dear, later):
    keys = [f"key {number}" for number in range(REFRESHERS + 1)]
    for key in keys:
        dear.asked("a", key=key)
    clock.time += 6

    assert [*["a"] * REFRESHERS, "b"] == [dear.asked("b", key=key) for key in keys]
    later.work()
    assert ["b"] * len(keys) == [dear.asked("c", key=key) for key in keys]


@pytest.mark.parametrize(
    ("error", "rests"),
    [(ClickhouseUnavailable(), REST_AFTER_FAILURE_SECONDS), (ValueError("a mistake"), 0)],
)
def test_a_refresh_that_fails_leaves_the_old_answer_and_is_tried_again(
    error, rests, clock, dear, later
):
    clock.time += 6
    assert "a" == dear.asked("b", error=error)
    later.work()

    clock.time += rests
    assert "a" == dear.asked("c")
    later.work()

    assert "c" == dear.asked("d")


def test_a_failure_is_the_failure_of_all_who_waited(clock):
    answers = KeptAnswers(fresh_seconds=FRESH_SECONDS, memory_bytes=10_000, shared=None)
    computations = []
    everybody_waits = threading.Semaphore(0)

    def fail():
        computations.append(1)
        for _ in range(THREADS - 1):
            assert everybody_waits.acquire(timeout=10)
        raise ClickhouseUnavailable

    def ask(_):
        if computations:
            everybody_waits.release()
        with pytest.raises(ClickhouseUnavailable):
            answers.answer("key", fail)

    with ThreadPoolExecutor(THREADS) as threads:
        first = threads.submit(ask, 0)
        while not computations:
            pass
        list(threads.map(ask, range(THREADS - 1)))
        first.result()

    # Somebody may have come after the failure, and then asked again by himself.
    assert len(computations) < THREADS


def test_memory_is_bounded_by_bytes_and_what_is_asked_for_most_stays(clock):
    answers = KeptAnswers(fresh_seconds=FRESH_SECONDS, memory_bytes=20 * 2_000, shared=None)
    computations = []

    def compute(number):
        computations.append(number)
        return an_answer("x" * 1_000)

    for number in range(100):
        answers.answer(str(number), functools.partial(compute, number))
        answers.answer("popular", lambda: compute("popular"))

    assert 1 == computations.count("popular")
    answers.answer("0", lambda: compute(0))
    assert 2 == computations.count(0)


def test_an_answer_that_is_larger_than_the_memory_is_answered(clock):
    answers = KeptAnswers(fresh_seconds=FRESH_SECONDS, memory_bytes=2_000, shared=None)

    assert 5_000 == len(answers.answer("key", lambda: an_answer("x" * 5_000)).body)


# --- In Redis ------------------------------------------------------------------------------------


@pytest.fixture
def redis_cache(settings):
    def use(url):
        cache = {
            "BACKEND": "django.core.cache.backends.redis.RedisCache",
            "LOCATION": url,
            "OPTIONS": {"socket_timeout": 0.5, "socket_connect_timeout": 0.5},
        }
        settings.CACHES = {**settings.CACHES, "answers": cache}

    return use


def two_workers():
    return [
        KeptAnswers(fresh_seconds=FRESH_SECONDS, memory_bytes=10_000, shared=SharedAnswers())
        for _ in range(2)
    ]


def test_what_one_worker_has_computed_another_one_knows(clock, redis_cache, redis_url):
    redis_cache(redis_url)
    one, other = two_workers()

    computed = one.answer("key", an_answer)

    assert computed == other.answer("key", lambda: an_answer("other"))
    clock.time += 10
    assert b"new" == other.answer("key", lambda: an_answer("new", at=clock.time)).body
    assert b"new" == one.answer("key", an_answer).body


def test_a_worker_waits_for_another_one_or_shows_what_is_stale(clock, redis_cache, redis_url):
    redis_cache(redis_url)
    one, other = two_workers()
    entered, go = threading.Event(), threading.Event()
    computations = []

    def slowly():
        computations.append(1)
        entered.set()
        assert go.wait(10)
        return an_answer(f"answer {len(computations)}", at=clock.time)

    with ThreadPoolExecutor(2) as threads:
        first = threads.submit(one.answer, "key", slowly)
        assert entered.wait(10)
        second = threads.submit(other.answer, "key", slowly)
        go.set()
        assert b"answer 1" == first.result().body == second.result().body

        clock.time += FRESH_SECONDS
        entered.clear()
        go.clear()
        third = threads.submit(one.answer, "key", slowly)
        assert entered.wait(10)
        assert b"answer 1" == other.answer("key", slowly).body
        go.set()
        assert b"answer 2" == third.result().body
    assert 2 == len(computations)


def test_without_redis_each_worker_goes_on_by_itself(clock, redis_cache):
    redis_cache("redis://127.0.0.1:1/0")
    one, other = two_workers()

    assert b"answer" == one.answer("key", an_answer).body
    assert b"answer" == one.answer("key", lambda: an_answer("again")).body
    assert b"other" == other.answer("key", lambda: an_answer("other")).body
