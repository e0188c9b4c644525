"""Who works on which step, and how did it end? Claims with lease and fencing token, intents before effects.

A killed scheduler can leave its old task alive beside the new one: a claim raises the step's fence, and an older
claimant can write nothing. A step whose intent has no outcome is settled by re-reading, never repeated blindly.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any

from sqlalchemy import Connection

from retention.keyring import Keyring
from retention.life_cycles import STEP, after
from retention.plan import line
from retention.store import corrections, holds, restrictions
from retention.store.database import one, rows, run
from retention.store.plans import planned_step
from retention.verdicts import ON_THEIR_WORD
from retention.vocabulary import Action, Handle, Identifier, Outcome, RecordRef, Scalar, Step


@dataclass(frozen=True, slots=True)
class Claimed:
    """A step in a worker's hands."""

    step: Step
    record_key: bytes
    fence: int
    tries: int
    line: bytes  # what a digest of the plan would hold of it, as it is stored now
    handle: str
    data_classes: tuple[str, ...]
    reasons: tuple[str, ...]
    case: str  # the sweep it was planned in: under its key the audit log names the record
    on_their_word: bool  # destroys because somebody wants no marketing
    names_somebody: bool
    theirs: tuple[Identifier, ...] = field(repr=False)  # how those are known on whose word it rests


class StepAltered(Exception):
    """A step's locator does not belong to its record pseudonym: somebody edited the ledger. Nothing was done."""


_WITH_CASE = "steps.*, (SELECT sweep_id FROM plans WHERE plans.plan_id = steps.plan_id) AS case_id"


def next_work(db: Connection, plan_id: str) -> tuple[Action, str] | None:
    """Action and kind of the first step of a plan that is free to be claimed."""
    row = one(
        db,
        "SELECT action, kind FROM steps WHERE plan_id = :p AND is_unanswered AND (state = 'planned'"
        " OR state = 'claimed' AND lease_until < now()) ORDER BY position LIMIT 1",
        p=plan_id,
    )
    return (Action(row.action), row.kind) if row else None


def claim(
    db: Connection, keyring: Keyring, system: str, plan_id: str, action: Action, kind: str, n: int, lease: int
) -> list[Claimed]:
    """Take up to n free steps of one action and kind, with a lease in seconds."""
    found = rows(
        db,
        "UPDATE steps SET state = 'claimed', fence = fence + 1, lease_until = now() + make_interval(secs => :lease)"  # noqa: S608 - constants only
        " WHERE step_id IN (SELECT step_id FROM steps WHERE plan_id = :p AND action = :action AND kind = :kind"
        " AND is_unanswered AND (state = 'planned' OR state = 'claimed' AND lease_until < now())"
        f" ORDER BY position FOR UPDATE SKIP LOCKED LIMIT :n) RETURNING {_WITH_CASE}",
        p=plan_id,
        action=action,
        kind=kind,
        n=n,
        lease=lease,
    )
    return _claimed(db, keyring, system, found)


def take_over(
    db: Connection,
    keyring: Keyring,
    system: str,
    tenant: str,
    lease: int,
    n: int,
    *,
    accepted: bool,
    besides: Collection[str] = (),
) -> list[Claimed]:
    """Take up to n steps of a system that were begun and not ended: intents whose lease ran out, unknown ends,
    and (with `accepted`) those the vendor still had to finish. Fenced anew."""
    states = ["unknown", "accepted"] if accepted else ["unknown"]
    found = rows(
        db,
        "UPDATE steps SET fence = fence + 1, lease_until = now() + make_interval(secs => :lease)"  # noqa: S608 - constants only
        " WHERE step_id IN (SELECT step_id FROM steps WHERE system = :system AND NOT step_id = ANY (:besides)"
        " AND step_id IN (SELECT step_id FROM attempts WHERE status IS NULL UNION ALL"
        " SELECT step_id FROM steps WHERE system = :system AND is_unsettled)"
        " AND plan_id IN (SELECT plan_id FROM plans WHERE tenant = :tenant) AND (lease_until < now()"
        " AND state = 'intended' OR state = ANY (:states) AND (lease_until IS NULL OR lease_until < now()))"
        f" ORDER BY plan_id, action, kind, position FOR UPDATE SKIP LOCKED LIMIT :n) RETURNING {_WITH_CASE}",
        system=system,
        states=states,
        tenant=tenant,
        besides=list(besides),
        n=n,
        lease=lease,
    )
    return _claimed(db, keyring, system, found)


