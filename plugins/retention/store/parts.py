"""How was a walked system divided in a sweep, and which parts were walked to their end?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Connection

from retention.keyring import Keyring
from retention.listings import Part
from retention.store.database import one, rows, run


@dataclass(frozen=True, slots=True)
class Walks:
    """How far the parts of a system were walked."""

    open: tuple[int, ...]
    whole: bool
    read: int
    began: int


def divide(db: Connection, keyring: Keyring, sweep_id: str, system: str, parts: Sequence[Part], began: int) -> None:
    """Write down a division; an earlier one of the same sweep is void."""
    run(db, "DELETE FROM reading_parts WHERE sweep_id = :s AND system = :system", s=sweep_id, system=system)
    for number, part in enumerate(parts):
        run(
            db,
            "INSERT INTO reading_parts (sweep_id, system, number, part, began, state)"
            " VALUES (:s, :system, :number, :part, :began, 'open')",
            s=sweep_id,
            system=system,
            number=number,
            part=keyring.seal(part.hex()),
            began=began,
        )


def get(db: Connection, keyring: Keyring, sweep_id: str, system: str, number: int) -> Part:
    """One part; `LookupError` if the division has none of that number."""
    row = one(
        db,
        "SELECT part FROM reading_parts WHERE sweep_id = :s AND system = :system AND number = :number",
        s=sweep_id,
        system=system,
        number=number,
    )
    if row is None:
        raise LookupError(f"{system}: this sweep's division has no part {number}; clear the task that divides")
    return Part(bytes.fromhex(keyring.open(row.part)))


def walked(db: Connection, sweep_id: str, system: str, number: int, *, read: int, whole: bool) -> None:
    """A part was walked to its end."""
    run(
        db,
        "UPDATE reading_parts SET state = 'walked', read = :read, whole = :whole"
        " WHERE sweep_id = :s AND system = :system AND number = :number",
        s=sweep_id,
        system=system,
        number=number,
        read=read,
        whole=whole,
    )


def forget(db: Connection, sweep_id: str) -> None:
    """Once a sweep is sealed nobody walks its parts any more, and folders may be called after people."""
    run(db, "DELETE FROM reading_parts WHERE sweep_id = :s", s=sweep_id)


def stand(db: Connection, sweep_id: str, system: str) -> Walks:
    """How far the walks of a sweep came."""
    found = rows(
        db,
        "SELECT number, state, whole, read, began FROM reading_parts WHERE sweep_id = :s AND system = :system"
        " ORDER BY number",
        s=sweep_id,
        system=system,
    )
    return Walks(
        tuple(row.number for row in found if row.state == "open"),
        bool(found) and all(row.whole for row in found),
        sum(row.read for row in found),
        min((row.began for row in found), default=0),
    )
