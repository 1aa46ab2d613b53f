"""nginx with deploy/nginx/nginx.conf.template: what it keeps, for whom and for how long."""

from __future__ import annotations

import contextlib
import gzip
import http.client
import json
import os
import re
import socket
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from analytics import serializers as analytics_serializers
from funnel.clickhouse import Clickhouse
from funnel.params import Params
from ingestion.demo.edge import TEMPLATE
from tests.builders import a_video, as_json
from tests.clickhouse_server import PASSWORD, REPOSITORY, LocalServer, make_schema
from tests.delivery import Delivery
from tests.nginx_edge import STRANGER, Origin, Said, get, nginx_before
from tests.ports import free_port
from tests.published import NOW
from videos import serializers as videos_serializers

CLIENTS = 200
# nginx counts whole seconds, the last one included.
OLD_AFTER_SECONDS = 2.1
FOR_A_SECOND = "public, max-age=1, stale-while-revalidate=1, stale-if-error=3600"


@pytest.fixture(scope="module")
def origin():
    origin = Origin()
    yield origin
    origin.stop()


@pytest.fixture(scope="module")
def edge(origin, tmp_path_factory):
    """The port of nginx. Each test asks paths of its own."""
    with nginx_before(origin.port, tmp_path_factory.mktemp("edge")) as port:
        yield port


def stampede(port, target, clients=CLIENTS):
    with ThreadPoolExecutor(clients) as crowd:
        return list(crowd.map(lambda _: get(port, target), range(clients)))


def wait_for(condition):
    deadline = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_200_clients_cost_one_request_when_an_answer_is_new_and_one_when_it_is_old(origin, edge):
    said = origin.says("/api/crowd", Said(cache_control=FOR_A_SECOND))

    cold = stampede(edge, "/api/crowd")
    assert {200} == {got.status for got in cold}
    assert 1 == len(origin.requests("/api/crowd"))

    # The new answer is not there before everybody has been served with the old one.
    said.gate.clear()
    said.body, said.etag = b'{"answer": 2}', '"two"'
    time.sleep(OLD_AFTER_SECONDS)
    old = stampede(edge, "/api/crowd")
    assert {(200, b'{"answer": 1}')} == {(got.status, got.body) for got in old}
    assert {"STALE", "UPDATING"} == {got.cache for got in old}
    assert 2 == len(origin.requests("/api/crowd"))

    said.gate.set()
    wait_for(lambda: get(edge, "/api/crowd").body == b'{"answer": 2}')


def test_a_crowd_does_not_wait_until_nginx_looks_again(origin, edge):
    # nginx looks every 500 ms. Each of three crowds would wait for that; a slow machine spoils one.
    waited = []
    for path in ("/api/crowd/1", "/api/crowd/2", "/api/crowd/3"):
        origin.says(path, Said())
        began = time.monotonic()
        assert {200} == {got.status for got in stampede(edge, path, clients=50)}
        waited.append(time.monotonic() - began)
        assert 1 == len(origin.requests(path))

    assert min(waited) < 0.45


def test_a_crowd_that_waits_for_a_slow_answer_asks_for_it_once(origin, edge):
    said = origin.says("/api/slow", Said())
    said.gate.clear()
    with ThreadPoolExecutor(1) as beside:
        crowd = beside.submit(stampede, edge, "/api/slow")
        # So long nginx lets nobody else ask, if it is not told how long an answer may take.
        time.sleep(5.5)
        said.gate.set()
        assert {200} == {got.status for got in crowd.result()}

    assert 1 == len(origin.requests("/api/slow"))


def test_packed_and_unpacked_are_one_question(origin, edge):
    body = json.dumps(["a video"] * 500).encode()
    origin.says("/api/packed", Said(body=body))

    packed = get(edge, "/api/packed", headers={"Accept-Encoding": "br, gzip;q=0.8"})
    plain = get(edge, "/api/packed", headers={"Accept-Encoding": "gzip;q=0, identity"})
    again = get(edge, "/api/packed", headers={"Accept-Encoding": "gzip"})

    assert "gzip" == packed.headers["Content-Encoding"] == again.headers["Content-Encoding"]
    assert body == gzip.decompress(packed.body) == plain.body
    assert packed.body == again.body
    assert "HIT" == again.cache
    assert ["Accept-Encoding"] == packed.headers.get_all("Vary")
    assert 1 == len(origin.requests("/api/packed"))


