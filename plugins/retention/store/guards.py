"""What would a plan do, by the ledger's own count, and which limits were broken or lifted?"""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import Connection

from retention.limits import Breach, Guard, Measured
from retention.store.database import one, rows, run
from retention.store.plans import Plan
from retention.store.sweeps import Sweep, stopped
from retention.vocabulary import GapCode

MONTH = timedelta(days=30)
SENT = ["intended", "unknown", "accepted", "done", "verified", "contradicted"]
CUT_OFF = [GapCode.TRUNCATED.value, GapCode.COUNT_MISMATCH.value]


@dataclass(frozen=True, slots=True)
class Override:
    """A limit somebody raised for a time."""

    override_id: str
    system: str
    guard: Guard
    up_to: float
    given_by: str
    ends_at: datetime
    revoked_at: datetime | None


def measured(db: Connection, sweep: Sweep, plan: Plan, very_old_before: date) -> Measured:
    """What a plan would do and what is known of its system, counted now."""
    sent = {"system": plan.system, "s": sweep.sweep_id, "states": SENT, **_month(sweep)}
    reading = one(
        db,
        "SELECT shown, population FROM readings WHERE sweep_id = :s AND system = :system AND stage = 'gather'",
        s=sweep.sweep_id,
        system=plan.system,
    )
    return Measured(
        steps=step_count(db, plan.plan_id),
        of_class=_counts(rows(db, _CLASSES + " WHERE s.plan_id = :p GROUP BY c", p=plan.plan_id)),
        earlier=one(db, _STEPS + _EARLIER, **sent).n,
        earlier_of_class=_counts(rows(db, _CLASSES + _EARLIER + " GROUP BY c", **sent)),
        nights=() if sweep.is_for_requests else _nights(db, sweep, plan.system),
        very_old=_very_old(db, sweep, plan, very_old_before),
        protected=protected_steps(db, plan.plan_id),
        population=reading.population if reading else None,
        shown=reading.shown if reading else 0,
        expected=_expected(db, sweep, plan.system) if reading and not sweep.is_for_requests else None,
        cut_off=_cut_off(db, sweep, plan.system),
        stopped=stopped(db, plan.system),
    )


def step_count(db: Connection, plan_id: str) -> int:
    """How many steps are stored for a plan; the column of that name is only what was once said."""
    count: int = one(db, "SELECT count(*) AS n FROM steps WHERE plan_id = :p", p=plan_id).n
    return count


def protected_steps(db: Connection, plan_id: str) -> int:
    """How many steps of a plan are about a protected person or record."""
    count: int = one(
        db,
        "SELECT count(*) AS n FROM steps s WHERE s.plan_id = :p AND EXISTS (SELECT FROM protected x"
        " WHERE x.removed_at IS NULL AND (x.what = 'person' AND x.key = ANY (s.folded_keys)"
        " OR x.what = 'record' AND x.system = s.system AND x.key = s.record_key))",
        p=plan_id,
    ).n
    return count


_STEPS = "SELECT count(*) AS n FROM steps s"
_CLASSES = "SELECT c, count(*) AS n FROM steps s CROSS JOIN unnest(s.data_classes) c"
_EARLIER = (
    " WHERE s.plan_id IN (SELECT p.plan_id FROM plans p JOIN sweeps w USING (sweep_id) WHERE p.system = :system"
    " AND p.purpose = 'retention' AND p.sweep_id <> :s AND w.as_of > :since AND w.as_of <= :until)"
    " AND s.state = ANY (:states)"
)


def _month(sweep: Sweep) -> dict[str, date]:
    return {"since": sweep.as_of - MONTH, "until": sweep.as_of}


def _counts(found: Sequence[Any]) -> dict[str, int]:
    return {row.c: row.n for row in found}


def _nights(db: Connection, sweep: Sweep, system: str) -> Sequence[int]:
    """Steps planned by earlier nights. What a guard stopped is no example of a usual night."""
    found = rows(
        db,
        "SELECT (SELECT count(*) FROM steps s WHERE s.plan_id = p.plan_id) AS n FROM plans p"
        " JOIN sweeps w USING (sweep_id) WHERE p.system = :system AND p.purpose = 'retention' AND p.sweep_id <> :s"
        " AND w.selector = 'schedule'"
        " AND w.as_of > :since AND w.as_of <= :until AND NOT EXISTS (SELECT FROM guard_breaches b"
        " WHERE b.sweep_id = p.sweep_id AND b.system = p.system) ORDER BY w.opened_at",
        system=system,
        s=sweep.sweep_id,
        **_month(sweep),
    )
    return [row.n for row in found]


def _very_old(db: Connection, sweep: Sweep, plan: Plan, before: date) -> int:
    count: int = one(
        db,
        "SELECT count(*) AS n FROM steps s JOIN findings f ON f.sweep_id = :s AND f.system = s.system"
        " AND f.record_key = s.record_key WHERE s.plan_id = :p AND"
        " (SELECT max(left(c->'collected'->>0, 10)::date) FROM jsonb_array_elements(f.facts->'classes') c) < :before",
        p=plan.plan_id,
        s=sweep.sweep_id,
        before=before,
    ).n
    return count


