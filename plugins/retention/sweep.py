"""How does a sweep get from what lies in the systems to plans with a digest? The stages before anything is destroyed.

open → gather (per system) → join opt-outs → find (per system) → join consents → plan (per system); then guard.py
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from zoneinfo import ZoneInfo

from retention import audit, clocks, opt_outs, plan, seen_again
from retention.contract import Connector
from retention.for_people import ForPeople
from retention.guard import refuse_another_account
from retention.judge import Bench, Verdict, grounds_to_stop, judge, parts_of
from retention.knowledge import Known
from retention.plan import PlanHeader, PlannedStep, Purpose
from retention.store import (
    audit_log,
    case_keys,
    catalogue,
    findings,
    generations,
    incidents,
    plans,
    register,
    restrictions,
    suppression,
    sweeps,
    tranches,
)
from retention.store.database import Connection
from retention.store.desk import Desk
from retention.store.sweeps import Sweep
from retention.vocabulary import Action, Criteria, Gap, GapCode, Page, Reason, Token


class Refused(Exception):
    """The sweep may not run as asked; nothing was read or done. The text says why and what to do."""


class NotReadWholly(Exception):
    """A system was not read to its end in this sweep, so nothing may be planned on it."""


@dataclass(frozen=True, slots=True)
class RunInfo:
    """The DAG run a sweep belongs to, as Airflow tells it."""

    dag_id: str
    run_id: str
    run_type: str
    started_by: str


def open_sweep(desk: Desk, info: RunInfo) -> Sweep:
    """Open the ledger's side of a run; a backfill is refused, since "older than" counts from today only."""
    if info.run_type == "backfill":
        raise Refused("a retention sweep counts from today: a backfill of past nights is refused; trigger one new run")
    with desk.transaction() as db:
        known = sweeps.of_run(db, info.dag_id, info.run_id)
        sweep = known or sweeps.open_sweep(
            db,
            dag_id=info.dag_id,
            run_id=info.run_id,
            run_type=info.run_type,
            started_by=info.started_by,
            as_of=desk.today,
            policy_digest=desk.policy.digest,
            code_version=desk.code_version,
        )
        if known is None:
            plans.supersede_earlier(db, sweep.sweep_id)
            adopted = generations.adopt(db, desk.keyring)
            case_keys.open_case(db, desk.keyring, sweep.sweep_id)
            audit_log.append(db, [desk.entry(audit.Event.KEY_CREATED, case_key=key_id) for key_id in adopted])
            audit_log.append(db, [desk.entry(audit.Event.SWEEP_OPENED, run=sweep.sweep_id, actor=sweep.started_by)])
        return sweep


def gather(desk: Desk, sweep: Sweep, connector: Connector) -> int:
    """Read from one system everything the rules may concern: past its period, opted out, or without a date."""
    system = connector.system
    before = clocks.collected_before(sweep.as_of, desk.policy.schedule.retention_years)
    zone = ZoneInfo(desk.policy.systems[system].zone)
    refuse_another_account(desk, sweep, system, connector.tenant)
    with desk.transaction() as db:
        sweeps.record_reading(db, sweep.sweep_id, system, "gather", "failed", reason="not-finished")
    if connector.catalogued:
        read, gaps = _refresh_catalogue(desk, sweep, connector, zone)
        with desk.transaction() as db:
            catalogue.due(db, sweep.sweep_id, system, before)
    else:
        criteria = Criteria(
            collected_before=clocks.start_of_day(before, zone),
            collected_before_day=before,
            opted_out=True,
            undated=True,
        )
        read, gaps = _store_pages(desk, sweep, system, connector.find(criteria))
    _finish_reading(desk, sweep, connector, "gather", read, gaps)
    return read


def join_opt_outs(desk: Desk, sweep: Sweep) -> int:
    """Put everyone who opted out anywhere on the suppression list, at once; returns how many entries changed.

    Consent that is strictly newer is honoured again after `find` has looked for it in every system.
    """
    with desk.transaction() as db:
        findings.discount_marks_of_ours(db, sweep.sweep_id)
    return opt_outs.put_on_list(desk, sweep)


def find(desk: Desk, sweep: Sweep, connector: Connector) -> int:
    """Look up, in one system, everyone who opted out in any system or whose restriction stands or is to be released;
    returns how many records were looked at."""
    system = connector.system
    with desk.transaction() as db:
        gathered = sweeps.readings(db, sweep.sweep_id).get((system, "gather"))
        if gathered is None or gathered.state != "whole":
            raise NotReadWholly(f"{system}: was not read to its end; mend the gather task first, then clear it")
        if gathered.tenant != connector.tenant:
            raise NotReadWholly(
                f"{system}: the connection leads to another account than a moment ago; nothing is planned"
            )
        sweeps.record_reading(
            db, sweep.sweep_id, system, "find", "failed", tenant=gathered.tenant, reason="not-finished"
        )
        opted_out = findings.opted_out_identifiers(db, desk.keyring, sweep.sweep_id)
        wanted = list(dict.fromkeys([*opted_out, *restrictions.people_to_look_up(db, desk.keyring)]))
        if connector.catalogued:
            read = catalogue.about(
                db, desk.keyring, sweep.sweep_id, system, wanted, desk.policy.schedule.shared_mailboxes
            )
    gaps: list[Gap] = []
    if not connector.catalogued:
        read = 0
        if wanted:
            read, gaps = _store_pages(desk, sweep, system, connector.find(Criteria(identifiers=tuple(wanted))))
    _finish_reading(desk, sweep, connector, "find", read, gaps)
    return read


