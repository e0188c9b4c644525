"""How many calls does a night take, verb by verb? A whole sweep without Airflow, its connector's calls counted.

The emulator's own call log is read and emptied around each verb of the contract, so that nobody's counting but the
emulator's is believed. That the work was done is seen in the emulator's state, not in the connector's word.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from retention.contract import Check, Connector, Memory, Walked, Warrant
from retention.listings import Part
from retention.vocabulary import (
    Action,
    Criteria,
    Cursor,
    Document,
    Handle,
    Observation,
    Outcome,
    OutcomeStatus,
    Page,
    RecordRef,
    Step,
    Token,
)
from tests.bench.running import Emulator, desk_of, ledger
from tests.sweeping import Night, rehearse

ENDED_WELL = (OutcomeStatus.DONE, OutcomeStatus.ALREADY_DONE)
Rows = Mapping[tuple[str, str], object]
"""Everything stored, by kind and key."""


@dataclass(frozen=True)
class Verb:
    """One verb as it was called: what it cost, and what it was about."""

    name: str
    calls: int
    refs: tuple[RecordRef, ...] = field(repr=False)
    addresses: tuple[str, ...] = field(default=(), repr=False)
    after_approval: bool = False

    def per_kind(self) -> Mapping[str, int]:
        return Counter(ref.kind for ref in self.refs)


class Metered:
    """A connector whose every verb is weighed by the emulator's call log."""

    def __init__(self, inner: Connector, emulator: Emulator) -> None:
        self._inner = inner
        self._emulator = emulator
        self.system, self.tenant, self.supports = inner.system, inner.tenant, inner.supports
        self.catalogued, self.batch_size = inner.catalogued, inner.batch_size
        self.verbs: list[Verb] = []
        self.approved = False
        self.not_done: list[Outcome] = []

    def find(self, criteria: Criteria, after: Cursor | None = None) -> Iterator[Page]:
        self._emulator.forget_calls()
        refs: dict[RecordRef, None] = {}
        for page in self._inner.find(criteria, after):
            refs.update(dict.fromkeys(finding.ref for finding in page.findings))
            yield page
        self._weigh("find", tuple(refs), tuple(one.value for one in criteria.identifiers))

    def changes(self, since: Token | None) -> Iterator[Page]:
        self._emulator.forget_calls()
        refs: dict[RecordRef, None] = {}
        for page in self._inner.changes(since):
            refs.update(dict.fromkeys(finding.ref for finding in page.findings))
            yield page
        self._weigh("changes", tuple(refs))

    def act(self, action: Action, batch: Sequence[Step], warrant: Warrant) -> Sequence[Outcome]:
        self._emulator.forget_calls()
        outcomes = self._inner.act(action, batch, warrant)
        self._weigh(action.value, tuple(step.ref for step in batch))
        self.not_done += [outcome for outcome in outcomes if outcome.status not in ENDED_WELL]
        return outcomes

    def settle(self, handle: Handle) -> Sequence[Outcome]:
        self._emulator.forget_calls()
        outcomes = self._inner.settle(handle)
        self._weigh("settle", handle.refs)
        return outcomes

    def read_back(self, batch: Sequence[Step]) -> Sequence[Observation]:
        self._emulator.forget_calls()
        seen = self._inner.read_back(batch)
        self._weigh("read_back", tuple(step.ref for step in batch))
        return seen

    def export(self, batch: Sequence[RecordRef]) -> Iterator[Document]:
        return self._inner.export(batch)

    def link(self, ref: RecordRef) -> str | None:
        return self._inner.link(ref)

    def checks(self) -> Iterator[Check]:
        return self._inner.checks()

    def _weigh(self, name: str, refs: tuple[RecordRef, ...], addresses: tuple[str, ...] = ()) -> None:
        self.verbs.append(Verb(name, self._emulator.spent(), refs, addresses, self.approved))


class MeteredWalk(Metered):
    """The same of a connector that walks its system."""

    def __init__(self, inner: Walked, emulator: Emulator) -> None:
        super().__init__(inner, emulator)
        self._walked = inner

    def divide(self, memory: Memory, at_most: int) -> Sequence[Part]:
        self._emulator.forget_calls()
        parts = self._walked.divide(memory, at_most)
        self._weigh("divide", ())
        return parts

    def walk(self, part: Part, memory: Memory) -> Iterator[Page]:
        self._emulator.forget_calls()
        refs: dict[RecordRef, None] = {}
        for page in self._walked.walk(part, memory):
            refs.update(dict.fromkeys(finding.ref for finding in page.findings))
            yield page
        self._weigh("walk", tuple(refs))


def metered(connector: Connector, emulator: Emulator) -> Metered:
    """A connector that is weighed, of the same abilities."""
    return MeteredWalk(connector, emulator) if isinstance(connector, Walked) else Metered(connector, emulator)


@dataclass(frozen=True)
class Weighed:
    """A night's verbs, in order."""

    verbs: tuple[Verb, ...]

    def named(self, name: str) -> list[Verb]:
        return [verb for verb in self.verbs if verb.name == name]

    def calls(self, *names: str) -> int:
        return sum(verb.calls for verb in self.verbs if not names or verb.name in names)

    def per_kind(self, *names: str, after_approval: bool | None = None) -> Counter[str]:
        """Records by kind over all these verbs."""
        counts: Counter[str] = Counter()
        for verb in self.verbs:
            if verb.name in names and after_approval in (None, verb.after_approval):
                counts.update(verb.per_kind())
        return counts


def weigh(connector: Connector, emulator: Emulator, stored: Callable[[], Rows]) -> Weighed:
    """Run one night on one system; raises if what it says it did is not what lies in the emulator afterwards."""
    watched = metered(connector, emulator)
    with ledger() as engine:
        desk = desk_of(engine, connector.system)
        rehearse(desk)
        night = Night(desk, [watched])
        before = stored()
        if night.plan() is None or not night.approve():
            raise RuntimeError(f"{connector.system}: nothing to measure: {night.unread or 'no plan was approved'}")
        watched.approved = True
        night.carry_out(connector.system)
        night.verify(connector.system)
        after = stored()
    weighed = Weighed(tuple(watched.verbs))
    _refuse_unless_done(connector.system, weighed, watched.not_done, before, after)
    return weighed


def _refuse_unless_done(system: str, weighed: Weighed, not_done: Sequence[Outcome], before: Rows, after: Rows) -> None:
    erased = {(ref.kind, ref.key) for verb in weighed.named(Action.ERASE.value) for ref in verb.refs}
    excused = {(outcome.ref.kind, outcome.ref.key) for outcome in not_done}
    gone = before.keys() - after.keys()
    kinds = {ref.kind for verb in weighed.verbs for ref in verb.refs}
    gone = {one for one in gone if one[0] in kinds}
    if not gone or gone != erased - excused:
        raise RuntimeError(f"{system}: {len(gone)} records are gone, {len(erased - excused)} were to be erased")
