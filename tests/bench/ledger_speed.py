"""How long does the ledger take for findings, their join over systems, and the steps of a plan?"""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Sequence
from datetime import date, timedelta

from sqlalchemy import text

from retention.plan import PlanHeader, PlannedStep, Purpose
from retention.store import findings, plans, steps, sweeps
from retention.store.database import streamed
from retention.store.desk import Desk
from retention.store.steps import Ended
from retention.vocabulary import (
    Action,
    ClassFacts,
    DataClass,
    Dated,
    Evidence,
    Facts,
    Finding,
    Identifier,
    IdentifierKind,
    LawfulBasis,
    Outcome,
    OutcomeStatus,
    RecordRef,
)
from tests.bench.bare import raw, seconds_to_copy
from tests.bench.running import AS_OF, desk_of, ledger

PEOPLE = 50_000
"""Each of them in two systems: twice as many findings."""
PAGE = BATCH = 2_000
STEPS = 20_000
SYSTEMS = ("salesforce", "hubspot")
LEASE = 300


def measure() -> Iterator[tuple[str, float, float]]:
    with ledger() as engine:
        desk = desk_of(engine, *SYSTEMS)
        sweep_id = _sweep(desk)
        ready = {system: list(people(system)) for system in SYSTEMS}
        started = time.perf_counter()
        for system in SYSTEMS:
            for start in range(0, PEOPLE, PAGE):
                with desk.transaction() as db:
                    findings.save(db, desk.keyring, sweep_id, system, ready[system][start : start + PAGE], ())
        saved = time.perf_counter() - started
        columns = ", ".join(findings.COLUMNS)
        with desk.transaction() as db:
            lines = [tuple(row) for row in db.execute(text(f"SELECT {columns} FROM findings"))]
        if len(lines) != PEOPLE * len(SYSTEMS):
            raise RuntimeError(f"{len(lines)} findings were stored, not {PEOPLE * len(SYSTEMS)}")
        facts = findings.COLUMNS.index("facts")
        copied = [(*line[:facts], json.dumps(line[facts]), *line[facts + 1 :]) for line in lines]
        yield "ledger.findings", saved, seconds_to_copy(engine, "findings", findings.COLUMNS, copied)
        del lines, copied, ready
        yield "ledger.join", _joined(desk, sweep_id), _read(desk, sweep_id)
        yield from _stepped(desk, sweep_id)


