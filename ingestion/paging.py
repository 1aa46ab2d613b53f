"""Reading backwards through all that a relay has stored, however few events it gives at a time.

NIP-01 lets a relay answer with fewer events than asked for, and says of them only that they are the
newest. So a page proves that nothing is missing between its oldest event and where it began, and
nothing more: the next page begins at that oldest second, which it includes, and the walk ends with
a page that is empty.
"""

from __future__ import annotations

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


class PageRefused(Exception):
    """The relay will not answer this filter."""


class RelayMisbehaved(Exception):
    """The relay's answer contradicts the filter, so nothing can be concluded from it."""


class Page:
    """What one REQ brought up to its EOSE; `since` and `until` are what it was to bring."""

    def __init__(self, since: int, until: int) -> None:
        self.since = since
        self.until = until
        # Distinct: a relay that repeats itself must not seem to have larger pages than it has.
        self.ids: set[str] = set()
        self._without_id = 0
        self.oldest: int | None = None
        self.at_oldest = 0
        self.at_until = 0
        self.after_until = 0
        self.kinds: set[int] = set()
        self.authors: set[str] = set()

    @property
    def total(self) -> int:
        return len(self.ids) + self._without_id

    def note(self, raw: object) -> None:
        """Counts an event as the relay sent it; whether it is valid is of no interest here."""
        if type(raw) is not dict or type(event_id := raw.get("id")) is not str:
            self._without_id += 1
        elif event_id in self.ids:
            return
        else:
            self.ids.add(event_id)
        if type(raw) is not dict:
            return
        created_at, kind, pubkey = raw.get("created_at"), raw.get("kind"), raw.get("pubkey")
        if type(created_at) is not int or created_at < self.since:
            return
        if created_at > self.until:
            self.after_until += created_at == self.until + 1
            return
        if self.oldest is None or created_at < self.oldest:
            self.oldest, self.at_oldest = created_at, 0
        self.at_oldest += created_at == self.oldest
        self.at_until += created_at == self.until
        if type(kind) is int:
            self.kinds.add(kind)
        if type(pubkey) is str:
            self.authors.add(pubkey)

    def shows_more_than(self, previous: Page) -> bool:
        """Whether this page, begun where the previous one ended, proves that one to be cut."""
        is_older = self.oldest is not None and self.oldest < self.until
        return is_older or self.at_until > previous.at_oldest


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
        on_unreachable: Callable[[int], None],
    ) -> None:
        """`kinds`: those to ask for, None for all.

        `on_crowded` gets each second that holds more than a page, where nothing but paging can read
        it: kind by kind and author by author, which finds all when all its kinds and authors are
        known.
        `on_unreachable` gets each second of which even that certainly left something out.
        """
        self._kinds = None if kinds is None else tuple(sorted(kinds))
        self._on_crowded = on_crowded
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
                self._cap = max(self._cap, previous.total)
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
        is_last = True
        if second > gap.since:
            below = await self._page(fetch, since=gap.since, until=second - 1)
            is_last = below.oldest is None
        if not is_last or await self._is_as_large_as_any(page, fetch):
            # There was more, and the page did not show it.
            self._cap = max(self._cap, page.total)
        if (not is_last or self._may_be_cut(page)) and not await read_second(second, page.at_until):
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
        return page.total >= PAGE_LIMIT or 0 < self._cap <= page.total

    async def _is_as_large_as_any(self, page: Page, fetch: Fetch) -> bool:
        """Whether the relay, asked for all it has, gives no more than this page of one second.

        Then it has more than that, unless all that it has is of this second. It is asked only while
        nothing is known of its pages, as by a process that goes on with another one's walk.
        """
        if self._cap or page.total < self._largest:
            return False
        newest = await self._page(fetch, since=0, until=MAX_CREATED_AT)
        has_other_seconds = newest.total > newest.at_oldest or newest.oldest != page.oldest
        return newest.total <= page.total and has_other_seconds

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
        """One page. `expects_until`: the relay has just shown an event of the second `until`."""
        while True:
            kinds = self._kinds if kinds is None else kinds
            # `since` in any case: some relays give nothing for a filter without a condition.
            asked: Filter = {"since": since, "limit": PAGE_LIMIT}
            # No `until` for the end of time: some relays give nothing for one after 2037.
            if until < MAX_CREATED_AT:
                asked["until"] = until + (not self._includes_until)
            if kinds is not None:
                asked["kinds"] = list(kinds)
            if authors is not None:
                asked["authors"] = list(authors)
            page = await fetch(asked, since, until)
            self._remember(page)
            may_be_cut = page.total >= self._largest
            if self._includes_until is None and page.after_until:
                self._includes_until = True
                if not may_be_cut or (page.oldest is not None and page.oldest < until):
                    break  # the one second more has hidden nothing
            elif self._includes_until and expects_until and not page.at_until:
                # So that was a mistake, or the event is gone; the safe answer is the last one.
                self._includes_until = False
            else:
                break
        if page.oldest is None and page.total > (0 if may_be_cut else page.after_until):
            raise RelayMisbehaved("none of the events is from the time that was asked for")
        return page

    def _remember(self, page: Page) -> None:
        self._largest = max(self._largest, page.total)
        self._known_kinds |= page.kinds
        if len(self._known_authors) < MAX_KNOWN_AUTHORS:
            self._known_authors |= page.authors


def _halves(values: Sequence[T]) -> tuple[Sequence[T], Sequence[T]]:
    middle = len(values) // 2
    return values[:middle], values[middle:]
