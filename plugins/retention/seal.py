"""How does a sweep end? Entries signed, the signed head copied outside, a report of counts, locators wiped."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from retention import audit, upkeep
from retention.store import (
    audit_log,
    findings,
    guards,
    incidents,
    parts,
    plans,
    reports,
    steps,
    suppression,
    suppression_count,
    sweeps,
)
from retention.store.database import Connection
from retention.store.desk import Desk
from retention.store.sweeps import Sweep


@dataclass(frozen=True, slots=True)
class Report:
    """What a sweep came to, by system; counts only."""

    sweep_id: str
    state: str
    systems: dict[str, dict[str, int]]
    not_covered: tuple[str, ...]
    stopped_by: dict[str, list[str]]  # per system, each limit that was broken, in words
    audit_entries: int
    audit_root: str
    incidents: Mapping[str, int]  # raised by this sweep, by kind

    def as_json(self) -> dict[str, Any]:
        """For XCom and the summary."""
        return {
            "sweep": self.sweep_id,
            "state": self.state,
            "systems": self.systems,
            "not_covered": list(self.not_covered),
            "stopped_by": self.stopped_by,
            "incidents": dict(self.incidents),
            "review_waiting": sum(counts["review_waiting"] for counts in self.systems.values()),
            "review_oldest_days": max((counts["review_oldest_days"] for counts in self.systems.values()), default=0),
            "audit": {"entries": self.audit_entries, "root": self.audit_root},
        }


def seal(desk: Desk, sweep: Sweep, key: audit.SigningKey, outside: Path) -> Report:
    """Seal a sweep, whole or not; safe to repeat. Systems that were not read are named as not covered.

    First the ledger forgets what is past its period, so that the signature covers that too.
    """
    upkeep.tidy(desk)
    with desk.transaction() as db:
        current = sweeps.get(db, sweep.sweep_id)
        looked_at = {p.system for p in plans.of_sweep(db, sweep.sweep_id) if p.state != "proposed"}
        missing = tuple(
            s for s in desk.policy.systems if s not in looked_at or not sweeps.read_wholly(db, sweep.sweep_id, s)
        )
        if current.state == "open":
            sweeps.move(db, sweep.sweep_id, "abandoned")
        elif current.state == "guarded" and current.mode is sweeps.Mode.DRY:
            sweeps.move(db, sweep.sweep_id, "dry")
        elif current.state in ("approved", "superseded", "rejected", "sealed"):
            sweeps.move(db, sweep.sweep_id, "sealed")
        _count_suppressions(db, desk, sweep)
        audit_log.append(
            db,
            [
                *(desk.entry(audit.Event.NOT_COVERED, run=sweep.sweep_id, system=system) for system in missing),
                desk.entry(audit.Event.SWEEP_SEALED, run=sweep.sweep_id, plan_digest=current.digest or ""),
            ],
        )
        sweeps.mark_sealed(db, sweep.sweep_id)
        steps.forget_locators(db, sweep.sweep_id)
        parts.forget(db, sweep.sweep_id)
        findings.wipe_personal_data(db, sweep.sweep_id)
        suppression.forget_listed(db, sweep.sweep_id)
        sealed = audit_log.seal(db, key)
    audit_log.write_outside(outside, sealed)
    with desk.transaction() as db:
        counted = {system: reports.counts(db, sweep.sweep_id, system) for system in desk.policy.systems}
        reports.keep(db, sweep.sweep_id, counted)
        return Report(
            sweep_id=sweep.sweep_id,
            state=sweeps.get(db, sweep.sweep_id).state,
            systems=counted,
            not_covered=missing,
            stopped_by={
                system: [str(breach) for breach in broken]
                for system, broken in guards.broken_in(db, sweep.sweep_id).items()
            },
            audit_entries=sealed.size,
            audit_root=sealed.root,
            incidents=incidents.raised_in(db, sweep.sweep_id),
        )


def _count_suppressions(db: Connection, desk: Desk, sweep: Sweep) -> None:
    """Hold the suppression list against the last count, then count it anew: it shrinks only by newer consent."""
    if lost := suppression_count.lost_without_evidence(db):
        shrank = [(incidents.Kind.SUPPRESSION_SHRANK, None)]
        if incidents.report(db, sweep.sweep_id, "", shrank, n=lost):
            audit_log.append(db, [desk.entry(audit.Event.INCIDENT, run=sweep.sweep_id, count=lost)])
    counted = suppression_count.take(db, sweep.sweep_id)
    reference = f"suppression-{counted.digest}"
    audit_log.append(
        db,
        [desk.entry(audit.Event.SUPPRESSION_COUNTED, run=sweep.sweep_id, reference=reference, count=counted.entries)],
    )
