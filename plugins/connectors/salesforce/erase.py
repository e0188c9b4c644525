"""In which order does a record leave without an orphan, and how? Files, messages, the record, its Individual.

The right to hard-delete is one that even administrators lack at first: without it rows take the long way through the
Recycle Bin. A row that somebody else's transaction held locked is tried again; what hangs on a record and will not go
keeps the record, so that the next night finds it by way of it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from connectors.salesforce.bin import RecycleBin
from connectors.salesforce.dependents import INDIVIDUALS, DependentReader, Dependents
from connectors.salesforce.hard_delete import HardDelete
from connectors.salesforce.sight import Sights, short
from connectors.salesforce.standard import PEOPLE
from retention.contract import Warrant
from retention.vocabulary import Outcome, OutcomeStatus, Presence, Reason, RecordRef

LOCK_WAITS = (2.0, 10.0)
"""Seconds before rows that were locked are tried again; the service gives such a lock up within ten."""
ENDED_WELL = (OutcomeStatus.DONE, OutcomeStatus.ALREADY_DONE)


class Eraser:
    """Erases records of one object with what hangs on them."""

    def __init__(
        self,
        dependents: DependentReader,
        hard_delete: HardDelete,
        recycle_bin: RecycleBin,
        sights: Sights,
        pause: Callable[[float], None],
    ) -> None:
        self._dependents = dependents
        self._hard_delete = hard_delete
        self._bin = recycle_bin
        self._sights = sights
        self._pause = pause

    def run(self, kind: str, refs: Sequence[RecordRef], warrant: Warrant) -> list[Outcome]:
        """An outcome per ref, in order."""
        hanging = self._dependents.of(kind, [ref.key for ref in refs])
        outcomes: dict[int, Outcome] = {}
        for number, ref in enumerate(refs):
            if short(ref.key) in hanging.shared:
                outcomes[number] = Outcome(ref, OutcomeStatus.REFUSED, Reason.BLOCKED_BY_CHILD)
        free = [ref for number, ref in enumerate(refs) if number not in outcomes]
        held = self._remove_first(hanging, free, warrant)
        for number, ref in enumerate(refs):
            why = held.get(short(ref.key))
            if number not in outcomes and why is not None and why.status is not OutcomeStatus.ACCEPTED:
                outcomes[number] = _as(why, ref)
        due = [number for number in range(len(refs)) if number not in outcomes]
        if due:
            own = [refs[number] for number in due]
            outcomes.update(zip(due, self._removed(kind, own, warrant, own), strict=True))
        for number in due:  # what hung on it lies in the bin, and goes from there by itself
            if outcomes[number].status in ENDED_WELL and (why := held.get(short(refs[number].key))) is not None:
                outcomes[number] = _as(why, refs[number])
        if kind in PEOPLE:
            self._remove_individuals(hanging, refs, outcomes, warrant)
        return [outcomes[number] for number in range(len(refs))]

    def _remove_first(self, hanging: Dependents, free: Sequence[RecordRef], warrant: Warrant) -> dict[str, Outcome]:
        """Erase files, messages and rows merged into records; what kept one of them, by owner."""
        by_key = {short(ref.key): ref for ref in free}
        held: dict[str, Outcome] = {}
        for name, owned in hanging.before.items():
            going = {key: owners for key, owners in owned.items() if owners <= by_key.keys()}
            if not going:
                continue
            refs = [RecordRef(free[0].system, name, key) for key in going]
            owners_noted = [by_key[one] for one in dict.fromkeys(one for owners in going.values() for one in owners)]
            for outcome in self._removed(name, refs, warrant, owners_noted):
                if outcome.status not in ENDED_WELL:
                    held.update(dict.fromkeys(going[outcome.ref.key], outcome))
        return held

    def _remove_individuals(
        self, hanging: Dependents, refs: Sequence[RecordRef], outcomes: dict[int, Outcome], warrant: Warrant
    ) -> None:
        """Erase the Individuals of people who went. One that stays is told in the outcome of its person."""
        gone = {
            hanging.individuals[short(ref.key)]: number
            for number, ref in enumerate(refs)
            if short(ref.key) in hanging.individuals and outcomes[number].status in ENDED_WELL
        }
        if not gone:
            return
        people = [RecordRef(refs[0].system, INDIVIDUALS, key) for key in gone]
        for outcome in self._removed(INDIVIDUALS, people, warrant, [refs[number] for number in gone.values()]):
            if outcome.status not in ENDED_WELL:
                number = gone[outcome.ref.key]
                outcomes[number] = _as(outcome, refs[number])

    def _removed(
        self, name: str, refs: Sequence[RecordRef], warrant: Warrant, noted: Sequence[RecordRef]
    ) -> list[Outcome]:
        """Remove rows for good; those that were locked again, by themselves."""
        outcomes = self._once(name, refs, warrant, noted)
        for wait in LOCK_WAITS:
            locked = [number for number, outcome in enumerate(outcomes) if _is_locked(outcome)]
            if not locked:
                break
            self._pause(wait)
            locked.sort(key=lambda number: refs[number].key)
            again = self._once(name, [refs[number] for number in locked], warrant, noted)
            for number, outcome in zip(locked, again, strict=True):
                outcomes[number] = outcome
        return outcomes

    def _once(
        self, name: str, refs: Sequence[RecordRef], warrant: Warrant, noted: Sequence[RecordRef]
    ) -> list[Outcome]:
        outcomes = self._hard_delete.run(name, refs, warrant, noted)
        if outcomes is not None:
            return outcomes
        outcomes = self._bin.erase(refs, warrant)
        return self._looked_at(name, refs, outcomes)

    def _looked_at(self, name: str, refs: Sequence[RecordRef], outcomes: list[Outcome]) -> list[Outcome]:
        """What the bin did not hold any more may be gone, and not recoverable at all."""
        unsure = [number for number, outcome in enumerate(outcomes) if outcome.reason is Reason.RECOVERABLE]
        if not unsure:
            return outcomes
        seen: Mapping[str, object] = {
            key: sight.presence for key, sight in self._sights.strict(name, [refs[n].key for n in unsure], []).items()
        }
        for number in unsure:
            if seen[short(refs[number].key)] is Presence.ABSENT:
                outcomes[number] = Outcome(refs[number], OutcomeStatus.ALREADY_DONE, Reason.GONE)
        return outcomes


def _as(outcome: Outcome, ref: RecordRef) -> Outcome:
    """What became of something that hangs on a record, told of the record."""
    return Outcome(ref, outcome.status, outcome.reason, outcome.evidence, outcome.settle_on)


def _is_locked(outcome: Outcome) -> bool:
    return outcome.status is OutcomeStatus.FAILED and outcome.reason is Reason.LOCKED
