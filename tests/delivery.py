"""Events on the path that they take in service: pipeline, writer, projector."""

from __future__ import annotations

import threading
from collections.abc import Iterable
from dataclasses import dataclass, field

from clickhouse_schema.projector import Projector
from funnel.clickhouse import Clickhouse
from funnel.nostr import relay_place
from ingestion.pipeline import Accepted, Pipeline, RecentIds, WantedKinds
from ingestion.vanish import VanishBarriers
from ingestion.writer import EventWriter

OWN_URLS = ("wss://relay.example.com", "https://funnel.example.com")


@dataclass
class Delivery:
    """Takes decoded JSON values as a relay sends them; `now` is the clock of every part.

    just_started: the first pass is one after a restart, which looks for all that there may be.
    """

    clickhouse: Clickhouse
    now: int
    own_urls: tuple[str, ...] = OWN_URLS
    zap_signers: tuple[str, ...] = ()
    trusted_labelers: tuple[str, ...] = ()
    trust_seeds: tuple[str, ...] = ()
    just_started: bool = False
    rejected: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.projector = Projector(
            self.clickhouse,
            own_relays=[relay_place(url) for url in self.own_urls],
            zap_signers=self.zap_signers,
            trusted_labelers=self.trusted_labelers,
            trust_seeds=self.trust_seeds,
            # An insert is complete in every table when the writer returns.
            lag_seconds=-1,
            one_server=True,
        )
        self.projector.may_have_failed = self.just_started

    def write(self, raws: Iterable[object]) -> None:
        """One batch, as a worker writes it that has just started: it remembers no earlier id."""
        pipeline = Pipeline(kinds=WantedKinds(unwanted=frozenset()), recent=RecentIds())
        accepted: list[Accepted] = []
        for raw in raws:
            verdict = pipeline.judge(raw, 0)
            if isinstance(verdict, Accepted):
                accepted.append(verdict)
            else:
                self.rejected.append(getattr(verdict, "reason", "duplicate"))
        writer = EventWriter(
            self.clickhouse,
            barriers=VanishBarriers(self.own_urls),
            give_up=threading.Event(),
            now=lambda: self.now,
        )
        result = writer.write(accepted)
        assert not result.refused

    def project(self) -> None:
        self.projector.catch_up(now=self.now)

    def deliver(self, batches: Iterable[Iterable[object]]) -> None:
        """Each batch is in the answers before the next one comes."""
        for batch in batches:
            self.write(batch)
            self.project()
