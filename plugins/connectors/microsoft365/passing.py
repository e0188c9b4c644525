"""What changed in the mailboxes since the last pass? One list of changes per folder, and only what is new is read.

First every place that was read before says what changed, 20 places to a request; then what is new, or has to be read
again because its position expired (410), is read page by page. An item that one place no longer has is gone only when
no other has it: a move keeps its immutable id, so the last page says what is gone.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from connectors.microsoft365.answers import BAD_REQUEST, FORBIDDEN, GONE, NOT_FOUND, Answer, refusal, rows_of
from connectors.microsoft365.attachments import Attachments, Found
from connectors.microsoft365.facts import NEEDED, SELECTED, Row, facts_of, outside, people_in, series_of, version_of
from connectors.microsoft365.graph import BATCH, Graph, Part, TimedOut
from connectors.microsoft365.keys import MAILBOX, Item, is_id, key
from connectors.microsoft365.mailboxes import Mailboxes, Place
from connectors.microsoft365.positions import READ, READING, Positions
from connectors.microsoft365.scope import Scope
from connectors.microsoft365.transport import IMMUTABLE
from retention.contract import Incomplete
from retention.vocabulary import Finding, Gap, GapCode, Page, RecordRef, Token

SMALLEST_PAGE = 10
SAVED_EVERY = 25
"""Pages after which the position is given out: what a crash costs at most."""

WHAT = "reading changes"


class Pass:
    """One reading of all that changed."""

    def __init__(
        self, graph: Graph, attachments: Attachments, scope: Scope, system: str, *, page_size: int, since: Token | None
    ) -> None:
        self._graph = graph
        self._attachments = attachments
        self._scope = scope
        self._system = system
        self._page_size = page_size
        self._positions = Positions.parse(since, scope.meaning())
        self._from_nothing = not self._positions.places
        self._seen: set[tuple[str, str, str]] = set()
        self._internal: set[tuple[str, str, str]] = set()
        self._anew: set[Place] = set()
        self._whole = True
        self._whole_groups: set[str] = set()
        self._pages = 0

    def pages(self) -> Iterator[Page]:
        """Page by page; the last carries the token and what is gone."""
        estate = Mailboxes(self._graph, self._scope, self._system).survey(self._positions)
        self._whole = estate.whole
        self._whole_groups |= {_group(*one) for one in estate.vanished(self._positions.known())}
        self._positions.keep_only((place.mailbox, place.name) for place in estate.places)
        if estate.gaps:
            yield Page(gaps=tuple(estate.gaps))
        # What is empty and has no position needs no reading; a pass that broke off may have told of what was there.
        places = [place for place in estate.places if not place.empty or self._state(place) is not None]
        self._whole_groups |= {_group(one.mailbox, one.name) for one in set(estate.places) - set(places)}
        yield from self._known(places)
        yield from self._new(places)
        gone = tuple(self._ref(*item) for item in sorted(self._positions.removed | self._internal))
        self._positions.removed = set()
        whole = self._whole and self._from_nothing
        yield Page(next=self._positions.token(), gone=gone, whole=whole, whole_groups=tuple(sorted(self._whole_groups)))

    def _known(self, places: Sequence[Place]) -> Iterator[Page]:
        """What changed where we were before. Nothing is saved until all of them have said what they no longer have."""
        ready = [place for place in places if self._state(place) == READ]
        for at in range(0, len(ready), BATCH):
            group = ready[at : at + BATCH]
            parts = [Part("GET", self._next(place), place.mailbox, prefer=self._prefer()) for place in group]
            for place, answer in zip(group, self._graph.batch(parts, what=WHAT), strict=True):
                if answer.status == GONE:
                    self._positions.drop(place.mailbox, place.name)
                    self._anew.add(place)
                    continue
                yield from self._follow(place, answer, was_read=True)
        self._positions.removed -= self._seen
        self._seen.clear()

    def _new(self, places: Sequence[Place]) -> Iterator[Page]:
        """What was not read to its end before. What is sure to be short is asked for 20 places to a request; big
        folders page by page, and now and then the position is saved."""
        new = [place for place in places if self._state(place) != READ]
        small = [place for place in new if place.small and self._state(place) is None]
        while small:
            group, small = small[:BATCH], small[BATCH:]
            parts = [Part("GET", place.start, place.mailbox, prefer=self._prefer()) for place in group]
            for place, answer in zip(group, self._graph.batch(parts, what=WHAT), strict=True):
                if answer.status == BAD_REQUEST and place.split:
                    small += place.split
                else:
                    yield from self._saved(self._follow(place, answer, was_read=place in self._anew))
        for place in (place for place in new if self._state(place) != READ and not place.split):
            answer = self._page(self._next(place), place)
            yield from self._saved(self._follow(place, answer, was_read=place in self._anew))

    def _saved(self, pages: Iterator[Page]) -> Iterator[Page]:
        for page in pages:
            self._pages += 1
            self._positions.removed -= self._seen
            self._seen.clear()
            token = self._positions.token() if self._pages % SAVED_EVERY == 0 else None
            yield Page(page.findings, page.gaps, page.read, token)

    def _follow(self, place: Place, answer: Answer, *, was_read: bool = False) -> Iterator[Page]:
        """One place from an answer on to its end. `was_read`: what it shows may have been known otherwise before."""
        begun_again = self._state(place) is None
        while True:
            if answer.status == GONE and place not in self._anew:
                self._anew.add(place)
                begun_again = True
                answer = self._page(place.start, place)
                continue
            if answer.status in (FORBIDDEN, NOT_FOUND):
                self._positions.drop(place.mailbox, place.name)
                self._whole = False
                ref = RecordRef(self._system, MAILBOX, place.mailbox)
                yield Page(gaps=(Gap(GapCode.NOT_REACHABLE, MAILBOX, f"folder-of-{place.kind}s", ref),))
                return
            rows = rows_of(self._graph.who, WHAT, answer)
            following, end = self._graph.next_page(answer), self._graph.position(answer)
            if following is None and end is None:
                raise Incomplete(f"{self._graph.who}: {WHAT}: a list broke off without its end; read again later")
            page = self._taken(place, rows, was_read)
            if following is None:
                self._positions.set(place.mailbox, place.name, READ, end or "")
                if begun_again:
                    self._whole_groups.add(_group(place.mailbox, place.name))
            else:
                self._positions.set(place.mailbox, place.name, READING, following)
            if rows:
                yield page
            if following is None:
                return
            answer = self._page(following, place)

    def _page(self, path: str, place: Place) -> Answer:
        """One page; a smaller one where the service cannot make a big one in time."""
        while True:
            try:
                return self._graph.get(path, what=WHAT, mailbox=place.mailbox, prefer=self._prefer())
            except TimedOut:
                if self._page_size <= SMALLEST_PAGE:
                    raise
                self._page_size = max(SMALLEST_PAGE, self._page_size // 2)

    def _taken(self, place: Place, rows: Sequence[Row], was_read: bool) -> Page:
        """The findings of a page of rows."""
        present: dict[str, Row] = {}
        partial: list[str] = []
        for row in rows:
            item = row.get("id")
            if not is_id(item):
                raise Incomplete(f"{self._graph.who}: {WHAT}: a row has no usable id; read again later")
            if "@removed" in row:
                if (place.kind, place.mailbox, item) not in self._seen:
                    self._positions.removed.add((place.kind, place.mailbox, str(item)))
            elif (master := series_of(row)) is not None:
                partial.append(master)
            elif row.keys() >= NEEDED[place.kind]:
                present[str(item)] = row
            else:
                partial.append(str(item))
        present |= self._read_whole(place, [one for one in dict.fromkeys(partial) if one not in present])
        with_attachments = [
            Item(place.kind, place.mailbox, one) for one, row in present.items() if row.get("hasAttachments") is True
        ]
        attached = {item.item_id: found for item, found in self._attachments.read(with_attachments).items()}
        findings: list[Finding] = []
        gaps: list[Gap] = []
        for item, row in present.items():
            named = place.kind, place.mailbox, item
            if self._report(place, item, row, attached.get(item, Found()), findings, gaps):
                self._seen.add(named)
                self._internal.discard(named)
            elif was_read:
                self._internal.add(named)
        return Page(tuple(findings), tuple(gaps), len(rows))

    def _read_whole(self, place: Place, items: Sequence[str]) -> dict[str, Row]:
        """Items of which the list of changes shows a part only."""
        parts = [
            Part("GET", f"{Item(place.kind, place.mailbox, one).path}?$select={SELECTED[place.kind]}", place.mailbox)
            for one in items
        ]
        found: dict[str, Row] = {}
        for item, answer in zip(items, self._graph.read_all(parts, what=WHAT), strict=True):
            if answer.is_fine and version_of(answer.body()):
                found[item] = answer.body()
            elif answer.status != NOT_FOUND:
                raise refusal(self._graph.who, WHAT, answer)
        return found

    def _report(
        self, place: Place, item: str, row: Row, attached: Found, findings: list[Finding], gaps: list[Gap]
    ) -> bool:
        """Add the finding of an item; False for one that is about nobody from outside."""
        people = outside(self._scope, [*people_in(place.kind, row), *attached.people])
        ref = self._ref(place.kind, place.mailbox, item, version_of(row))
        if attached.links:
            gaps.append(Gap(GapCode.LINK_NOT_FOLLOWED, place.kind, "cloud-attachment", ref))
        if not people and attached.unread is None:
            return False
        if attached.unread is not None:
            code, what = attached.unread
            gaps.append(Gap(code, place.kind, what, ref))
        facts = facts_of(
            self._scope,
            place.kind,
            row,
            people,
            folder=place.folder,
            restricted=place.restricted,
            is_read=attached.unread is None,
        )
        findings.append(Finding(ref, facts, people, _group(place.mailbox, place.name)))
        return True

    def _state(self, place: Place) -> str | None:
        known = self._positions.of(place.mailbox, place.name)
        return known[0] if known else None

    def _next(self, place: Place) -> str:
        known = self._positions.of(place.mailbox, place.name)
        return known[1] if known else place.start

    def _prefer(self) -> str:
        return f"{IMMUTABLE}, odata.maxpagesize={self._page_size}"

    def _ref(self, kind: str, mailbox: str, item: str, version: str = "") -> RecordRef:
        return RecordRef(self._system, kind, key(mailbox, item), version)


def _group(mailbox: str, place: str) -> str:
    """The name of a place among all places of the tenant."""
    return f"{mailbox}/{place}"
