"""`manage.py vanish PUBKEY`: erases a person who asked for it on paper, and keeps them erased.

The same as a request to vanish that names this service (NIP-62): everything of the pubkey up to
that second goes from every table, and nothing of it is accepted again. What the person has marked
as read goes from Django's database. Exit codes: 0 erased; 1 refused, not confirmed or failed: run
it again.
"""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from clickhouse_schema.configured_projector import configured_projector
from clickhouse_schema.migrator import server_words
from funnel import clock
from funnel.clickhouse import ClickhouseError, clickhouse
from funnel.erasure import forget
from funnel.nostr import InvalidReference, decode_pubkey


class Command(BaseCommand):
    help = (
        "Erases everything that a person has published, for good, and accepts none of it again."
        " Workers that run keep to it within seconds."
    )
    # The routes and views have no part in it.
    requires_system_checks = ()

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("pubkey", help="whom: 64 characters of lower-case hex, or npub1…")
        parser.add_argument(
            "--until",
            type=int,
            metavar="UNIX_SECONDS",
            help="erase what is dated up to and including that second (default: now)",
        )
        parser.add_argument("--yes", action="store_true", help="do not ask")

    def handle(self, *args: Any, **options: Any) -> None:
        now = clock.now()
        until = now if options["until"] is None else options["until"]
        try:
            pubkey = decode_pubkey(options["pubkey"])
        except InvalidReference as error:
            # What was typed is not repeated: it may be a secret key.
            raise CommandError(f"The pubkey is {error}.") from None
        if not 0 <= until <= now:
            raise CommandError(f"--until is a Unix second from 0 to now, {now}.")
        if not options["yes"] and not confirmed(pubkey, until):
            raise CommandError("Nothing was erased.")
        try:
            clickhouse.insert("vanish_barriers", ("pubkey", "until"), [(pubkey, until)])
            rows = configured_projector(clickhouse).carry_out_erasures(now=now)
        except ClickhouseError as error:
            raise CommandError(f"{error} {server_words(error)}") from error
        for table, erased in rows.items():
            self.stdout.write(f"{table}: {erased:,} rows erased")
        # Once more, for those whom another projector has been through with already.
        if not forget([pubkey]):
            raise CommandError(
                "Django's database does not answer, and may still have what the person has read."
            )
        self.stdout.write(f"Nothing of {pubkey} up to {until} is accepted any more.")


def confirmed(pubkey: str, until: int) -> bool:
    """Whether somebody at the terminal says so."""
    question = f"Erase everything of {pubkey} up to {until} for ever? Type yes: "
    try:
        return input(question) == "yes"
    except EOFError:
        return False
