"""Is the audit log in the ledger whole, in order and the one that was signed? Read once, from its first entry on.

In the memory of a few entries. Whoever can change the ledger's server can change this answer too: the auditor's own
check is tools/verify_audit.py, run elsewhere over an export with a checkpoint kept elsewhere.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection

from retention.audit import NotAuthentic, Tree, VerifyKey, leaf_hash, open_note
from retention.audit.chain import NO_ENTRY
from retention.store import audit_log
from retention.store.database import rows, run, streamed

Heads = Mapping[int, bytes]
"""Roots that were signed, by the number of entries they are over."""


@dataclass(frozen=True, slots=True)
class Checked:
    """What a check came to: how far it got, and what was wrong first (empty: nothing)."""

    entries: int
    seals: int
    root: str
    problem: str


@dataclass(frozen=True, slots=True)
class Check:
    """One check as it is on record."""

    asked_by: str
    began_at: datetime
    ended_at: datetime
    entries: int
    seals: int
    root: str
    problem: str


def check(db: Connection, key: VerifyKey, outside: Iterable[str]) -> Checked:
    """Hold every entry against the one before, and the tree against every head that was signed, here or outside."""
    head = audit_log.head(db)
    own = [row.note for row in rows(db, "SELECT note FROM audit_checkpoints WHERE size <= :n", n=head.size)]
    signed = _signed((*own, *outside), key)
    if own and max(signed, default=0) < audit_log.sealed_size(db):
        return Checked(0, 0, "", "the newest signed head is not by the key of this deployment")
    if max(signed, default=0) > head.size:
        return Checked(0, 0, "", f"{max(signed)} entries were signed, the log has {head.size}: it was cut short")
    return _read(db, head.size, signed, head.root())


def _read(db: Connection, size: int, signed: Heads, root: bytes) -> Checked:
    tree, seals = Tree(), 0
    for problem in _problems(db, size, tree):
        if problem:
            return Checked(tree.size, seals, tree.root().hex(), problem)
        if tree.size in signed:
            if tree.root() != signed[tree.size]:
                wrong = f"the first {tree.size} entries are not those that were signed"
                return Checked(tree.size, seals, tree.root().hex(), wrong)
            seals += 1
    lacking = tree.size < size or tree.root() != root
    problem = f"the head names {size} entries that the log does not hold" if lacking else ""
    return Checked(tree.size, seals, tree.root().hex(), problem)


def _problems(db: Connection, size: int, tree: Tree) -> Iterator[str]:
    """Per entry what is wrong with it, after it was put into the tree if nothing is."""
    statement = streamed("SELECT seq, body, leaf_hash FROM audit_entries WHERE seq < :n ORDER BY seq")
    before = NO_ENTRY
    for row in db.execute(statement, {"n": size}):
        body, leaf = bytes(row.body), bytes(row.leaf_hash)
        if row.seq != tree.size or f'"seq":{tree.size},'.encode() not in body:
            yield f"entry {tree.size} is missing or not in its place"
        elif leaf_hash(body) != leaf:
            yield f"entry {tree.size} was changed: its bytes are not those that were hashed"
        elif f'"previous":"{before.hex()}"'.encode() not in body:
            yield f"entry {tree.size} does not name the entry before it"
        else:
            tree.append(leaf)
            before = leaf
            yield ""


def _signed(notes: Iterable[str], key: VerifyKey) -> Heads:
    """The heads that this key signed. Those of an earlier key are covered by every later one."""
    heads = {}
    for note in notes:
        try:
            opened = open_note(note, [key])
        except NotAuthentic:
            continue
        heads[opened.size] = opened.root
    return heads


def keep(db: Connection, asked_by: str, began_at: datetime, ended_at: datetime, found: Checked) -> None:
    """Write down what a check came to, and who asked for it."""
    run(
        db,
        "INSERT INTO audit_checks (asked_by, began_at, ended_at, entries, seals, root, problem)"
        " VALUES (:by, :began, :ended, :entries, :seals, :root, :problem)",
        by=asked_by,
        began=began_at,
        ended=ended_at,
        entries=found.entries,
        seals=found.seals,
        root=found.root,
        problem=found.problem,
    )


def newest(db: Connection, n: int = 10) -> list[Check]:
    """The checks on record, newest first."""
    found = rows(
        db,
        "SELECT asked_by, began_at, ended_at, entries, seals, root, problem FROM audit_checks"
        " ORDER BY check_id DESC LIMIT :n",
        n=n,
    )
    return [Check(**row._mapping) for row in found]
