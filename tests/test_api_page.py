"""docs/api.md and README.md: below every curl line stands an answer of the shape of the real one.

The page is about five ids of a demo that ran once. Here each stands for one of a small scenario:
the same video, author and so on, with the words that the page searches for. A field with another
name or type, one too many or too few, is a failure; a shortened answer says how many it leaves out.
"""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import urlsplit
from xml.etree import ElementTree

import pytest
from django.urls import get_resolver, resolve
from rest_framework.test import APIClient

from funnel.clickhouse import connections
from tests.builders import (
    A_DAY,
    T,
    a_comment,
    a_profile,
    a_reaction,
    a_repost,
    a_video,
    a_view,
    alice,
    bob,
    carol,
    dave,
    follows,
    mallory,
)
from tests.conftest import empty_every_table
from tests.published import NOW, clock_at_now, publish
from tests.signed_requests import header_of, proof
from tests.test_docs import DOCS, routes, section, table_rows

__all__ = ["clock_at_now"]

pytestmark = [pytest.mark.usefixtures("clock_at_now"), pytest.mark.django_db]

PAGE = DOCS / "api.md"
README = DOCS.parent / "README.md"
OWN_ADDRESS = "http://127.0.0.1:8000"
ELLIPSIS = "…"
# Objects whose names are those of the day.
MAPS = {"emojis"}


class Example(NamedTuple):
    """A curl line of the page and what stands below it."""

    route: str
    command: str
    answer: str


def examples(document: Path) -> Iterator[Example]:
    for part in re.split(r"^## ", document.read_text(), flags=re.MULTILINE):
        heading = re.match(r"`(?:GET|POST) (\S+)`\n", part)
        route = heading[1] if heading else ""
        for command, below, block in re.findall(
            r"^```console\n(?:\$ make.*\n)?\$ (curl (?:.*\\\n)*.*)\n((?:(?!```).*\n)*)```\n"
            r"(?:\n```(?:json|xml)\n((?:(?!```).*\n)*)```\n)?",
            part,
            flags=re.MULTILINE,
        ):
            yield Example(route, command, below or block)


EXAMPLES = [*examples(PAGE), *examples(README)]

# --- What is asked -------------------------------------------------------------------------------

MIDNIGHT_IN_LISBON = [
    ("t", "cats"),
    ("t", "travel"),
    (
        "imeta",
        "url https://media.example/a.mp4",
        "duration 4.74",
        "image https://media.example/a.jpg",
    ),
]
YESTERDAY = A_DAY // 4


def lisbon(by, d, **details):
    return a_video(by, d, title="Midnight in Lisbon", tags=MIDNIGHT_IN_LISBON, **details)


VIDEO = lisbon(alice, "talked-about", at=YESTERDAY)
LIKED, *MORE = (lisbon(alice, f"more-{n}", at=YESTERDAY + n) for n in range(3))
OLD = lisbon(dave, "old", at=-10)
COMMENT = a_comment(VIDEO, carol, at=A_DAY)
EVENTS = [
    VIDEO,
    LIKED,
    *MORE,
    OLD,
    lisbon(dave, "also", at=2),
    COMMENT,
    a_comment(VIDEO, bob, at=YESTERDAY + 10),
    *(a_reaction(VIDEO, person, at=A_DAY) for person in (carol, dave)),
    a_reaction(VIDEO, mallory, "🔥", at=A_DAY),
    a_repost(VIDEO, carol, at=A_DAY),
    a_view(VIDEO, carol, loops=1.5, at=A_DAY),
    a_reaction(LIKED, bob, at=A_DAY),
    *(a_profile(person, name=f"{person.name} wanda") for person in (alice, carol, dave)),
    *(follows(person, alice) for person in (carol, dave)),
    follows(bob, alice, carol, dave),
    follows(alice, bob, carol, dave, mallory),
]
# What stands in the place of the page's ids, in the order of its table.
SUBJECTS = [VIDEO.id, alice.pubkey, bob.pubkey, COMMENT.id, "00" * 32]


@pytest.fixture(scope="module")
def published(migrated_clickhouse):
    empty_every_table(connections["default"])
    publish(*EVENTS)


def in_the_scenario(text: str) -> str:
    """The text with the ids of the scenario in the place of the page's."""
    ids = [id_ for id_, *_ in table_rows(section(PAGE, "The examples"))]
    for id_, subject in zip(ids, SUBJECTS, strict=True):
        text = text.replace(id_, subject)
    return text


class Asked(NamedTuple):
    method: str
    url: str
    body: str
    filters: list[list[str]]


def asked(command: str) -> Asked:
    """What a curl line sends, and the programs that its answer goes through."""
    curl, *filters = (shlex.split(part) for part in command.replace("\\\n", " ").split(" | "))
    value = {name: curl[at + 1] for at, name in enumerate(curl) if name in {"-X", "-d"}}
    (url,) = (word for word in curl if word.startswith(OWN_ADDRESS))
    return Asked(value.get("-X", "GET"), url, value.get("-d", ""), filters)


# --- What is compared ----------------------------------------------------------------------------