def join_consents(desk: Desk, sweep: Sweep) -> int:
    """Mark addresses that more than one record is known by, and let newer consent take people off the list."""
    with desk.transaction() as db:
        findings.discount_marks_of_ours(db, sweep.sweep_id)
        findings.mark_shared(db, sweep.sweep_id)
    return opt_outs.put_on_list(desk, sweep) + opt_outs.honour_newer_consents(desk, sweep)


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
        under_way = plans.records_under_way(db, system)
        tranche = tranches.of_system(db, system)
        for_people = ForPeople(desk, sweep, connector)
        for known in findings.known(db, sweep.sweep_id, system):
            is_under_way = not under_way.isdisjoint((known.record_key, *known.older_keys))
            verdict = for_people.sort(known, judge(known, bench), is_under_way)
            if is_under_way:
                verdict = Verdict("keep", None, (), (), (Reason.PENDING,))
            verdicts.append((known.record_key, verdict.name, verdict.reasons))
            met += ((kind, known.record_key) for kind in seen_again.incidents(known, verdict.reasons, earlier, zone))
            if verdict.action is not None and tranche.covers(known, zone):
                steps.append(_step(known, verdict, bench))
        findings.save_verdicts(db, sweep.sweep_id, system, verdicts)
        for_people.file_verdicts(db)
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
        for_people = ForPeople(desk, sweep, connector)
        plans.supersede_earlier(db, sweep.sweep_id)
        under_way = plans.records_under_way(db, system)
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
        for_people.file_suppressions(db)
        header = PlanHeader(sweep.sweep_id, system, Purpose.SUPPRESSION, tenant, desk.policy.digest)
        made = plans.save(db, header, plan.in_order(steps))
        if made.state == "proposed":
            plans.move(db, made.plan_id, "at_once")
            made = plans.find(db, sweep.sweep_id, system, Purpose.SUPPRESSION) or made
        return made


# --- the parts ---


def _refresh_catalogue(desk: Desk, sweep: Sweep, connector: Connector, zone: ZoneInfo) -> tuple[int, list[Gap]]:
    """Bring the catalogue up to date page by page; the token is saved in the transaction of the last page."""
    system, keyring = connector.system, desk.keyring
    with desk.transaction() as db:
        since = catalogue.token(db, keyring, system)
    read = 0
    gaps: list[Gap] = []

    def day(moment: datetime) -> date:
        return clocks.local_day(moment, zone)

    for page in connector.changes(since):
        with desk.transaction() as db:
            shared_mailboxes = desk.policy.schedule.shared_mailboxes
            catalogue.save(db, keyring, sweep.sweep_id, system, page.findings, page.gaps, day, shared_mailboxes)
            catalogue.still_there(db, keyring, sweep.sweep_id, system, page.unchanged)
            catalogue.forget(db, keyring, system, page.gone)
            findings.save_gaps(db, keyring, sweep.sweep_id, system, page.gaps)
            if page.whole:
                catalogue.forget_unseen(db, sweep.sweep_id, system)
            elif page.whole_groups:
                catalogue.forget_unseen_of(db, sweep.sweep_id, system, page.whole_groups)
            if page.next is not None:
                catalogue.save_token(db, keyring, system, Token(bytes(page.next)))  # type: ignore[arg-type]
        read += page.read
        gaps += page.gaps
    with desk.transaction() as db:
        catalogue.gaps_of(db, sweep.sweep_id, system)
    return read, gaps


def _store_pages(desk: Desk, sweep: Sweep, system: str, pages: Iterable[Page]) -> tuple[int, list[Gap]]:
    read = 0
    gaps: list[Gap] = []
    for page in pages:
        with desk.transaction() as db:
            findings.save(
                db, desk.keyring, sweep.sweep_id, system, page.findings, desk.policy.schedule.shared_mailboxes
            )
            findings.save_gaps(db, desk.keyring, sweep.sweep_id, system, page.gaps)
        read += page.read
        gaps += page.gaps
    return read, gaps


def _finish_reading(desk: Desk, sweep: Sweep, connector: Connector, stage: str, read: int, gaps: Sequence[Gap]) -> None:
    kinds = {k.name: k for k in desk.policy.systems[connector.system].kinds()}
    hidden = any(
        gap.code is GapCode.KIND_HIDDEN
        or (gap.code is GapCode.FIELD_HIDDEN and gap.kind in kinds and gap.what in _consent_fields(kinds[gap.kind]))
        for gap in gaps
    )
    with desk.transaction() as db:
        known = catalogue.size(db, connector.system)
        sweeps.record_reading(
            db,
            sweep.sweep_id,
            connector.system,
            stage,
            "whole",
            tenant=connector.tenant,
            read=read,
            shown=known if connector.catalogued else read,
            population=known if connector.catalogued else None,
            consent_unread=hidden,
        )
        audit_log.append(
            db, [desk.entry(audit.Event.SYSTEM_READ, run=sweep.sweep_id, system=connector.system, count=read)]
        )


def _consent_fields(kind: object) -> set[str]:
    return {getattr(kind, name) for name in ("opt_out", "opt_out_on", "consent_on")}


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


def _step(known: Known, verdict: Verdict, bench: Bench) -> PlannedStep:
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
