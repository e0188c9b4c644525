"""Which plans exist, what do they hold, and who approved them? A plan's steps never change after it is made."""

from __future__ import annotations

import uuid
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection

from retention.life_cycles import OPEN_STEP_STATES, PLAN, STEP, after, states_with
from retention.plan import PlanHeader, PlannedStep, Purpose, digest, sweep_digest
from retention.store.database import copy_into, one, rows, run, streamed
from retention.vocabulary import Action


@dataclass(frozen=True, slots=True)
class Plan:
    """A stored plan without its steps."""

    plan_id: str
    sweep_id: str
    system: str
    purpose: Purpose
    tenant: str
    policy_digest: str
    digest: str
    state: str
    step_count: int

    @property
    def header(self) -> PlanHeader:
        """What its digest is bound to."""
        return PlanHeader(self.sweep_id, self.system, self.purpose, self.tenant, self.policy_digest)


@dataclass(frozen=True, slots=True)
class StandingApproval:
    """The DPO's answer given in advance, for named reasons, systems and caps, until a date."""

    name: str
    reasons: frozenset[str]
    systems: frozenset[str]
    max_steps: int
    policy_digest: str


@dataclass(frozen=True, slots=True)
class Approval:
    """An answer recorded from Airflow's own record of it, or from a standing approval."""

    approval_id: str
    sweep_id: str
    digest: str
    approver: str
    answered_at: datetime
    expires_at: datetime


def save(db: Connection, header: PlanHeader, steps: Sequence[PlannedStep]) -> Plan:
    """Store a plan; the steps take locators, subjects and keys from the findings of the same sweep.

    A second call for the same sweep, system and purpose returns the plan already there if it is the same one, and
    replaces it while nobody has looked at it.
    """
    value = digest(header, steps)
    existing = find(db, header.sweep_id, header.system, header.purpose)
    if existing is not None:
        if existing.digest == value or existing.state != "proposed":
            return existing
        run(db, "DELETE FROM steps WHERE plan_id = :p", p=existing.plan_id)
        run(db, "DELETE FROM plans WHERE plan_id = :p", p=existing.plan_id)
    plan_id = f"plan-{uuid.uuid4().hex[:16]}"
    run(
        db,
        "INSERT INTO plans (plan_id, sweep_id, system, purpose, tenant, policy_digest, digest, state, step_count)"
        " VALUES (:plan_id, :sweep_id, :system, :purpose, :tenant, :policy_digest, :digest, 'proposed', :n)",
        plan_id=plan_id,
        sweep_id=header.sweep_id,
        system=header.system,
        purpose=header.purpose,
        tenant=header.tenant,
        policy_digest=header.policy_digest,
        digest=value,
        n=len(steps),
    )
    columns = (
        "step_id",
        "plan_id",
        "position",
        "system",
        "kind",
        "record_key",
        "version",
        "action",
        "fields",
        "data_classes",
        "reasons",
        "rests_on_opt_out",
        "subject_keys",
        "folded_keys",
        "parts",
        "weak",
        "values_key",
        "corrects_for",
        "state",
    )
    copy_into(
        db,
        "steps",
        columns,
        (
            (
                f"{plan_id}-{position}",
                plan_id,
                position,
                header.system,
                step.kind,
                step.record_key,
                step.version,
                step.action.value,
                list(step.fields),
                list(step.data_classes),
                list(step.reasons),
                step.rests_on_opt_out,
                list(step.subject_keys),
                list(step.folded_keys),
                list(step.parts),
                list(step.weak),
                step.values_key,
                step.corrects_for,
                "planned",
            )
            for position, step in enumerate(steps)
        ),
        "",
    )
    run(
        db,
        "UPDATE steps s SET locator = f.locator, subjects = f.addresses"
        " FROM findings f WHERE s.plan_id = :p AND f.sweep_id = :s AND f.system = s.system"
        " AND f.record_key = s.record_key",
        p=plan_id,
        s=header.sweep_id,
    )
    plan = find(db, header.sweep_id, header.system, header.purpose)
    if plan is None:
        raise LookupError(f"plan {plan_id} vanished while it was stored")
    return plan


def find(db: Connection, sweep_id: str, system: str, purpose: Purpose) -> Plan | None:
    """The plan of a sweep for a system and purpose."""
    row = one(
        db,
        "SELECT * FROM plans WHERE sweep_id = :s AND system = :system AND purpose = :p",
        s=sweep_id,
        system=system,
        p=purpose,
    )
    return _plan(row) if row else None


