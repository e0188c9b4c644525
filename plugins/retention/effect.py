"""What would change if this policy were in force? The estate, decided under both policies."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from datetime import date
from typing import Any

from retention.judge import Bench, decided, judge
from retention.knowledge import Known
from retention.policy import Policy
from retention.policy.systems import differing
from retention.store import estate, sweeps
from retention.store.database import Connection

Counts = Counter[tuple[str, str, str]]
"""Records by system, rule and verdict."""

WHOLE = ""
"""Stands where a rule would: the verdict on records as a whole, over all their classes."""


@dataclass(frozen=True, slots=True)
class Line:
    """How many records of a system get a verdict by one rule (""; as a whole), before and after."""

    system: str
    rule: str
    verdict: str
    before: int
    after: int

    @property
    def difference(self) -> int:
        """More, or fewer."""
        return self.after - self.before


@dataclass(frozen=True, slots=True)
class Effect:
    """What a policy affects. `unread` systems were never read; `anew` must be read again before this says all."""

    before: str
    after: str
    seen_in: Mapping[str, str]
    lines: tuple[Line, ...]
    unread: tuple[str, ...]
    anew: tuple[str, ...]

    def as_json(self) -> dict[str, Any]:
        """Counts and ids only."""
        return {
            "policy_before": self.before,
            "policy_after": self.after,
            "sweeps": dict(self.seen_in),
            "counts": [asdict(line) | {"difference": line.difference} for line in self.lines],
            "never_read": list(self.unread),
            "to_be_read_anew": list(self.anew),
        }


def effect(db: Connection, present: Policy, candidate: Policy, today: date) -> Effect:
    """Decide every known record of every system under both policies.

    Known is what the newest sweep met and what the catalogue holds: a record within its present period, in a system
    that is searched, is known only after a sweep under a policy that asks for it (`anew` names these systems).
    """
    before, after = Counts(), Counts()
    readings = estate.newest_readings(db)
    for system in candidate.systems:
        if system not in readings:
            continue
        sweep_id = readings[system].sweep_id
        unread = bool(sweeps.unread_consent_sources(db, sweep_id, list(candidate.systems)))
        benches = [
            (counts, policy, Bench(policy.schedule, policy.systems[system], today, unread))
            for counts, policy in ((before, present), (after, candidate))
            if system in policy.systems
        ]
        for known in estate.everything(db, sweep_id, system):
            for counts, policy, bench in benches:
                counts.update(_counted(system, known, bench, policy))
    lines = (Line(*key, before[key], after[key]) for key in sorted(before.keys() | after.keys()))
    shorter = candidate.schedule.retention_years < present.schedule.retention_years
    return Effect(
        before=present.digest,
        after=candidate.digest,
        seen_in={system: readings[system].sweep_id for system in candidate.systems if system in readings},
        lines=tuple(lines),
        unread=tuple(system for system in candidate.systems if system not in readings),
        anew=tuple(candidate.systems) if shorter else tuple(differing(present.systems, candidate.systems)),
    )


def _counted(system: str, known: Known, bench: Bench, policy: Policy) -> Iterable[tuple[str, str, str]]:
    """One record counts once for each rule and verdict that any of its classes meets, and once as a whole."""
    found = {
        (system, policy.schedule.rule_for(d.facts.data_class), d.decision.disposition.value.lower())
        for d in decided(known, bench)
    }
    return {*found, (system, WHOLE, judge(known, bench).name)}
