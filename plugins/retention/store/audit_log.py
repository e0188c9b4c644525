"""How does the audit log grow in the database? One writer at a time, in bulk, signed at the end of each run."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import Connection

from retention.audit import Chain, Checkpoint, Entry, Head, NotAuthentic, SigningKey, VerifyKey, open_note, sign
from retention.audit import write_export as write_export_files
from retention.impediment import Impediment
from retention.store.database import copy_into, one, rows, run, streamed


class LedgerOutdated(Impediment):
    """The ledger is older than what was signed of it outside: a restored copy that lost holds and approvals."""


@dataclass(frozen=True, slots=True)
class Sealed:
    """The log's signed head."""

    size: int
    root: str
    note: str


def append(db: Connection, entries: Iterable[Entry]) -> int:
    """Add entries in one go; the head stays locked until the caller commits. Returns how many."""
    chain = Chain(_locked_head(db))
    start = chain.head.size
    copy_into(
        db,
        "audit_entries",
        ("seq", "body", "leaf_hash"),
        ((link.seq, link.body, link.leaf) for link in chain.append(entries)),
        "",
    )
    run(db, "UPDATE audit_head SET packed = :p", p=chain.head.pack())
    return chain.head.size - start


def append_proven(db: Connection, entry: Entry) -> list[bytes]:
    """Add one entry; returns what shows that it is the last of the tree as it stands then, without reading the others.

    The neighbours on the way from the last leaf up are the perfect subtrees before it (RFC 9162, 2.1.3.1).
    """
    before = _locked_head(db)
    append(db, [entry])
    return list(reversed(before.frontier))


def _locked_head(db: Connection) -> Head:
    run(db, "INSERT INTO audit_head (packed) VALUES (:p) ON CONFLICT DO NOTHING", p=Head().pack())
    row = one(db, "SELECT packed FROM audit_head FOR UPDATE")
    return Head.unpack(bytes(row.packed))


def head(db: Connection) -> Head:
    """Where the log stands."""
    row = one(db, "SELECT packed FROM audit_head")
    return Head.unpack(bytes(row.packed)) if row else Head()


def seal(db: Connection, key: SigningKey) -> Sealed:
    """Sign the head and keep the note; sealing twice at the same size gives the same note."""
    current = _locked_head(db)
    existing = one(db, "SELECT note FROM audit_checkpoints WHERE size = :n", n=current.size)
    note = existing.note if existing else sign(Checkpoint(key.name, current.size, current.root()), key)
    if not existing:
        run(db, "INSERT INTO audit_checkpoints (size, note) VALUES (:n, :note)", n=current.size, note=note)
    return Sealed(current.size, current.root().hex(), note)


def write_outside(folder: Path, sealed: Sealed) -> Path:
    """Copy a signed head to a place the database's administrator cannot write."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{sealed.size}.txt"
    path.write_text(sealed.note, encoding="utf-8")
    return path


def refuse_if_outdated(db: Connection, folder: Path, key: VerifyKey) -> None:
    """Raise `LedgerOutdated` unless the log contains everything the newest outside checkpoint signed.

    A missing checkpoint is accepted only from a log that is empty or was never sealed.
    """
    notes = (
        sorted(folder.glob("*.txt"), key=lambda p: int(p.stem) if p.stem.isdigit() else -1) if folder.exists() else []
    )
    current = head(db)
    if not notes:
        if one(db, "SELECT 1 FROM audit_checkpoints LIMIT 1") is not None:
            raise LedgerOutdated("no outside checkpoint is readable though the log was sealed before: nothing may run")
        return
    try:
        outside = open_note(notes[-1].read_text(encoding="utf-8"), [key])
    except NotAuthentic as error:
        raise LedgerOutdated(f"the outside checkpoint {notes[-1].name} cannot be believed: {error}") from error
    if current.size < outside.size:
        raise LedgerOutdated(
            f"the ledger holds {current.size} audit entries, {outside.size} were signed outside: it was restored from"
            " an older copy; re-enter later holds, opt-outs and approvals before anything runs"
        )
    if Head.of(leaves(db, outside.size)).root() != outside.root:
        raise LedgerOutdated("the ledger's audit log is not the one signed outside: stop and investigate")


def sealed_size(db: Connection) -> int:
    """How many entries the newest signed head covers."""
    size: int = one(db, "SELECT coalesce(max(size), 0) AS n FROM audit_checkpoints").n
    return size


def leaves(db: Connection, upto: int) -> Iterator[bytes]:
    """The leaf hashes of the first entries, in order."""
    for row in db.execute(streamed("SELECT leaf_hash FROM audit_entries WHERE seq < :n ORDER BY seq"), {"n": upto}):
        yield bytes(row.leaf_hash)


def export(db: Connection, directory: Path) -> int:
    """Write the log up to its newest checkpoint as files an auditor can check without our code."""
    notes = [(row.size, row.note) for row in rows(db, "SELECT size, note FROM audit_checkpoints ORDER BY size")]
    entries = db.execute(streamed("SELECT body, leaf_hash FROM audit_entries ORDER BY seq"))
    return write_export_files(directory, ((bytes(r.body), bytes(r.leaf_hash)) for r in entries), notes)