def _claimed(db: Connection, keyring: Keyring, system: str, found: Sequence[Any]) -> list[Claimed]:
    claimed = []
    releasing = [bytes(row.record_key) for row in found if row.action == Action.RELEASE]
    previous = restrictions.previous_states(db, keyring, system, releasing) if releasing else {}
    for row in sorted(found, key=lambda r: (r.plan_id, r.position)):
        values = row._mapping
        ref = RecordRef(system, values["kind"], keyring.open(values["locator"]), values["version"])
        if bytes(values["record_key"]) not in keyring.record_keys(ref):
            raise StepAltered(f"step {values['step_id']}: its locator was changed after planning; stop and investigate")
        wanted = {bytes(key) for key in values["subject_keys"]}
        action = Action(values["action"])
        # Whom it is about is told only where the action needs it: to stop marketing, or to take one person's part out.
        on_their_word = action is not Action.SUPPRESS and not ON_THEIR_WORD.isdisjoint(values["reasons"])
        told = wanted or action is Action.SUPPRESS
        subjects = keyring.open_identifiers(values["subjects"]) if told or on_their_word else ()
        theirs = tuple(i for i in subjects if not wanted or not wanted.isdisjoint(keyring.exact_keys(i)))
        identifiers = theirs if told else ()
        given: Mapping[str, Scalar] = previous.get(bytes(values["record_key"]), {}) if action is Action.RELEASE else {}
        planned = planned_step(row)
        if planned.corrects_for and (right := corrections.wanted(db, keyring, planned.corrects_for, system, ref.kind)):
            given, planned = right.values, replace(planned, values_key=right.values_key)
        step = Step(values["step_id"], ref, action, tuple(values["fields"]), identifiers, given)
        claimed.append(
            Claimed(
                step,
                bytes(values["record_key"]),
                values["fence"],
                values["tries"],
                line(values["position"], planned),
                values["handle"] or "",
                tuple(values["data_classes"]),
                tuple(values["reasons"]),
                values["case_id"],
                on_their_word,
                bool(values["folded_keys"]),
                theirs if on_their_word else (),
            )
        )
    return claimed


def waiting_for_others(db: Connection, plan_id: str) -> float | None:
    """Seconds until the first lease held by somebody else ends; None if nobody holds any."""
    row = one(
        db,
        "SELECT extract(epoch FROM min(lease_until) - now()) AS seconds FROM steps"
        " WHERE plan_id = :p AND is_unanswered AND state IN ('claimed', 'intended')",
        p=plan_id,
    )
    return None if row is None or row.seconds is None else max(0.0, float(row.seconds))


def hold_back(db: Connection, step_ids: Sequence[str]) -> set[str]:
    """Set aside the claimed steps on which a legal hold stands, or stood since they were planned; returns their ids.

    For good: when the hold ends, a fresh plan decides on them, not this one.
    """
    held = holds.covered_steps(db, step_ids, "claimed")
    run(
        db,
        "UPDATE steps SET state = :held, lease_until = NULL WHERE step_id = ANY (:ids) AND state = 'claimed'",
        held=after(STEP, "claimed", "hold"),
        ids=sorted(held),
    )
    return held


def drop(db: Connection, step_ids: Sequence[str]) -> None:
    """Set claimed steps aside for good: what they rested on is no longer so. The next sweep decides afresh."""
    run(
        db,
        "UPDATE steps SET state = 'dropped', lease_until = NULL WHERE step_id = ANY (:ids) AND state = 'claimed'",
        ids=list(step_ids),
    )


