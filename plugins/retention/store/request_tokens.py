"""Which one-time links are out, for which request and address? Digests only; each is used once."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection

from retention.store.database import one, run


@dataclass(frozen=True, slots=True)
class Token:
    """What is known of a link."""

    request_id: str
    used_at: datetime | None
    expires_at: datetime


def issue(
    db: Connection, digest: bytes, request_id: str, exact_key: bytes, issued_at: datetime, expires_at: datetime
) -> None:
    """Note a link before it is sent; earlier ones to the same address end."""
    run(
        db,
        "UPDATE request_tokens SET used_at = :now WHERE request_id = :id AND exact_key = :key AND used_at IS NULL",
        id=request_id,
        key=exact_key,
        now=issued_at,
    )
    run(
        db,
        "INSERT INTO request_tokens (token_digest, request_id, exact_key, issued_at, expires_at)"
        " VALUES (:digest, :id, :key, :issued_at, :expires_at)",
        digest=digest,
        id=request_id,
        key=exact_key,
        issued_at=issued_at,
        expires_at=expires_at,
    )


def use(db: Connection, digest: bytes, request_id: str, now: datetime) -> bytes | None:
    """Use a link up; returns the pseudonym of its address, or None if it is not of this request, used or expired."""
    row = one(
        db,
        "UPDATE request_tokens SET used_at = :now WHERE token_digest = :digest AND request_id = :id"
        " AND used_at IS NULL AND expires_at > :now RETURNING exact_key",
        digest=digest,
        id=request_id,
        now=now,
    )
    return bytes(row.exact_key) if row else None


def find(db: Connection, digest: bytes) -> Token | None:
    """A link by its digest."""
    row = one(db, "SELECT request_id, used_at, expires_at FROM request_tokens WHERE token_digest = :d", d=digest)
    return Token(**row._mapping) if row else None
