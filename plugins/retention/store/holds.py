"""Which legal holds stand, and which records and steps do they find? Data is free only when the last hold on it ends.

A hold finds a record by the folded form of any address in it, by a role address where the record names one we do not
key, by content that could not be read, or (a hold over everyone) by its system alone. `Reach` then says which parts of
the record it covers. Finding and covering are asked twice: when a plan is made, and again just before each call.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import Connection

from retention.holds import HoldReason, Reach, Scope
from retention.keyring import Keyring
from retention.life_cycles import HOLD, after
from retention.store.database import one, rows, run
from retention.vocabulary import Action, DataClass, Identifier


@dataclass(frozen=True, slots=True)
class Hold:
    """A legal hold in force or released."""

    hold_id: str
    matter: str
    reason: HoldReason
    owner: str
    subjects: int  # how many people by name; 0: everyone
    systems: tuple[str, ...]
    reach: Reach
    state: str
    placed_by: str
    placed_at: datetime
    review_on: date


@dataclass(frozen=True, slots=True)
class Call:
    """A step that was begun before a hold on it was acknowledged, and what is known of its end."""

    step_id: str
    system: str
    action: Action
    since: datetime
    state: str  # of the step, now
    has_job: bool  # the vendor works on it under an id of its own: a person may be able to stop it there
    settle_on: date | None  # final, or recoverable until this day

    @property
    def is_out(self) -> bool:
        """Whether the worker has not written down yet how it ended."""
        return self.state == "intended"


# `met` is what may be found: (id, system, folded_keys, weak, since). A hold released before `since` counts no more.
FINDS = """
    SELECT found.id, h.hold_id, h.data_classes, h.collected_from, h.collected_to FROM (
        SELECT m.id, s.hold_id FROM met m CROSS JOIN LATERAL unnest(m.folded_keys) k
            JOIN hold_subjects s ON s.folded_key = k
        UNION SELECT m.id, s.hold_id FROM met m JOIN hold_subjects s ON s.role_address WHERE 'shared' = ANY (m.weak)
        UNION SELECT m.id, h.hold_id FROM met m JOIN holds h ON h.everyone OR 'unread' = ANY (m.weak)
    ) found JOIN met m USING (id) JOIN holds h USING (hold_id)
    WHERE (h.released_at IS NULL OR h.released_at > m.since)
    AND (cardinality(h.systems) = 0 OR m.system = ANY (h.systems))
