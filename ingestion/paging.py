"""Reading backwards through all that a relay has stored, however few events it gives at a time.

NIP-01 lets a relay answer with fewer events than asked for, and says of them only that they are the
newest. So a page proves that nothing is missing between its oldest event and where it began, and
nothing more: the next page begins at that oldest second, which it includes, and the walk ends with
a page that is empty.
"""

from __future__ import annotations

import functools
from collections.abc import Awaitable, Callable, Iterator, Sequence
from typing import TypeVar

from funnel.nostr import MAX_CREATED_AT, Kind, is_ephemeral
from ingestion.gaps import Gap
from ingestion.messages import Filter

T = TypeVar("T")

# What strfry gives at most, and with it most relays.
PAGE_LIMIT = 500
# Authors that one filter names; a longer message is more than some relays read.
MAX_FILTER_AUTHORS = 250
MAX_KNOWN_AUTHORS = 10_000
# Some relays give nothing for an `until` after 2037.
LATEST_UNTIL = 2**31 - 1
# Before all that can be asked for.
NO_DATE = -1
# What is to be said of seconds that `on_unproven` was told of.
UNPROVEN = "were read by the kinds and authors that are known: the relay may have more"


class PageRefused(Exception):
    """The relay will not answer this filter."""


class RelayMisbehaved(Exception):
    """The relay's answer contradicts the filter, so nothing can be concluded from it."""


class Page:
    """What one REQ brought up to its EOSE; `since` and `until` are what it was to bring.

    An event that is published meanwhile may be among it, dated back by as much as one likes: it is
    read, and proves nothing of what the relay has stored. What the page proves is computed once,
    when somebody asks for it; nothing is to be noted any more then.
    """

    def __init__(self, since: int, until: int) -> None:
        self.since = since
        self.until = until
        # Distinct: a relay that repeats itself must not seem to have larger pages than it has.
        self.ids: set[str] = set()
        # Of events that were published while the relay was answering.
        self.live_ids: set[str] = set()
        self.kinds: set[int] = set()
        self.authors: set[str] = set()
        # The id and the date of each event, "" and NO_DATE where it has none.
        self._noted: list[tuple[str, int]] = []

    @property
    def total(self) -> int:
        return len(self._noted)

    def note(self, raw: object) -> None:
        """Counts an event as the relay sent it; whether it is valid is of no interest here."""
        if type(raw) is not dict:
            self._noted.append(("", NO_DATE))
            return
        event_id, created_at = raw.get("id"), raw.get("created_at")
        if type(event_id) is not str:
            event_id = ""
        elif event_id in self.ids:
            return
        else:
            self.ids.add(event_id)
        if type(created_at) is not int:
            created_at = NO_DATE
        self._noted.append((event_id, created_at))
        if self.since <= created_at <= self.until:
            kind, pubkey = raw.get("kind"), raw.get("pubkey")
            if type(kind) is int:
                self.kinds.add(kind)
            if type(pubkey) is str:
                self.authors.add(pubkey)

    @functools.cached_property
    def _dates(self) -> list[int]:
        """Of the events that prove something: those that did not come live as well, if there are.

        Where all did, they are what the relay had just stored when it was asked.
        """
        stored = [date for event_id, date in self._noted if event_id not in self.live_ids]
        return stored or [date for _, date in self._noted]

    @property
    def proven(self) -> int:
        """Of so many events it is certain that they were given as stored."""
        return len(self._dates)

    @functools.cached_property
    def oldest(self) -> int | None:
        return min((date for date in self._dates if self.since <= date <= self.until), default=None)

    @property
    def at_oldest(self) -> int:
        return 0 if self.oldest is None else self._dates.count(self.oldest)

    @property
    def at_until(self) -> int:
        return self._dates.count(self.until)

    @property
    def after_until(self) -> int:
        """How many are from the one second after it."""
        return self._dates.count(self.until + 1)

    def shows_more_than(self, previous: Page) -> bool:
        """Whether this page, begun where the previous one ended or below, proves it to be cut.

        What was published meanwhile is no proof of that either.
        """
        published = self.live_ids | previous.live_ids
        dates = [
            date
            for event_id, date in self._noted
            if self.since <= date <= self.until and event_id not in published
        ]
        known_at_until = previous.at_oldest if self.until == previous.oldest else 0
        return any(date < self.until for date in dates) or dates.count(self.until) > known_at_until


