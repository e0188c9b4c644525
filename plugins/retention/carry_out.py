"""The one door to destruction: an approved plan, batch by batch, through a connector. Nothing outside the plan, ever.

Per batch: claim → shared lock → re-read of kill switch, approval and holds → intents committed → call → outcomes.
Kill switch and holds are read again before every request of the batch, under the lock that placing a hold takes alone:
no call starts after a hold is acknowledged (`store/hold_lock.py`). What a crash leaves begun is settled by asking the
vendor or re-reading, before anything is repeated.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

from retention import audit, canary
from retention.contract import Connector, ConnectorError, Stopped
from retention.for_people import file_left_over
from retention.plan import Purpose, line
from retention.policy_approval import refuse_unless_approved as refuse_unless_policy_approved
from retention.store import (
    audit_log,
    case_keys,
    catalogue,
    corrections,
    generations,
    guards,
    hold_lock,
    plans,
    progress,
    request_runs,
    standing,
    steps,
    suppression,
    sweeps,
)
from retention.store.database import Connection
from retention.store.desk import Desk
from retention.store.plans import Plan
from retention.store.steps import Claimed, Ended
from retention.store.sweeps import Mode
from retention.tally import Tally
from retention.verify import WrongPlace, as_wanted
from retention.vocabulary import (
    Action,
    Handle,
    Observation,
    Outcome,
    OutcomeStatus,
    Presence,
    Reason,
)
from retention.warrant import BatchWarrant

MOST_TRIES = 3
"""How often a step is sent before it is given up as failed (for this sweep; the next one plans afresh)."""


class NotApproved(Exception):
    """There is no valid approval of exactly this plan. Nothing was done."""


def carry_out(
    desk: Desk,
    plan: Plan,
    connector: Connector,
    *,
    loopback: bool,
    pause: Callable[[float], None] = time.sleep,
) -> Tally:
    """Work on a plan until none of its steps is free; safe to run many times, and at the same time as itself.

    `loopback` says whether the system is on this machine: a rehearsal acts on no other.
    """
    tally = Tally()
    with desk.transaction() as db:
        _refuse_unless_right_place(db, plan, connector, desk, loopback)
        _refuse_unless_approved(db, desk, plan)
        approved = {line(n, step) for n, step in enumerate(plans.steps_of(db, plan.plan_id))}
    full_speed: set[Action] = set()
    while True:
        settle(desk, connector, tally=tally)
        with desk.transaction() as db:
            work = steps.next_work(db, plan.plan_id)
        if work and work[0] not in full_speed and canary.is_growing(desk, plan, connector, work[0]):
            with progress.only_lane(desk.engine, plan.plan_id) as ours:
                claims = _claimed(
                    desk, plan, approved, work, canary.room(desk, plan, connector, work[0]) if ours else 0
                )
                if claims:
                    _one_batch(desk, plan, connector, claims, tally, loopback)
                    settle(desk, connector, tally=tally)
                    canary.room(desk, plan, connector, work[0])
        else:
            if work:
                full_speed.add(work[0])
            claims = _claimed(desk, plan, approved, work, connector.batch_size.get(work[0], 1) if work else 0)
            if claims:
                _one_batch(desk, plan, connector, claims, tally, loopback)
        if not claims:
            with desk.transaction() as db:
                waiting = steps.waiting_for_others(db, plan.plan_id)
            if work is None and waiting is None:
                break
            pause(min((waiting or 0.0) + 0.1, 5.0))
    return tally


def _claimed(desk: Desk, plan: Plan, approved: set[bytes], work: tuple[Action, str] | None, n: int) -> list[Claimed]:
    """Up to n steps that are ours now, each held against the approved plan."""
    if work is None or not n:
        return []
    with desk.transaction() as db:
        lease = desk.policy.schedule.operations.lease_seconds
        claims = steps.claim(db, desk.keyring, plan.system, plan.plan_id, *work, n, lease)
    if any(c.line not in approved for c in claims):
        raise NotApproved(f"{plan.system}: the plan was edited while it ran; stop and investigate")
    return claims


def settle(desk: Desk, connector: Connector, *, accepted: bool = False, tally: Tally | None = None) -> Tally:
    """Learn how begun steps of a system ended: by the vendor's job where one was noted, else by re-reading."""
    tally = tally if tally is not None else Tally()
    lease = desk.policy.schedule.operations.lease_seconds
    seen: set[str] = set()
    while True:
        with desk.transaction() as db:
            claims = steps.take_over(
                db,
                desk.keyring,
                connector.system,
                connector.tenant,
                lease,
                1000,
                accepted=accepted,
                besides=seen,
            )
        if not claims:
            return tally
        seen |= {c.step.step_id for c in claims}
        for group in _alike(claims):
            ended = _learn(connector, group)
            with desk.transaction() as db:
                states = steps.conclude(db, ended)
                _audit_outcomes(db, desk, audit.Event.SETTLED, ended)
            for state in states.values():
                tally.add(state)