def test_a_question_is_the_same_however_it_is_written(origin, edge):
    origin.says("/api/written", Said())

    written = [
        "limit=5&sort=recent",
        "sort=recent&limit=5",
        "utm_source=x&sort=recent&limit=5&unknown=1",
    ]
    answers = [get(edge, f"/api/written?{query}").body for query in written]

    assert 1 == len(set(answers))
    assert ["/api/written?&limit=5&sort=recent"] == [
        seen.target for seen in origin.requests("/api/written")
    ]


@pytest.mark.parametrize(
    "query",
    [
        # Django takes the last of two, nginx the first.
        "sort=recent&sort=popular",
        "sort=recent&unknown=1&sort=popular",
        # Django decodes a name, and tells upper case from lower.
        "%6Cimit=5",
        "LIMIT=5",
        # A missing limit is the default, an empty one an error.
        "limit=",
        "limit",
        "q=" + "a" * 400,
    ],
    ids=lambda query: query[:40],
)
def test_a_question_that_may_mean_something_else_is_left_as_it_is(origin, edge, query):
    origin.says("/api/odd", Said())

    assert "MISS" == get(edge, f"/api/odd?{query}").cache
    assert "HIT" == get(edge, f"/api/odd?{query}").cache
    assert f"/api/odd?{query}" == origin.requests("/api/odd")[-1].target


def test_a_question_that_is_too_long_to_be_kept_is_answered(origin, edge):
    origin.says("/api/long-words", Said())
    target = "/api/long-words?q=" + "a" * 30_000

    assert [200, 200] == [get(edge, target).status for _ in range(2)]
    assert [target, target] == [seen.target for seen in origin.requests("/api/long-words")]


def test_a_path_is_sent_on_as_it_was_written(origin, edge):
    path = "/api/videos/34236%3Aab%3Aa%2Fb%20c%0d%0aX-Evil:%201/stats"
    origin.says(path, Said())

    got = get(edge, path)

    assert 200 == got.status
    assert [path] == [seen.target for seen in origin.requests(path)]
    assert "X-Evil" not in origin.requests(path)[0].headers


def test_every_parameter_of_the_code_is_known():
    known = set(re.findall(r"map \$arg_(\w+) ", TEMPLATE.read_text()))
    used = re.findall(r'"\?(\$funnel_\S+)";', TEMPLATE.read_text())[0].split("$funnel_")[1:]
    modules = (analytics_serializers, videos_serializers)
    params = {
        value
        for module in modules
        for value in vars(module).values()
        if isinstance(value, type) and issubclass(value, Params)
    }
    # These stand in the path or in the body.
    elsewhere = {"pubkey", "reference", "tab", "pubkeys", "event_ids"}

    assert known == set(used)
    # What is missing in the template would be dropped from every question.
    assert {name for of in params for name in of().fields} - elsewhere <= known


def test_an_answer_to_a_token_is_neither_kept_nor_taken_from_what_is_kept(origin, edge):
    origin.says("/api/personal", Said(cache_control="private, max-age=60"))
    target = "/api/personal?unknown=1&sort=recent&sort=popular"
    headers = {"Authorization": "Bearer secret", "If-None-Match": '"zero"'}

    for _ in range(2):
        got = get(edge, target, headers=headers)
        assert (200, "private, max-age=60") == (got.status, got.headers["Cache-Control"])
    seen = origin.requests("/api/personal")

    assert [target, target] == [request.target for request in seen]
    assert {"Bearer secret"} == {request.headers["Authorization"] for request in seen}
    assert {'"zero"'} == {request.headers["If-None-Match"] for request in seen}
    # A public answer to the same target does not come to whoever shows a token.
    origin.said["/api/personal"] = Said()
    assert "MISS" == get(edge, target).cache
    assert "" == get(edge, target, headers=headers).cache


