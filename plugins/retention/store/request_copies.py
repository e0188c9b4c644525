"""Which copies were made for whom, until when may they be fetched by whom, and which records belong in them?"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection

from retention.keyring import Keyring
from retention.requests.copy_links import Reader
from retention.store.database import one, rows, run
from retention.tasks import READ_BY_HAND
from retention.vocabulary import LawfulBasis, RecordRef


@dataclass(frozen=True, slots=True)
class Held:
    """A record of the person. In memory only."""

    ref: RecordRef
    about_others: bool
    bases: frozenset[LawfulBasis]


@dataclass(frozen=True, slots=True)
class Link:
    """A link to a copy, as the ledger knows it."""

    copy_id: str
    request_id: str
    reader: Reader
    expires_at: datetime
    is_sent: bool
    is_used: bool
    is_destroyed: bool


def records(db: Connection, keyring: Keyring, sweep_id: str, request_id: str, system: str) -> list[Held]:
    """What is surely of the person, by an identifier they showed to be theirs or one that strong edges lead to."""
    found = rows(
        db,
        "SELECT f.kind, f.locator, f.version, f.shared OR (f.facts->>'several_people')::bool AS about_others,"
        " jsonb_path_query_array(f.facts, '$.classes[*].lawful_basis') AS bases"
        " FROM findings f JOIN request_records x USING (sweep_id, system, record_key) WHERE f.sweep_id = :s"
        " AND f.system = :system AND x.request_id = :id AND f.locator IS NOT NULL"
        " AND EXISTS (SELECT FROM request_people p WHERE p.sweep_id = :s AND p.request_id = :id"
        " AND p.surely AND p.proven AND p.exact_key = ANY (f.exact_keys))"
        " ORDER BY f.kind, f.record_key",
        s=sweep_id,
        system=system,
        id=request_id,
    )
    return [
        Held(
            RecordRef(system, r.kind, keyring.open(r.locator), r.version),
            r.about_others,
            frozenset(map(LawfulBasis, r.bases)),
        )
        for r in found
    ]


def unread(db: Connection, sweep_id: str, system: str) -> int:
    """How many items of a system nobody but a person could read in a run, whoever they are about."""
    count: int = one(
        db,
        "SELECT count(*) AS n FROM gaps WHERE sweep_id = :s AND system = :system AND code = ANY (:codes)",
        s=sweep_id,
        system=system,
        codes=list(READ_BY_HAND),
    ).n
    return count


def begin(
    db: Connection,
    copy_id: str,
    request_id: str,
    *,
    made_at: datetime,
    expires_at: datetime,
    links: Iterable[tuple[Reader, bytes]],
) -> None:
    """Note a copy that is about to be written, and the digests of the links to it."""
    run(
        db,
        "INSERT INTO request_copies (copy_id, request_id, made_at, expires_at) VALUES (:copy, :id, :made_at, :expires)",
        copy=copy_id,
        id=request_id,
        made_at=made_at,
        expires=expires_at,
    )
    for reader, token_digest in links:
        run(
            db,
            "INSERT INTO request_copy_links (token_digest, copy_id, reader) VALUES (:digest, :copy, :reader)",
            digest=token_digest,
            copy=copy_id,
            reader=reader.value,
        )


def finish(db: Connection, copy_id: str, digest: str, size: int, at: datetime) -> bool:
    """Note that a copy is written wholly; False if it was destroyed meanwhile."""
    return bool(
        run(
            db,
            "UPDATE request_copies SET digest = :digest, bytes = :size, written_at = :at"
            " WHERE copy_id = :copy AND destroyed_at IS NULL",
            digest=digest,
            size=size,
            at=at,
            copy=copy_id,
        )
    )


def broken_off(db: Connection, request_id: str) -> list[str]:
    """Copies of a request that were begun and never written wholly."""
    found = rows(
        db,
        "SELECT copy_id FROM request_copies WHERE request_id = :id AND destroyed_at IS NULL AND written_at IS NULL",
        id=request_id,
    )
    return [row.copy_id for row in found]


def current(db: Connection, request_id: str, now: datetime) -> str | None:
    """The newest copy of a request that may be fetched."""
    row = one(
        db,
        "SELECT copy_id FROM request_copies WHERE request_id = :id AND destroyed_at IS NULL AND expires_at > :now"
        " AND written_at IS NOT NULL ORDER BY made_at DESC LIMIT 1",
        id=request_id,
        now=now,
    )
    return str(row.copy_id) if row else None


def links_of(db: Connection, copy_id: str) -> list[Link]:
    """The links to a copy, the subject's first."""
    return _links(db, "l.copy_id = :copy ORDER BY l.reader", copy=copy_id)


