"""The OpenAPI document is valid, committed, complete, and what the service does."""

from __future__ import annotations

import contextlib
import re
from typing import Any

import openapi_spec_validator
import orjson
import pytest
import schemathesis
from django.test import Client
from django.urls import get_resolver
from hypothesis import HealthCheck
from hypothesis import settings as examples
from jsonschema import Draft202012Validator
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from funnel.api_pages import document
from funnel.clickhouse import connections
from funnel.wsgi import application
from tests.api_document import COMMITTED, committed, operations
from tests.builders import (
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
    follows,
)
from tests.conftest import empty_every_table
from tests.published import publish
from tests.signed_requests import header_of, proof
from tests.test_docs import routes

# Pages, and what is the operator's.
NOT_DESCRIBED = {"/api/docs", "/api/openapi.yaml", "/metrics"}
DOCUMENT = committed()
OPERATIONS = list(operations(DOCUMENT))
EXAMPLES = 8
# A request begins by looking after a connection to Django's database that an earlier test has left.
pytestmark = pytest.mark.django_db

VIDEO = a_video(alice, title="cats", tags=[("t", "cats"), ("p", carol.pubkey, "", "Collaborator")])
COMMENT = a_comment(VIDEO, bob, at=1)
EVENTS = [
    VIDEO,
    COMMENT,
    a_comment(VIDEO, carol, parent=COMMENT, at=2),
    a_reaction(VIDEO, bob, at=1),
    a_repost(VIDEO, bob, at=1),
    a_view(VIDEO, bob),
    a_profile(alice, name="alice", picture="https://media.example/a.jpg"),
    a_profile(bob, name="bob"),
    follows(bob, alice),
    follows(alice, bob),
]
# What each parameter that has to be given is given.
VALUES = {"reference": VIDEO.id, "pubkey": alice.pubkey, "tag": "cats", "tab": "0b9c"}
QUERIES = {
    "/api/search": {"q": "cats"},
    "/api/v2/search": {"q": "cats"},
    "/api/users/{pubkey}/feed": {},
}
BODIES = {
    "/api/users/bulk": {"pubkeys": [alice.pubkey, bob.pubkey, "00" * 32]},
    "/api/videos/bulk": {"event_ids": [VIDEO.id, "nope"]},
    "/api/videos/stats/bulk": {"event_ids": [VIDEO.id, "nope"]},
    "/api/users/{pubkey}/notifications/read": {"notification_ids": [COMMENT.id]},
}
PEOPLE = {"/api/users/{pubkey}/feed": bob.pubkey, "/api/users/{pubkey}/collabs": carol.pubkey}

schema = schemathesis.openapi.from_wsgi("/api/openapi.yaml", application)
# Values at the borders of each type: tests/funnel/test_hostile_input.py has worse ones.
schema.config.phases.coverage.enabled = False


@pytest.fixture(scope="module")
def published(migrated_clickhouse):
    empty_every_table(connections["default"])
    publish(*EVENTS)


def test_the_document_is_the_committed_one():
    assert document() == COMMITTED.read_bytes(), (
        "write it anew: manage.py spectacular --file docs/openapi.yaml"
    )


def test_the_document_is_valid():
    openapi_spec_validator.validate(DOCUMENT)


def test_every_route_is_described():
    described = {operation.path for operation in OPERATIONS}

    assert set(routes(get_resolver())) - NOT_DESCRIBED == described


@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda it: f"{it.method} {it.path}")
def test_everything_is_said_in_words(operation):
    assert operation.described["summary"]
    wordless = [
        parameter["name"]
        for parameter in operation.parameters
        if not parameter.get("description") and "enum" not in parameter["schema"]
    ]
    assert [] == wordless


def strict(schema: Any) -> Any:
    """The schema, of objects that have all of its fields and no other ones."""
    if isinstance(schema, list):
        return [strict(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    inner = {name: strict(value) for name, value in schema.items()}
    if "properties" in inner:
        inner |= {"additionalProperties": False, "required": list(inner["properties"])}
    return inner


@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda it: f"{it.method} {it.path}")
def test_an_answer_has_the_fields_that_are_described_and_no_others(
    published, monkeypatch, settings, operation
):
    monkeypatch.setattr("funnel.clock.now", lambda: T + 1_000)
    settings.PUBLIC_URL = "https://funnel.example"
    values = VALUES | {"pubkey": PEOPLE.get(operation.path, alice.pubkey)}
    target = operation.path.format(**values)

    if operation.method == "post":
        body = orjson.dumps(BODIES[operation.path])
        signed = header_of(proof(settings.PUBLIC_URL + target, "POST", at=1_000, body=body))
        response = Client().post(
            target,
            body,
            content_type="application/json",
            headers=signed if operation.is_personal else {},
        )
    else:
        signed = header_of(proof(settings.PUBLIC_URL + target, at=1_000))
        response = Client().get(
            target,
            QUERIES.get(operation.path, {}),
            headers=signed if operation.is_personal else {},
        )

    assert 200 == response.status_code
    [(media_type, content)] = operation.described["responses"]["200"]["content"].items()
    assert media_type == response["Content-Type"].partition(";")[0]
    if media_type != "application/json":
        return
    assert response.json(), "an empty answer shows nothing of its rows"
    whole = {"$ref": "#/$defs/answer", "$defs": {"answer": strict(content["schema"])}}
    whole["components"] = strict(DOCUMENT["components"])
    errors = Draft202012Validator(whole).iter_errors(response.json())
    assert [] == [f"{error.json_path}: {error.message}" for error in errors]


@schema.parametrize()
@examples(
    max_examples=EXAMPLES,
    deadline=None,
    database=None,
    suppress_health_check=list(HealthCheck),
)
def test_generated_requests_are_answered_as_described(published, case):
    response = case.call()

    case.validate_response(
        response,
        checks=[
            not_a_server_error,
            status_code_conformance,
            content_type_conformance,
            response_schema_conformance,
        ],
    )


# --- The page ------------------------------------------------------------------------------------


def test_the_page_is_made_of_files_of_this_service(client, settings):
    settings.API_TOKENS = ["token"]

    page = client.get("/api/docs")

    html = page.content.decode()
    assert 200 == page.status_code
    assert "text/html" in page["Content-Type"]
    assert page["Content-Security-Policy"].startswith("default-src 'self'; ")
    files = re.findall(r'(?:src|href)="([^"]+)"', html)
    assert len(files) >= 4
    for file in files:
        assert file.startswith("/")
        with contextlib.closing(client.get(file.replace("&amp;", "&"))) as response:
            assert 200 == response.status_code
    # An inline script would not run under that policy.
    assert not re.search(r"<script(?![^>]*src=)", html)
    assert 200 == client.get("/api/openapi.yaml").status_code