def of_sweep(db: Connection, sweep_id: str, purpose: Purpose = Purpose.RETENTION) -> list[Plan]:
    """All plans of a sweep for a purpose, by system."""
    found = rows(db, "SELECT * FROM plans WHERE sweep_id = :s AND purpose = :p ORDER BY system", s=sweep_id, p=purpose)
    return [_plan(row) for row in found]


def _plan(row: Any) -> Plan:
    return Plan(
        row.plan_id,
        row.sweep_id,
        row.system,
        Purpose(row.purpose),
        row.tenant,
        row.policy_digest,
        row.digest,
        row.state,
        row.step_count,
    )


def steps_of(db: Connection, plan_id: str) -> Iterator[PlannedStep]:
    """The frozen part of a plan's steps, in order; streamed, to compute its digest afresh."""
    for row in db.execute(
        streamed(
            "SELECT record_key, kind, version, action, fields, data_classes, reasons, rests_on_opt_out, subject_keys,"
            " folded_keys, parts, weak, values_key, corrects_for FROM steps WHERE plan_id = :p ORDER BY position"
        ),
        {"p": plan_id},
    ):
        yield planned_step(row)


def planned_step(row: Any) -> PlannedStep:
    """The frozen part of a stored step."""
    return PlannedStep(
        bytes(row.record_key),
        row.kind,
        row.version,
        Action(row.action),
        tuple(row.fields),
        tuple(row.data_classes),
        tuple(row.reasons),
        row.rests_on_opt_out,
        tuple(map(bytes, row.subject_keys)),
        tuple(map(bytes, row.folded_keys)),
        tuple(row.parts),
        tuple(row.weak),
        bytes(row.values_key),
        row.corrects_for,
    )


def actual_digest(db: Connection, plan: Plan) -> str:
    """The digest of what is stored now; differs from `plan.digest` if anybody edited it."""
    return digest(plan.header, list(steps_of(db, plan.plan_id)))


def actual_sweep_digest(db: Connection, sweep_id: str) -> str:
    """The digest a person would approve now: over all guarded plans that have steps."""
    live = [p for p in of_sweep(db, sweep_id) if p.state in ("guarded", "approved", "finished", "halted")]
    return sweep_digest((p.system, p.digest) for p in live)


def with_unverified_steps(db: Connection, system: str, besides: str) -> list[Plan]:
    """Plans of other sweeps that hold steps done but not read back: settled only after their own night."""
    found = rows(
        db,
        "SELECT p.* FROM plans p WHERE p.system = :system AND p.sweep_id <> :s"
        " AND EXISTS (SELECT FROM steps WHERE steps.plan_id = p.plan_id AND steps.state = 'done') ORDER BY p.made_at",
        system=system,
        s=besides,
    )
    return [_plan(row) for row in found]


def has_open_steps(db: Connection, plan_id: str) -> bool:
    """Whether any step of a plan is not at its end."""
    row = one(db, "SELECT 1 FROM steps WHERE plan_id = :p AND state = ANY (:open)", p=plan_id, open=[*OPEN_STEP_STATES])
    return row is not None


def undone(db: Connection, sweep_id: str, systems: Collection[str]) -> dict[str, int]:
    """Systems of these with planned steps that were not tried yet, or ended nobody knows how, and how many."""
    found = rows(
        db,
        "SELECT p.system, count(*) AS n FROM plans p JOIN steps s USING (plan_id) WHERE p.sweep_id = :sweep"
        " AND p.purpose = 'retention' AND p.system = ANY (:systems) AND (s.is_unanswered OR s.state = 'unknown')"
        " GROUP BY p.system ORDER BY p.system",
        sweep=sweep_id,
        systems=list(systems),
    )
    return {row.system: row.n for row in found}


def drop_steps(db: Connection, sweep_id: str) -> int:
    """Drop the steps of a sweep nobody approved."""
    return run(
        db,
        "UPDATE steps SET state = :dropped, locator = NULL, subjects = NULL WHERE state = 'planned' AND plan_id IN"
        " (SELECT plan_id FROM plans WHERE sweep_id = :s AND purpose = 'retention')",
        dropped=after(STEP, "planned", "supersede"),
        s=sweep_id,
    )


def state_of(db: Connection, plan_id: str) -> str:
    """Where a plan stands now."""
    state: str = one(db, "SELECT state FROM plans WHERE plan_id = :p", p=plan_id).state
    return state


