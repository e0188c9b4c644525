"""Is it gone? An HTTP 204 is not erasure: every done step is read back through the strictest views its system has."""

from __future__ import annotations

from collections.abc import Sequence

from retention import audit
from retention.contract import Connector
from retention.plan import Purpose
from retention.store import audit_log, case_keys, findings, plans, register, restrictions, steps, value_proofs
from retention.store.database import Connection
from retention.store.desk import Desk
from retention.store.plans import Plan
from retention.store.steps import Claimed
from retention.tally import Tally
from retention.vocabulary import Action, Observation, Presence


class WrongPlace(Exception):
    """The connected account or the mode is not the one the plan was made for. Nothing was done."""


CONFIRMED_BY = 8_000
"""How many records one read-back asks for, at most."""


def verify_earlier(desk: Desk, sweep_id: str, connector: Connector) -> Tally:
    """Read back what `settle` found done after its own night was over, and forget where it lay."""
    tally = Tally()
    with desk.transaction() as db:
        earlier = plans.with_unverified_steps(db, connector.system, sweep_id)
    for plan in earlier:
        for state, n in verify(desk, plan, connector).states.items():
            tally.add(state, n)
        with desk.transaction() as db:
            steps.forget_locators(db, plan.sweep_id)
    return tally


def verify(desk: Desk, plan: Plan, connector: Connector) -> Tally:
    """Read back every done step of a plan; what contradicts its outcome is said so, never smoothed over."""
    tally = Tally()
    if connector.tenant != plan.tenant:
        raise WrongPlace(f"{plan.system}: the connection leads to another account than the plan was made for")
    with desk.transaction() as db:
        done = steps.done_unverified(db, desk.keyring, plan.system, plan.plan_id)
    for kind in dict.fromkeys(c.step.ref.kind for c in done):
        alike = [c for c in done if c.step.ref.kind == kind]
        for start in range(0, len(alike), CONFIRMED_BY):
            _confirm(desk, plan, connector, alike[start : start + CONFIRMED_BY], tally)
    with desk.transaction() as db:
        if plans.state_of(db, plan.plan_id) == "approved" and not plans.has_open_steps(db, plan.plan_id):
            plans.move(db, plan.plan_id, "finished")
    return tally


def as_wanted(claim: Claimed, seen: Observation) -> bool:
    """Whether what was read back is what the step was to bring about."""
    step = claim.step
    match step.action:
        case Action.ERASE:
            return seen.presence is Presence.ABSENT
        case Action.REDACT:
            if seen.presence is Presence.ABSENT:
                return True
            return not seen.mentions if seen.mentions is not None else not (seen.filled & set(step.fields))
        case Action.RESTRICT:
            return seen.presence is Presence.RESTRICTED and not (seen.filled & set(step.fields))
        case Action.RELEASE:
            return seen.presence is Presence.PRESENT
        case Action.SUPPRESS:
            return seen.presence is Presence.ABSENT or seen.opted_out is True
        case Action.RECTIFY:
            return bool(step.values) and seen.corrected is True


def _confirm(desk: Desk, plan: Plan, connector: Connector, claims: list[Claimed], tally: Tally) -> None:
    seen = connector.read_back([c.step for c in claims])
    events = {
        c.step.step_id: "verify" if as_wanted(c, o) else "contradict"
        for c, o in zip(claims, seen, strict=True)
        if o.presence is not Presence.UNREADABLE
    }
    verified = {step_id for step_id, event in events.items() if event == "verify"}
    proven = [c.step.step_id for c in claims if c.step.step_id in verified and c.data_classes]
    with desk.transaction() as db:
        steps.mark_verified(db, events)
        restrictions.close(db, sorted(verified))
        register.enter(db, desk.keyring, plan.sweep_id, proven)
        if plan.purpose is Purpose.SUPPRESSION:  # our own change must not look like somebody else's to the next plan
            versions = {c.record_key: o.ref.version for c, o in zip(claims, seen, strict=True)}
            findings.note_versions(db, plan.sweep_id, plan.system, versions)
        names = case_keys.Names(db, desk.keyring)
        audit_log.append(
            db, [_entry(desk, plan, c, o, names) for c, o in zip(claims, seen, strict=True) if c.step.step_id in events]
        )
        if corrected := [c for c in claims if c.step.action is Action.RECTIFY and c.step.step_id in verified]:
            audit_log.append(db, _proofs_of_correction(db, desk, plan, corrected, names))
    for event in events.values():
        tally.add("verified" if event == "verify" else "contradicted")
    if unread := len(claims) - len(events):
        tally.add("unreadable", unread)


def _proofs_of_correction(
    db: Connection, desk: Desk, plan: Plan, corrected: Sequence[Claimed], names: case_keys.Names
) -> list[audit.Entry]:
    """What stood there and what was read there afterwards, as keyed digests."""
    before = value_proofs.befores(db, [c.step.step_id for c in corrected])
    proofs = [(audit.Event.CORRECTED_FROM, c, before[c.step.step_id]) for c in corrected if c.step.step_id in before]
    proofs += [(audit.Event.CORRECTED_TO, c, names.of_values(c.case, c.record_key, c.step.values)) for c in corrected]
    return [
        desk.entry(event, run=plan.sweep_id, plan_digest=plan.digest, reference=digest, **case_keys.named(claim, names))
        for event, claim, digest in proofs
    ]


def _entry(desk: Desk, plan: Plan, claim: Claimed, seen: Observation, names: case_keys.Names) -> audit.Entry:
    return desk.entry(
        audit.Event.VERIFIED,
        run=plan.sweep_id,
        plan_digest=plan.digest,
        **case_keys.named(claim, names),
        after=seen.presence,
    )
