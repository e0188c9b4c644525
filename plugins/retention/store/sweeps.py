"""Where does each sweep stand, what was read in it, and which switches are set?"""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import date
from enum import StrEnum
from typing import Any

from sqlalchemy import Connection

from retention.life_cycles import SWEEP, after
from retention.store.database import one, rows, run


class Mode(StrEnum):
    """What the pipeline may do to the systems. `dry` is how a ledger starts."""

    DRY = "dry"  # plans only
    REHEARSAL = "rehearsal"  # acts, but only on systems on loopback (demo, tests)
    LIVE = "live"


class Selector(StrEnum):
    """Which records a sweep is about."""

    SCHEDULE = "schedule"  # what is due
    REQUESTS = "requests"  # what belongs to the people of requests


@dataclass(frozen=True, slots=True)
class Sweep:
    """One nightly pass, or one run for subjects' requests."""

    sweep_id: str
    dag_id: str
    run_id: str
    run_type: str
    started_by: str
    as_of: date
    mode: Mode
    state: str
    policy_digest: str
    digest: str | None
    selector: Selector = Selector.SCHEDULE

    @property
    def is_for_requests(self) -> bool:
        """Whether it is about the records of people who asked, not about what is due."""
        return self.selector is Selector.REQUESTS


@dataclass(frozen=True, slots=True)
class Reading:
    """Whether a system was read wholly in one stage of a sweep."""

    system: str
    stage: str
    state: str
    tenant: str
    read: int
    consent_unread: bool
    reason: str


def _sweep(row: Any) -> Sweep:
    values = {field.name: getattr(row, field.name) for field in fields(Sweep)}
    return Sweep(**(values | {"mode": Mode(row.mode), "selector": Selector(row.selector)}))


def open_sweep(
    db: Connection,
    *,
    dag_id: str,
    run_id: str,
    run_type: str,
    started_by: str,
    as_of: date,
    policy_digest: str,
    code_version: str,
    selector: Selector = Selector.SCHEDULE,
) -> Sweep:
    """Open the sweep of a DAG run, or return the one already open for it."""
    run(
        db,
        "INSERT INTO sweeps (sweep_id, dag_id, run_id, run_type, started_by, as_of, mode, state, policy_digest,"
        " code_version, selector) SELECT :sweep_id, :dag_id, :run_id, :run_type, :started_by, :as_of, value, 'open',"
        " :policy_digest, :code_version, :selector FROM switches WHERE name = 'mode'"
        " ON CONFLICT (dag_id, run_id) DO NOTHING",
        sweep_id=f"sweep-{uuid.uuid4().hex[:16]}",
        dag_id=dag_id,
        run_id=run_id,
        run_type=run_type,
        started_by=started_by,
        as_of=as_of,
        policy_digest=policy_digest,
        code_version=code_version,
        selector=selector.value,
    )
    sweep = of_run(db, dag_id, run_id)
    if sweep is None:
        raise LookupError("the ledger has no mode switch: run `python -m retention ledger migrate`")
    return sweep


def of_run(db: Connection, dag_id: str, run_id: str) -> Sweep | None:
    """The sweep of a DAG run."""
    row = one(db, "SELECT * FROM sweeps WHERE dag_id = :d AND run_id = :r", d=dag_id, r=run_id)
    return _sweep(row) if row else None


def get(db: Connection, sweep_id: str) -> Sweep:
    """One sweep by its id."""
    row = one(db, "SELECT * FROM sweeps WHERE sweep_id = :s", s=sweep_id)
    if row is None:
        raise LookupError(f"no sweep {sweep_id} in this ledger")
    return _sweep(row)


def move(db: Connection, sweep_id: str, event: str) -> str:
    """Move a sweep along its life cycle; returns the new state."""
    state = one(db, "SELECT state FROM sweeps WHERE sweep_id = :s FOR UPDATE", s=sweep_id).state
    new = after(SWEEP, state, event)
    run(db, "UPDATE sweeps SET state = :new WHERE sweep_id = :s", new=new, s=sweep_id)
    return new


def set_digest(db: Connection, sweep_id: str, digest: str) -> None:
    """Fix what an approval of this sweep approves."""
    run(db, "UPDATE sweeps SET digest = :d WHERE sweep_id = :s", d=digest, s=sweep_id)