def differences(documented: Any, real: Any, at: str = "answer") -> Iterator[str]:
    """Where the documented value has not the names and JSON types of the real one."""
    if type(documented) is not type(real):
        yield f"{at}: {type(documented).__name__}, really {type(real).__name__}"
    elif isinstance(documented, dict):
        yield from differences_of_objects(documented, real, at)
    elif isinstance(documented, list):
        shown = [each for each in documented if not is_ellipsis(each)]
        if bool(shown) != bool(real):
            yield f"{at}: {len(shown)} elements, really {len(real)}"
        elif real:
            for number, each in enumerate(shown):
                yield from differences(each, real[0], f"{at}[{number}]")


def differences_of_objects(documented: dict[str, Any], real: dict[str, Any], at: str):
    shown = documented.keys() - {ELLIPSIS}
    if at.rpartition(".")[2] in MAPS:
        kinds = {type(value) for value in real.values()}
        yield from (
            f"{at}.{name}: another type" for name in shown if {type(documented[name])} != kinds
        )
        return
    left_out = real.keys() - shown
    if ELLIPSIS in documented:
        if documented[ELLIPSIS] != f"{len(left_out)} more fields":
            yield f"{at}: {documented[ELLIPSIS]}, really {len(left_out)} are left out"
    else:
        yield from (f"{at}.{name}: is not described" for name in sorted(left_out))
    for name in sorted(shown):
        if name not in real:
            yield f"{at}.{name}: does not exist"
        else:
            yield from differences(documented[name], real[name], f"{at}.{name}")


def is_ellipsis(value: Any) -> bool:
    return isinstance(value, str) and value.startswith(ELLIPSIS)


def elements(feed: str | bytes) -> list[str]:
    """Every element and attribute of an RSS document, of its items those of the first."""
    root = ElementTree.fromstring(feed)  # noqa: S314 our own
    channel = root[0]
    for item in channel.findall("item")[1:]:
        channel.remove(item)

    def paths(element: ElementTree.Element, above: str) -> Iterator[str]:
        path = f"{above}/{element.tag}"
        yield path
        yield from (f"{path}@{name}" for name in element.attrib)
        for child in element:
            yield from paths(child, path)

    return sorted(set(paths(root, "")))


# --- The tests -----------------------------------------------------------------------------------


def test_every_route_has_an_example():
    shown = {example.route for example in EXAMPLES}

    assert [] == [route for route in routes(get_resolver()) if route not in shown]


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda example: example.command.split("8000")[1])
def test_an_example_is_as_the_service_answers(example, published, settings):
    settings.PUBLIC_URL = OWN_ADDRESS
    method, url, body, filters = asked(in_the_scenario(example.command))
    documented = in_the_scenario(example.answer)
    if example.route:
        found = re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", resolve(urlsplit(url).path).route)
        assert f"/{found}" == example.route

    signed = proof(url, method, at=NOW - T, body=body.encode() or None)

    response = APIClient().generic(
        method,
        url.removeprefix(OWN_ADDRESS),
        body,
        content_type="application/json",
        headers=header_of(signed) if "Nostr $(" in example.command else {},
    )

    if response.status_code != 200:
        assert json.loads(documented) == response.json()
    elif response["Content-Type"].startswith("application/json"):
        assert [] == list(differences(json.loads(documented), response.json()))
    elif response["Content-Type"].startswith("application/rss+xml"):
        real = elements(response.content)
        if "<item>" not in documented:
            assert re.search(r"<!-- \d+ items -->", documented)
            real = [path for path in real if "/item" not in path]
        assert elements(documented) == real
    else:
        lines = through(filters, response.content.decode().splitlines())
        assert without_values(documented.splitlines()) == without_values(lines)


def without_values(lines: list[str]) -> list[str]:
    """The lines of /metrics without the number at the end of each, other lines as they are."""
    return [re.sub(r" [\d.e+]+$", " number", line) for line in lines]


def through(filters: list[list[str]], lines: list[str]) -> list[str]:
    """The lines that `head -n N` or `grep WORD` leaves."""
    for program, *words in filters:
        if program == "head":
            lines = lines[: int(words[1])]
        else:
            assert program == "grep"
            lines = [line for line in lines if words[0] in line]
    return lines


def test_an_example_with_a_field_of_another_name_or_type_is_noticed():
    real = {"a": 1, "b": [{"c": 1.5, "d": None}], "emojis": {"🔥": 1}}

    def noticed(**changes):
        return [*differences({**real, **changes}, real)]

    assert [] == noticed()
    assert [] == noticed(b=[{"c": 0.0, "…": "1 more fields"}, "… 4 more"], emojis={"x": 2})
    assert ["answer.b[0].d: is not described", "answer.b[0].x: does not exist"] == noticed(
        b=[{"c": 1.5, "x": None}]
    )
    assert ["answer.b[0]: 2 more fields, really 1 are left out"] == noticed(
        b=[{"c": 1.5, "…": "2 more fields"}]
    )
    assert ["answer.b[0].c: int, really float"] == noticed(b=[{"c": 1, "d": None}])
    assert ["answer.b: 0 elements, really 1"] == noticed(b=[])
    assert ["answer.emojis.x: another type"] == noticed(emojis={"x": "1"})