# Asks for what the filter says and hands over the page of that span, once it has its EOSE.
Fetch = Callable[[Filter, int, int], Awaitable[Page]]
# Reads all of a second, of which so many events are known, in another way; False where it cannot.
ReadSecond = Callable[[int, int], Awaitable[bool]]


async def _read_nothing(second: int, known: int) -> bool:
    return False


class Pager:
    """Walks through one relay's stored events; what it learns of the relay serves later walks."""

    def __init__(
        self,
        *,
        kinds: frozenset[int] | None,
        on_crowded: Callable[[int], None],
        on_unproven: Callable[[int], None],
        on_unreachable: Callable[[int], None],
    ) -> None:
        """`kinds`: those to ask for, None for all.

        `on_crowded` gets each second that holds more than a page, where nothing but paging can read
        it: kind by kind and author by author, which finds all when all its kinds and authors are
        known.
        `on_unproven` gets each of them that was read by those of which the relay has shown events
        before, so that others may be missing; `kinds` alone are all there is to ask for.
        `on_unreachable` gets each second of which even that certainly left something out.
        """
        self._kinds = None if kinds is None else tuple(sorted(kinds))
        self._on_crowded = on_crowded
        self._on_unproven = on_unproven
        self._on_unreachable = on_unreachable
        # The largest page of which it is proven that there was more; 0 as long as none was.
        self._cap = 0
        # The largest page so far, cut or not.
        self._largest = 0
        # NIP-01 includes `until`; some relays do not. None: not known yet, which is to be taken for
        # a relay that does not: the other mistake would lose what is left of a page's last second.
        self._includes_until: bool | None = None
        self._known_kinds = {int(kind) for kind in Kind if not is_ephemeral(kind)}
        self._known_authors: set[str] = set()

    async def walk(self, gap: Gap, fetch: Fetch, read_second: ReadSecond = _read_nothing) -> None:
        """Closes the gap page by page, shrinking it as it goes.

        `read_second` is tried first on a second that holds more than a page. Whatever they raise
        goes through: the gap is then what is still to be read.
        """
        previous: Page | None = None
        while not gap.is_closed:
            page = await self._page(
                fetch, since=gap.since, until=gap.until, expects_until=previous is not None
            )
            if previous is not None and page.shows_more_than(previous):
                self._cap = max(self._cap, previous.proven)
            gap.until = min(gap.until, page.until)
            if page.oldest is None:
                gap.close()
            elif page.oldest < gap.until:
                gap.until = page.oldest
                previous = page
            else:
                await self._leave_second(gap, page, fetch, read_second)
                previous = None

    async def _leave_second(
        self, gap: Gap, page: Page, fetch: Fetch, read_second: ReadSecond
    ) -> None:
        """Steps over the second that filled the whole page, once all of it has been read."""
        second = gap.until
        is_cut, is_last = False, True
        if second > gap.since:
            below = await self._page(fetch, since=gap.since, until=second - 1)
            is_cut, is_last = below.shows_more_than(page), below.oldest is None
        if is_cut or await self._is_as_large_as_any(page, fetch):
            # There was more, and the page did not show it.
            self._cap = max(self._cap, page.proven)
        if (is_cut or self._may_be_cut(page)) and not await read_second(second, page.at_until):
            self._on_crowded(second)
            await self._read_second(fetch, second, self._kinds, None)
        gap.until = second - 1
        if is_last:
            gap.close()

    async def _read_second(
        self,
        fetch: Fetch,
        second: int,
        kinds: Sequence[int] | None,
        authors: Sequence[str] | None,
    ) -> None:
        try:
            page = await self._page(fetch, since=second, until=second, kinds=kinds, authors=authors)
        except PageRefused:
            self._on_unreachable(second)
            return
        if not self._may_be_cut(page):
            return
        parts = list(self._narrower(kinds, authors))
        if not parts:
            self._on_unreachable(second)
        if kinds is None or (len(kinds) == 1 and authors is None):
            self._on_unproven(second)
        for narrower_kinds, narrower_authors in parts:
            await self._read_second(fetch, second, narrower_kinds, narrower_authors)

    def _narrower(
        self, kinds: Sequence[int] | None, authors: Sequence[str] | None
    ) -> Iterator[tuple[Sequence[int], Sequence[str] | None]]:
        """Filters that together ask for what this one does, as far as we know what there is."""
        if kinds is None:
            for half in _halves(sorted(self._known_kinds)):
                yield half, authors
        elif len(kinds) > 1:
            for half in _halves(kinds):
                yield half, authors
        elif authors is None:
            known = sorted(self._known_authors)
            for start in range(0, len(known), MAX_FILTER_AUTHORS):
                yield kinds, known[start : start + MAX_FILTER_AUTHORS]
        elif len(authors) > 1:
            for some in _halves(authors):
                yield kinds, some

    def _may_be_cut(self, page: Page) -> bool:
        # What came live as well may have been stored before and have filled the page.
        return page.total >= PAGE_LIMIT or 0 < self._cap <= page.total

    async def _is_as_large_as_any(self, page: Page, fetch: Fetch) -> bool:
        """Whether the relay, asked for all it has, gives no more than this page of one second.

        Then it has more than that, unless all that it has is of this second. It is asked only while
        nothing is known of its pages, as by a process that goes on with another one's walk.
        """
        if self._cap or page.total < self._largest:
            return False
        newest = await self._page(fetch, since=0, until=MAX_CREATED_AT)
        has_other_seconds = newest.proven > newest.at_oldest or newest.oldest != page.oldest
        return newest.proven <= page.total and has_other_seconds

    async def _page(
        self,
        fetch: Fetch,
        *,
        since: int,
        until: int,
        kinds: Sequence[int] | None = None,
        authors: Sequence[str] | None = None,
        expects_until: bool = False,
    ) -> Page:
        """One page. `expects_until`: the relay has just shown an event of the second `until`.

        A page up to the end of time may be one that ends before, as its `until` says.
        """
        is_inclusion_proven = False
        while True:
            kinds = self._kinds if kinds is None else kinds
            # `since` in any case: some relays give nothing for a filter without a condition.
            asked: Filter = {"since": since, "limit": PAGE_LIMIT}
            # No `until` for the end of time: see LATEST_UNTIL.
            if until < MAX_CREATED_AT:
                asked["until"] = until + (not self._includes_until)
            if kinds is not None:
                asked["kinds"] = list(kinds)
            if authors is not None:
                asked["authors"] = list(authors)
            page = await fetch(asked, since, until)
            self._remember(page)
            may_be_cut = page.total >= self._largest
            if "until" in asked and not self._includes_until and page.after_until:
                self._includes_until = is_inclusion_proven = True
                if not may_be_cut or (page.oldest is not None and page.oldest < until):
                    break  # the one second more has hidden nothing
            elif (
                self._includes_until
                and expects_until
                and not page.at_until
                and not is_inclusion_proven
            ):
                # So that was a mistake, or the event is gone; the safe answer is the last one.
                self._includes_until = False
            else:
                break
        if page.oldest is None and page.proven > (0 if may_be_cut else page.after_until):
            if until == MAX_CREATED_AT and since < LATEST_UNTIL:
                # Its events are dated after the end of time, in milliseconds mostly. What is dated
                # after 2037 is left out with them, and has no effect for years.
                return await self._page(
                    fetch, since=since, until=LATEST_UNTIL - 1, kinds=kinds, authors=authors
                )
            raise RelayMisbehaved("none of the events is from the time that was asked for")
        return page

    def _remember(self, page: Page) -> None:
        self._largest = max(self._largest, page.proven)
        self._known_kinds |= page.kinds
        if len(self._known_authors) < MAX_KNOWN_AUTHORS:
            self._known_authors |= page.authors


def _halves(values: Sequence[T]) -> tuple[Sequence[T], Sequence[T]]:
    middle = len(values) // 2
    return values[:middle], values[middle:]