def _one_batch(
    desk: Desk, plan: Plan, connector: Connector, claims: list[Claimed], tally: Tally, loopback: bool
) -> None:
    with hold_lock.shared(desk.engine) as lock:
        with desk.transaction() as db:
            if sweeps.stopped(db, plan.system):
                steps.give_back(db, claims)
                stop = True
            else:
                stop = False
                mode = _refuse_unless_right_place(db, plan, connector, desk, loopback)
                _refuse_unless_approved(db, desk, plan, digest_too=False)
                held = steps.hold_back(db, [c.step.step_id for c in claims])
                tally.add("held", len(held)) if held else None
                claims = [c for c in claims if c.step.step_id not in held]
                claims = _vouched_for(db, desk, plan, claims, tally)
                ours = steps.intend(db, claims, desk.policy.schedule.operations.lease_seconds)
                claims = [c for c in claims if c.step.step_id in ours]
                names = case_keys.Names(db, desk.keyring)
                audit_log.append(db, [_entry(desk, audit.Event.INTENT, plan, c, names) for c in claims])
        if stop:
            raise Stopped(f"{plan.system}: the kill switch is on; nothing was sent")
        if not claims:
            return

        warrant = BatchWarrant(desk, plan.system, mode, claims, lock)
        failure: ConnectorError | Stopped | None = None
        try:
            with _kept_ours(desk, claims):
                outcomes = connector.act(claims[0].step.action, [c.step for c in claims], warrant)
            failure = None if warrant.met_hold else warrant.ended
            stopped = warrant.ended is not None
            ended = [_acted(c, o, stopped=stopped) for c, o in zip(claims, outcomes, strict=True)]
        except ConnectorError as error:
            failure = error
            ended = [Ended(c, Outcome(c.step.ref, OutcomeStatus.FAILED, Reason.NOT_SENT), "not-sent") for c in claims]
        with desk.transaction() as db:
            for e in ended:
                if e.claim.step.action is Action.RESTRICT and e.outcome.previous:
                    steps.remember_previous(db, desk.keyring, e.claim, e.outcome.previous)
            states = steps.conclude(db, ended)
            file_left_over(db, desk, plan.sweep_id, plan.system, ended)
            if connector.catalogued:
                gone = [e.claim.step.ref for e in ended if e.outcome.reason is Reason.GONE]
                catalogue.forget(db, desk.keyring, plan.system, gone)
            _audit_outcomes(db, desk, audit.Event.OUTCOME, ended)
    for state in states.values():
        tally.add(state)
    if failure is not None:
        raise failure