def give_back(db: Connection, claims: Sequence[Claimed]) -> None:
    """Return claimed steps untouched, for a later worker."""
    run(
        db,
        "UPDATE steps s SET state = 'planned', lease_until = NULL FROM unnest(CAST(:ids AS text[]),"
        " CAST(:fences AS bigint[])) AS c(id, fence) WHERE s.step_id = c.id AND s.fence = c.fence"
        " AND s.state = 'claimed'",
        ids=[c.step.step_id for c in claims],
        fences=[c.fence for c in claims],
    )


def intend(db: Connection, claims: Sequence[Claimed], lease: int) -> set[str]:
    """Write intents for the claims that are still ours; returns the ids that may now be sent."""
    found = rows(
        db,
        "WITH ours AS (UPDATE steps s SET state = 'intended', tries = tries + 1, handle = NULL,"
        " lease_until = now() + make_interval(secs => :lease)"
        " FROM unnest(CAST(:ids AS text[]), CAST(:fences AS bigint[])) AS c(id, fence)"
        # The ids stand here twice so that the planner finds steps by their key, whatever it believes of the rest.
        " WHERE s.step_id = ANY (:ids) AND s.step_id = c.id AND s.fence = c.fence AND s.state = 'claimed'"
        " AND s.lease_until > now() RETURNING s.step_id, s.fence)"
        " INSERT INTO attempts (step_id, fence) SELECT step_id, fence FROM ours RETURNING step_id",
        ids=[c.step.step_id for c in claims],
        fences=[c.fence for c in claims],
        lease=lease,
    )
    return {row.step_id for row in found}


def renew(db: Connection, claims: Sequence[Claimed], lease: int) -> None:
    """Keep what is at the vendor ours for longer."""
    run(
        db,
        "UPDATE steps s SET lease_until = now() + make_interval(secs => :lease)"
        " FROM unnest(CAST(:ids AS text[]), CAST(:fences AS bigint[])) AS c(id, fence)"
        " WHERE s.step_id = c.id AND s.fence = c.fence AND s.state = 'intended'",
        ids=[c.step.step_id for c in claims],
        fences=[c.fence for c in claims],
        lease=lease,
    )


def note(db: Connection, keyring: Keyring, handle: Handle, claims: Sequence[Claimed]) -> None:
    """Make durable what the vendor calls this work, and what RESTRICT found, before it takes effect."""
    by_ref = {c.step.ref: c for c in claims}
    noted = [by_ref[ref] for ref in handle.refs]
    if handle.job:
        run(
            db,
            "UPDATE steps s SET handle = :job FROM unnest(CAST(:ids AS text[]), CAST(:fences AS bigint[]))"
            " AS c(id, fence) WHERE s.step_id = c.id AND s.fence = c.fence",
            job=handle.job,
            ids=[c.step.step_id for c in noted],
            fences=[c.fence for c in noted],
        )
    for ref, previous in zip(handle.refs, handle.previous, strict=False):
        remember_previous(db, keyring, by_ref[ref], previous)


def remember_previous(db: Connection, keyring: Keyring, claim: Claimed, previous: Mapping[str, Scalar]) -> None:
    """Keep the state a restriction found; the first one recorded stays."""
    run(
        db,
        "INSERT INTO restrictions (system, record_key, locator, kind, previous, step_id, restricted_at)"
        " VALUES (:system, :key, :locator, :kind, :previous, :step, now()) ON CONFLICT (system, record_key) DO UPDATE"
        " SET previous = excluded.previous, step_id = excluded.step_id, restricted_at = excluded.restricted_at,"
        " released_at = NULL WHERE restrictions.released_at IS NOT NULL",
        system=claim.step.ref.system,
        key=claim.record_key,
        locator=keyring.seal(claim.step.ref.key),
        kind=claim.step.ref.kind,
        previous=keyring.seal_values(previous),
        step=claim.step.step_id,
    )