def mark_sealed(db: Connection, sweep_id: str) -> None:
    """Note when the sweep was sealed."""
    run(db, "UPDATE sweeps SET sealed_at = now() WHERE sweep_id = :s", s=sweep_id)


def record_reading(
    db: Connection,
    sweep_id: str,
    system: str,
    stage: str,
    state: str,
    *,
    tenant: str = "",
    read: int = 0,
    shown: int = 0,
    population: int | None = None,
    consent_unread: bool = False,
    reason: str = "",
) -> None:
    """Say how reading a system went; a later try replaces an earlier one."""
    run(
        db,
        "INSERT INTO readings (sweep_id, system, stage, state, tenant, read, shown, population, consent_unread,"
        " reason) VALUES (:sweep_id, :system, :stage, :state, :tenant, :read, :shown, :population, :consent_unread,"
        " :reason)"
        " ON CONFLICT (sweep_id, system, stage) DO UPDATE SET state = excluded.state, tenant = excluded.tenant,"
        " read = excluded.read, shown = excluded.shown, population = excluded.population,"
        " consent_unread = excluded.consent_unread, reason = excluded.reason, at = now()",
        sweep_id=sweep_id,
        system=system,
        stage=stage,
        state=state,
        tenant=tenant,
        read=read,
        shown=shown,
        population=population,
        consent_unread=consent_unread,
        reason=reason,
    )


def readings(db: Connection, sweep_id: str) -> Mapping[tuple[str, str], Reading]:
    """All readings of a sweep by (system, stage)."""
    found = rows(
        db,
        "SELECT system, stage, state, tenant, read, consent_unread, reason FROM readings WHERE sweep_id = :s",
        s=sweep_id,
    )
    return {(row.system, row.stage): Reading(**row._mapping) for row in found}


def read_wholly(db: Connection, sweep_id: str, system: str) -> bool:
    """Whether both stages of reading a system came to their end."""
    seen = readings(db, sweep_id)
    return all((r := seen.get((system, stage))) is not None and r.state == "whole" for stage in ("gather", "find"))


def unread_consent_sources(db: Connection, sweep_id: str, systems: Sequence[str]) -> list[str]:
    """Systems that may hold a newer consent which was not read in this sweep."""
    seen = readings(db, sweep_id)
    return [
        system
        for system in systems
        if any(
            (r := seen.get((system, stage))) is None or r.state != "whole" or r.consent_unread
            for stage in ("gather", "find")
        )
    ]


def mode(db: Connection) -> Mode:
    """What the pipeline may do now; a missing switch means dry."""
    row = one(db, "SELECT value FROM switches WHERE name = 'mode'")
    return Mode(row.value) if row else Mode.DRY


def on_embedded_server(db: Connection) -> bool:
    """Whether the ledger is the demo's own PostgreSQL, which nobody backs up."""
    return bool(one(db, "SELECT current_setting('retention.embedded', true) AS embedded").embedded)


def may_act(db: Connection, mode: Mode, system: str) -> bool:
    """Whether a sweep of this mode may act on a system: live is a permission of each system, and dry the rule."""
    if mode is not Mode.LIVE:
        return mode is Mode.REHEARSAL
    row = one(db, "SELECT value FROM switches WHERE name = :name", name=f"live:{system}")
    return row is not None and row.value == "on"


def set_switch(db: Connection, name: str, value: str, changed_by: str) -> None:
    """Turn a switch (`mode`, `stop`, `stop:<system>`, `live:<system>`)."""
    run(
        db,
        "INSERT INTO switches (name, value, changed_by) VALUES (:name, :value, :by)"
        " ON CONFLICT (name) DO UPDATE SET value = excluded.value, changed_by = excluded.changed_by,"
        " changed_at = now()",
        name=name,
        value=value,
        by=changed_by,
    )


def stopped(db: Connection, system: str) -> bool:
    """Whether the kill switch is on for a system. Fails closed: without the global switch everything is stopped."""
    found = {
        r.name: r.value
        for r in rows(db, "SELECT name, value FROM switches WHERE name IN ('stop', :n)", n=f"stop:{system}")
    }
    return found.get("stop") != "off" or found.get(f"stop:{system}", "off") != "off"
