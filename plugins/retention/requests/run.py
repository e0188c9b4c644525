"""How are requests worked on? A run like a night's, over the records of these people: read, follow, plan, carry out.

open → read (per system) → follow, until nobody new is found → join → stop marketing, plan (per system); then guard,
approve, carry out and verify are those of a night. Many requests share one run: its searches and its vendor batches.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from zoneinfo import ZoneInfo

from retention import audit, reading
from retention.contract import Connector, ConnectorError
from retention.guard import OtherAccount, refuse_another_account
from retention.life_cycles import REQUEST_ACTS_IN
from retention.requests.graph import Graph, Met, strong
from retention.requests.intake import STOPS_MARKETING
from retention.store import (
    audit_log,
    catalogue,
    findings,
    request_runs,
    requests,
    suppression,
    sweeps,
)
from retention.store.database import Connection
from retention.store.desk import Desk
from retention.store.request_runs import Theirs
from retention.store.requests import Request
from retention.store.sweeps import Sweep
from retention.sweep import Refused, RunInfo, join_consents, open_sweep
from retention.vocabulary import Criteria, Gap, Identifier


def open_run(desk: Desk, request_ids: Sequence[str], info: RunInfo) -> Sweep:
    """Open a run for requests that may be worked on; one that another run is at work for is refused."""
    with desk.transaction() as db:
        if (known := sweeps.of_run(db, info.dag_id, info.run_id)) is not None:
            return known
        for request in (requests.get(db, request_id) for request_id in request_ids):
            if request.state not in REQUEST_ACTS_IN:
                raise Refused(f"{request.request_id} is {request.state}: nothing is done for it in this state")
        if busy := request_runs.unsealed(db, request_ids):
            raise Refused(f"{next(iter(busy))} is worked on in {next(iter(busy.values()))}: let that run be sealed")
    if not request_ids:
        raise Refused("a run is for at least one request: name it by its id")
    return open_sweep(desk, info, sorted(request_ids))


def begin(desk: Desk, run: Sweep) -> int:
    """Lay out who is looked for first: what the people showed to be theirs. Returns how many identifiers."""
    with desk.transaction() as db:
        return _save(db, desk, run, [])


def read(desk: Desk, run: Sweep, connector: Connector) -> int:
    """Look up, in one system, everybody who was not looked up there before; returns how many were."""
    system = connector.system
    refuse_another_account(desk, run, system, connector.tenant)
    with desk.transaction() as db:
        wanted = request_runs.to_look_up(db, desk.keyring, run.sweep_id, system)
        known = sweeps.readings(db, run.sweep_id).get((system, "find"))
        if not wanted and known is not None and known.state == "whole":
            return 0
        before = known.read if known else 0
        sweeps.record_reading(db, run.sweep_id, system, "gather", "failed", reason="not-finished")
        sweeps.record_reading(db, run.sweep_id, system, "find", "failed", read=before, reason="not-finished")
    gaps: list[Gap] = []
    found = 0
    if connector.catalogued:
        if known is None:
            zone = ZoneInfo(desk.policy.systems[system].zone)
            _, gaps = reading.refresh_catalogue(desk, run, connector, zone)
        with desk.transaction() as db:
            shared = desk.policy.schedule.shared_mailboxes
            found = catalogue.about(db, desk.keyring, run.sweep_id, system, wanted, shared)
    elif wanted:
        found, gaps = reading.store_pages(desk, run, system, connector.find(Criteria(identifiers=tuple(wanted))))
    with desk.transaction() as db:
        request_runs.note_looked_up(db, desk.keyring, run.sweep_id, system, wanted)
    for stage in ("gather", "find"):
        reading.finish(desk, run, connector, stage, before + found, gaps)
    return len(wanted)


def follow(desk: Desk, run: Sweep) -> int:
    """Follow strong edges through all that was found; returns how many identifiers the people have now."""
    with desk.transaction() as db:
        return _save(db, desk, run, list(request_runs.met(db, desk.keyring, run.sweep_id)))


def join(desk: Desk, run: Sweep) -> int:
    """Join what all systems found: whose each record is, what everybody said of marketing; returns how many records.

    Whoever asked to be left alone is on the suppression list by every identifier that was found to be theirs.
    """
    join_consents(desk, run)
    with desk.transaction() as db:
        for request in _requests(db, run).values():
            ground = STOPS_MARKETING.get(request.asks_for)
            if ground is not None and (request.to_marketing or ground is not suppression.Ground.OBJECTION):
                day = request.received_at.astimezone(ZoneInfo(desk.policy.schedule.answering.zone)).date()
                theirs = request_runs.people_of(db, desk.keyring, run.sweep_id, request.request_id)
                words = [suppression.OptOut(identifier, day) for identifier in theirs]
                if listed := suppression.add(db, desk.keyring, words, ground, sweep_id=run.sweep_id):
                    entry = desk.entry(audit.Event.SUPPRESSED, run=request.request_id, count=listed)
                    audit_log.append(db, [entry])
        return request_runs.attribute_records(db, run.sweep_id)


def read_all(desk: Desk, run: Sweep, connectors: Sequence[Connector]) -> Mapping[str, Exception]:
    """All of reading, round by round; a system that fails is left behind, and is returned with what it said."""
    left_behind: dict[str, Exception] = {}
    begin(desk, run)
    for _ in range(desk.policy.schedule.answering.most_identifiers + 1):  # each round finds somebody, or is the last
        asked = 0
        for connector in connectors:
            if connector.system not in left_behind:
                try:
                    asked += read(desk, run, connector)
                except (ConnectorError, OtherAccount) as error:
                    left_behind[connector.system] = error
        if not asked:
            break
        follow(desk, run)
    join(desk, run)
    return left_behind


def _save(db: Connection, desk: Desk, run: Sweep, met: Sequence[Met]) -> int:
    schedule = desk.policy.schedule
    graph = Graph(met, lambda i: findings.is_shared(i, schedule.shared_mailboxes), schedule.answering.most_identifiers)
    people = [theirs for request in _requests(db, run).values() for theirs in _people(db, desk, request, graph)]
    request_runs.save_people(db, desk.keyring, run.sweep_id, people)
    return len(people)


def _people(db: Connection, desk: Desk, request: Request, graph: Graph) -> Sequence[Theirs]:
    """Whom a request reaches. Without proof of identity only what was given, and nothing beyond."""
    verified = requests.verified_keys(db, request.request_id)
    given = strong(requests.read_file(db, desk.keyring, request.request_id).identifiers)
    shown = [i for i in given if not verified.isdisjoint(desk.keyring.exact_keys(i))]
    if not shown:
        return [Theirs(request.request_id, i, surely=True, proven=False, path=()) for i in given]
    person = graph.person(shown)
    return [
        Theirs(request.request_id, identifier, person.surely, proven=True, path=path)
        for identifier, path in person.reached.items()
    ]


def _requests(db: Connection, run: Sweep) -> dict[str, Request]:
    found = (requests.get(db, request_id) for request_id in request_runs.requests_of(db, run.sweep_id))
    return {request.request_id: request for request in found}


def identifiers_of(desk: Desk, run: Sweep, request_id: str) -> list[Identifier]:
    """Whom a request was found to be about, while its run is unsealed. In memory only."""
    with desk.transaction() as db:
        return request_runs.people_of(db, desk.keyring, run.sweep_id, request_id)
