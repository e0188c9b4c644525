"""Who is to be found, page by page? Several queries read side by side in the order of record ids.

The service shows at most 10,000 results of a query and its offsets move while records go. So every page is asked for
by the last id read, never by an offset: the search has no depth limit, resumes from a number, and loses nothing to
erasures meanwhile. What one query cannot express is asked for by several, merged by id.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from connectors.hubspot.client import HubSpotClient
from connectors.hubspot.deals import DealReader
from connectors.hubspot.facts import DEALS, Row, Types, declared, finding_of, identifiers_of, meets, properties_of
from connectors.hubspot.filters import Query, by_facts, by_identifiers, in_request, queries
from retention.contract import ConnectorError, Incomplete
from retention.vocabulary import Criteria, Cursor, Finding, Gap, GapCode, Identifier, Page, RecordKind

LARGEST_PAGE = 200


@dataclass(frozen=True)
class Run:
    """Queries read side by side: what facts say, or some of the identifiers."""

    kind: RecordKind
    queries: tuple[Query, ...]
    by_facts: bool


class Search:
    """One search: its runs, one after the other."""

    def __init__(self, client: HubSpotClient, system: str, kinds: Sequence[RecordKind], page_size: int) -> None:
        self._client = client
        self._system = system
        self._kinds = kinds
        self._page_size = min(page_size, LARGEST_PAGE)
        self._deals = DealReader(client, system)

    def pages(self, criteria: Criteria, after: Cursor | None) -> Iterator[Page]:
        if criteria == Criteria():
            return
        types = self._client.properties()
        runs = self._runs(types, criteria)
        asked = frozenset(_folded(identifier) for identifier in criteria.identifiers)
        start, last_id = self._resumed(runs, after)
        gaps = self._gaps(types)
        if not runs:
            yield Page(gaps=gaps)
            return
        reported: set[str] = set()
        for number in range(start, len(runs)):
            following = Cursor(f"{number + 1}/0") if number + 1 < len(runs) else None
            for rows, frontier in self._merged(runs[number], types, last_id):
                findings, more_gaps = self._findings(runs[number], types, criteria, asked, reported, rows)
                resume = following if frontier is None else Cursor(f"{number}/{frontier}")
                yield Page(findings, gaps + more_gaps, len(rows), resume)
                gaps = ()
            last_id = 0

    def _runs(self, types: Types, criteria: Criteria) -> list[Run]:
        runs: list[Run] = []
        for kind in self._kinds:
            if conditions := by_facts(kind, types, criteria):
                runs.append(Run(kind, queries(conditions), by_facts=True))
            for some in by_identifiers(kind, types, criteria.identifiers):
                runs.append(Run(kind, queries(some), by_facts=False))
        return runs

    def _resumed(self, runs: Sequence[Run], after: Cursor | None) -> tuple[int, int]:
        if after is None:
            return 0, 0
        run, _, last_id = after.partition("/")
        if not (run.isdigit() and last_id.isdigit() and int(run) < len(runs)):
            raise ConnectorError(f"{self._system}: the cursor belongs to another search; start the search again")
        return int(run), int(last_id)

    def _merged(self, run: Run, types: Types, last_id: int) -> Iterator[tuple[list[Row], int | None]]:
        """Rows in the order of ids, each once, with the id up to which every query was read; None: to its end."""
        wanted = [*(name for name in declared(run.kind) if name in types), DEALS]
        streams = [_Stream(self._client, query, wanted, self._page_size, last_id) for query in run.queries]
        while True:
            for stream in streams:
                stream.fill()
            frontier = min((stream.last_id for stream in streams if not stream.ended), default=None)
            rows: dict[int, Row] = {}
            for stream in streams:
                rows |= stream.take(frontier)
            yield [rows[number] for number in sorted(rows)], frontier
            if frontier is None:
                return

    def _findings(
        self,
        run: Run,
        types: Types,
        criteria: Criteria,
        asked: frozenset[tuple[str, str]],
        reported: set[str],
        rows: Sequence[Row],
    ) -> tuple[tuple[Finding, ...], tuple[Gap, ...]]:
        wanted = [row for row in rows if str(row["id"]) not in reported]
        if run.by_facts:
            wanted = [row for row in wanted if meets(criteria, finding_of(self._system, run.kind, types, row).facts)]
        else:
            # The answer is compared with what was asked: no token, wildcard or folding of the service's widens it.
            wanted = [
                row
                for row in wanted
                if any(_folded(one) in asked for one in identifiers_of(run.kind, properties_of(row)))
            ]
        reported.update(str(row["id"]) for row in wanted)
        transactions, gaps = self._deals.of_page(run.kind, wanted)
        findings = tuple(
            finding_of(self._system, run.kind, types, row, transactions.get(str(row["id"]), ())) for row in wanted
        )
        return findings, gaps

    def _gaps(self, types: Types) -> tuple[Gap, ...]:
        """A property that the account does not show: "no such field" is not "nobody opted out"."""
        return tuple(
            Gap(GapCode.FIELD_HIDDEN, kind.name, name)
            for kind in self._kinds
            for name in declared(kind)
            if name not in types
        )


class _Stream:
    """One query, read by ascending id."""

    def __init__(
        self, client: HubSpotClient, query: Query, properties: Sequence[str], page_size: int, last_id: int
    ) -> None:
        self._client = client
        self._query = query
        self._properties = properties
        self._page_size = page_size
        self._rows: dict[int, Row] = {}
        self.last_id = last_id
        self.ended = False

    def fill(self) -> None:
        """Read the next page if nothing read before is left."""
        if self._rows or self.ended:
            return
        body = self._client.search(
            {
                "filterGroups": in_request(self._query, str(self.last_id)),
                "sorts": [{"propertyName": "hs_object_id", "direction": "ASCENDING"}],
                "properties": list(self._properties),
                "limit": self._page_size,
                "after": "0",
            }
        )
        results, total = body["results"], body["total"]
        if len(results) < min(total, self._page_size):
            raise Incomplete(f"{self._client.who}: {len(results)} of {total} contacts came; search again")
        for row in results:
            number = _number(row)
            if number is None or number <= self.last_id:
                raise Incomplete(f"{self._client.who}: contacts came out of order; search again")
            self._rows[number] = row
            self.last_id = number
        self.ended = not results or (total <= len(results) and not body.get("paging"))

    def take(self, frontier: int | None) -> dict[int, Row]:
        """Hand over what was read up to an id; None: all of it."""
        taken = {n: row for n, row in self._rows.items() if frontier is None or n <= frontier}
        self._rows = {n: row for n, row in self._rows.items() if n not in taken}
        return taken


def _number(row: Row) -> int | None:
    text = str(row.get("id", "")) if isinstance(row, dict) else ""
    return int(text) if text.isascii() and text.isdigit() else None


def _folded(identifier: Identifier) -> tuple[str, str]:
    """How the service compares: letter case does not count."""
    return identifier.kind.value, identifier.value.lower()
