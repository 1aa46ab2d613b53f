"""Zaps (NIP-57): whose receipts count, and the amount in the invoice (BOLT 11)."""

from __future__ import annotations

from typing import Any

import pytest

from funnel.clickhouse import Clickhouse
from funnel.nostr import Event, Kind
from tests.builders import (
    a_note,
    a_video,
    a_zap,
    a_zap_request,
    alice,
    an_event,
    an_invoice,
    as_json,
    bob,
    carol,
    forged,
    lightning_service,
    mallory,
)
from tests.delivery import Delivery
from tests.published import NOW, publish
from tests.semantics.asked import fields

VIDEO = a_video(alice, "v1")
OTHER = a_video(alice, "v2")


def publish_with_trust(clickhouse: Clickhouse, *events: Event) -> None:
    """The lightning service is among the trusted signers of receipts."""
    delivery = Delivery(clickhouse, now=NOW, zap_signers=(lightning_service.pubkey,))
    delivery.deliver([[as_json(event) for event in events]])


def zaps(api, video: Event = VIDEO) -> dict[str, Any]:
    names = ("zaps", "zap_msat", "zaps_unverified", "zap_msat_unverified")
    return {name: value for name, value in fields(api, video, *names).items() if value}


def test_receipts_of_trusted_servers_and_of_others_are_kept_apart(api, clickhouse: Clickhouse):
    publish_with_trust(
        clickhouse,
        VIDEO,
        a_zap(VIDEO, bob, millisats=21_000),
        a_zap(VIDEO, carol, millisats=5_000, via="e"),
        a_zap(VIDEO, bob, millisats=7_000, service=mallory, via="a"),
    )

    expected = {
        "zaps": 2,
        "zap_msat": 26_000,
        "zaps_unverified": 1,
        "zap_msat_unverified": 7_000,
    }
    assert expected == zaps(api)


def test_an_invoice_counts_once_for_each_video(api, clickhouse: Clickhouse):
    paid, repeated = an_invoice(21_000), an_invoice(5_000)
    publish_with_trust(
        clickhouse,
        VIDEO,
        OTHER,
        # Trusted and not: the trusted receipt goes before the earlier one.
        a_zap(VIDEO, bob, invoice=paid, service=mallory, at=1),
        a_zap(VIDEO, bob, invoice=paid, at=2),
        a_zap(VIDEO, carol, invoice=paid.upper(), at=3),
        a_zap(VIDEO, bob, invoice=repeated, service=mallory, at=4),
        a_zap(VIDEO, carol, invoice=repeated, service=mallory, via="e", at=5),
        a_zap(OTHER, bob, invoice=paid, service=mallory, at=6),
    )

    assert {
        "zaps": 1,
        "zap_msat": 21_000,
        "zaps_unverified": 1,
        "zap_msat_unverified": 5_000,
    } == zaps(api)
    assert {"zaps_unverified": 1, "zap_msat_unverified": 21_000} == zaps(api, OTHER)


def test_a_receipt_counts_when_the_invoice_is_for_what_was_asked(api):
    unreadable = an_event(
        Kind.ZAP_REQUEST, bob, tags=[("amount", "23000 msat"), ("p", alice.pubkey)], at=1
    )
    publish(
        VIDEO,
        a_zap(VIDEO, bob, millisats=21_000, asked=21_000),
        a_zap(VIDEO, bob, millisats=22_000, asked=21_000),
        a_zap(VIDEO, bob, millisats=0, asked=21_000),
        a_zap(VIDEO, bob, millisats=0, asked=0),
        a_zap(VIDEO, bob, millisats=23_000, request=unreadable),
    )

    assert {"zaps_unverified": 1, "zap_msat_unverified": 21_000} == zaps(api)


def test_a_receipt_counts_with_a_genuine_zap_request_alone(api):
    request = a_zap_request(VIDEO, bob)
    publish(
        VIDEO,
        a_zap(VIDEO, bob, millisats=1_000, request=forged(request)),
        a_zap(VIDEO, bob, millisats=2_000, request=forged(request, pubkey=carol.pubkey)),
        a_zap(VIDEO, bob, millisats=4_000, request=a_note(bob, tags=request.tags)),
        a_zap(VIDEO, bob, millisats=8_000, request=request),
    )

    assert {"zaps_unverified": 1, "zap_msat_unverified": 8_000} == zaps(api)


@pytest.mark.parametrize(
    ("prefixes", "millisats"),
    [
        (["lnbc1", "lntb2m", "lnbcrt3u", "lntbs4n"], 10**11 + 2 * 10**8 + 3 * 10**5 + 4 * 10**2),
        (["lnbc70p", "lnbc0080P", "LNBC20N"], 7 + 8 + 2_000),
        (["lnbc21000000", "lnbc"], 21 * 10**17),
    ],
)
def test_the_amount_stands_in_the_readable_part_of_the_invoice(api, prefixes, millisats):
    # The first 1 of an amount is not the one that parts the invoice, the last is.
    publish(VIDEO, *(a_zap(VIDEO, bob, invoice=f"{prefix}1qqpzry") for prefix in prefixes))

    assert {
        "zaps_unverified": len(prefixes),
        "zap_msat_unverified": millisats,
    } == zaps(api)


def test_what_cannot_be_paid_is_no_invoice(api):
    readable = ["lnbc75p", "lnbc21000001", "lnbc1k", "lnbcm", "lnxx1", "bc1", "lnbc" + "9" * 40]
    invoices = [*(f"{each}1qqpzry" for each in readable), "nothing", "lnbc20n"]
    publish(VIDEO, *(a_zap(VIDEO, bob, invoice=invoice) for invoice in invoices))

    assert {} == zaps(api)