"""
# An Art. 18 restriction placed since the plan stops what destroys or releases, unless the subject erases, or won.
_COVERED = (
    "WITH met AS (SELECT s.step_id AS id, s.system, s.folded_keys, s.weak, s.parts, p.made_at AS since, s.reasons,"  # noqa: S608
    " s.action IN ('erase', 'redact', 'release') OR cardinality(s.fields) > 0 AS ends_something"
    " FROM steps s JOIN plans p USING (plan_id) WHERE s.step_id = ANY (:ids) AND s.state = :state)"
    f" SELECT f.id, f.data_classes, f.collected_from, f.collected_to, met.parts FROM ({FINDS}) f JOIN met USING (id)"
    " UNION ALL SELECT m.id, '{}'::text[], NULL, NULL, m.parts FROM met m CROSS JOIN LATERAL unnest(m.folded_keys) k"
    " JOIN restriction_subjects x ON x.folded_key = k JOIN restriction_matters r USING (restriction_id)"
    " WHERE (r.state <> 'lifted' OR r.lifted_at > m.since) AND m.ends_something"
    " AND NOT m.reasons && ARRAY['R18_SUBJECT_ERASES', 'OBJ_UPHELD']"
)
_BEGUN = (
    "WITH begun AS (SELECT step_id FROM attempts WHERE status IS DISTINCT FROM 'not-sent'"  # noqa: S608
    " AND (ended_at IS NULL OR ended_at >= (SELECT placed_at FROM holds WHERE hold_id = :h))"
    " UNION SELECT step_id FROM steps WHERE state IN ('intended', 'unknown', 'accepted')),"
    " met AS (SELECT s.step_id AS id, s.system, s.folded_keys, s.weak, s.parts, p.made_at AS since, s.action, s.state,"
    " s.handle, s.settle_on, (SELECT max(intended_at) FROM attempts a WHERE a.step_id = s.step_id) AS begun_at"
    " FROM begun JOIN steps s USING (step_id) JOIN plans p USING (plan_id))"
    f" SELECT f.data_classes, f.collected_from, f.collected_to, met.* FROM ({FINDS}) f JOIN met USING (id)"
    " WHERE f.hold_id = :h ORDER BY begun_at, id"
)


def new_id() -> str:
    """A name for a hold that is to be placed."""
    return f"hold-{uuid.uuid4().hex[:12]}"


def place(
    db: Connection,
    keyring: Keyring,
    hold_id: str,
    scope: Scope,
    *,
    matter: str,
    reason: HoldReason,
    owner: str,
    placed_by: str,
    review_on: date,
    is_role: Callable[[Identifier], bool],
) -> bool:
    """Write a hold down, unless one of this id is there; whether it was written. `is_role` knows role addresses.

    Acknowledge it only after `hold_lock.calls_have_ended`.
    """
    written = run(
        db,
        "INSERT INTO holds (hold_id, matter, reason, owner, everyone, systems, data_classes, collected_from,"
        " collected_to, state, placed_by, placed_at, review_on) VALUES (:hold_id, :matter, :reason, :owner, :everyone,"
        " :systems, :classes, :first, :last, 'in_force', :by, clock_timestamp(), :review_on)"
        " ON CONFLICT (hold_id) DO NOTHING",
        hold_id=hold_id,
        matter=matter,
        reason=reason.value,
        owner=owner,
        everyone=scope.everyone,
        systems=sorted(scope.systems),
        classes=sorted(scope.reach.data_classes),
        first=scope.reach.collected_from,
        last=scope.reach.collected_to,
        by=placed_by,
        review_on=review_on,
    )
    for identifier in scope.subjects if written else ():
        run(
            db,
            "INSERT INTO hold_subjects (hold_id, folded_key, role_address) VALUES (:hold_id, :key, :role)"
            " ON CONFLICT DO NOTHING",
            hold_id=hold_id,
            key=keyring.folded_key(identifier),
            role=is_role(identifier),
        )
    return bool(written)


def is_placed_by(db: Connection, hold_id: str, matter: str, placed_by: str) -> bool:
    """Whether a hold is the one that somebody placed for a matter."""
    row = one(db, "SELECT matter, placed_by FROM holds WHERE hold_id = :h", h=hold_id)
    return row is not None and (row.matter, row.placed_by) == (matter, placed_by)


def release(db: Connection, hold_id: str, released_by: str) -> bool:
    """End a hold that is in force; False if there is none of this id.

    What it protected is decided afresh by the next sweep: steps of plans made before the release stay held.
    """
    state = _state_of(db, hold_id)
    if state is None or "release" not in HOLD[state]:
        return False
    run(
        db,
        "UPDATE holds SET state = :state, released_by = :by, released_at = clock_timestamp() WHERE hold_id = :h",
        state=after(HOLD, state, "release"),
        by=released_by,
        h=hold_id,
    )
    return True


def keep(db: Connection, hold_id: str, until: date) -> bool:
    """Note that a hold was looked at and is still needed, until its next review; False if none is in force."""
    state = _state_of(db, hold_id)
    if state is None or "review" not in HOLD[state]:
        return False
    run(
        db,
        "UPDATE holds SET state = :state, review_on = :until WHERE hold_id = :h",
        state=after(HOLD, state, "review"),
        until=until,
        h=hold_id,
    )
    return True


def _state_of(db: Connection, hold_id: str) -> str | None:
    row = one(db, "SELECT state FROM holds WHERE hold_id = :h FOR UPDATE", h=hold_id)
    return None if row is None else str(row.state)


def listed(db: Connection, *, due_on: date | None = None) -> list[Hold]:
    """All holds, newest first; with `due_on` those in force whose review is due by that day, longest overdue first."""
    found = rows(
        db,
        "SELECT h.*, (SELECT count(*) FROM hold_subjects s WHERE s.hold_id = h.hold_id) AS subjects FROM holds h"
        " WHERE CAST(:on AS date) IS NULL OR state = 'in_force' AND review_on <= :on"
        " ORDER BY CASE WHEN CAST(:on AS date) IS NULL THEN NULL ELSE review_on END, placed_at DESC",
        on=due_on,
    )
    return [
        Hold(
            row.hold_id,
            row.matter,
            HoldReason(row.reason),
            row.owner,
            row.subjects,
            tuple(row.systems),
            reach_of(row.data_classes, row.collected_from, row.collected_to),
            row.state,
            row.placed_by,
            row.placed_at,
            row.review_on,
        )
        for row in found
    ]


def covered_steps(db: Connection, step_ids: Sequence[str], state: str) -> set[str]:
    """Which of these steps, in this state, touch what is under a hold, or was when their plan was made or later; and
    those that an Art. 18 restriction stands against."""
    found = rows(db, _COVERED, ids=list(step_ids), state=state)
    return {row.id for row in found if _reach(row).covers_any(row.parts)}


def calls_met(db: Connection, hold_id: str) -> list[Call]:
    """Every step a hold covers that was at a vendor when it was placed, or later: those ended meanwhile, too."""
    return [
        Call(row.id, row.system, Action(row.action), row.begun_at, row.state, bool(row.handle), row.settle_on)
        for row in rows(db, _BEGUN, h=hold_id)
        if _reach(row).covers_any(row.parts)
    ]


def calls_named(db: Connection, step_ids: Sequence[str]) -> list[Call]:
    """How steps stand now that were named when a hold was acknowledged."""
    found = rows(
        db,
        "SELECT s.step_id, s.system, s.action, s.state, s.handle, s.settle_on, (SELECT max(intended_at) FROM attempts a"
        " WHERE a.step_id = s.step_id) AS begun_at FROM steps s WHERE s.step_id = ANY (:ids)"
        " ORDER BY begun_at, s.step_id",
        ids=list(step_ids),
    )
    return [
        Call(r.step_id, r.system, Action(r.action), r.begun_at, r.state, bool(r.handle), r.settle_on) for r in found
    ]


def reaches(found: Sequence[Sequence[Any]]) -> tuple[Reach, ...]:
    """What holds cover, as it comes out of JSON."""
    return tuple(reach_of(classes, _day(first), _day(last)) for classes, first, last in found)


def reach_of(data_classes: Sequence[str], collected_from: date | None, collected_to: date | None) -> Reach:
    """What a hold covers, as it is stored."""
    return Reach(frozenset(map(DataClass, data_classes)), collected_from, collected_to)


def _reach(row: Any) -> Reach:
    return reach_of(row.data_classes, row.collected_from, row.collected_to)


def _day(written: str | None) -> date | None:
    return date.fromisoformat(written) if written else None