@pytest.mark.parametrize("cache_control", ["private, max-age=60", "no-store", "public, no-cache"])
def test_what_may_not_be_kept_is_not(origin, edge, cache_control):
    path = f"/api/{cache_control.replace(', ', '/')}"
    origin.says(path, Said(cache_control=cache_control))

    assert ["MISS", "MISS"] == [get(edge, path).cache for _ in range(2)]
    assert 2 == len(origin.requests(path))


def test_a_client_that_has_the_answer_gets_304(origin, edge):
    origin.says("/api/same", Said(body=b"[" + b" " * 5_000 + b"]"))
    first = get(edge, "/api/same", headers={"Accept-Encoding": "gzip"})

    for etag in (first.headers["ETag"], '"one"', 'W/"one"', '"zero", "one"'):
        for encoding in ("gzip", "identity"):
            headers = {"If-None-Match": etag, "Accept-Encoding": encoding}
            got = get(edge, "/api/same", headers=headers)
            assert (304, b"") == (got.status, got.body)
    assert 200 == get(edge, "/api/same", headers={"If-None-Match": '"zero"'}).status
    assert 1 == len(origin.requests("/api/same"))


def test_an_old_answer_that_has_not_changed_is_not_sent_again(origin, edge):
    origin.says("/api/unchanged", Said(cache_control=FOR_A_SECOND))

    get(edge, "/api/unchanged")
    wait_for(lambda: get(edge, "/api/unchanged").cache != "HIT")
    wait_for(lambda: get(edge, "/api/unchanged").cache == "HIT")

    assert '"one"' == origin.requests("/api/unchanged")[1].headers["If-None-Match"]


def test_an_outage_is_bridged_as_long_as_the_answer_allows(origin, edge):
    origin.says("/api/long", Said(cache_control=FOR_A_SECOND))
    origin.says("/api/short", Said(cache_control="public, max-age=1, stale-if-error=1"))
    for path in ("/api/long", "/api/short"):
        get(edge, path)
    failing = Said(status=503, cache_control="no-store", body=b'{"error": "ClickHouse"}')
    origin.said |= {"/api/long": failing, "/api/short": failing}

    # First it says that it fails, then it is away.
    wait_for(lambda: get(edge, "/api/short").status == 503)
    assert (200, b'{"answer": 1}') == (get(edge, "/api/long").status, get(edge, "/api/long").body)
    origin.stop()
    try:
        time.sleep(OLD_AFTER_SECONDS)
        assert 200 == get(edge, "/api/long").status
        away = get(edge, "/api/unknown")
        assert 503 == away.status
        assert ["error"] == list(json.loads(away.body))
        assert ("no-store", "5") == (away.headers["Cache-Control"], away.headers["Retry-After"])
    finally:
        origin.start_again()

    origin.said["/api/short"] = Said(body=b'{"answer": 3}', etag='"three"')
    wait_for(lambda: get(edge, "/api/short").body == b'{"answer": 3}')


def test_what_is_missing_is_asked_for_once(origin, edge):
    origin.says("/api/missing", Said(status=404, cache_control="no-store", body=b'{"error": "x"}'))

    answers = stampede(edge, "/api/missing")

    assert {(404, b'{"error": "x"}')} == {(got.status, got.body) for got in answers}
    assert {"no-store"} == {got.headers["Cache-Control"] for got in answers}
    assert len(origin.requests("/api/missing")) <= 3


