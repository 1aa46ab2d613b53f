"""The projector as the settings want it."""

from __future__ import annotations

from concurrent.futures import Executor

from django.conf import settings

from clickhouse_schema.door import Door
from clickhouse_schema.projector import Projector
from funnel.erasure import forget
from funnel.nostr import relay_place

# Nobody waits for a place in a list or a new name as for a count.
REST_WAIT_SECONDS = 2.0
# Nor for a view. A worker writes the views of a batch after its other events, and a pass costs for
# these few nearly what it costs for all.
VIEWS_WAIT_SECONDS = 1.0
# Longer than a busy worker waits from one insert to the next.
IDLE_SECONDS = 0.6


def configured_projector(door: Door, *, beside: Executor | None = None) -> Projector:
    """beside: as of Projector."""
    return Projector(
        door,
        own_relays=own_relays(),
        zap_signers=settings.ZAP_SIGNERS,
        trusted_labelers=settings.TRUSTED_LABELERS,
        trust_seeds=settings.TRUST_SEEDS,
        trust_hops=settings.TRUST_HOPS,
        one_server=not settings.CLICKHOUSE_CLUSTER,
        rest_wait_seconds=REST_WAIT_SECONDS,
        views_wait_seconds=VIEWS_WAIT_SECONDS,
        idle_seconds=IDLE_SECONDS,
        insert_seconds=settings.CLICKHOUSE["default"]["query_seconds"],
        forget=forget,
        beside=beside,
    )


def own_relays() -> list[str]:
    """The places that a request to vanish may name to concern this service (NIP-62)."""
    addresses = [*settings.RELAY_URLS, settings.PUBLIC_URL]
    return sorted({relay_place(address) for address in addresses if address})
