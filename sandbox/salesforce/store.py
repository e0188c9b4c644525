"""What does the org hold, and what does a write or a delete do to it? Rows, links, the Recycle Bin, and time."""

from __future__ import annotations

import collections
import contextlib
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from sandbox.clock import Clock
from sandbox.salesforce import deletion, writing
from sandbox.salesforce.bulk_job import Job
from sandbox.salesforce.errors import ApiError
from sandbox.salesforce.ids import made_id
from sandbox.salesforce.own_rows import FOUNDED, HARD_DELETE_RIGHT, OWN_RIGHTS, OWN_ROWS, USER_ID
from sandbox.salesforce.schema import Schema, SObject
from sandbox.salesforce.soql.run import Answer, Session
from sandbox.salesforce.switches import Switches
from sandbox.salesforce.values import moment_of, seeded, stamp

BIN_DAYS = 15
CURSOR_DAYS = 2

Row = dict[str, Any]


def is_current(row: Mapping[str, Any]) -> bool:
    """Whether plain `query` shows the row: neither in the Recycle Bin nor archived."""
    return not row.get("IsDeleted", False) and not row.get("IsArchived", False)


class OrgStore:
    """All rows by object and id. Every change of a row passes `put`, `change` or `drop`, which can be undone."""

    def __init__(self, seed: Callable[[], Mapping[str, list[Row]]], clock: Clock) -> None:
        self._seed = seed
        self.clock = clock
        self.reset()

    # -- the control surface

    def reset(self) -> None:
        self.clock.reset()
        self.switches = Switches()
        self.locks_left = 0
        self.job_breaks_after: int | None = None
        self._full_schema = Schema()
        self.schema = Schema(person_accounts=False)
        self.jobs: dict[str, Job] = {}
        self.cursors: dict[str, tuple[datetime, Answer]] = {}
        self.calls_at: collections.deque[datetime] = collections.deque()
        self.deleted_at: dict[str, datetime] = {}
        self.gone: set[str] = set()
        self._undo: list[Callable[[], None]] | None = None
        self._made = 0
        self._tables: dict[str, dict[str, Row]] = {one.name: {} for one in self._full_schema.all()}
        self._links: dict[tuple[str, str], dict[str, dict[str, None]]] = {}
        for name, rows in {**OWN_ROWS, **self._seed()}.items():
            for row in rows:
                self._load(name, row)

    def set_clock(self, now: datetime) -> None:
        self.clock.set(now)

    def set_switches(self, given: Mapping[str, Any]) -> Mapping[str, Any]:
        self.switches = self.switches.changed(given)
        if "locked_rows" in given:
            self.locks_left = self.switches.locked_rows
        if "job_breaks_after" in given:
            self.job_breaks_after = self.switches.job_breaks_after
        for row in self._tables[OWN_RIGHTS].values():
            row[HARD_DELETE_RIGHT] = self.switches.hard_delete_permission
        self._full_schema = self._schema(whole=True)
        self.schema = self._schema(whole=False)
        return self.switches.plain()

    def _schema(self, *, whole: bool) -> Schema:
        """The org's schema, whole or as the calling user sees it."""
        switches = self.switches
        return Schema(
            () if whole else switches.hidden_fields,
            () if whole else switches.hidden_objects,
            custom_fields=switches.custom_fields,
            person_accounts=whole or switches.person_accounts,
            registrations_on_delete=switches.registrations_on_delete,
        )

    def state(self) -> Mapping[str, Any]:
        """Rows with all their fields, in the order of ids; the bin with the time of each delete; the bulk jobs."""
        self.expire()
        objects: dict[str, list[Row]] = {}
        for one in self._full_schema.all():
            table = self._tables[one.name]
            names = [field.name for field in one.fields.values() if field.type != "address"]
            objects[one.name] = [{name: table[key].get(name) for name in names} for key in sorted(table)]
        deleted = {key: stamp(at) for key, at in sorted(self.deleted_at.items())}
        return {"objects": objects, "bin": deleted, "jobs": [job.info() for job in self.jobs.values()]}

    # -- reading

    def session(self, base: str, *, deleted: bool = False) -> Session:
        self.expire()
        return Session(self.schema, self, self.now(), ZoneInfo(self.switches.time_zone), base, deleted)

    def now(self) -> datetime:
        return self.clock.now()

    def rows(self, sobject: str, *, deleted: bool) -> list[Row]:
        if not self._shared(sobject):
            return []
        return [row for row in self._tables[sobject].values() if deleted or is_current(row)]

    def row(self, sobject: str, record_id: str) -> Row | None:
        return self._tables[sobject].get(record_id) if self._shared(sobject) else None

    def pointing_at(self, sobject: str, field: str, parent_id: str) -> list[Row]:
        """Rows whose lookup holds the id, deleted ones too."""
        return self.children(sobject, field, parent_id) if self._shared(sobject) else []

    def count(self, sobject: str) -> int:
        """Live rows, whoever may see them."""
        return sum(not row.get("IsDeleted", False) for row in self._tables[sobject].values())

    def lock(self) -> None:
        """Refuse one row where another transaction is said to hold its parent."""
        if self.locks_left > 0:
            self.locks_left -= 1
            raise ApiError(400, "UNABLE_TO_LOCK_ROW", "unable to obtain exclusive access to this record", [])

    def _shared(self, sobject: str) -> bool:
        return sobject.lower() not in {name.lower() for name in self.switches.unshared_objects}

    # -- writing, in the calling user's name

    def create(self, sobject: SObject, given: Mapping[str, Any]) -> str:
        self.expire()
        return writing.create(self, sobject, given)

    def update(self, sobject: SObject, record_id: str, given: Mapping[str, Any]) -> None:
        self.expire()
        self.lock()
        writing.update(self, sobject, record_id, given)

    def delete(self, sobject: SObject, record_id: str) -> list[str]:
        """Move the row and what cascades to the bin; the ids moved."""
        self.expire()
        self.lock()
        return deletion.to_bin(self, sobject, record_id)

    def hard_delete(self, sobject: SObject, record_id: str) -> list[str]:
        self.expire()
        self.lock()
        return deletion.for_good(self, sobject, record_id)

    def empty_bin(self, record_id: str) -> list[str]:
        """Purge one row of the Recycle Bin with what went there with it; the ids purged."""
        self.expire()
        return deletion.out_of_bin(self, record_id)

    def expire(self) -> None:
        """Let the bin forget what has lain there for 15 days."""
        if not self.deleted_at:
            return
        limit = self.now() - timedelta(days=BIN_DAYS)
        for record_id in [key for key, at in self.deleted_at.items() if at <= limit]:
            one = self._full_schema.by_id(record_id)
            if one is not None and record_id in self._tables[one.name]:
                deletion.purge(self, one, record_id)

    # -- the only ways a row changes

    def children(self, sobject: str, field: str, parent_id: str) -> list[Row]:
        table = self._tables.get(sobject, {})
        return [table[key] for key in self._links.get((sobject, field), {}).get(parent_id, ())]

    def stored(self, sobject: str, record_id: str) -> Row | None:
        """The row whether or not the caller may see it."""
        return self._tables[sobject].get(record_id)

    def full(self, sobject: str) -> SObject | None:
        """The object with the fields hidden from the caller."""
        return self._full_schema.get(sobject)

    def new_id(self, prefix: str) -> str:
        """An id never given before, for a row, a job or a cursor."""
        self._made += 1
        return made_id(prefix, self._made)

    def put(self, sobject: str, row: Row) -> None:
        self._tables[sobject][row["Id"]] = row
        self.gone.discard(row["Id"])
        self._relink(sobject, row, {}, row)
        self._undoable(lambda: self.drop(sobject, row["Id"]))

    def change(self, sobject: str, row: Row, values: Mapping[str, Any]) -> None:
        before = {name: row.get(name) for name in values}
        row.update(values)
        self._relink(sobject, row, before, values)
        self._undoable(lambda: self.change(sobject, row, before))

    def drop(self, sobject: str, record_id: str) -> None:
        row = self._tables[sobject].pop(record_id)
        self.gone.add(record_id)
        self._relink(sobject, row, row, {})
        self._undoable(lambda: self.put(sobject, row))

    def mark_deleted(self, record_id: str, at: datetime | None) -> None:
        before = self.deleted_at.pop(record_id, None)
        if at is not None:
            self.deleted_at[record_id] = at
        self._undoable(lambda: self.mark_deleted(record_id, before))

    @contextlib.contextmanager
    def transaction(self) -> Iterator[Callable[[], None]]:
        """Hands out a function that takes back everything changed since the start of the block."""
        outer = self._undo
        own: list[Callable[[], None]] = []
        self._undo = own

        def roll_back() -> None:
            self._undo = None
            while own:
                own.pop()()
            self._undo = own

        try:
            yield roll_back
        finally:
            self._undo = outer
            if outer is not None:
                outer.extend(own)

    def _undoable(self, step: Callable[[], None]) -> None:
        if self._undo is not None:
            self._undo.append(step)

    def _relink(self, sobject: str, row: Row, before: Mapping[str, Any], after: Mapping[str, Any]) -> None:
        for name in self._lookups(sobject):
            old, new = before.get(name), after.get(name)
            if old is not None:
                self._links.get((sobject, name), {}).get(old, {}).pop(row["Id"], None)
            if new is not None:
                self._links.setdefault((sobject, name), {}).setdefault(new, {})[row["Id"]] = None

    def _lookups(self, sobject: str) -> tuple[str, ...]:
        one = self._full_schema.get(sobject)
        return one.lookups if one else ()

    def _load(self, name: str, given: Mapping[str, Any]) -> None:
        one = self._full_schema.get(name)
        if one is None:
            raise ValueError(f"the population has rows of {name}, an object this org does not have")
        row: Row = {}
        for key, value in given.items():
            described = one.field(key)
            if described is None:
                raise ValueError(f"the population fills {name}.{key}, a field this org does not have")
            row[described.name] = seeded(described, value)
        row = {**writing.blank(one, USER_ID, str(row.get("CreatedDate", FOUNDED))), **row}
        row.update({key: value for key, value in writing.derived(one, row).items() if key not in given})
        if row.get("IsDeleted"):
            self.deleted_at[row["Id"]] = moment_of(row["SystemModstamp"])
        self.put(one.name, row)
