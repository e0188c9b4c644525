"""How is one query read, page by page? By ascending id, several queries side by side.

The service shows at most 10,000 results of a query and its offsets move while records go. So every page is asked for
by the last id read, never by an offset: a reading has no depth limit, resumes from a number, and loses nothing to
erasures meanwhile.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from connectors.hubspot.client import HubSpotClient
from connectors.hubspot.facts import Row
from connectors.hubspot.filters import Query, in_request
from retention.contract import Incomplete


class Stream:
    """One query of one type of record."""

    def __init__(
        self,
        client: HubSpotClient,
        object_type: str,
        query: Query,
        properties: Sequence[str],
        page_size: int,
        last_id: int,
    ) -> None:
        self._client = client
        self._object_type = object_type
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
            self._object_type,
            {
                "filterGroups": in_request(self._query, str(self.last_id)),
                "sorts": ["hs_object_id"],
                "properties": list(self._properties),
                "limit": self._page_size,
                "after": "0",
            },
        )
        results, total = body["results"], body["total"]
        if len(results) < min(total, self._page_size):
            what = f"{len(results)} of {total} {self._object_type} came"
            raise Incomplete(f"{self._client.who}: {what}; search again")
        for row in results:
            number = _number(row)
            if number is None or number <= self.last_id:
                raise Incomplete(f"{self._client.who}: {self._object_type} came out of order; search again")
            self._rows[number] = row
            self.last_id = number
        self.ended = not results or (total <= len(results) and not body.get("paging"))

    def take(self, frontier: int | None) -> dict[int, Row]:
        """Hand over what was read up to an id; None: all of it."""
        taken = {n: row for n, row in self._rows.items() if frontier is None or n <= frontier}
        self._rows = {n: row for n, row in self._rows.items() if n not in taken}
        return taken


def merged(streams: Sequence[Stream]) -> Iterator[tuple[list[Row], int | None]]:
    """Rows in the order of ids, each once, with the id up to which every query was read; None: to its end."""
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


def _number(row: Row) -> int | None:
    text = str(row.get("id", "")) if isinstance(row, dict) else ""
    return int(text) if text.isascii() and text.isdigit() else None
