"""Which copies were made for whom, until when may they be fetched, and which records belong in them?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection

from retention.keyring import Keyring
from retention.store.database import one, rows, run
from retention.vocabulary import RecordRef


@dataclass(frozen=True, slots=True)
class Held:
    """A record of the person. In memory only."""

    ref: RecordRef
    about_others: bool


def records(db: Connection, keyring: Keyring, sweep_id: str, request_id: str, system: str) -> list[Held]:
    """What is surely of the person, by an identifier they showed to be theirs or one that strong edges lead to."""
    found = rows(
        db,
        "SELECT f.kind, f.locator, f.version, f.shared OR (f.facts->>'several_people')::bool AS about_others"
        " FROM findings f JOIN request_records x USING (sweep_id, system, record_key) WHERE f.sweep_id = :s"
        " AND f.system = :system AND x.request_id = :id AND f.locator IS NOT NULL"
        " AND EXISTS (SELECT FROM request_people p WHERE p.sweep_id = :s AND p.request_id = :id"
        " AND p.surely AND p.proven AND p.exact_key = ANY (f.exact_keys))"
        " ORDER BY f.kind, f.record_key",
        s=sweep_id,
        system=system,
        id=request_id,
    )
    return [Held(RecordRef(system, r.kind, keyring.open(r.locator), r.version), r.about_others) for r in found]


def record(
    db: Connection,
    copy_id: str,
    request_id: str,
    *,
    digest: str,
    size: int,
    token_digest: bytes,
    made_at: datetime,
    expires_at: datetime,
) -> None:
    """Note a copy that was made."""
    run(
        db,
        "INSERT INTO request_copies (copy_id, request_id, digest, bytes, token_digest, made_at, expires_at)"
        " VALUES (:copy, :request, :digest, :size, :token, :made_at, :expires_at)",
        copy=copy_id,
        request=request_id,
        digest=digest,
        size=size,
        token=token_digest,
        made_at=made_at,
        expires_at=expires_at,
    )


def fetched(db: Connection, token_digest: bytes, now: datetime) -> str | None:
    """Note that a copy is fetched; its id, or None if it may not be."""
    row = one(
        db,
        "UPDATE request_copies SET fetched_at = coalesce(fetched_at, :now) WHERE token_digest = :token"
        " AND destroyed_at IS NULL AND expires_at > :now RETURNING copy_id",
        token=token_digest,
        now=now,
    )
    return str(row.copy_id) if row else None


def expired(db: Connection, now: datetime) -> list[str]:
    """Copies whose time is over and that are still there."""
    found = rows(db, "SELECT copy_id FROM request_copies WHERE destroyed_at IS NULL AND expires_at <= :now", now=now)
    return [row.copy_id for row in found]


def standing(db: Connection, request_id: str) -> list[str]:
    """Copies of a request that are still there."""
    found = rows(
        db, "SELECT copy_id FROM request_copies WHERE destroyed_at IS NULL AND request_id = :id", id=request_id
    )
    return [row.copy_id for row in found]


def was_made(db: Connection, request_id: str) -> bool:
    """Whether the person was given a copy."""
    return one(db, "SELECT 1 FROM request_copies WHERE request_id = :id LIMIT 1", id=request_id) is not None


def note_destroyed(db: Connection, copy_ids: Sequence[str], now: datetime) -> int:
    """Note that the files are gone."""
    return run(
        db,
        "UPDATE request_copies SET destroyed_at = :now WHERE copy_id = ANY (:ids) AND destroyed_at IS NULL",
        ids=list(copy_ids),
        now=now,
    )
