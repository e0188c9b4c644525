"""What is planned for one system of a sweep? Every finding judged, what is for people filed, the rest frozen as a plan.

The same for a night, whose findings are what is due, and for a run for requests, whose findings are their people's.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from zoneinfo import ZoneInfo

from retention import audit, plan, seen_again
from retention.contract import Connector
from retention.for_people import ForPeople
from retention.judge import Bench, Verdict, grounds_to_stop, judge, parts_of
from retention.knowledge import Known
from retention.plan import PlanHeader, PlannedStep, Purpose
from retention.store import (
    audit_log,
    corrections,
    findings,
    generations,
    incidents,
    plans,
    register,
    suppression,
    sweeps,
    tranches,
)
from retention.store import under_way as under_way_now
from retention.store.corrections import Owed
from retention.store.database import Connection
from retention.store.desk import Desk
from retention.store.sweeps import Sweep
from retention.tranche import EVERYTHING
from retention.verdicts import PersonsReason
from retention.vocabulary import Action, Reason


class NotReadWholly(Exception):
    """A system was not read to its end in this sweep, so nothing may be planned on it."""


def decide(desk: Desk, sweep: Sweep, connector: Connector) -> plans.Plan:
    """Judge every finding of a system and freeze what follows as a plan."""
    system = connector.system
    with desk.transaction() as db:
        tenant = _wholly_read_tenant(db, desk, sweep, system)
        unread = sweeps.unread_consent_sources(db, sweep.sweep_id, list(desk.policy.systems))
        bench = Bench(desk.policy.schedule, desk.policy.systems[system], sweep.as_of, bool(unread))
        zone = ZoneInfo(bench.system.zone)
        verdicts: list[tuple[bytes, str, Sequence[str]]] = []
        steps: list[PlannedStep] = []
        earlier = _earlier(db, sweep, system)
        met: list[tuple[incidents.Kind, bytes]] = []
        plans.supersede_earlier(db, sweep.sweep_id)
        under_way = under_way_now.records_under_way(db, sweep.sweep_id, system)
        tranche = EVERYTHING if sweep.is_for_requests else tranches.of_system(db, system)
        for_people = ForPeople.of(db, desk, sweep, connector)
        corrected: Mapping[bytes, Owed] = {}
        if sweep.is_for_requests and Action.RECTIFY in connector.supports:
            corrected = corrections.owed(db, desk.keyring, sweep.sweep_id, system)
        for known in findings.known(db, sweep.sweep_id, system):
            is_under_way = not under_way.isdisjoint((known.record_key, *known.older_keys))
            owing = corrected.get(known.record_key)
            verdict = for_people.sort(known, _corrected(judge(known, bench), known, owing), is_under_way)
            if is_under_way:
                verdict = Verdict("keep", None, (), (), (Reason.PENDING,))
            verdicts.append((known.record_key, verdict.name, verdict.reasons))
            met += ((kind, known.record_key) for kind in seen_again.incidents(known, verdict.reasons, earlier, zone))
            if verdict.action is not None and tranche.covers(known, zone):
                steps.append(_step(known, verdict, bench, owing))
        findings.save_verdicts(db, sweep.sweep_id, system, verdicts)
        for_people.file_verdicts(db)
        if sweep.is_for_requests:
            under_way_now.take_over(db, system, [step.record_key for step in steps])
        header = PlanHeader(sweep.sweep_id, system, Purpose.RETENTION, tenant, desk.policy.digest)
        made = plans.save(db, header, plan.in_order(steps))
        audit_log.append(
            db,
            [
                desk.entry(
                    audit.Event.PLAN_MADE, run=sweep.sweep_id, system=system, plan_digest=made.digest, count=len(steps)
                ),
                *_decided(desk, sweep, system, verdicts),
                *_reported(db, desk, sweep, system, met),
            ],
        )
        return made


def plan_suppression(desk: Desk, sweep: Sweep, connector: Connector) -> plans.Plan:
    """Freeze what must be done at once in one system: stop marketing to those who opted out elsewhere."""
    system = connector.system
    with desk.transaction() as db:
        tenant = _wholly_read_tenant(db, desk, sweep, system)
        steps = []
        for_people = ForPeople.of(db, desk, sweep, connector)
        plans.supersede_earlier(db, sweep.sweep_id)
        under_way = under_way_now.records_under_way(db, sweep.sweep_id, system)
        for known in findings.known(db, sweep.sweep_id, system):
            if known.facts.several_people or known.facts.opted_out:
                continue
            if not under_way.isdisjoint((known.record_key, *known.older_keys)):
                continue
            bench = Bench(desk.policy.schedule, desk.policy.systems[system], sweep.as_of, False)
            if judge(known, bench).stop_marketing:
                why = (grounds_to_stop(known),)
                if Action.SUPPRESS not in connector.supports:
                    for_people.need(known, Action.SUPPRESS, why)
                    continue
                steps.append(
                    PlannedStep(
                        known.record_key,
                        known.kind,
                        known.version,
                        Action.SUPPRESS,
                        (),
                        (),
                        why,
                        subject_keys=known.subjects,
                        folded_keys=known.folded,
                        parts=parts_of(known, ZoneInfo(bench.system.zone)),
                        weak=known.weak,
                    )
                )
        if sweep.is_for_requests:
            under_way_now.take_over(db, system, [step.record_key for step in steps])
        for_people.file_suppressions(db)
        header = PlanHeader(sweep.sweep_id, system, Purpose.SUPPRESSION, tenant, desk.policy.digest)
        made = plans.save(db, header, plan.in_order(steps))
        if made.state == "proposed":
            plans.move(db, made.plan_id, "at_once")
            made = plans.find(db, sweep.sweep_id, system, Purpose.SUPPRESSION) or made
        return made


def _earlier(db: Connection, sweep: Sweep, system: str) -> seen_again.Earlier:
    erased = register.people_erased_before(db, sweep.sweep_id, system)
    suppressed = suppression.listed_before(db, sweep.sweep_id, system)
    return seen_again.Earlier(
        erased, suppressed, findings.met_earlier(db, sweep.sweep_id, system, {*erased, *suppressed})
    )


def _reported(
    db: Connection, desk: Desk, sweep: Sweep, system: str, met: Sequence[tuple[incidents.Kind, bytes]]
) -> Iterable[audit.Entry]:
    if new := incidents.report(db, sweep.sweep_id, system, met):
        yield desk.entry(audit.Event.INCIDENT, run=sweep.sweep_id, system=system, count=new)


def _wholly_read_tenant(db: Connection, desk: Desk, sweep: Sweep, system: str) -> str:
    if not sweeps.read_wholly(db, sweep.sweep_id, system):
        raise NotReadWholly(f"{system}: was not read to its end in this sweep, so nothing is planned on it")
    generations.refuse_if_rotated(db, desk.keyring, sweep.sweep_id)
    return sweeps.readings(db, sweep.sweep_id)[(system, "find")].tenant


def _corrected(verdict: Verdict, known: Known, owing: Owed | None) -> Verdict:
    """A record that stays is corrected first; what else is due to it waits for the next run. A hold freezes it."""
    if owing is None or known.held or verdict.action is Action.ERASE:
        return verdict
    reasons = (PersonsReason.SUBJECT_CORRECTS,)
    return Verdict(
        Action.RECTIFY.value,
        Action.RECTIFY,
        owing.fields,
        (),
        reasons,
        asks=verdict.asks,
        asks_about=verdict.asks_about,
        answered=verdict.answered,
    )


def _step(known: Known, verdict: Verdict, bench: Bench, owing: Owed | None) -> PlannedStep:
    if verdict.action is None:
        raise ValueError("a verdict without an action is no step")
    return PlannedStep(
        known.record_key,
        known.kind,
        known.version,
        verdict.action,
        verdict.fields,
        verdict.data_classes,
        verdict.reasons,
        verdict.rests_on_opt_out,
        verdict.subject_keys,
        known.folded,
        parts_of(known, ZoneInfo(bench.system.zone), verdict.touches),
        known.weak,
        *((owing.values_key, owing.request_id) if owing and verdict.action is Action.RECTIFY else ()),
    )


def _decided(
    desk: Desk, sweep: Sweep, system: str, verdicts: Iterable[tuple[bytes, str, Sequence[str]]]
) -> Iterable[audit.Entry]:
    counts: dict[tuple[str, tuple[str, ...]], int] = {}
    for _, name, reasons in verdicts:
        counts[(name, tuple(sorted(reasons)))] = counts.get((name, tuple(sorted(reasons))), 0) + 1
    for (name, reasons), count in sorted(counts.items()):
        yield desk.entry(
            audit.Event.DECIDED, run=sweep.sweep_id, system=system, decision=name, reasons=reasons, count=count
        )


def actions_of(desk: Desk, made: plans.Plan) -> dict[Action, int]:
    """How many steps of each action a plan holds; decides how many workers it gets."""
    with desk.transaction() as db:
        return {Action(action): n for action, n in plans.effect(db, made.sweep_id).get(made.system, {}).items()}