def people(system: str) -> Iterator[Finding]:
    """The same people in both systems; one in ten opted out, in one of the two."""
    for number in range(PEOPLE):
        collected = AS_OF - timedelta(days=1_900 + number % 1_500)
        opted_out = number % 10 == 0 and system == SYSTEMS[number // 10 % 2]
        facts = Facts(
            classes=tuple(
                ClassFacts(data_class, LawfulBasis.CONSENT, fields, Dated(collected, "collected_on"))
                for data_class, fields in (
                    (DataClass.MARKETING_PROFILE, ("interests",)),
                    (DataClass.CONTACT_IDENTITY, ("email", "firstname", "lastname")),
                )
            ),
            opted_out=opted_out,
            opted_out_on=date(2026, 5, 1) if opted_out else None,
        )
        address = Identifier(IdentifierKind.EMAIL, f"person-{number}@example.com")
        yield Finding(RecordRef(system, "contact", f"{system}-{number}", "v1"), facts, (address,))


def _sweep(desk: Desk) -> str:
    with desk.transaction() as db:
        return sweeps.open_sweep(
            db,
            dag_id="bench",
            run_id="bench",
            run_type="manual",
            started_by="bench",
            as_of=desk.today,
            policy_digest=desk.policy.digest,
            code_version=desk.code_version,
        ).sweep_id


def _joined(desk: Desk, sweep_id: str) -> float:
    """Every finding of both systems as `judge` gets it."""
    read = 0
    started = time.perf_counter()
    for system in SYSTEMS:
        with desk.transaction() as db:
            read += sum(1 for _ in findings.known(db, sweep_id, system))
    took = time.perf_counter() - started
    if read != PEOPLE * len(SYSTEMS):
        raise RuntimeError(f"{read} findings were read, not {PEOPLE * len(SYSTEMS)}")
    return took


def _read(desk: Desk, sweep_id: str) -> float:
    """The same findings without the join."""
    started = time.perf_counter()
    with desk.transaction() as db:
        for system in SYSTEMS:
            statement = (
                "SELECT record_key, kind, version, facts, shared, exact_keys, folded_keys FROM findings"
                " WHERE sweep_id = :s AND system = :system ORDER BY record_key"
            )
            for _ in db.execute(streamed(statement), {"s": sweep_id, "system": system}):
                pass
    return time.perf_counter() - started


def _stepped(desk: Desk, sweep_id: str) -> Iterator[tuple[str, float, float]]:
    """Claim, re-read of holds, intents and outcomes of one plan, batch by batch, each in transactions of its own."""
    system = SYSTEMS[0]
    with desk.transaction() as db:
        rows = db.execute(
            text("SELECT record_key, kind, version FROM findings WHERE system = :s LIMIT :n"), {"s": system, "n": STEPS}
        ).all()
        planned = [
            PlannedStep(bytes(r.record_key), r.kind, r.version, Action.ERASE, (), ("contact_identity",), ("EXPIRED",))
            for r in rows
        ]
        header = PlanHeader(sweep_id, system, Purpose.RETENTION, "tenant", desk.policy.digest)
        plan = plans.save(db, header, planned)
    bare_intents, bare_whole = _bare_steps(desk, plan.plan_id)
    intending = whole = 0.0
    done = 0
    evidence = Evidence("750000000000001AAA", 200)
    while True:
        started = time.perf_counter()
        with desk.transaction() as db:
            claims = steps.claim(db, desk.keyring, system, plan.plan_id, Action.ERASE, "contact", BATCH, LEASE)
        if not claims:
            break
        began = time.perf_counter()
        with desk.transaction() as db:
            steps.hold_back(db, [claim.step.step_id for claim in claims])
            sent = steps.intend(db, claims, LEASE)
        intending += time.perf_counter() - began
        ended = [Ended(c, Outcome(c.step.ref, OutcomeStatus.DONE, evidence=evidence), "done") for c in claims]
        with desk.transaction() as db:
            steps.conclude(db, ended)
        whole += time.perf_counter() - started
        done += len(sent)
    if done != STEPS:
        raise RuntimeError(f"{done} steps were carried through, not {STEPS}")
    per_thousand = 1_000_000 / STEPS
    yield "ledger.intents", intending * per_thousand, bare_intents * per_thousand
    yield "ledger.steps", whole * per_thousand, bare_whole * per_thousand


def _bare_steps(desk: Desk, plan_id: str) -> tuple[float, float]:
    """Seconds for the same rows in a copy of the table with its indexes: one UPDATE and one INSERT for the intents of
    a batch; and three UPDATEs, the INSERT and one UPDATE of what was inserted for all of it."""
    intents = whole = 0.0
    with raw(desk.engine) as db:
        db.execute("CREATE TABLE bare_steps (LIKE steps INCLUDING ALL) WITH (fillfactor = 50)")
        columns = "step_id, plan_id, position, system, kind, record_key, locator, subjects, subject_keys, folded_keys,"
        columns += " version, action, fields, data_classes, reasons, state"
        db.execute(f"INSERT INTO bare_steps ({columns}) SELECT {columns} FROM steps WHERE plan_id = %s", (plan_id,))
        db.execute("CREATE TABLE bare_attempts (LIKE attempts INCLUDING ALL)")
        db.commit()

        def timed(statements: Sequence[str], start: int) -> float:
            began = time.perf_counter()
            for statement in statements:
                db.execute(statement, {"p": plan_id, "a": start, "b": start + BATCH})
            db.commit()
            return time.perf_counter() - began

        some = "WHERE plan_id = %(p)s AND position >= %(a)s AND position < %(b)s"
        joined = f"{some.replace('plan_id', 's.plan_id')} AND s.step_id = a.step_id"
        for start in range(0, STEPS, BATCH):
            claimed = timed([f"UPDATE bare_steps SET state = 'claimed', lease_until = now() {some}"], start)
            intended = timed(
                [
                    f"UPDATE bare_steps SET state = 'intended', tries = 1 {some}",
                    f"INSERT INTO bare_attempts (step_id, fence) SELECT step_id, 1 FROM bare_steps {some}",
                ],
                start,
            )
            concluded = timed(
                [
                    f"UPDATE bare_steps SET state = 'done', lease_until = NULL {some}",
                    f"UPDATE bare_attempts a SET status = 'done', ended_at = now() FROM bare_steps s {joined}",
                ],
                start,
            )
            intents += intended
            whole += claimed + intended + concluded
        db.execute("DROP TABLE bare_steps, bare_attempts")
    return intents, whole
