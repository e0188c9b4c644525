"""Are these all the keys the ledger was written with, and what follows where a new generation comes in?

A worker that lacks a generation would look people up in vain: they would be contacted again, or lose their hold. So
the ledger remembers which generations it knows, and nothing runs without every one of them.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from sqlalchemy import Connection

from retention.keyring import Keyring, KeysUnusable
from retention.store.catalogue import COLUMNS
from retention.store.database import copy_into, one, rows, run
from retention.store.findings import keys_of, older_keys_of
from retention.vocabulary import RecordRef

PAGE = 2000


@dataclass(frozen=True, slots=True)
class Adopted:
    """A generation the ledger knows."""

    key_id: str
    adopted_at: datetime


def refuse_unless_complete(db: Connection, keyring: Keyring) -> None:
    """Raise `KeysUnusable` if a generation the ledger was written with is missing, or is another one of that name."""
    held = {generation.key_id: generation.fingerprint for generation in keyring.generations}
    for row in rows(db, "SELECT key_id, fingerprint FROM key_generations ORDER BY adopted_at, key_id"):
        if row.key_id not in held:
            raise KeysUnusable(
                f"the ledger was also written with keys {row.key_id}, which are not among those connected: without"
                " them people on the suppression list would not be found; connect the whole key file"
            )
        if held[row.key_id] != row.fingerprint:
            raise KeysUnusable(
                f"the keys called {row.key_id} are not those the ledger was written with: connect the right key file"
            )


def adopt(db: Connection, keyring: Keyring) -> list[str]:
    """Let the ledger know these keys; returns the generations that are new to it.

    What can be keyed anew, because its locator and addresses are kept encrypted, is: catalogue, restrictions, and what
    waits for a person.
    """
    refuse_unless_complete(db, keyring)
    new: list[Any] = []
    for generation in reversed(keyring.generations):
        new += rows(
            db,
            "INSERT INTO key_generations (key_id, fingerprint) VALUES (:key_id, :fingerprint)"
            " ON CONFLICT (key_id) DO NOTHING RETURNING key_id",
            key_id=generation.key_id,
            fingerprint=generation.fingerprint,
        )
    if new:
        _rekey_records(db, keyring, "restrictions")
        _rekey_records(db, keyring, "review_items")
        while _rekey_catalogue(db, keyring):
            pass
    return [row.key_id for row in new]


def refuse_if_rotated(db: Connection, keyring: Keyring, sweep_id: str) -> None:
    """Raise `KeysUnusable` if the keys were changed after a sweep was opened: what it holds is keyed by others."""
    row = one(db, "SELECT key_id FROM case_keys WHERE case_id = :s", s=sweep_id)
    if row is not None and row.key_id != keyring.key_id:
        raise KeysUnusable(
            f"sweep {sweep_id} was opened under keys {row.key_id}, now {keyring.key_id} are connected: let the next"
            " sweep plan afresh"
        )


def known(db: Connection) -> list[Adopted]:
    """The generations the ledger was written with, oldest first."""
    found = rows(db, "SELECT key_id, adopted_at FROM key_generations ORDER BY adopted_at, key_id")
    return [Adopted(row.key_id, row.adopted_at) for row in found]


def _rekey_records(db: Connection, keyring: Keyring, table: Literal["restrictions", "review_items"]) -> None:
    """Key anew what is about one record each and still knows where it lies."""
    known = f"SELECT system, kind, record_key, locator FROM {table} WHERE locator IS NOT NULL FOR UPDATE"  # noqa: S608
    for row in rows(db, known):
        current = keyring.record_key(RecordRef(row.system, row.kind, keyring.open(row.locator)))
        if current != bytes(row.record_key):
            run(
                db,
                f"UPDATE {table} SET record_key = :current WHERE system = :system AND record_key = :before",  # noqa: S608
                current=current,
                system=row.system,
                before=bytes(row.record_key),
            )


def _rekey_catalogue(db: Connection, keyring: Keyring) -> int:
    """Key one page of the catalogue anew; returns how many rows it was."""
    stale = rows(
        db,
        "DELETE FROM catalogue WHERE ctid IN (SELECT ctid FROM catalogue WHERE key_id <> :key_id LIMIT :n)"
        " RETURNING system, kind, locator, addresses, version, facts::text AS facts, collected_on, gap_code, seen_in,"
        " shared, in_group, mark, listed",
        key_id=keyring.key_id,
        n=PAGE,
    )
    copy_into(db, "catalogue", COLUMNS, [_rekeyed(keyring, row) for row in stale], "ON CONFLICT DO NOTHING")
    return len(stale)


def _rekeyed(keyring: Keyring, row: Any) -> tuple[Any, ...]:
    ref = RecordRef(row.system, row.kind, keyring.open(row.locator))
    people = keyring.open_identifiers(row.addresses)
    return (
        row.system,
        keyring.record_key(ref),
        row.kind,
        keyring.seal(ref.key),
        row.version,
        row.facts,
        row.collected_on,
        keyring.key_id,
        *keys_of(keyring, people),
        *older_keys_of(keyring, ref, people),
        keyring.seal_identifiers(people),
        row.gap_code,
        row.seen_in,
        row.shared,
        row.in_group,
        row.mark,
        row.listed,
    )
