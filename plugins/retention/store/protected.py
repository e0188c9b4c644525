"""Who and what may never be deleted? People by the folded form of an address, records by their pseudonym."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection

from retention.keyring import Keyring
from retention.store.database import rows, run
from retention.vocabulary import Identifier, RecordRef


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry of the list; whom it is about cannot be read from it."""

    entry_id: str
    what: str
    system: str
    added_by: str
    added_at: datetime
    removed_at: datetime | None


def add_person(db: Connection, keyring: Keyring, identifier: Identifier, by: str) -> str:
    """Protect everything known by an address, in every system."""
    return _add(db, "person", keyring.folded_key(identifier), "", keyring.key_id, by)


def add_record(db: Connection, keyring: Keyring, ref: RecordRef, by: str) -> str:
    """Protect one record."""
    return _add(db, "record", keyring.record_key(ref), ref.system, keyring.key_id, by)


def remove(db: Connection, entry_id: str, by: str) -> bool:
    """Take an entry off the list; False if it is not on it."""
    done = run(
        db,
        "UPDATE protected SET removed_by = :by, removed_at = now() WHERE entry_id = :id AND removed_at IS NULL",
        id=entry_id,
        by=by,
    )
    return bool(done)


def entries(db: Connection) -> list[Entry]:
    """The list, newest first, with what was taken off it."""
    found = rows(
        db, "SELECT entry_id, what, system, added_by, added_at, removed_at FROM protected ORDER BY added_at DESC"
    )
    return [Entry(**row._mapping) for row in found]


def _add(db: Connection, what: str, key: bytes, system: str, key_id: str, by: str) -> str:
    entry_id = f"switch-{uuid.uuid4().hex[:16]}"
    run(
        db,
        "INSERT INTO protected (entry_id, what, key, system, key_id, added_by)"
        " VALUES (:id, :what, :key, :system, :key_id, :by)",
        id=entry_id,
        what=what,
        key=key,
        system=system,
        key_id=key_id,
        by=by,
    )
    return entry_id