def test_the_client_is_named_by_its_address_and_not_by_its_word(origin, edge):
    origin.says("/api/whose", Said())
    origin.says("/api/bulk", Said(cache_control="no-store"))

    forged = {"X-Forwarded-For": "8.8.8.8", "X-Request-ID": "mine", "Cookie": "a=b"}
    token = {"Authorization": "Bearer secret"}
    get(edge, "/api/whose", headers=forged, source=STRANGER)
    get(edge, "/api/whose", headers=forged | token, source=STRANGER)
    posted = get(edge, "/api/bulk", method="POST", body=b"{}", headers=forged, source=STRANGER)

    public, private = origin.requests("/api/whose")
    (bulk,) = origin.requests("/api/bulk")
    for seen in (public, private, bulk):
        assert STRANGER == seen.headers["X-Forwarded-For"]
        assert "Cookie" not in seen.headers
    # Others will be shown the public answer.
    assert re.fullmatch("[0-9a-f]{32}", public.headers["X-Request-ID"])
    assert "mine" == private.headers["X-Request-ID"]
    assert (200, "POST") == (posted.status, bulk.method)


def test_one_client_may_not_ask_too_much(origin, edge):
    origin.says("/api/greedy", Said())

    with ThreadPoolExecutor(20) as clients:
        asked = lambda _: get(edge, "/api/greedy", source="127.0.0.3")  # noqa: E731
        refused = [got for got in clients.map(asked, range(400)) if got.status != 200]

    assert refused
    assert {429} == {got.status for got in refused}
    assert {"1"} == {got.headers["Retry-After"] for got in refused}
    assert ["error"] == list(json.loads(refused[0].body))
    # Another one, and this machine, may ask all the same.
    assert 200 == get(edge, "/api/greedy", source=STRANGER).status
    assert {200} == {got.status for got in stampede(edge, "/api/greedy")}


def test_a_body_that_nobody_reads_is_refused_as_django_does(edge):
    connection = http.client.HTTPConnection("127.0.0.1", edge, timeout=30)
    with contextlib.closing(connection):
        connection.putrequest("POST", "/api/videos/bulk")
        connection.putheader("Content-Length", "2000000")
        connection.endheaders()
        refused = connection.getresponse()
        body = refused.read()

    assert 413 == refused.status
    assert "application/json" == refused.headers["Content-Type"]
    assert "no-store" == refused.headers["Cache-Control"]
    assert "*" == refused.headers["Access-Control-Allow-Origin"]
    assert ["error"] == list(json.loads(body))


@pytest.mark.parametrize(
    ("sent", "status"),
    [
        (b"nonsense\r\n\r\n", 400),
        (b"GET /api/videos HTTP/1.1\r\n\r\n", 400),
        (b"GET /api/videos HTTP/1.1\r\nHost: a\r\nX-Long: " + b"x" * 70_000 + b"\r\n\r\n", 400),
        (b"TRACE /api/videos HTTP/1.1\r\nHost: a\r\n\r\n", 405),
        (b"GET /api/search?q=" + b"x" * 70_000 + b" HTTP/1.1\r\nHost: a\r\n\r\n", 414),
    ],
    ids=["nonsense", "no host", "long header", "trace", "long address"],
)
def test_what_nginx_refuses_by_itself_is_said_in_json(edge, sent, status):
    with socket.create_connection(("127.0.0.1", edge), timeout=30) as connection:
        connection.sendall(sent)
        refused = http.client.HTTPResponse(connection)
        refused.begin()
        body = refused.read()

    assert status == refused.status
    assert "application/json" == refused.headers["Content-Type"]
    assert ["error"] == list(json.loads(body))


def test_the_places_of_errors_are_no_addresses(origin, edge):
    assert 404 == get(edge, "/edge/errors/400").status


@pytest.mark.parametrize("path", ["/metrics", "//metrics", "/%6Detrics", "/x/../metrics"])
def test_numbers_are_for_this_machine_alone(origin, edge, path):
    # http.server takes two slashes at the beginning for one.
    for sent in (path, path.removeprefix("/")):
        origin.says(sent, Said(cache_control="no-store"))

    assert 403 == get(edge, path, source=STRANGER).status
    assert 403 == get(edge, "/edge/status", source=STRANGER).status
    assert 200 == get(edge, path).status
    assert b"Active connections" in get(edge, "/edge/status").body


