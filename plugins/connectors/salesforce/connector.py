"""How does the retention core work on a Salesforce org? The contract's verbs, each by the vendor's set-based calls.

Every effect is preceded by a set-based reading of the rows it is about: a record that changed since it was planned for
is refused, and one that is already as wanted is left alone.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from datetime import date, datetime, timedelta
from types import MappingProxyType
from typing import Self

from simple_salesforce.api import Salesforce

from connectors.salesforce import changes, soql
from connectors.salesforce.bin import BIN_DAYS, RecycleBin
from connectors.salesforce.changes import Change, Writer
from connectors.salesforce.dependents import DependentReader
from connectors.salesforce.describe import FieldViews, value_of
from connectors.salesforce.erase import Eraser
from connectors.salesforce.facts import VERSION, declared, filled
from connectors.salesforce.hard_delete import LARGEST_JOB, HardDelete
from connectors.salesforce.history import FieldHistory
from connectors.salesforce.rest import Rest
from connectors.salesforce.search import LARGEST_PAGE, SMALLEST_PAGE, Search
from connectors.salesforce.session import tenant_of
from connectors.salesforce.sight import QUERY_ALL, Row, Sight, Sights, short
from connectors.salesforce.standard import special
from retention.contract import Check, Unsupported, Warrant
from retention.vocabulary import (
    Action,
    Criteria,
    Cursor,
    Document,
    Evidence,
    Handle,
    Observation,
    Outcome,
    OutcomeStatus,
    Page,
    Presence,
    Reason,
    RecordKind,
    RecordRef,
    Step,
    Token,
)

NOTED = frozenset({Action.RESTRICT, Action.RECTIFY})
"""Actions before which what stands in the fields is noted."""


class SalesforceConnector:
    """One Salesforce org, seen through the rights of one integration user."""

    catalogued = False
    supports = frozenset(Action)
    batch_size: Mapping[Action, int] = MappingProxyType(
        {
            Action.ERASE: LARGEST_JOB,
            Action.REDACT: changes.LARGEST_CALL,
            Action.RESTRICT: changes.LARGEST_CALL,
            Action.RELEASE: changes.LARGEST_CALL,
            Action.SUPPRESS: changes.LARGEST_CALL,
            Action.RECTIFY: changes.LARGEST_CALL,
        }
    )

    def __init__(
        self,
        client: Salesforce,
        system: str,
        tenant: str,
        kinds: Sequence[RecordKind],
        *,
        absent: Collection[str] = (),
        api_reserve: int = 0,
        page_size: int = LARGEST_PAGE,
        pause: Callable[[float], None] = time.sleep,
    ) -> None:
        if not SMALLEST_PAGE <= page_size <= LARGEST_PAGE:
            raise ValueError(f"page_size must be {SMALLEST_PAGE} to {LARGEST_PAGE}, as the service has it")
        self.system = system
        self.tenant = tenant
        self._host = client.sf_instance
        self._kinds = {kind.name: kind for kind in kinds}
        rest = Rest(client, system, pause, api_reserve)
        self._views = FieldViews(rest, system)
        self._sights = Sights(rest, system, self._views)
        self._search = Search(rest, system, tuple(kinds), self._views, page_size, absent, pause)
        self._hard_delete = HardDelete(rest, system, self._sights, pause)
        dependents = DependentReader(rest, system, self._kinds, absent)
        self._eraser = Eraser(dependents, self._hard_delete, RecycleBin(rest), self._sights, pause)
        self._history = FieldHistory(rest)
        self._writer = Writer(rest, pause)

    @classmethod
    def of(
        cls,
        client: Salesforce,
        system: str,
        kinds: Sequence[RecordKind],
        *,
        absent: Collection[str] = (),
        api_reserve: int = 0,
    ) -> Self:
        """A connector to the org this client is logged in to, whichever that is."""
        return cls(client, system, tenant_of(client), kinds, absent=absent, api_reserve=api_reserve)

    def checks(self) -> Iterator[Check]:
        self._views.ask_all(self._kinds)
        for name, kind in self._kinds.items():
            view = self._views.of(name)
            if self._search.none_of(kind):
                yield Check(f"{name}: this org has none")
                continue
            if view.hidden:
                yield Check(f"read {name}", "the integration user needs Read and View All on the object")
                continue
            unseen = sorted(field for field in declared(kind) if not view.sees(field))
            lacking = f"field-level Read on {', '.join(unseen)}" if unseen else ""
            yield Check(f"read the declared fields of {name}", lacking)
            own = set(view.custom_fields()) & set(declared(kind))
            fixed = sorted(field for field in own if not view.can_write(field))
            lacking = f"field-level Edit on {', '.join(fixed)}" if fixed else ""
            yield Check(f"clear the declared custom fields of {name}", lacking, to_act=True)
        yield self._hard_delete.check()

    def find(self, criteria: Criteria, after: Cursor | None = None) -> Iterator[Page]:
        return self._search.pages(criteria, after)

    def changes(self, since: Token | None) -> Iterator[Page]:
        raise Unsupported(f"{self.system} answers searches itself; it has no catalogue to feed")

    def act(self, action: Action, batch: Sequence[Step], warrant: Warrant) -> Sequence[Outcome]:
        if action not in self.supports:
            raise Unsupported(f"{self.system} cannot {action}; hand the step to a person")
        outcomes: dict[int, Outcome] = {}
        for kind, numbers in self._by_kind([step.ref for step in batch]).items():
            steps = [batch[number] for number in numbers]
            if action is Action.ERASE:
                done = self._erase(kind, steps, warrant)
            else:
                done = self._write(action, kind, steps, warrant)
            outcomes.update(zip(numbers, done, strict=True))
        return [
            outcomes.get(number) or Outcome(step.ref, OutcomeStatus.REFUSED, Reason.VALIDATION)
            for number, step in enumerate(batch)
        ]

    def settle(self, handle: Handle) -> Sequence[Outcome]:
        if handle.job:
            settled = self._hard_delete.settle(handle.job, handle.refs)
            if settled is not None:
                return settled
        seen = self.read_back([Step("", ref, handle.action) for ref in handle.refs])
        return [_settled(handle.action, ref, one) for ref, one in zip(handle.refs, seen, strict=True)]

    def read_back(self, batch: Sequence[Step]) -> Sequence[Observation]:
        seen: dict[int, Observation] = {}
        for kind, numbers in self._by_kind([step.ref for step in batch]).items():
            keys = [batch[number].ref.key for number in numbers]
            named = [name for number in numbers for name in batch[number].values]
            sights = self._sights.strict(kind.name, keys, [VERSION, *dict.fromkeys([*declared(kind), *named])])
            for number in numbers:
                seen[number] = self._observed(kind, batch[number], sights[short(batch[number].ref.key)])
        return [
            seen.get(number) or Observation(_at(step.ref, ""), Presence.UNREADABLE, (QUERY_ALL,))
            for number, step in enumerate(batch)
        ]

    def export(self, batch: Sequence[RecordRef]) -> Iterator[Document]:
        rows: dict[int, Row] = {}
        for kind, numbers in self._by_kind(batch).items():
            live = self._sights.live(kind.name, [batch[n].key for n in numbers], [VERSION, *_own(kind)])
            rows.update({n: live[short(batch[n].key)] for n in numbers if short(batch[n].key) in live})
        self._views.ask_all(sorted({batch[number].kind for number in rows}))
        for number, row in sorted(rows.items()):
            ref = batch[number]
            view = self._views.of(ref.kind)
            held = {view.label(name): row.get(name) for name in _own(self._kinds[ref.kind])}
            text = json.dumps({"object": ref.kind, "fields": held}, ensure_ascii=False, indent=2)
            yield Document(_at(ref, str(row[VERSION])), "application/json", text.encode())

    def link(self, ref: RecordRef) -> str | None:
        if ref.kind not in self._kinds or not soql.is_record_id(ref.key):
            return None
        return f"https://{self._host}/lightning/r/{ref.kind}/{ref.key}/view"

    def _by_kind(self, refs: Sequence[RecordRef]) -> dict[RecordKind, list[int]]:
        """Positions of the refs that can be asked for, by kind. One malformed id would spoil a call for all others."""
        positions: dict[RecordKind, list[int]] = {}
        for number, ref in enumerate(refs):
            if ref.kind in self._kinds and soql.is_record_id(ref.key):
                positions.setdefault(self._kinds[ref.kind], []).append(number)
        return positions

    def _erase(self, kind: RecordKind, steps: Sequence[Step], warrant: Warrant) -> list[Outcome]:
        rows, missing = self._rows(kind, steps, ())
        outcomes: dict[int, Outcome] = {}
        for number, step in enumerate(steps):
            row, sight = rows.get(short(step.ref.key)), missing.get(short(step.ref.key))
            if sight is not None and sight.presence is Presence.RECOVERABLE:
                continue  # somebody's soft delete: the row lies in the bin and is erased from there
            if (outcome := _not_to_be_touched(step, row, sight)) is not None:
                outcomes[number] = outcome
        due = [number for number in range(len(steps)) if number not in outcomes]
        if due:
            erased = self._eraser.run(kind.name, [steps[number].ref for number in due], warrant)
            outcomes.update(zip(due, erased, strict=True))
        return [outcomes[number] for number in range(len(steps))]

    def _write(self, action: Action, kind: RecordKind, steps: Sequence[Step], warrant: Warrant) -> list[Outcome]:
        if action is Action.RECTIFY and not self._views.of(kind.name).asked:
            self._views.ask(kind.name)  # a field's type and length say what it can hold
        rows, missing = self._rows(kind, steps, changes.fields_read(action, kind, steps))
        outcomes: dict[int, Outcome] = {}
        due: dict[int, Change] = {}
        for number, step in enumerate(steps):
            row = rows.get(short(step.ref.key))
            values = changes.wanted(action, kind, self._views.of(kind.name), step, row) if row is not None else {}
            if isinstance(values, Reason):
                outcomes[number] = Outcome(step.ref, OutcomeStatus.REFUSED, values)
            elif row is not None and not values:
                outcomes[number] = Outcome(step.ref, OutcomeStatus.ALREADY_DONE, Reason.SAME)
            elif row is not None and action is Action.SUPPRESS:
                # An opt-out stops marketing whatever else changed in the record meanwhile.
                due[number] = Change(step.ref, values, {})
            elif (outcome := _not_to_be_touched(step, row, missing.get(short(step.ref.key)))) is not None:
                outcomes[number] = outcome
            elif row is not None:
                kept = set(values) - set(step.fields) if action in NOTED else set()
                before = {name: row.get(name) for name in values if name in kept}
                due[number] = Change(step.ref, values, before)
        if due:
            noted = tuple(change.previous for change in due.values()) if action in NOTED else ()
            warrant.note(Handle(action, "", tuple(change.ref for change in due.values()), noted))
            outcomes.update(zip(due, self._writer.write(kind.name, list(due.values()), warrant), strict=True))
        if action is Action.REDACT:
            outcomes.update(
                self._emptied_again(kind, steps, rows, {number: outcomes[number] for number in due}, warrant)
            )
            outcomes.update(self._forgotten(kind, steps, {number: outcomes[number] for number in due}, warrant))
        return [outcomes[number] for number in range(len(steps))]

    def _forgotten(
        self, kind: RecordKind, steps: Sequence[Step], outcomes: Mapping[int, Outcome], warrant: Warrant
    ) -> dict[int, Outcome]:
        """Emptied rows of which old values stay in the field history: refused, for a person with the right to it."""
        emptied = {
            steps[number].ref.key: steps[number].fields
            for number, outcome in outcomes.items()
            if outcome.status is OutcomeStatus.DONE
        }
        stayed = self._history.forget(kind.name, emptied, warrant)
        return {
            number: Outcome(outcome.ref, OutcomeStatus.REFUSED, Reason.NO_PERMISSION, outcome.evidence)
            for number, outcome in outcomes.items()
            if short(outcome.ref.key) in stayed
        }

    def _emptied_again(
        self,
        kind: RecordKind,
        steps: Sequence[Step],
        rows: Mapping[str, Row],
        outcomes: Mapping[int, Outcome],
        warrant: Warrant,
    ) -> dict[int, Outcome]:
        """Rows refused for an empty field that this org requires: once more, by what its describe says."""
        refused = [number for number, outcome in outcomes.items() if outcome.reason is Reason.VALIDATION]
        if not refused or self._views.of(kind.name).asked:
            return {}
        view = self._views.ask(kind.name)
        again: dict[int, Change] = {}
        for number in refused:
            values = changes.wanted(Action.REDACT, kind, view, steps[number], rows[short(steps[number].ref.key)])
            if not isinstance(values, Reason):
                again[number] = Change(steps[number].ref, values, {})
        return dict(zip(again, self._writer.write(kind.name, list(again.values()), warrant), strict=True))

    def _rows(
        self, kind: RecordKind, steps: Sequence[Step], fields: Sequence[str]
    ) -> tuple[dict[str, Row], dict[str, Sight]]:
        """The live rows, and what the strict view shows of the steps that have none."""
        keys = [step.ref.key for step in steps]
        if special(kind.name).archived:
            # Only the strict view is sure to show rows that were archived.
            seen = self._sights.strict(kind.name, keys, [VERSION, *fields])
            there = {key: one.row for key, one in seen.items() if one.presence is Presence.PRESENT}
            return there, {key: one for key, one in seen.items() if key not in there}
        rows = self._sights.live(kind.name, keys, [VERSION, *fields])
        absent = [key for key in keys if short(key) not in rows]
        return rows, self._sights.strict(kind.name, absent, [VERSION]) if absent else {}

    def _observed(self, kind: RecordKind, step: Step, sight: Sight) -> Observation:
        ref, row = step.ref, sight.row
        if not row:
            return Observation(_at(ref, ""), sight.presence, (QUERY_ALL,))
        restricted = sight.presence is Presence.PRESENT and bool(row.get(kind.restricted))
        binned = sight.presence is Presence.RECOVERABLE
        readable = kind.opt_out and self._views.of(kind.name).sees(kind.opt_out)
        return Observation(
            ref=_at(ref, str(row[VERSION])),
            presence=Presence.RESTRICTED if restricted else sight.presence,
            views=(QUERY_ALL,),
            filled=filled(kind, row),
            opted_out=bool(value_of(row, kind.opt_out)) if readable else None,
            recoverable_until=_recoverable_until(str(row[VERSION])) if binned else None,
            corrected=changes.holds(row, step.values) if step.action is Action.RECTIFY else None,
        )


def _recoverable_until(deleted_at: str) -> date | None:
    """A row in the bin was last written when it was deleted."""
    try:
        return datetime.fromisoformat(deleted_at).date() + timedelta(days=BIN_DAYS + 1)
    except ValueError:
        return None


def _own(kind: RecordKind) -> list[str]:
    """The declared fields that stand in the record itself, not in a parent."""
    return [name for name in declared(kind) if "." not in name]


def _at(ref: RecordRef, version: str) -> RecordRef:
    return RecordRef(ref.system, ref.kind, ref.key, version)


def _not_to_be_touched(step: Step, row: Row | None, sight: Sight | None) -> Outcome | None:
    """Why a record is left alone: gone, not to be read, or not the one that was planned for. None: go ahead."""
    if row is not None:
        changed = bool(step.ref.version) and step.ref.version != row[VERSION]
        return Outcome(step.ref, OutcomeStatus.REFUSED, Reason.CHANGED) if changed else None
    match sight.presence if sight else Presence.UNREADABLE:
        case Presence.ABSENT:
            return Outcome(step.ref, OutcomeStatus.ALREADY_DONE, Reason.GONE)
        case Presence.RECOVERABLE:
            return Outcome(step.ref, OutcomeStatus.REFUSED, Reason.CHANGED)
        case Presence.PRESENT:
            return Outcome(step.ref, OutcomeStatus.REFUSED, Reason.NO_PERMISSION)
        case _:
            return Outcome(step.ref, OutcomeStatus.FAILED, Reason.NOT_PROVEN)


def _settled(action: Action, ref: RecordRef, seen: Observation) -> Outcome:
    """What a record's present state says about a call whose answer was lost."""
    if seen.presence is Presence.UNREADABLE:
        return Outcome(ref, OutcomeStatus.UNKNOWN, Reason.NOT_PROVEN)
    if seen.presence is Presence.ABSENT:
        return Outcome(ref, OutcomeStatus.DONE if action is Action.ERASE else OutcomeStatus.ALREADY_DONE, Reason.GONE)
    match action:
        case Action.RESTRICT:
            reached: bool | None = seen.presence is Presence.RESTRICTED
        case Action.RELEASE:
            reached = seen.presence is Presence.PRESENT
        case Action.SUPPRESS:
            reached = seen.opted_out
        case Action.ERASE:
            reached = False
        case _:
            reached = None  # which fields were to be cleared stands in the step, not in the handle
    if reached is None:
        return Outcome(ref, OutcomeStatus.UNKNOWN, Reason.NOT_PROVEN)
    if reached:
        return Outcome(ref, OutcomeStatus.DONE, Reason.OK, Evidence())
    return Outcome(ref, OutcomeStatus.FAILED, Reason.NOT_SENT)
