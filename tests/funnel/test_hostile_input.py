"""Whatever stands in a URL, the answer is JSON, below 500, and says nothing of ClickHouse."""

from __future__ import annotations

import json
from urllib.parse import quote

import orjson
import pytest
from rest_framework.test import APIClient

from funnel import clock
from funnel.clickhouse import connections
from tests.api_document import committed, operations
from tests.builders import T, alice
from tests.conftest import empty_every_table
from tests.signed_requests import header_of, proof

# What somebody has read is in Django's database.
pytestmark = pytest.mark.django_db

HOSTILE = {
    "empty": b"",
    "nul": b"a\x00b",
    "invalid utf-8": b"\xff\xfe",
    "surrogate": b"\xed\xa0\x80",
    "single quote": b"it's",
    "sql": b"'; DROP TABLE events_local; --",
    "double quote": b'"a"',
    "backslash": b"a\\nb\\",
    "braces": b"{now:UInt32}",
    "percent": b"100%s %(now)s",
    "line break": b"a\nb\r\tc",
    "slashes": b"//../..//etc",
    "ten kilobytes": b"a" * 10_240,
    "ten kilobytes of words": b"cat " * 2_560,
    "emoji": "🐈‍⬛".encode(),
    "japanese": "猫の動画".encode(),
    "right to left": "\u202eمرحبا".encode(),
    "combining": "Z\u0310a\u0301".encode(),
    "punctuation": b"c++ a-b #x a:b (c) * ? !",
    "number": b"99999999999999999999",
    "negative": b"-1",
    "not a number": b"NaN",
    "secret key": b"nsec1vl029mgpspedva04g90vltkh6fvh240zqtv9k0t9af8935ke9laqsnlfe5",
    "broken entity": b"npub1qqqqqqqqqqqq",
}
OPERATIONS = list(operations(committed()))
PARAMETERS = [
    (operation, parameter["name"])
    for operation in OPERATIONS
    if operation.method == "get"
    for parameter in operation.parameters
]
# What the other parameters of a path are given, and what an endpoint answers nothing without.
OTHERS = {"pubkey": alice.pubkey, "reference": "ab" * 32, "tag": "cats", "tab": "0b9c"}
# A longer address makes a signature (NIP-98) longer than is read.
LONGEST_SIGNED = 11_000
ALONG = {"/api/search": "q=cat", "/api/v2/search": "q=cat"}


@pytest.fixture(scope="module")
def api(migrated_clickhouse):
    empty_every_table(connections["default"])
    return APIClient()


@pytest.fixture(autouse=True)
def an_address_of_its_own(settings):
    settings.PUBLIC_URL = "https://funnel.example"


def assert_got(api, operation, target):
    """Asks, by a signed request where one is needed."""
    signed = proof("https://funnel.example" + target, at=clock.now() - T)
    response = api.get(target, headers=header_of(signed) if operation.is_personal else {})
    if operation.is_personal and (alice.pubkey not in target or len(target) > LONGEST_SIGNED):
        # Without a pubkey it is no path.
        assert response.status_code in {400, 401, 403, 404}
    else:
        assert_answered(response)


def assert_posted(api, operation, target, body):
    sent = orjson.dumps(body)
    signed = proof("https://funnel.example" + target, "POST", at=clock.now() - T, body=sent)
    headers = header_of(signed) if operation.is_personal else {}
    assert_answered(
        api.generic("POST", target, sent, content_type="application/json", headers=headers)
    )


def assert_answered(response):
    assert response.status_code in {200, 400, 404}
    if response.status_code == 200:
        assert response.content
        return
    body = json.loads(response.content)
    assert ["error"] == list(body)
    assert not any(word in body["error"] for word in ("DB::", "Code", "events_local", "nsec1v"))
    assert len(body["error"]) < 250


# Texts that reach ClickHouse as they are, and so are all tried everywhere.
FREE = {"q", "reference"}


def some_of_hostile(place):
    """A few texts, other ones at each place: there are some hundred places."""
    texts = list(HOSTILE.values())
    return [texts[(4 * place + number) % len(texts)] for number in range(4)]


@pytest.mark.parametrize(
    ("operation", "name"), PARAMETERS, ids=[f"{it.path} {name}" for it, name in PARAMETERS]
)
def test_hostile_text_in_a_parameter_is_answered(api, operation, name):
    place = PARAMETERS.index((operation, name))
    for text in HOSTILE.values() if name in FREE else some_of_hostile(place):
        quoted = quote(text, safe="")
        if f"{{{name}}}" in operation.path:
            target = operation.path.format(**OTHERS | {name: quoted})
        else:
            along = ALONG.get(operation.path, "") if name not in ("q", "tag") else ""
            target = operation.path.format(**OTHERS) + f"?{along}&{name}={quoted}"
        assert_got(api, operation, target)


@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda it: f"{it.method} {it.path}")
def test_hostile_text_that_is_no_parameter_is_answered(api, operation):
    target = operation.path.format(**OTHERS)
    for text in some_of_hostile(OPERATIONS.index(operation)):
        if operation.method == "get":
            assert_got(api, operation, f"{target}?{quote(text, safe='')}=1")
        else:
            written = text.decode(errors="replace")
            for body in (
                [written],
                {written: written},
                {"event_ids": [written]},
                {"pubkeys": [written]},
                {"notification_ids": [written]},
                {"from_event": {"kind": 3, "pubkey": written}},
                {"from_event": {"kind": 30003, "pubkey": alice.pubkey, "d_tag": written}},
            ):
                assert_posted(api, operation, target, body)


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE)
def test_a_hostile_path_is_answered(api, text):
    assert api.get(f"/{quote(text, safe='')}").status_code in {400, 404}
