"""Who said yes, to exactly what? An answer is believed only from Airflow's own record of it, and only for the digest.

A user can post an XCom and mark a task as success; neither reaches this. What is recorded here is what `carry_out`
reads again before every batch.
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import datetime, timedelta

from retention import audit
from retention.limits import Guard
from retention.plan import Purpose
from retention.store import audit_log, guards, plans, request_runs, sweeps
from retention.store.desk import Desk
from retention.store.plans import Approval, StandingApproval
from retention.store.standing import APPROVER
from retention.store.sweeps import Sweep

APPROVE = "Approve"
REJECT = "Reject"


class AnswerRefused(Exception):
    """The answer cannot be taken as an approval. Nothing was done; the text says why and what to do."""


@dataclass(frozen=True, slots=True)
class Question:
    """What the person who approves is shown, made from the ledger alone."""

    subject: str
    body: str


@dataclass(frozen=True, slots=True)
class Answer:
    """Airflow's own record of the question and the answer (`hitlDetails`)."""

    subject: str
    body: str
    chosen: tuple[str, ...]
    responded_by: str
    responded_name: str
    responded_at: datetime | None
    run_started_by: str | None  # who triggered the run; None for the schedule


def question(desk: Desk, sweep: Sweep) -> Question:
    """The text of the approval: digest, effect per system, reasons; ids and counts only."""
    with desk.transaction() as db:
        effect = plans.effect(db, sweep.sweep_id)
        reasons = plans.reasons_of(db, sweep.sweep_id)
        broken = guards.broken_in(db, sweep.sweep_id, besides=Guard.CANARY)  # found only after the answer
    lines = [f"Sweep `{sweep.sweep_id}` as of {sweep.as_of.isoformat()}, policy `{sweep.policy_digest[:12]}…`.", ""]
    lines += ["| system | action | records |", "|---|---|---|"]
    lines += [f"| {system} | {action} | {n} |" for system, shown in effect.items() for action, n in shown.items()]
    lines += ["", "Why:", ""]
    lines += [f"* {system}: {reason} ({n})" for (system, reason), n in reasons.items()]
    left_out = [f"* {system}: {breach}" for system, breaches in broken.items() for breach in breaches]
    lines += ["", "Not part of this plan:", "", *left_out] if left_out else []
    lines += ["", f"Approving signs the digest `{sweep.digest}`. Erasure cannot be undone."]
    return Question(subject=f"Approve retention plan {sweep.digest}", body="\n".join(lines))


def record(desk: Desk, sweep: Sweep, answer: Answer) -> Approval | None:
    """Write an approval down if it is one; None if the answer was no, or none came in time.

    The approver must be on the policy's list and must not have started the sweep.
    """
    asked = question(desk, sweep)
    if answer.responded_at is None or not answer.chosen:
        _refuse(desk, sweep, "")
        return None
    if answer.subject != asked.subject or answer.body != asked.body:
        _refuse(desk, sweep, answer.responded_by)
        raise AnswerRefused("the question that was answered is not about this plan (another digest); run a new sweep")
    if answer.chosen != (APPROVE,):
        _refuse(desk, sweep, answer.responded_by)
        return None
    if answer.responded_by not in desk.policy.schedule.approval.approvers:
        _refuse(desk, sweep, answer.responded_by)
        raise AnswerRefused("whoever answered is not on the policy's list of approvers")
    with desk.transaction() as db:
        asked_for_it = {answer.run_started_by, sweep.started_by, *request_runs.openers(db, sweep.sweep_id)}
    if {answer.responded_by, answer.responded_name} & asked_for_it:
        _refuse(desk, sweep, answer.responded_by)
        raise AnswerRefused(
            "whoever starts a sweep cannot approve it, nor who took in a request: let another approver answer a new run"
        )
    approval = _approval(desk, sweep, answer.responded_by, answer.responded_at)
    if approval.expires_at <= desk.now():
        _refuse(desk, sweep, answer.responded_by)
        raise AnswerRefused("the answer has expired; run a new sweep")
    return _store(desk, sweep, approval)


def standing_offer(desk: Desk, sweep: Sweep) -> StandingApproval | None:
    """The standing approval that covers every step of every system of a sweep, if one does."""
    with desk.transaction() as db:
        reasons = plans.reasons_of(db, sweep.sweep_id)
        sizes = {
            p.system: guards.step_count(db, p.plan_id)
            for p in plans.of_sweep(db, sweep.sweep_id)
            if p.state == "guarded"
        }
        offers = plans.standing_approvals(db, desk.now())
    if sweep.state != "guarded" or not any(sizes.values()):
        return None
    for offer in offers:
        covers = all(system in offer.systems and n <= offer.max_steps for system, n in sizes.items() if n)
        named = all(reason in offer.reasons for (_, reason) in reasons)
        if covers and named and offer.policy_digest == desk.policy.digest:
            return offer
    return None


def standing(desk: Desk, sweep: Sweep) -> Approval | None:
    """Record the approval that a standing one gives; None if none covers this sweep."""
    offer = standing_offer(desk, sweep)
    return _store(desk, sweep, _approval(desk, sweep, f"{APPROVER}{offer.name}", desk.now())) if offer else None


def let_run(desk: Desk, sweep: Sweep) -> None:
    """Move sweep and plans to approved, once the approver's role has recorded an approval."""
    with desk.transaction() as db:
        if sweeps.get(db, sweep.sweep_id).state == "guarded":
            sweeps.move(db, sweep.sweep_id, "approved")
        for plan in plans.of_sweep(db, sweep.sweep_id, Purpose.RETENTION):
            if plan.state == "guarded":
                plans.move(db, plan.plan_id, "approved")


def close_unapproved(desk: Desk, sweep: Sweep, event: str) -> None:
    """End a sweep nobody approved: `unanswered` (superseded by the next night's plan) or `rejected`."""
    with desk.transaction() as db:
        if sweeps.get(db, sweep.sweep_id).state != "guarded":
            return
        sweeps.move(db, sweep.sweep_id, event)
        for plan in plans.of_sweep(db, sweep.sweep_id):
            if plan.state == "guarded":
                plans.move(db, plan.plan_id, "rejected" if event == "rejected" else "superseded")
        plans.drop_steps(db, sweep.sweep_id)


def _approval(desk: Desk, sweep: Sweep, approver: str, answered_at: datetime) -> Approval:
    valid = timedelta(hours=desk.policy.schedule.approval.valid_for_hours)
    return Approval(
        approval_id=f"approval-{uuid.uuid4().hex[:16]}",
        sweep_id=sweep.sweep_id,
        digest=sweep.digest or "",
        approver=approver,
        answered_at=answered_at,
        expires_at=answered_at + valid,
    )


def _store(desk: Desk, sweep: Sweep, approval: Approval) -> Approval:
    with desk.transaction() as db:
        plans.record_approval(db, approval)
        stored = plans.approval_of(db, sweep.sweep_id) or approval
        if stored == approval:
            entry = desk.entry(
                audit.Event.APPROVAL_RECORDED,
                run=sweep.sweep_id,
                reference=approval.approval_id,
                plan_digest=approval.digest,
                approver=approval.approver,
                role=audit.Role.DPO,
            )
            audit_log.append(db, [entry])
    return stored


def _refuse(desk: Desk, sweep: Sweep, by: str) -> None:
    with desk.transaction() as db:
        entry = desk.entry(
            audit.Event.APPROVAL_REFUSED, run=sweep.sweep_id, plan_digest=sweep.digest or "", approver=by
        )
        audit_log.append(db, [entry])