def _expected(db: Connection, sweep: Sweep, system: str) -> int | None:
    """What the last whole reading before showed, less what was carried out since; None if there was none."""
    last = one(
        db,
        "SELECT r.sweep_id, r.shown FROM readings r JOIN sweeps w USING (sweep_id) WHERE r.system = :system"
        " AND r.stage = 'gather' AND r.state = 'whole' AND r.sweep_id <> :s AND w.selector = 'schedule'"
        " AND w.opened_at <= (SELECT opened_at FROM sweeps WHERE sweep_id = :s) ORDER BY w.opened_at DESC LIMIT 1",
        system=system,
        s=sweep.sweep_id,
    )
    if last is None:
        return None
    carried_out = one(
        db,
        "SELECT count(*) AS n FROM steps s JOIN plans p USING (plan_id) WHERE p.sweep_id = :last AND s.system = :system"
        " AND s.state = ANY (:states)",
        last=last.sweep_id,
        system=system,
        states=SENT,
    ).n
    left: int = max(0, last.shown - carried_out)
    return left


def _cut_off(db: Connection, sweep: Sweep, system: str) -> int:
    """Answers that were cut off; a single item of which only the beginning could be read is no such thing."""
    count: int = one(
        db,
        "SELECT count(*) AS n FROM gaps WHERE sweep_id = :s AND system = :system AND record_key IS NULL"
        " AND code = ANY (:codes)",
        s=sweep.sweep_id,
        system=system,
        codes=CUT_OFF,
    ).n
    return count


# --- what was broken ---


def record(db: Connection, sweep_id: str, system: str, broken: Iterable[Breach]) -> None:
    """Write breaches down, each once per sweep."""
    for breach in broken:
        run(
            db,
            "INSERT INTO guard_breaches (sweep_id, system, guard, data_class, value, allowed)"
            " VALUES (:s, :system, :guard, :data_class, :value, :allowed) ON CONFLICT DO NOTHING",
            s=sweep_id,
            system=system,
            guard=breach.guard.value,
            data_class=breach.data_class,
            value=breach.value,
            allowed=breach.allowed,
        )


def broken_in(db: Connection, sweep_id: str, besides: Guard | None = None) -> Mapping[str, list[Breach]]:
    """Every breach of a sweep, by system; `besides` leaves one guard out."""
    found = rows(
        db,
        "SELECT system, guard, data_class, value, allowed FROM guard_breaches WHERE sweep_id = :s AND guard <> :besides"
        " ORDER BY breach_id",
        s=sweep_id,
        besides=besides or "",
    )
    by_system: dict[str, list[Breach]] = {}
    for row in found:
        breach = Breach(Guard(row.guard), row.value, row.allowed, row.data_class)
        by_system.setdefault(row.system, []).append(breach)
    return by_system


# --- what was lifted ---


def give_override(db: Connection, *, system: str, guard: Guard, up_to: float, given_by: str, ends_at: datetime) -> str:
    """Raise a limit of one system for a time."""
    override_id = f"switch-{uuid.uuid4().hex[:16]}"
    run(
        db,
        "INSERT INTO guard_overrides (override_id, system, guard, up_to, given_by, ends_at)"
        " VALUES (:id, :system, :guard, :up_to, :by, :ends_at)",
        id=override_id,
        system=system,
        guard=guard.value,
        up_to=up_to,
        by=given_by,
        ends_at=ends_at,
    )
    return override_id


def revoke_override(db: Connection, override_id: str, by: str) -> bool:
    """End an override now; False if none of that id is in force."""
    done = run(
        db,
        "UPDATE guard_overrides SET revoked_by = :by, revoked_at = now()"
        " WHERE override_id = :id AND revoked_at IS NULL",
        id=override_id,
        by=by,
    )
    return bool(done)


def overrides(db: Connection) -> list[Override]:
    """Every override, newest first."""
    found = rows(
        db,
        "SELECT override_id, system, guard, up_to, given_by, ends_at, revoked_at FROM guard_overrides"
        " ORDER BY given_at DESC",
    )
    return [
        Override(r.override_id, r.system, Guard(r.guard), r.up_to, r.given_by, r.ends_at, r.revoked_at) for r in found
    ]


def in_force(db: Connection, system: str, now: datetime) -> Mapping[Guard, float]:
    """Up to which value each guard of a system may go now; the widest override counts."""
    found: dict[Guard, float] = {}
    for one_of in overrides(db):
        if one_of.system != system or one_of.revoked_at is not None or one_of.ends_at <= now:
            continue
        widest = min if one_of.guard is Guard.FEWER_FOUND else max
        found[one_of.guard] = widest(found.get(one_of.guard, one_of.up_to), one_of.up_to)
    return found
