"""How does a sweep end? Entries signed, the signed head copied outside, a report of counts, locators wiped."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from retention import audit, upkeep
from retention.store import audit_log, findings, plans, reports, steps, sweeps
from retention.store.desk import Desk
from retention.store.sweeps import Sweep


@dataclass(frozen=True, slots=True)
class Report:
    """What a sweep came to, by system; counts only."""

    sweep_id: str
    state: str
    systems: dict[str, dict[str, int]]
    not_covered: tuple[str, ...]
    audit_entries: int
    audit_root: str

    def as_json(self) -> dict[str, Any]:
        """For XCom and the summary."""
        return {
            "sweep": self.sweep_id,
            "state": self.state,
            "systems": self.systems,
            "not_covered": list(self.not_covered),
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
        audit_log.append(
            db,
            [
                *(desk.entry(audit.Event.NOT_COVERED, run=sweep.sweep_id, system=system) for system in missing),
                desk.entry(audit.Event.SWEEP_SEALED, run=sweep.sweep_id, plan_digest=current.digest or ""),
            ],
        )
        sweeps.mark_sealed(db, sweep.sweep_id)
        steps.forget_locators(db, sweep.sweep_id)
        findings.wipe_personal_data(db, sweep.sweep_id)
        sealed = audit_log.seal(db, key)
    audit_log.write_outside(outside, sealed)
    with desk.transaction() as db:
        return Report(
            sweep_id=sweep.sweep_id,
            state=sweeps.get(db, sweep.sweep_id).state,
            systems={system: reports.counts(db, sweep.sweep_id, system) for system in desk.policy.systems},
            not_covered=missing,
            audit_entries=sealed.size,
            audit_root=sealed.root,
        )
