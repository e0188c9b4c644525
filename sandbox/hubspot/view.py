"""What does a search see? The records as they are, or as they were some seconds ago."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

Row = dict[str, Any]
MOST_REMEMBERED = 16
"""How many answered questions are kept for their next pages."""


class SearchView:
    """The index behind searches. Without a lag it is the account itself, and only counts its changes."""

    def __init__(self) -> None:
        self.lag = 0.0
        self._found: dict[str, list[str]] = {}
        self._seen: dict[str, dict[str, Row]] = {}
        self._pending: deque[tuple[datetime, str, str, Row | None]] = deque()

    def set_lag(self, seconds: float, objects: Mapping[str, Mapping[str, Row]]) -> None:
        """From now on, see changes this much later; 0: at once."""
        if seconds and not self.lag:
            self._seen = {kind: {key: _frozen(row) for key, row in rows.items()} for kind, rows in objects.items()}
        if not seconds:
            self._seen, self._pending = {}, deque()
        self.lag = seconds
        self._found.clear()

    def changed(self, kind: str = "", key: str = "", row: Row | None = None, at: datetime | None = None) -> None:
        """A record has changed, or is no longer to be found (None)."""
        self._found.clear()
        if self.lag and at is not None:
            self._pending.append((at, kind, key, _frozen(row) if row else None))

    def settle(self, now: datetime) -> None:
        """See what is old enough by now."""
        while self._pending and self._pending[0][0] + timedelta(seconds=self.lag) <= now:
            _, kind, key, row = self._pending.popleft()
            self._found.clear()
            if row is None:
                self._seen[kind].pop(key, None)
            else:
                self._seen[kind][key] = row

    def rows(self, kind: str, objects: Mapping[str, Row]) -> Mapping[str, Row]:
        """What there is to be found."""
        return self._seen[kind] if self.lag else objects

    def remembered(self, question: str) -> list[str] | None:
        """Ids found for the same question, if nothing has changed since."""
        return self._found.get(question)

    def remember(self, question: str, ids: list[str]) -> None:
        """Keep an answer for the next page."""
        if len(self._found) >= MOST_REMEMBERED:
            self._found.clear()
        self._found[question] = ids


def _frozen(row: Row) -> Row:
    return {**row, "properties": dict(row["properties"])}