def _vouched_for(db: Connection, desk: Desk, plan: Plan, claims: list[Claimed], tally: Tally) -> list[Claimed]:
    """Without the steps that nobody asks for any more, or that rest on an opt-out of which the suppression list knows
    nothing: they are dropped."""
    step_ids = [c.step.step_id for c in claims]
    refused = request_runs.lapsed(db, step_ids) | corrections.lapsed(db, step_ids)
    refused |= suppression.vouch_for(db, desk.keyring, plan.sweep_id, claims)
    if not refused:
        return claims
    steps.drop(db, sorted(refused))
    names = case_keys.Names(db, desk.keyring)
    dropped = [c for c in claims if c.step.step_id in refused]
    audit_log.append(db, [_entry(desk, audit.Event.DROPPED, plan, c, names) for c in dropped])
    tally.add("dropped", len(dropped))
    return [c for c in claims if c.step.step_id not in refused]


def _acted(claim: Claimed, outcome: Outcome, *, stopped: bool) -> Ended:
    """An outcome as it is; what a connector did not even send is free to be sent again."""
    if outcome.reason is not Reason.NOT_SENT:
        return Ended(claim, outcome, outcome.status.value)
    return Ended(claim, outcome, "not-sent") if stopped else _settled(claim, outcome)


@contextmanager
def _kept_ours(desk: Desk, claims: Sequence[Claimed]) -> Iterator[None]:
    """Renew the lease while the call is out, however long it takes; it ends with this process."""
    lease = desk.policy.schedule.operations.lease_seconds
    answered = threading.Event()

    def renew() -> None:
        while not answered.wait(lease / 3):
            with desk.transaction() as db:
                steps.renew(db, claims, lease)

    keeper = threading.Thread(target=renew, daemon=True)
    keeper.start()
    try:
        yield
    finally:
        answered.set()
        keeper.join()


def _learn(connector: Connector, claims: Sequence[Claimed]) -> list[Ended]:
    """What became of steps whose answer was lost: what the vendor's job says, and else what is seen when re-reading."""
    ended: dict[str, Ended] = {}
    if handle := claims[0].handle:
        outcomes = connector.settle(Handle(claims[0].step.action, handle, tuple(c.step.ref for c in claims)))
        for claim, outcome in zip(claims, outcomes, strict=True):
            if outcome.status is not OutcomeStatus.UNKNOWN:
                ended[claim.step.step_id] = _settled(claim, outcome)
    untold = [c for c in claims if c.step.step_id not in ended]
    for claim, seen in zip(untold, connector.read_back([c.step for c in untold]), strict=True):
        ended[claim.step.step_id] = _concluded(claim, seen)
    return [ended[c.step.step_id] for c in claims]


def _settled(claim: Claimed, outcome: Outcome) -> Ended:
    """What did not take effect is free to be sent again, up to a limit."""
    again = outcome.status is OutcomeStatus.FAILED and claim.tries < MOST_TRIES
    return Ended(claim, outcome, "not-sent" if again else outcome.status.value)


def _concluded(claim: Claimed, seen: Observation) -> Ended:
    if seen.presence is Presence.UNREADABLE:
        return Ended(claim, Outcome(claim.step.ref, OutcomeStatus.UNKNOWN, Reason.NOT_PROVEN), "unknown")
    if as_wanted(claim, seen):
        return Ended(claim, Outcome(claim.step.ref, OutcomeStatus.DONE, Reason.OK), "done")
    if claim.step.action is Action.ERASE and seen.presence is Presence.RECOVERABLE:
        outcome = Outcome(claim.step.ref, OutcomeStatus.ACCEPTED, Reason.RECOVERABLE, settle_on=seen.recoverable_until)
        return Ended(claim, outcome, "accepted")
    return _settled(claim, Outcome(claim.step.ref, OutcomeStatus.FAILED, Reason.NOT_SENT))


def _alike(claims: Sequence[Claimed]) -> Iterator[list[Claimed]]:
    groups: dict[tuple[str, str, str], list[Claimed]] = {}
    for claim in claims:
        groups.setdefault((claim.handle, claim.step.action, claim.step.ref.kind), []).append(claim)
    yield from groups.values()


