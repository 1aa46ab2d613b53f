"""Tokens that close the API, and requests that a person signs (NIP-98)."""

from __future__ import annotations

import base64
import json

import pytest
from django.core.cache import caches
from django.db import OperationalError
from django.test import Client
from django.urls import include, path
from nostr_sdk import PublicKey
from rest_framework.response import Response

from funnel.auth import PersonalViewSet
from funnel.models import UsedProof
from funnel.nip98 import REPLAY_SECONDS
from funnel.nostr import Kind
from tests import signed_requests
from tests.builders import T, alice, an_event, bob, forged
from tests.signed_requests import header_of

TOKEN, OTHER_TOKEN = "one-token", "another-token"
OWN_PATH = f"/api/users/{alice.pubkey}/diary"
URL = "https://funnel.example" + OWN_PATH


class DiaryViewSet(PersonalViewSet):
    def read(self, request, pubkey):
        return Response({"pubkey": request.user.pubkey, "rows": request.data})


urlpatterns = [
    path("api/users/<str:pubkey>/diary", DiaryViewSet.as_view({"get": "read", "post": "read"})),
    path("", include("funnel.urls")),
]
pytestmark = [pytest.mark.urls(__name__), pytest.mark.django_db]


@pytest.fixture(autouse=True)
def one_moment(monkeypatch, settings):
    monkeypatch.setattr("funnel.clock.now", lambda: T)
    settings.PUBLIC_URL = "https://funnel.example/"


@pytest.fixture
def closed(settings):
    settings.API_TOKENS = [TOKEN, OTHER_TOKEN]


# --- Tokens --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "target", ["/api/videos", "/api/health", "/api/videos/x/stats", "/feed/latest", OWN_PATH]
)
@pytest.mark.parametrize(
    "header", ["", TOKEN, "Bearer", f"Bearer {TOKEN}x", f"Bearer {TOKEN[:-1]}", f"Basic {TOKEN}"]
)
def test_a_closed_api_refuses_who_has_no_token(client, closed, target, header):
    response = client.get(target, headers={"Authorization": header} if header else {})

    assert 401 == response.status_code
    assert "WWW-Authenticate" in response
    assert "no-store" == response["Cache-Control"]
    assert ["error"] == list(response.json())


@pytest.mark.parametrize("header", [f"Bearer {TOKEN}", f"bearer  {OTHER_TOKEN} "])
def test_each_token_opens_it_and_the_answer_is_private(client, closed, clickhouse, header):
    response = client.get("/api/stats", headers={"Authorization": header})

    assert 200 == response.status_code
    assert response["Cache-Control"].startswith("private, max-age=15, ")
    assert "Authorization" in response["Vary"]


def test_a_token_that_is_no_text_is_refused(client, closed):
    assert 401 == client.get("/api/stats", HTTP_AUTHORIZATION="Bearer \udcff").status_code


def test_without_tokens_it_is_open_and_public(client, clickhouse):
    response = client.get("/api/stats", headers={"Authorization": "Bearer anything"})

    assert 200 == response.status_code
    assert response["Cache-Control"].startswith("public")
    assert "Authorization" not in response.get("Vary", "")


def test_health_and_preflights_need_no_token(client, closed, clickhouse):
    assert 200 == client.get("/health").status_code
    assert 204 == client.options("/api/videos").status_code


# --- NIP-98 --------------------------------------------------------------------------------------


def proof(url=URL, method="GET", **of):
    return signed_requests.proof(url, method, **of)


def assert_refused(response, status=401):
    assert status == response.status_code
    assert "no-store" == response["Cache-Control"]
    assert ["error"] == list(response.json())
    assert (status == 401) == ("Nostr" == response.get("WWW-Authenticate"))


@pytest.mark.parametrize("at", [-60, 0, 60])
@pytest.mark.parametrize(("scheme", "padded"), [("Nostr", True), ("nostr", False)])
def test_a_person_reads_what_is_theirs_and_no_cache_keeps_it(client, at, scheme, padded):
    response = client.get(OWN_PATH, headers=header_of(proof(at=at), scheme=scheme, padded=padded))

    assert 200 == response.status_code
    assert alice.pubkey == response.json()["pubkey"]
    assert "private" in response["Cache-Control"]
    assert "Authorization" in response["Vary"]


def test_the_url_is_compared_with_its_raw_query(client):
    query = "?b=2&a=%7e&a=x+y"
    signed = header_of(proof(URL + query))

    assert_refused(client.get(OWN_PATH + "?a=%7E&a=x+y&b=2", headers=signed))
    assert_refused(client.get(OWN_PATH, headers=signed))
    assert 200 == client.get(OWN_PATH + query, headers=signed).status_code


def test_the_host_is_that_of_the_settings_and_not_of_the_request(client, settings):
    settings.ALLOWED_HOSTS = ["*"]
    elsewhere = {"Host": "evil.example", "X-Forwarded-Host": "evil.example"}

    forwarded = proof(URL.replace("funnel.example", "evil.example"))

    assert_refused(client.get(OWN_PATH, headers=header_of(forwarded) | elsewhere))
    assert 200 == client.get(OWN_PATH, headers=header_of(proof()) | elsewhere).status_code


