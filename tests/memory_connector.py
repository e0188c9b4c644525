"""What would a system look like that keeps every promise? A dictionary, a connector on it, and ways to make it fail.

It passes the same contract suite as the real ones, so tests of the core may trust it:

    crm = MemorySystem("crm")
    ref = crm.add(person("ann@example.com", collected_on=date(2020, 1, 1)))
    connector = MemoryConnector(crm, supports={Action.ERASE}, after_effect=crash)
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import replace
from datetime import date, datetime
from urllib.parse import quote

from retention.contract import AccessDenied, Check, Incomplete, Stopped, Unavailable, Unsupported, Warrant
from retention.vocabulary import (
    Action,
    Criteria,
    Cursor,
    Document,
    Evidence,
    Finding,
    Handle,
    Identifier,
    IdentifierKind,
    Observation,
    Outcome,
    OutcomeStatus,
    Page,
    Presence,
    Reason,
    RecordRef,
    Scalar,
    Step,
    Token,
)
from tests.memory_system import MemoryRecord, MemorySystem, changed, mentioning, person

__all__ = ["MemoryConnector", "MemoryRecord", "MemorySystem", "person"]

Hook = Callable[[Step], None]


def do_nothing(_: Step) -> None:
    """The hook of a system in which nothing goes wrong."""


class MemoryConnector:
    """A connector that keeps every promise, over a `MemorySystem`.

    `before_effect` and `after_effect` are called for every step that is really carried out. What they raise comes out
    of `act` as it is: that is how a test kills the worker between intent, effect and outcome.
    """

    def __init__(
        self,
        system: MemorySystem,
        *,
        supports: AbstractSet[Action] = frozenset(Action),
        catalogued: bool = False,
        page_size: int = 2,
        batch_size: int = 100,
        before_effect: Hook = do_nothing,
        after_effect: Hook = do_nothing,
    ) -> None:
        self.system = system.name
        self.tenant = system.tenant
        self.supports = frozenset(supports)
        self.catalogued = catalogued
        self.batch_size: Mapping[Action, int] = dict.fromkeys(sorted(supports), batch_size)
        self.before_effect = before_effect
        self.after_effect = after_effect
        self._stored = system
        self._page_size = page_size

    def checks(self) -> Iterator[Check]:
        yield Check("read the memory")

    def find(self, criteria: Criteria, after: Cursor | None = None) -> Iterator[Page]:
        if self.catalogued:
            raise Unsupported(f"{self.system} is catalogued and is not searched; read its changes")
        start = int(after) if after else 0
        found = [(r.number, f) for r, f in self._findings() if r.number > start and meets(f, criteria)]
        yield from self._pages(found, last=None)

    def changes(self, since: Token | None) -> Iterator[Page]:
        if not self.catalogued:
            raise Unsupported(f"{self.system} is not catalogued; search it")
        start = int(since) if since else 0
        now = Token(str(self._stored.revision).encode())
        found = [(r.number, f) for r, f in self._findings() if r.revision > start]
        removed = [key for key, revision in self._stored.gone.items() if since and revision > start]
        gone = tuple(RecordRef(self.system, kind, key) for kind, key in removed)
        yield from self._pages(found, last=Page(next=now, gone=gone, whole=since is None))

    def act(self, action: Action, batch: Sequence[Step], warrant: Warrant) -> Sequence[Outcome]:
        if action not in self.supports:
            raise Unsupported(f"{self.system} cannot {action}; give the step to a person")
        self._answer()
        job = f"job-{len(self._stored.jobs) + 1}" if self._stored.has_jobs and batch else ""
        if job:
            self._stored.jobs[job] = ()
        previous: tuple[Mapping[str, Scalar], ...] = ()
        if action is Action.RESTRICT:
            previous = tuple(self._before(step) for step in batch)
        elif action is Action.RECTIFY:
            previous = tuple(self._stood_there(step) for step in batch)
        if job or previous:
            warrant.note(Handle(action, job, tuple(step.ref for step in batch), previous))
        outcomes = [self._sent(action, step, Evidence(request_id=job), warrant) for step in batch]
        if job:
            self._stored.jobs[job] = tuple(outcomes)
        return [self._as_answered(outcome) for outcome in outcomes]

    def settle(self, handle: Handle) -> Sequence[Outcome]:
        self._answer()
        told = {outcome.ref.key: outcome for outcome in self._stored.jobs.get(handle.job, ())}
        return [told.get(ref.key) or self._as_seen(handle.action, ref) for ref in handle.refs]

    def read_back(self, batch: Sequence[Step]) -> Sequence[Observation]:
        self._answer()
        return [self._observation(step) for step in batch]

    def export(self, batch: Sequence[RecordRef]) -> Iterator[Document]:
        self._answer()
        for ref in batch:
            if record := self._stored.records.get(ref.key):
                content = json.dumps(record.values, sort_keys=True, ensure_ascii=False).encode()
                yield Document(self._stored.ref(ref.key), "application/json", content)

    def link(self, ref: RecordRef) -> str | None:
        return f"https://{self.system}.example/{quote(ref.kind)}/{quote(ref.key, safe='')}"

    def _answer(self) -> None:
        if self._stored.is_down:
            raise Unavailable(f"{self.system} does not answer; try later")
        if self._stored.denies:
            raise AccessDenied(f"{self.system} refused our credentials; check the connection")

    def _findings(self) -> Iterator[tuple[MemoryRecord, Finding]]:
        self._answer()
        for key, record in sorted(self._stored.records.items(), key=lambda item: item[1].number):
            yield record, Finding(self._stored.ref(key), record.facts(), record.identifiers())

    def _pages(self, found: list[tuple[int, Finding]], last: Page | None) -> Iterator[Page]:
        """Cut into pages. `last` says what a catalogue's last page adds; a search resumes after any but its last."""
        size = self._page_size
        chunks = [found[i : i + size] for i in range(0, len(found), size)] or [[]]
        for number, chunk in enumerate(chunks, start=1):
            if number > 1 and self._stored.breaks_off:
                raise Incomplete(f"{self.system} stopped after page {number - 1}; read it again from the start")
            findings = tuple(finding for _, finding in chunk)
            if number == len(chunks):
                end = last or Page()
                yield replace(end, findings=findings, gaps=self._stored.gaps, read=len(chunk))
            else:
                yield Page(findings, read=len(chunk), next=None if last else Cursor(str(chunk[-1][0])))

    def _sent(self, action: Action, step: Step, evidence: Evidence, warrant: Warrant) -> Outcome:
        """One request per step, as most systems have it."""
        try:
            return self._outcome(action, step, evidence, warrant)
        except Stopped:
            return Outcome(step.ref, OutcomeStatus.FAILED, Reason.NOT_SENT)

    def _outcome(self, action: Action, step: Step, evidence: Evidence, warrant: Warrant) -> Outcome:
        system, key = self._stored, step.ref.key
        if key in system.answers:
            return Outcome(step.ref, *system.answers[key], evidence)
        if system.hides_records:
            return Outcome(step.ref, OutcomeStatus.FAILED, Reason.NO_PERMISSION, evidence)
        if key in system.bin and action is Action.ERASE:
            return self._recoverable(step.ref, evidence)
        record = system.records.get(key)
        if record is None:
            # There is nothing left to erase, clear or restrict; but nothing can be put back or corrected either.
            lost = action in {Action.RELEASE, Action.RECTIFY}
            return Outcome(
                step.ref, OutcomeStatus.REFUSED if lost else OutcomeStatus.ALREADY_DONE, Reason.GONE, evidence
            )
        wanted = None if action is Action.ERASE else changed(record, action, step)
        if wanted == record:
            return Outcome(step.ref, OutcomeStatus.ALREADY_DONE, Reason.SAME, evidence)
        if step.ref.version != str(record.revision) and action is not Action.SUPPRESS:
            return Outcome(step.ref, OutcomeStatus.REFUSED, Reason.CHANGED, evidence)
        previous = self._before(step) if action is Action.RESTRICT else {}
        warrant.check()
        self.before_effect(step)
        if not system.lies:
            self._store(key, wanted)
        self.after_effect(step)
        if action is Action.ERASE and system.bin_until:
            return self._recoverable(step.ref, evidence)
        return Outcome(step.ref, OutcomeStatus.DONE, Reason.OK, evidence, previous=previous)

    def _before(self, step: Step) -> Mapping[str, Scalar]:
        """What RELEASE must put back after this step; nothing where it will restrict nothing."""
        record = self._stored.records.get(step.ref.key)
        return {} if record is None or record.restricted else {"restricted": False}

    def _stood_there(self, step: Step) -> Mapping[str, Scalar]:
        """What the fields that RECTIFY sets hold now."""
        record = self._stored.records.get(step.ref.key)
        return {} if record is None else {name: record.values.get(name) for name in step.values}

    def _store(self, key: str, wanted: MemoryRecord | None) -> None:
        if wanted is not None:
            self._stored.records[key] = wanted
            self._stored.touch(key)
        elif self._stored.bin_until:
            self._stored.bin[key] = self._stored.records.pop(key)
        else:
            self._stored.remove(key)

    def _recoverable(self, ref: RecordRef, evidence: Evidence) -> Outcome:
        return Outcome(ref, OutcomeStatus.ACCEPTED, Reason.RECOVERABLE, evidence, settle_on=self._stored.bin_until)

    def _as_answered(self, outcome: Outcome) -> Outcome:
        """A lost answer tells nothing; what a crash must not lose was noted before."""
        if self._stored.loses_answers and outcome.reason is not Reason.NOT_SENT:
            return Outcome(outcome.ref, OutcomeStatus.UNKNOWN, Reason.NO_ANSWER)
        return outcome

    def _as_seen(self, action: Action, ref: RecordRef) -> Outcome:
        """How a call without a job must have ended, by what is there now; a handle names no fields to look at."""
        (seen,) = self.read_back([Step("settle", ref, action)])
        if seen.presence is Presence.RECOVERABLE:
            return self._recoverable(ref, Evidence())
        is_shown = {
            Action.ERASE: seen.presence is Presence.ABSENT,
            Action.RESTRICT: seen.presence is Presence.RESTRICTED,
            Action.RELEASE: seen.presence is Presence.PRESENT,
            Action.SUPPRESS: seen.opted_out is True,
        }
        if seen.presence is Presence.UNREADABLE or action not in is_shown:
            return Outcome(ref, OutcomeStatus.UNKNOWN, Reason.NOT_PROVEN)
        if is_shown[action]:
            return Outcome(ref, OutcomeStatus.DONE)
        return Outcome(ref, OutcomeStatus.FAILED, Reason.NOT_PROVEN)

    def _observation(self, step: Step) -> Observation:
        system, ref, views = self._stored, step.ref, ("records", "bin", "control")
        nowhere = RecordRef(ref.system, ref.kind, ref.key)
        if system.hides_records:
            return Observation(nowhere, Presence.UNREADABLE, views)
        if ref.key in system.bin:
            return Observation(nowhere, Presence.RECOVERABLE, views, recoverable_until=system.bin_until)
        record = system.records.get(ref.key)
        if record is None:
            return Observation(nowhere, Presence.ABSENT, views)
        return Observation(
            system.ref(ref.key),
            Presence.RESTRICTED if record.restricted else Presence.PRESENT,
            views,
            filled=record.filled(),
            opted_out=record.opted_out,
            mentions=any(map(mentioning(step), record.values.values())) if step.identifiers else None,
            corrected=self._stood_there(step) == step.values if step.action is Action.RECTIFY else None,
        )


def meets(finding: Finding, criteria: Criteria) -> bool:
    """Whether a record meets any part of the criteria."""
    dates = [facts.collected.value if facts.collected else None for facts in finding.facts.classes]
    return (
        any(is_before(value, criteria) for value in dates if value is not None)
        or (criteria.opted_out and finding.facts.opted_out)
        or (criteria.undated and None in dates)
        or bool({exact(i) for i in finding.identifiers} & {exact(i) for i in criteria.identifiers})
    )


def is_before(value: date | datetime, criteria: Criteria) -> bool:
    if isinstance(value, datetime):
        return criteria.collected_before is not None and value < criteria.collected_before
    return criteria.collected_before_day is not None and value < criteria.collected_before_day


def exact(identifier: Identifier) -> tuple[IdentifierKind, str]:
    """How two identifiers are compared: the domain of an address has no case, its local part has."""
    local, at, domain = identifier.value.rpartition("@")
    return identifier.kind, local + at + domain.lower()
