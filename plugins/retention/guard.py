"""May a plan be put before a person at all? Every limit is checked; a breach stops the whole plan of that system."""

from __future__ import annotations

from collections.abc import Iterable

from retention import audit, clocks
from retention.limits import Breach, Guard, breaches
from retention.plan import Purpose
from retention.policy_approval import refuse_unless_approved
from retention.store import audit_log, guards, plans, sweeps, tenants
from retention.store.database import Connection
from retention.store.desk import Desk
from retention.store.plans import Plan
from retention.store.sweeps import Mode, Sweep


class OtherAccount(Exception):
    """A system leads to another account than the accepted one. Nothing was read from it, and nothing is done there."""


def guard(desk: Desk, sweep: Sweep, systems: Iterable[str]) -> str | None:
    """Check the limits of every plan, then fix the sweep's digest; returns it, or None if nothing is left to do.

    A breach stops the whole plan of that system, never "the first N of it". Under a policy that is not approved nobody
    is asked at all.
    """
    with desk.transaction() as db:
        current = sweeps.get(db, sweep.sweep_id)
        if current.state != "open":
            return current.digest
        if current.mode is not Mode.DRY:
            refuse_unless_approved(db, desk.policy.digest)
        for system in systems:
            made = plans.find(db, sweep.sweep_id, system, Purpose.RETENTION)
            if made is None or made.state != "proposed":
                continue
            broken = limits_broken(desk, db, sweep, made)
            # In live mode a system without the permission is planned for and nothing more.
            passed = "guarded" if current.mode is not Mode.LIVE or sweeps.may_act(db, Mode.LIVE, system) else "dry"
            plans.move(db, made.plan_id, "breached" if broken else passed)
            _record(desk, db, sweep, system, broken, made)
        guarded = [p for p in plans.of_sweep(db, sweep.sweep_id) if p.state == "guarded"]
        if not any(guards.step_count(db, p.plan_id) for p in guarded):
            sweeps.move(db, sweep.sweep_id, "nothing_to_do")
            return None
        digest = plans.actual_sweep_digest(db, sweep.sweep_id)
        sweeps.set_digest(db, sweep.sweep_id, digest)
        sweeps.move(db, sweep.sweep_id, "guarded")
        return digest


def limits_broken(desk: Desk, db: Connection, sweep: Sweep, plan: Plan) -> list[Breach]:
    """Every limit that a plan breaks now and that nobody lifted."""
    limits = desk.policy.guards_of(plan.system)
    very_old_before = clocks.collected_before(sweep.as_of, limits.surprise_age.years)
    measured = guards.measured(db, sweep, plan, very_old_before)
    return breaches(limits, measured, guards.in_force(db, plan.system, desk.now()))


def refuse_another_account(desk: Desk, sweep: Sweep, system: str, tenant: str) -> None:
    """Raise unless a system leads to the account accepted for it, which the first one ever seen is."""
    with desk.transaction() as db:
        if tenants.is_the_known_one(db, system, tenant):
            return
        broken = Breach(Guard.OTHER_ACCOUNT, 1, 0)
        _record(desk, db, sweep, system, [broken])
        sweeps.record_reading(
            db, sweep.sweep_id, system, "gather", "failed", tenant=tenant, reason=Guard.OTHER_ACCOUNT.value
        )
    raise OtherAccount(f"{system}: {broken}")


def _record(
    desk: Desk, db: Connection, sweep: Sweep, system: str, broken: list[Breach], plan: Plan | None = None
) -> None:
    guards.record(db, sweep.sweep_id, system, broken)
    entries = [
        desk.entry(
            audit.Event.GUARD_STOPPED,
            run=sweep.sweep_id,
            system=system,
            plan_digest=plan.digest if plan else "",
            reasons=(breach.guard,),
            count=int(breach.value),
        )
        for breach in broken
    ]
    if entries:
        audit_log.append(db, entries)