def test_without_an_address_of_its_own_the_server_believes_nobody(client, settings):
    settings.PUBLIC_URL = ""

    assert_refused(client.get(OWN_PATH, headers=header_of(proof())))


@pytest.mark.parametrize(
    "event",
    [
        proof(at=-61),
        proof(at=61),
        proof(method="POST"),
        proof(URL.replace("https", "http")),
        proof(URL + "?"),
        proof(URL + "/"),
        proof(kind=Kind.CLIENT_AUTH),
        proof(body=b"something"),
        an_event(Kind.HTTP_AUTH),
        forged(proof(), sig="0" * 128),
        forged(proof(), content="x"),
        forged(proof(), pubkey=bob.pubkey),
    ],
)
def test_a_proof_of_something_else_is_none(client, event):
    assert_refused(client.get(OWN_PATH, headers=header_of(event)))


@pytest.mark.parametrize(
    "header",
    [
        "",
        "Nostr",
        "Nostr !",
        "Nostr ====",
        "Nostr a",
        "Nostr bnVsbA==",
        "Nostr W10=",
        "Nostr " + base64.b64encode(b"\xff").decode(),
        "Nostr " + base64.b64encode(b"[" * 9_000).decode(),
        "Nostr " + "A" * 20_000,
        "Bearer x",
        "Nostr \udcff",
    ],
)
def test_a_header_without_an_event_proves_nobody(client, header):
    assert_refused(client.get(OWN_PATH, HTTP_AUTHORIZATION=header))


def test_a_body_needs_its_hash(client):
    body = json.dumps([1, 2]).encode()

    def send(event, content=body):
        return client.post(
            OWN_PATH, content, content_type="application/json", headers=header_of(event)
        )

    assert_refused(send(proof(method="POST")))
    assert_refused(send(proof(method="POST", body=body), b"[1,2,3]"))
    response = send(proof(method="POST", body=body))
    assert (200, [1, 2]) == (response.status_code, response.json()["rows"])


def test_a_proof_counts_once_wherever_it_is_shown_first(client):
    used = header_of(proof())

    assert 200 == client.get(OWN_PATH, headers=used).status_code
    assert_refused(client.get(OWN_PATH, headers=used))
    # Another spelling of the same event is the same event.
    assert_refused(Client().get(OWN_PATH, headers={"Authorization": used["Authorization"] + "="}))


def test_a_proof_that_is_refused_is_not_used_up(client):
    signed = header_of(proof())

    assert_refused(client.get(OWN_PATH + "?x=1", headers=signed))

    assert 200 == client.get(OWN_PATH, headers=signed).status_code


def test_somebody_else_is_forbidden(client):
    assert_refused(client.get(OWN_PATH, headers=header_of(proof(by=bob))), 403)


def test_a_person_is_the_same_by_npub(client):
    own = OWN_PATH.replace(alice.pubkey, PublicKey.parse(alice.pubkey).to_bech32())

    signed = header_of(proof("https://funnel.example" + own))

    assert 200 == client.get(own, headers=signed).status_code


def test_a_malformed_pubkey_is_a_400(client):
    nobodys = OWN_PATH.replace(alice.pubkey, "npub1qqqq")

    signed = header_of(proof("https://funnel.example" + nobodys))

    assert_refused(client.get(nobodys, headers=signed), 400)


def test_a_proof_opens_a_closed_api_for_what_is_ones_own_alone(client, closed):
    own = header_of(proof())
    other = header_of(proof("https://funnel.example/api/stats"))

    assert 200 == client.get(OWN_PATH, headers=own).status_code
    assert 401 == client.get("/api/stats", headers=other).status_code
    assert_refused(client.get(OWN_PATH, headers={"Authorization": f"Bearer {TOKEN}"}))


def test_a_proof_that_another_worker_has_seen_is_refused(client):
    used = header_of(proof())
    assert 200 == client.get(OWN_PATH, headers=used).status_code

    # What this process alone remembers, another one does not.
    for cache in caches.all():
        cache.clear()

    assert_refused(client.get(OWN_PATH, headers=used))


def test_a_proof_is_remembered_for_as_long_as_any_clock_lets_it_be_shown(client, monkeypatch):
    early = header_of(proof(at=60))
    assert 200 == client.get(OWN_PATH, headers=early).status_code

    # A second passes between the check of the time and the look into the memory.
    clocks = iter([T + 120, T + 121, T + 122])
    monkeypatch.setattr("funnel.clock.now", lambda: next(clocks))

    assert_refused(client.get(OWN_PATH, headers=early))


def test_what_could_not_be_shown_again_is_forgotten(client, monkeypatch):
    client.get(OWN_PATH, headers=header_of(proof()))
    later = T + REPLAY_SECONDS + 1
    monkeypatch.setattr("funnel.clock.now", lambda: later)

    new = proof(at=later - T)
    client.get(OWN_PATH, headers=header_of(new))

    assert [new.id] == list(UsedProof.objects.values_list("event_id", flat=True))


def test_without_a_memory_of_proofs_none_is_believed(client, monkeypatch):
    def away(*_, **__):
        raise OperationalError("the connection is closed")

    monkeypatch.setattr("funnel.models.UsedProof.objects.get_or_create", away)

    response = client.get(OWN_PATH, headers=header_of(proof()))

    assert_refused(response, 503)
    assert "Retry-After" in response