def link_by(db: Connection, token_digest: bytes) -> Link | None:
    """The link that a token belongs to."""
    return next(iter(_links(db, "l.token_digest = :digest", digest=token_digest)), None)


def _links(db: Connection, which: str, **values: object) -> list[Link]:
    found = rows(
        db,
        "SELECT l.copy_id, c.request_id, l.reader, c.expires_at, l.notice_id IS NOT NULL AS is_sent,"  # noqa: S608 - constants only
        " l.fetched_at IS NOT NULL AS is_used, c.destroyed_at IS NOT NULL OR c.written_at IS NULL AS is_destroyed"
        f" FROM request_copy_links l JOIN request_copies c USING (copy_id) WHERE {which}",
        **values,
    )
    return [Link(**{**row._mapping, "reader": Reader(row.reader)}) for row in found]


def note_sent(db: Connection, copy_id: str, reader: Reader, notice_id: str) -> None:
    """Note by which notice a reader was given the link, or the copy itself."""
    run(
        db,
        "UPDATE request_copy_links SET notice_id = :notice WHERE copy_id = :copy AND reader = :reader",
        notice=notice_id,
        copy=copy_id,
        reader=reader.value,
    )


def note_fetched(db: Connection, copy_id: str, reader: Reader, now: datetime) -> bool:
    """Note that a link led its reader to the copy; False if it was noted before."""
    return bool(
        run(
            db,
            "UPDATE request_copy_links SET fetched_at = :now"
            " WHERE copy_id = :copy AND reader = :reader AND fetched_at IS NULL",
            now=now,
            copy=copy_id,
            reader=reader.value,
        )
    )


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


def not_given_yet(db: Connection, request_id: str) -> str:
    """What keeps the person from their copy: it was not made, or not told of; empty if nothing does."""
    newest = one(
        db,
        "SELECT copy_id FROM request_copies WHERE request_id = :id AND written_at IS NOT NULL"
        " ORDER BY made_at DESC LIMIT 1",
        id=request_id,
    )
    if newest is None:
        return "no copy of the data was made yet"
    if not all(link.is_sent for link in links_of(db, newest.copy_id)):
        return "the link to the copy was not sent yet"
    if not was_told_passphrase(db, request_id):
        return "nobody told the passphrase of the copy yet: `request passphrase`"
    return ""


PASSPHRASE_TOLD = "passphrase_told"  # noqa: S105 - the name of an event


def was_told_passphrase(db: Connection, request_id: str) -> bool:
    """Whether somebody took the passphrase to tell it to the person."""
    found = one(
        db,
        "SELECT 1 FROM request_events WHERE request_id = :id AND event = :event LIMIT 1",
        id=request_id,
        event=PASSPHRASE_TOLD,
    )
    return found is not None


def note_destroyed(db: Connection, copy_ids: Sequence[str], now: datetime) -> list[str]:
    """Note that the files are gone; returns those of which it was not known before."""
    found = rows(
        db,
        "UPDATE request_copies SET destroyed_at = :now WHERE copy_id = ANY (:ids) AND destroyed_at IS NULL"
        " RETURNING request_id",
        ids=list(copy_ids),
        now=now,
    )
    return [row.request_id for row in found]
