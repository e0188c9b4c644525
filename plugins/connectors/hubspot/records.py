"""Is a record there, in the archive, or in neither? Batch reads by id: a search lags behind and proves no absence.

"Not there" is believed only beside a record that the same call shows. The archive has no such control (an account may
have archived nobody); its view answering at all is what is known of it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta

from connectors.hubspot.answers import listed
from connectors.hubspot.client import MOST_IDS, MOST_IDS_WITH_HISTORY, HubSpotClient
from connectors.hubspot.facts import MERGED, Row, day_of, properties_of
from connectors.hubspot.filters import portions
from connectors.hubspot.links import CONTACTS

RESTORABLE_DAYS = 90

LIVE_VIEW = "batch-read"
ARCHIVE_VIEW = "batch-read-archived"

_ID = re.compile(r"[1-9][0-9]{0,18}")


@dataclass
class Sight:
    """What was seen of some records. An id in none of the parts is absent, provably."""

    live: dict[str, Row] = field(default_factory=dict)
    archived: dict[str, Row] = field(default_factory=dict)
    unreadable: set[str] = field(default_factory=set)
    archive_was_read: bool = False

    def views(self) -> tuple[str, ...]:
        return (LIVE_VIEW, ARCHIVE_VIEW) if self.archive_was_read else (LIVE_VIEW,)


def is_id(key: str) -> bool:
    """Anything else never was a record's id, and is not sent."""
    return _ID.fullmatch(key) is not None


def is_merged(key: str, row: Row) -> bool:
    """Whether the service answered with the contact this one was merged into."""
    return str(row.get("id")) != key


def restorable_until(row: Row) -> date | None:
    archived_on = day_of(row.get("archivedAt") or row.get("updatedAt"))
    return archived_on + timedelta(days=RESTORABLE_DAYS) if archived_on else None


class Records:
    """Reads records of one type by id."""

    def __init__(self, client: HubSpotClient, object_type: str) -> None:
        self.object_type = object_type
        self._client = client
        self._merges = MERGED if object_type == CONTACTS else ()
        self._control = ""

    def look(self, keys: Iterable[str], properties: Sequence[str]) -> Sight:
        """See records through every view that is needed: the archive only for those that are not live."""
        sight = Sight()
        ids = [key for key in dict.fromkeys(keys) if is_id(key)]
        sight.live = self._read(ids, properties, sight.unreadable)
        missing = [one for one in ids if one not in sight.live and one not in sight.unreadable]
        if not missing:
            return sight
        sight.archived = self._read(missing, properties, sight.unreadable, archived=True)
        sight.archive_was_read = True
        absent = [one for one in missing if one not in sight.archived and one not in sight.unreadable]
        if absent and not sight.live and not self._shows_a_control(frozenset(ids)):
            sight.unreadable.update(absent)
        return sight

    def live(self, keys: Iterable[str], properties: Sequence[str]) -> dict[str, Row]:
        """Only what is live, one call per 100; for reading the data itself."""
        return self._read([key for key in dict.fromkeys(keys) if is_id(key)], properties, set())

    def with_history(self, keys: Iterable[str], properties: Sequence[str]) -> dict[str, Row]:
        """What is live, with the former values of every property, one call per 50."""
        found: dict[str, Row] = {}
        for some in portions([key for key in dict.fromkeys(keys) if is_id(key)], MOST_IDS_WITH_HISTORY):
            names = [*properties, *self._merges]
            body = self._client.records(self.object_type, some, names, history=list(properties))
            found |= {key: row for row in body["results"] for key in _asked_for(row, some)}
        return found

    def _read(
        self, ids: Sequence[str], properties: Sequence[str], unreadable: set[str], *, archived: bool = False
    ) -> dict[str, Row]:
        found: dict[str, Row] = {}
        for some in portions(ids, MOST_IDS):
            body = self._client.records(self.object_type, some, [*properties, *self._merges], archived=archived)
            rows: list[Row] = body["results"]
            here = {key: row for row in rows for key in _asked_for(row, some)}
            found |= here
            # An id may be missing because of an error of another kind, or because it leads to a record unnamed here.
            unclear = any(not _says_absent(error) for error in listed(body.get("errors")))
            if unclear or any(not _asked_for(row, some) for row in rows):
                unreadable.update(one for one in some if one not in here)
        return found

    def _shows_a_control(self, but: frozenset[str]) -> bool:
        """Whether a record known to be there is shown by the same kind of call."""
        if self._control and self._control not in but and self._read([self._control], (), set()):
            return True
        known = [one for one in self._client.some(self.object_type, min(MOST_IDS, len(but) + 1)) if one not in but]
        self._control = known[0] if known else ""
        return bool(self._control and self._read([self._control], (), set()))


def _asked_for(row: Row, ids: Sequence[str]) -> list[str]:
    """Under which of the asked ids this record answers: its own, or those merged into it."""
    own = str(row.get("id"))
    if own in ids:
        return [own]
    properties: Mapping[str, object] = properties_of(row)
    merged = {part.partition(":")[0] for name in MERGED for part in str(properties.get(name) or "").split(";")}
    return [one for one in ids if one in merged]


def _says_absent(error: object) -> bool:
    return isinstance(error, dict) and error.get("category") == "OBJECT_NOT_FOUND"