def test_health_is_asked_each_time(origin, edge):
    origin.says("/health", Said(cache_control="no-store"))

    before = len(origin.requests("/health"))
    assert [200, 200] == [get(edge, "/health").status for _ in range(2)]

    assert 2 == len(origin.requests("/health")) - before


# --- With Django and ClickHouse behind it ---------------------------------------------------------


@pytest.fixture
def own_clickhouse(tmp_path):
    """One that a test may stop, with a video in it, and that video's id."""
    server = LocalServer(tmp_path)
    server.start()
    try:
        video = a_video()
        make_schema(server.settings("edge"))
        with contextlib.closing(Clickhouse(server.settings("edge"))) as door:
            Delivery(door, now=NOW).deliver([[as_json(video)]])
        yield server, video.id
    finally:
        server.stop()


@contextlib.contextmanager
def gunicorn(server, port, directory, **environment):
    """Serves the API there; yields how often each route has been asked so far, and how to stop."""
    log = directory / "gunicorn.log"
    own = {
        name: value for name, value in os.environ.items() if not name.startswith("CLICKHOUSE_")
    } | {
        "DJANGO_SETTINGS_MODULE": "funnel.settings",
        "SECRET_KEY": "tests",
        "LOG_JSON": "true",
        "DATABASE_URL": "sqlite://:memory:",
        "CLICKHOUSE_URL": f"clickhouse://127.0.0.1:{server.port}/edge",
        "CLICKHOUSE_PASSWORD": PASSWORD,
        "CACHE_LIST_SECONDS": "1",
        "CACHE_STATS_SECONDS": "1",
        "WEB_CONCURRENCY": "1",
    }
    with log.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "gunicorn", "--bind", f"127.0.0.1:{port}"],
            cwd=REPOSITORY,
            env=own | environment,
            stdout=output,
            stderr=output,
        )

    def asked(route):
        lines = (line for line in log.read_text().splitlines() if "request_answered" in line)
        return [json.loads(line)["route"] for line in lines].count(route)

    def stop():
        process.terminate()
        process.wait(30)

    def answers():
        assert process.poll() is None, log.read_text()
        with contextlib.suppress(OSError):
            return get(port, "/health").status
        return None

    try:
        wait_for(answers)
        yield asked, stop
    finally:
        stop()


def test_what_was_asked_before_is_answered_without_clickhouse_and_without_django(
    own_clickhouse, tmp_path
):
    server, video_id = own_clickhouse
    port = free_port()
    targets = ["/api/videos?sort=recent", f"/api/videos/{video_id}/stats", "/feed/latest"]
    with nginx_before(port, tmp_path) as edge:
        with gunicorn(server, port, tmp_path) as (asked, stop):
            crowd = stampede(edge, "/api/stats")
            before = {target: get(edge, target) for target in targets}
            assert 1 == asked("api/stats")
            assert {(200, crowd[0].body)} == {(got.status, got.body) for got in crowd}
            assert video_id.encode() in before["/api/videos?sort=recent"].body

            server.stop()
            time.sleep(OLD_AFTER_SECONDS)
            assert 503 == get(edge, "/health").status
            assert 503 == get(edge, "/api/videos?sort=popular").status
            without_clickhouse = {target: get(edge, target) for target in targets}
            stop()
            time.sleep(OLD_AFTER_SECONDS)
            without_django = {target: get(edge, target) for target in targets}
            assert 503 == get(edge, "/api/videos?sort=trending").status

        for target in targets:
            for got in (before[target], without_clickhouse[target], without_django[target]):
                assert (200, before[target].body) == (got.status, got.body)

        server.start()
        with gunicorn(server, port, tmp_path, API_TOKEN="secret") as (asked, _):
            token = {"Authorization": "Bearer secret"}
            for _ in range(2):
                got = get(edge, "/api/creators/top", headers=token)
                assert 200 == got.status
                assert "private" in got.headers["Cache-Control"]
                assert 401 == get(edge, "/api/creators/top").status
            assert 4 == asked("api/creators/top")
