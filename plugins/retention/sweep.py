"""How does a sweep get from what lies in the systems to plans with a digest? The stages before anything is destroyed.

open → gather (per system) → join opt-outs → find (per system) → join consents → plan (per system); then guard.py
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from zoneinfo import ZoneInfo

from retention import audit, clocks, opt_outs, reading, walking
from retention.contract import Connector, Walked
from retention.guard import refuse_another_account
from retention.planning import NotReadWholly, actions_of, decide, plan_suppression
from retention.store import (
    audit_log,
    case_keys,
    catalogue,
    findings,
    generations,
    plans,
    request_runs,
    restrictions,
    sweeps,
)
from retention.store.desk import Desk
from retention.store.sweeps import Selector, Sweep
from retention.vocabulary import Criteria, Gap

__all__ = [
    "NotReadWholly",
    "Refused",
    "RunInfo",
    "actions_of",
    "decide",
    "divide",
    "find",
    "gather",
    "join_consents",
    "join_opt_outs",
    "open_sweep",
    "plan_suppression",
    "take_stock",
    "walk",
]


class Refused(Exception):
    """The sweep may not run as asked; nothing was read or done. The text says why and what to do."""


@dataclass(frozen=True, slots=True)
class RunInfo:
    """The DAG run a sweep belongs to, as Airflow tells it."""

    dag_id: str
    run_id: str
    run_type: str
    started_by: str


def open_sweep(desk: Desk, info: RunInfo, for_requests: Sequence[str] = ()) -> Sweep:
    """Open the ledger's side of a run, for what is due or (then named) for requests.

    A backfill is refused, since "older than" counts from today only.
    """
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
            selector=Selector.REQUESTS if for_requests else Selector.SCHEDULE,
        )
        if known is None:
            request_runs.add(db, sweep.sweep_id, for_requests)
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
    _begin_gathering(desk, sweep, connector)
    if connector.catalogued:
        read, gaps = reading.refresh_catalogue(desk, sweep, connector, zone)
        return _from_catalogue(desk, sweep, connector, read, gaps)
    criteria = Criteria(
        collected_before=clocks.start_of_day(before, zone),
        collected_before_day=before,
        opted_out=True,
        undated=True,
    )
    read, gaps = reading.store_pages(desk, sweep, system, connector.find(criteria))
    reading.finish(desk, sweep, connector, "gather", read, gaps)
    return read


def divide(desk: Desk, sweep: Sweep, connector: Walked) -> list[int]:
    """Begin to gather from a system that several workers walk: the numbers of the parts, each for `walk`."""
    _begin_gathering(desk, sweep, connector)
    return walking.divide(desk, sweep, connector, desk.policy.schedule.operations.readers)


def walk(desk: Desk, sweep: Sweep, connector: Walked, number: int) -> int:
    """Read one part of a divided system; returns how many items were met."""
    refuse_another_account(desk, sweep, connector.system, connector.tenant)
    return walking.walk(desk, sweep, connector, number)


def take_stock(desk: Desk, sweep: Sweep, connector: Walked) -> int:
    """End gathering from a divided system once all its parts were walked; returns how many items were met."""
    return _from_catalogue(desk, sweep, connector, walking.take_stock(desk, sweep, connector), [])


def _begin_gathering(desk: Desk, sweep: Sweep, connector: Connector) -> None:
    refuse_another_account(desk, sweep, connector.system, connector.tenant)
    with desk.transaction() as db:
        sweeps.record_reading(db, sweep.sweep_id, connector.system, "gather", "failed", reason="not-finished")


def _from_catalogue(desk: Desk, sweep: Sweep, connector: Connector, read: int, gaps: Sequence[Gap]) -> int:
    before = clocks.collected_before(sweep.as_of, desk.policy.schedule.retention_years)
    with desk.transaction() as db:
        catalogue.due(db, sweep.sweep_id, connector.system, before)
    reading.finish(desk, sweep, connector, "gather", read, gaps)
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
            read, gaps = reading.store_pages(desk, sweep, system, connector.find(Criteria(identifiers=tuple(wanted))))
    reading.finish(desk, sweep, connector, "find", read, gaps)
    return read


def join_consents(desk: Desk, sweep: Sweep) -> int:
    """Mark addresses that more than one record is known by, and let newer consent take people off the list."""
    with desk.transaction() as db:
        findings.discount_marks_of_ours(db, sweep.sweep_id)
        findings.mark_shared(db, sweep.sweep_id)
    return opt_outs.put_on_list(desk, sweep) + opt_outs.honour_newer_consents(desk, sweep)