@dataclass(frozen=True, slots=True)
class Ended:
    """How a claimed step ended: an outcome, and the event it is in the step's life cycle."""

    claim: Claimed
    outcome: Outcome
    event: str


def conclude(db: Connection, ended: Sequence[Ended]) -> dict[str, str]:
    """Write outcomes of the claims that are still ours, as a set; returns new states by step id.

    A step missing from the answer was taken over meanwhile: an older claimant writes nothing.
    """
    found = rows(
        db,
        "SELECT step_id, state, fence FROM steps WHERE step_id = ANY (:ids) ORDER BY step_id FOR UPDATE",
        ids=[e.claim.step.step_id for e in ended],
    )
    current = {row.step_id: row for row in found}
    ours = [e for e in ended if current[e.claim.step.step_id].fence == e.claim.fence]
    states = {e.claim.step.step_id: after(STEP, current[e.claim.step.step_id].state, e.event) for e in ours}
    values = {
        "ids": list(states),
        "states": list(states.values()),
        "events": [e.event for e in ours],
        "reasons": [e.outcome.reason.value for e in ours],
        "evidence": [json.dumps(asdict(e.outcome.evidence)) for e in ours],
        "settle": [e.outcome.settle_on for e in ours],
    }
    run(
        db,
        "UPDATE steps s SET state = o.state, status = o.event, reason = o.reason, evidence = o.evidence::jsonb,"
        " settle_on = o.settle, lease_until = NULL FROM unnest(CAST(:ids AS text[]), CAST(:states AS text[]),"
        " CAST(:events AS text[]), CAST(:reasons AS text[]), CAST(:evidence AS text[]), CAST(:settle AS date[]))"
        " AS o(id, state, event, reason, evidence, settle) WHERE s.step_id = o.id",
        **values,
    )
    del values["states"], values["settle"]
    run(
        db,
        "UPDATE attempts a SET status = o.event, reason = o.reason, evidence = o.evidence::jsonb, ended_at = now()"
        " FROM unnest(CAST(:ids AS text[]), CAST(:events AS text[]), CAST(:reasons AS text[]),"
        " CAST(:evidence AS text[])) AS o(id, event, reason, evidence) WHERE a.step_id = o.id AND a.status IS NULL",
        **values,
    )
    return states


def done_unverified(db: Connection, keyring: Keyring, system: str, plan_id: str) -> list[Claimed]:
    """Steps of a plan that claim to be done and were not read back yet."""
    found = rows(
        db,
        "SELECT s.*, p.sweep_id AS case_id FROM steps s JOIN plans p USING (plan_id)"
        " WHERE plan_id = :p AND s.state = 'done' ORDER BY position",
        p=plan_id,
    )
    return _claimed(db, keyring, system, found)


def mark_verified(db: Connection, seen: Mapping[str, str]) -> None:
    """Record what the read-back said of each done step: `verify` or `contradict`."""
    run(
        db,
        "UPDATE steps s SET state = v.state, verified_at = now()"
        " FROM unnest(CAST(:ids AS text[]), CAST(:states AS text[])) AS v(id, state)"
        " WHERE s.step_id = v.id AND s.state = 'done'",
        ids=list(seen),
        states=[after(STEP, "done", event) for event in seen.values()],
    )


def forget_locators(db: Connection, sweep_id: str) -> None:
    """Wipe where settled steps pointed; the keyed pseudonym remains."""
    run(
        db,
        "UPDATE steps SET locator = NULL, subjects = NULL WHERE plan_id IN"
        " (SELECT plan_id FROM plans WHERE sweep_id = :s) AND state IN"
        " ('verified', 'contradicted', 'held', 'dropped', 'refused', 'failed')"
        " AND (locator IS NOT NULL OR subjects IS NOT NULL)",
        s=sweep_id,
    )