def move(db: Connection, plan_id: str, event: str) -> str:
    """Move a plan along its life cycle; returns the new state."""
    state = one(db, "SELECT state FROM plans WHERE plan_id = :p FOR UPDATE", p=plan_id).state
    new = after(PLAN, state, event)
    run(db, "UPDATE plans SET state = :new WHERE plan_id = :p", new=new, p=plan_id)
    return new


def supersede_earlier(db: Connection, sweep_id: str) -> int:
    """Drop what earlier sweeps planned and nobody started: tonight's plans take their place. Returns steps dropped.

    A run for requests takes the place of earlier runs for the same requests, a night that of earlier nights. A step
    that was begun is not dropped: `settle` learns how it ended.
    """
    dropped = run(
        db,
        "UPDATE steps SET state = 'dropped', locator = NULL, subjects = NULL, lease_until = NULL"
        " WHERE plan_id IN (SELECT plan_id FROM plans JOIN replaced_sweeps USING (sweep_id) WHERE by_sweep = :s)"
        " AND (state = 'planned' OR state = 'claimed' AND lease_until < now())",
        s=sweep_id,
    )
    run(
        db,
        "UPDATE plans SET state = 'superseded' WHERE state = ANY (:replaceable)"
        " AND sweep_id IN (SELECT sweep_id FROM replaced_sweeps WHERE by_sweep = :s)"
        " AND NOT EXISTS (SELECT FROM steps WHERE steps.plan_id = plans.plan_id AND steps.state = ANY (:open))",
        s=sweep_id,
        replaceable=states_with(PLAN, "superseded"),
        open=list(OPEN_STEP_STATES),
    )
    return dropped


def effect(db: Connection, sweep_id: str) -> Mapping[str, Mapping[str, int]]:
    """Per system, how many steps of each action its plan holds; what the person who approves is shown."""
    found = rows(
        db,
        "SELECT p.system, s.action, count(*) AS n FROM plans p JOIN steps s USING (plan_id)"
        " WHERE p.sweep_id = :s AND p.purpose = 'retention' AND p.state NOT IN ('stopped', 'dry')"
        " GROUP BY 1, 2 ORDER BY 1, 2",
        s=sweep_id,
    )
    shown: dict[str, dict[str, int]] = {}
    for row in found:
        shown.setdefault(row.system, {})[row.action] = row.n
    return shown


def reasons_of(db: Connection, sweep_id: str) -> Mapping[tuple[str, str], int]:
    """How many steps rest on each reason code, by system; for the approval text and standing approvals."""
    found = rows(
        db,
        "SELECT p.system, r, count(*) AS n FROM plans p JOIN steps s USING (plan_id) CROSS JOIN unnest(s.reasons) r"
        " WHERE p.sweep_id = :s AND p.purpose = 'retention' AND p.state NOT IN ('stopped', 'dry')"
        " GROUP BY 1, 2 ORDER BY 1, 2",
        s=sweep_id,
    )
    return {(row.system, row.r): row.n for row in found}


def record_approval(db: Connection, approval: Approval) -> None:
    """Write an approval down, once; only the approver's database role can."""
    run(
        db,
        "INSERT INTO approvals (approval_id, sweep_id, digest, approver, answered_at, expires_at)"
        " VALUES (:approval_id, :sweep_id, :digest, :approver, :answered_at, :expires_at)"
        " ON CONFLICT (sweep_id, digest) DO NOTHING",
        approval_id=approval.approval_id,
        sweep_id=approval.sweep_id,
        digest=approval.digest,
        approver=approval.approver,
        answered_at=approval.answered_at,
        expires_at=approval.expires_at,
    )


def approval_of(db: Connection, sweep_id: str) -> Approval | None:
    """The newest approval of a sweep."""
    row = one(
        db,
        "SELECT approval_id, sweep_id, digest, approver, answered_at, expires_at FROM approvals WHERE sweep_id = :s"
        " ORDER BY recorded_at DESC LIMIT 1",
        s=sweep_id,
    )
    return Approval(**row._mapping) if row else None


def standing_approvals(db: Connection, on: datetime) -> list[StandingApproval]:
    """Standing approvals in force."""
    found = rows(
        db,
        "SELECT name, reasons, systems, max_steps, policy_digest FROM standing_approvals"
        " WHERE revoked_at IS NULL AND ends_on >= :on ORDER BY name",
        on=on.date(),
    )
    return [
        StandingApproval(r.name, frozenset(r.reasons), frozenset(r.systems), r.max_steps, r.policy_digest)
        for r in found
    ]
