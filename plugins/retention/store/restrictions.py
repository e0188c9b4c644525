"""Whose data is restricted under Art. 18, which records did we restrict, and what must a release put back?

A *matter* is a subject's restriction with its ground; a *restriction* is one record that we restricted, for whatever
reason, with the state it was found in. The first outlives the second: the state found is forgotten once it is put back.
"""

from __future__ import annotations

import uuid
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import Connection

from retention.keyring import Keyring
from retention.life_cycles import RESTRICTION, after
from retention.restriction import Ground, Restricting
from retention.store.database import one, rows, run
from retention.vocabulary import Identifier, Scalar


@dataclass(frozen=True, slots=True)
class Matter:
    """A subject's restriction."""

    restriction_id: str
    ground: Ground
    matter: str
    state: str
    placed_by: str
    placed_on: date
    notice_on: date | None
    open_records: int  # restricted by us and not released yet


def place(
    db: Connection,
    keyring: Keyring,
    *,
    ground: Ground,
    matter: str,
    subjects: Sequence[Identifier],
    placed_by: str,
) -> str:
    """Write a subject's restriction down; the next sweep looks the person up in every system and plans it."""
    restriction_id = f"restriction-{uuid.uuid4().hex[:12]}"
    run(
        db,
        "INSERT INTO restriction_matters (restriction_id, ground, matter, subjects, state, placed_by)"
        " VALUES (:id, :ground, :matter, :subjects, 'in_force', :by)",
        id=restriction_id,
        ground=ground.value,
        matter=matter,
        subjects=keyring.seal_identifiers(subjects),
        by=placed_by,
    )
    for identifier in subjects:
        run(
            db,
            "INSERT INTO restriction_subjects (restriction_id, exact_key, folded_key) VALUES (:id, :exact, :folded)"
            " ON CONFLICT DO NOTHING",
            id=restriction_id,
            exact=keyring.exact_key(identifier),
            folded=keyring.folded_key(identifier),
        )
    return restriction_id


def notice_sent(db: Connection, restriction_id: str, on: date, by: str) -> str:
    """Note that the subject was told that the restriction will end (Art. 18(3)); returns the new state."""
    state = _moved(db, restriction_id, "notice_sent")
    run(
        db,
        "UPDATE restriction_matters SET state = :state, notice_on = :on, notice_by = :by WHERE restriction_id = :id",
        state=state,
        on=on,
        by=by,
        id=restriction_id,
    )
    return state


def lift(db: Connection, restriction_id: str, by: str) -> str:
    """End a restriction whose notice was sent; the next sweep plans the release of the records. Returns the state."""
    state = _moved(db, restriction_id, "lift")
    run(
        db,
        "UPDATE restriction_matters SET state = :state, lifted_by = :by, lifted_at = now() WHERE restriction_id = :id",
        state=state,
        by=by,
        id=restriction_id,
    )
    _forget_released(db)
    return state


def _moved(db: Connection, restriction_id: str, event: str) -> str:
    row = one(db, "SELECT state FROM restriction_matters WHERE restriction_id = :id FOR UPDATE", id=restriction_id)
    if row is None:
        raise LookupError(f"no restriction {restriction_id} in this ledger")
    return after(RESTRICTION, row.state, event)


def listed(db: Connection) -> list[Matter]:
    """All matters, newest first, with how many records still wait for their release."""
    found = rows(
        db,
        "SELECT restriction_id, ground, matter, state, placed_by, placed_at, notice_on,"
        " (SELECT count(*) FROM records_to_release r WHERE r.restriction_id = m.restriction_id) AS open_records"
        " FROM restriction_matters m ORDER BY placed_at DESC",
    )
    return [
        Matter(
            row.restriction_id,
            Ground(row.ground),
            row.matter,
            row.state,
            row.placed_by,
            row.placed_at.date(),
            row.notice_on,
            row.open_records,
        )
        for row in found
    ]


def people_to_look_up(db: Connection, keyring: Keyring) -> list[Identifier]:
    """Everyone whose restriction stands, or whose records still wait to be released. In memory only."""
    found = rows(
        db,
        "SELECT subjects FROM restriction_matters m WHERE subjects IS NOT NULL"
        " AND (state <> 'lifted'"
        "  OR EXISTS (SELECT FROM records_to_release r WHERE r.restriction_id = m.restriction_id))",
    )
    return list(dict.fromkeys(i for row in found for i in keyring.open_identifiers(row.subjects)))


def concerning(found: Sequence[Sequence[Any]]) -> tuple[Restricting, ...]:
    """The matters that concern a record, as they come out of JSON: (ground, lifted, surely)."""
    return tuple(Restricting(Ground(ground), lifted, surely) for ground, lifted, surely in found)


def previous_states(
    db: Connection, keyring: Keyring, system: str, record_keys: Collection[bytes]
) -> dict[bytes, dict[str, Scalar]]:
    """What a release must put back, by record; a record that we did not restrict is missing."""
    found = rows(
        db,
        "SELECT record_key, previous FROM restrictions WHERE system = :system AND record_key = ANY (:keys)"
        " AND released_at IS NULL",
        system=system,
        keys=list(record_keys),
    )
    return {bytes(row.record_key): keyring.open_values(row.previous) for row in found}


def close(db: Connection, step_ids: Sequence[str]) -> int:
    """Forget what was to be put back once a record is proven released, or erased; returns how many records."""
    closed = run(
        db,
        "UPDATE restrictions r SET released_at = now(), previous = NULL FROM steps s WHERE s.step_id = ANY (:ids)"
        " AND s.action IN ('release', 'erase') AND r.system = s.system AND r.record_key = s.record_key"
        " AND r.released_at IS NULL",
        ids=list(step_ids),
    )
    if closed:
        _forget_released(db)
    return closed


def _forget_released(db: Connection) -> None:
    """Wipe whom a lifted matter is about once none of the person's records waits any more; pseudonyms remain."""
    run(
        db,
        "UPDATE restriction_matters m SET subjects = NULL WHERE state = 'lifted' AND subjects IS NOT NULL"
        " AND NOT EXISTS (SELECT FROM records_to_release r WHERE r.restriction_id = m.restriction_id)",
    )