def _refuse_unless_right_place(db: Connection, plan: Plan, connector: Connector, desk: Desk, loopback: bool) -> Mode:
    """The mode in which the plan may run now."""
    mode = sweeps.mode(db)
    sweep = sweeps.get(db, plan.sweep_id)
    if mode is Mode.DRY or sweep.mode is Mode.DRY:
        raise WrongPlace(f"{plan.system}: the pipeline is dry: plans are made and nothing is done")
    if mode is not sweep.mode:
        raise WrongPlace(f"{plan.system}: the plan was made in mode {sweep.mode.value}, now it is {mode.value}")
    if not sweeps.may_act(db, mode, plan.system):
        raise WrongPlace(f"{plan.system}: is dry: `python -m retention live on --system` gives it live mode")
    if mode is Mode.REHEARSAL and not loopback:
        raise WrongPlace(f"{plan.system}: a rehearsal acts on loopback only, and this system is elsewhere")
    if connector.tenant != plan.tenant:
        raise WrongPlace(f"{plan.system}: the connection leads to another account than the plan was made for")
    generations.refuse_if_rotated(db, desk.keyring, plan.sweep_id)
    if plan.policy_digest != desk.policy.digest:
        raise WrongPlace(f"{plan.system}: the policy changed after the plan was made; a new sweep plans afresh")
    refuse_unless_policy_approved(db, plan.policy_digest)
    return mode


def _refuse_unless_approved(db: Connection, desk: Desk, plan: Plan, *, digest_too: bool = True) -> None:
    if plan.purpose is Purpose.SUPPRESSION:
        if any(step.action is not Action.SUPPRESS for step in plans.steps_of(db, plan.plan_id)):
            raise NotApproved(f"{plan.system}: a plan that needs no approval may only stop marketing")
        return
    sweep = sweeps.get(db, plan.sweep_id)
    if (state := plans.state_of(db, plan.plan_id)) not in ("approved", "finished"):
        raise NotApproved(f"{plan.system}: the plan is {state}, not approved")
    approval = plans.approval_of(db, plan.sweep_id)
    if approval is None:
        raise NotApproved(f"{plan.system}: nobody approved sweep {plan.sweep_id}")
    if approval.expires_at <= desk.now():
        raise NotApproved(f"{plan.system}: the approval has expired; the next sweep plans afresh")
    if approval.approver.startswith(standing.APPROVER) and not standing.stands(
        db, approval.approver, plan.system, desk.policy.digest, desk.now().date()
    ):
        raise NotApproved(f"{plan.system}: the standing approval was revoked, has ended or was for another policy")
    if approval.approver in {sweep.started_by, *request_runs.openers(db, plan.sweep_id)}:
        raise NotApproved(f"{plan.system}: whoever starts a sweep cannot approve it")
    if not digest_too:
        return
    if touched := guards.protected_steps(db, plan.plan_id):
        raise NotApproved(f"{plan.system}: {touched} steps are about people or records that were protected since")
    if plans.actual_digest(db, plan) != plan.digest:
        raise NotApproved(f"{plan.system}: the plan was edited after it was made; stop and investigate")
    if approval.digest != sweep.digest or approval.digest != plans.actual_sweep_digest(db, plan.sweep_id):
        raise NotApproved(f"{plan.system}: the approval is for another digest")


def _audit_outcomes(db: Connection, desk: Desk, event: audit.Event, ended: Sequence[Ended]) -> None:
    names = case_keys.Names(db, desk.keyring)
    audit_log.append(
        db,
        [
            desk.entry(
                event,
                **case_keys.named(e.claim, names),
                request_ids=audit.fit_request_ids([e.outcome.evidence.request_id]),
                outcome=e.outcome.status,
                outcome_reason=e.outcome.reason,
            )
            for e in ended
        ],
    )


def _entry(desk: Desk, event: audit.Event, plan: Plan, claim: Claimed, names: case_keys.Names) -> audit.Entry:
    return desk.entry(
        event,
        run=plan.sweep_id,
        plan_digest=plan.digest,
        **case_keys.named(claim, names),
        reasons=claim.reasons,
        role=audit.Role.EXECUTOR,
    )
