"""How many requests one client may send, and which client that is."""

from __future__ import annotations

import pytest
from django.test import Client, RequestFactory

from funnel.throttling import client_of
from tests.published import NOW

# A minute that has just begun.
MINUTE = NOW - NOW % 60
# Needs no ClickHouse.
TARGET = "/api/videos?limit=wrong"


@pytest.fixture(autouse=True)
def limits(settings, monkeypatch):
    settings.RATE_LIMIT, settings.RATE_LIMIT_BULK = 3, 2
    settings.CACHES = {
        **settings.CACHES,
        "guards": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"},
    }
    monkeypatch.setattr("funnel.clock.now", lambda: MINUTE + 20)


def statuses(client, times, method="get", **extra):
    return [getattr(client, method)(TARGET, **extra).status_code for _ in range(times)]


def client_at(address):
    return Client(REMOTE_ADDR=address)


def test_a_client_is_told_when_to_come_back(monkeypatch):
    client = client_at("192.0.2.1")

    assert [400, 400, 400, 429] == statuses(client, 4)
    refused = client.get(TARGET)
    assert "40" == refused["Retry-After"]
    assert "no-store" == refused["Cache-Control"]
    assert "*" == refused["Access-Control-Allow-Origin"]
    assert {"error": "Too many requests. Try again in 40 seconds."} == refused.json()

    monkeypatch.setattr("funnel.clock.now", lambda: MINUTE + 60)
    assert [400] == statuses(client, 1)


def test_clients_are_counted_apart_and_so_are_requests_with_a_body():
    assert [400] * 3 + [429] == statuses(client_at("192.0.2.2"), 4)
    assert [400] == statuses(client_at("192.0.2.3"), 1)

    bulk = [
        client_at("192.0.2.2").post("/api/users/bulk", b"[", content_type="application/json")
        for _ in range(3)
    ]
    assert [400, 400, 429] == [response.status_code for response in bulk]


@pytest.mark.parametrize("path", ["/health", "/metrics", "/nope"])
def test_what_is_not_the_api_is_not_counted(path):
    client = client_at("192.0.2.4")

    assert 429 not in [client.get(path).status_code for _ in range(5)]


def test_zero_is_no_limit(settings):
    settings.RATE_LIMIT = 0

    assert [400] * 10 == statuses(client_at("192.0.2.5"), 10)


def test_a_token_that_is_guessed_is_counted(settings):
    settings.API_TOKENS = ["token"]

    wrong = {"headers": {"Authorization": "Bearer wrong"}}
    assert [401] * 3 + [429] == statuses(client_at("192.0.2.6"), 4, **wrong)


def test_workers_count_together_in_redis(settings, redis_url):
    settings.CACHES = {
        **settings.CACHES,
        "guards": {
            "BACKEND": "django.core.cache.backends.redis.RedisCache",
            "LOCATION": redis_url,
        },
    }

    # A new handler, with middlewares of its own, as another worker has.
    assert [400] * 3 == [statuses(client_at("192.0.2.7"), 1)[0] for _ in range(3)]
    assert [429] == statuses(client_at("192.0.2.7"), 1)


def test_without_redis_nobody_is_refused(settings):
    settings.CACHES = {
        **settings.CACHES,
        "guards": {
            "BACKEND": "django.core.cache.backends.redis.RedisCache",
            "LOCATION": "redis://127.0.0.1:1/0",
        },
    }

    assert [400] * 6 == statuses(client_at("192.0.2.8"), 6)


@pytest.mark.parametrize(
    ("proxies", "forwarded", "client"),
    [
        (0, "198.51.100.1", "10.0.0.1"),
        (1, "", "10.0.0.1"),
        (1, "198.51.100.1", "198.51.100.1"),
        (1, "203.0.113.9, 198.51.100.1", "198.51.100.1"),
        (2, "203.0.113.9,  198.51.100.1 , 10.0.0.2", "198.51.100.1"),
        (2, "198.51.100.1", "10.0.0.1"),
        (1, "not an address", "unknown"),
        (1, "2001:db8:1:2:3:4:5:6", "2001:db8:1:2::"),
        (1, "::ffff:198.51.100.1", "198.51.100.1"),
        (1, "fe80::1%eth0", "fe80::"),
    ],
)
def test_the_client_is_whom_the_last_trusted_proxies_saw(settings, proxies, forwarded, client):
    settings.TRUSTED_PROXIES = proxies

    request = RequestFactory(REMOTE_ADDR="10.0.0.1").get("/", HTTP_X_FORWARDED_FOR=forwarded)

    assert client == client_of(request)
