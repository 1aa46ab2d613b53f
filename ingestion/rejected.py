"""Samples of rejected events for the admin: enough to see what a relay sends, never a flood."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

import orjson

from ingestion.models import RejectedEvent

MAX_SAMPLE_CHARACTERS = 4_000
# Of each reason, between two savings.
SAMPLES_PER_REASON = 3
KEPT_SAMPLES = 2_000


@dataclass(frozen=True, slots=True)
class Sample:
    reason: str
    relay_url: str
    text: str


class RejectedSamples:
    """The first few of each reason since the last saving."""

    def __init__(self) -> None:
        self._samples: list[Sample] = []
        self._taken: Counter[str] = Counter()

    def offer(self, reason: str, relay_url: str, raw: object) -> None:
        if self._taken[reason] >= SAMPLES_PER_REASON:
            return
        self._taken[reason] += 1
        self._samples.append(Sample(reason, relay_url, showable(raw)))

    def take(self) -> list[Sample]:
        samples, self._samples = self._samples, []
        self._taken.clear()
        return samples


def showable(raw: object) -> str:
    """The beginning of the value's JSON, without what a database or a page might stumble over."""
    try:
        text = orjson.dumps(raw).decode()
    except TypeError:
        try:
            text = repr(raw)
        except RecursionError:
            text = "(nested too deeply to be shown)"
    # PostgreSQL's text knows no U+0000, and no encoding knows a lone surrogate.
    text = text[:MAX_SAMPLE_CHARACTERS].replace("\x00", "\\u0000")
    return text.encode("utf-8", "backslashreplace").decode()


def save_samples(samples: list[Sample]) -> None:
    """Stores the samples and drops the oldest ones; blocking."""
    RejectedEvent.objects.bulk_create(
        RejectedEvent(reason=sample.reason, relay_url=sample.relay_url, sample=sample.text)
        for sample in samples
    )
    oldest_kept = (
        RejectedEvent.objects.order_by("-id")
        .values_list("id", flat=True)[KEPT_SAMPLES - 1 : KEPT_SAMPLES]
        .first()
    )
    if oldest_kept is not None:
        RejectedEvent.objects.filter(id__lt=oldest_kept).delete()
