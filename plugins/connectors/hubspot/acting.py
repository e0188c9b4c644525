"""How is one action done to the contacts of a batch, and what became of each? One outcome per step, in order.

Every action but SUPPRESS reads the contacts first, 100 a call: what changed since it was planned is left alone, what is
gone is said to be, and only an id that was just read is ever purged.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from connectors.hubspot.answers import LOCKED, NOT_FOUND, Answer, listed
from connectors.hubspot.client import HubSpotClient
from connectors.hubspot.facts import Row, addresses_of, declared, is_filled, is_true, properties_of, version_of
from connectors.hubspot.filters import may_be_address
from connectors.hubspot.patience import NoAnswer
from connectors.hubspot.records import Records, Sight, is_id, is_merged, restorable_until
from retention.contract import AccessDenied, ConnectorError, Stopped, Warrant
from retention.vocabulary import (
    Action,
    Handle,
    IdentifierKind,
    Outcome,
    OutcomeStatus,
    Reason,
    RecordKind,
    Scalar,
    Step,
)

MOST_SILENT = 2
"""After this many unanswered calls in a row the rest of a batch is not sent."""

MOST_REJECTED = 3
"""After this many contacts in a row were rejected by themselves the cause is no single contact: the rest, rejected
together with them, is not tried one by one."""

YES = "true"
DONE, ALREADY, REFUSED = OutcomeStatus.DONE, OutcomeStatus.ALREADY_DONE, OutcomeStatus.REFUSED
FAILED, UNKNOWN = OutcomeStatus.FAILED, OutcomeStatus.UNKNOWN
# Of several addresses of one step the one that went worst speaks for it.
WORST_FIRST = (UNKNOWN, FAILED, REFUSED, DONE, ALREADY)

Values = dict[str, str]


class Acting:
    """Carries out the actions of one connector."""

    def __init__(self, client: HubSpotClient, records: Records, kinds: Mapping[str, RecordKind]) -> None:
        self._client = client
        self._records = records
        self._kinds = kinds

    def act(self, action: Action, batch: Sequence[Step], warrant: Warrant) -> list[Outcome]:
        outcomes: dict[int, Outcome] = {}
        if action is Action.SUPPRESS:
            self._suppress(batch, warrant, outcomes)
        else:
            wanted = [*(name for kind in self._kinds.values() for name in declared(kind)), *_named(batch)]
            sight = self._records.look((step.ref.key for step in batch), tuple(dict.fromkeys(wanted)))
            todo: list[int] = []
            for number, step in enumerate(batch):
                judged = self._judged(action, step, sight)
                if judged is None:
                    todo.append(number)
                else:
                    outcomes[number] = judged
            if action is Action.ERASE:
                self._purge(batch, todo, warrant, outcomes)
            else:
                self._update(action, batch, todo, sight, warrant, outcomes)
        return [outcomes[number] for number in range(len(batch))]

    def _judged(self, action: Action, step: Step, sight: Sight) -> Outcome | None:
        """The outcome of a step for which nothing needs to be sent; None: go on."""
        key = step.ref.key
        if not is_id(key):
            return Outcome(step.ref, REFUSED, Reason.VALIDATION)
        if key in sight.unreadable:
            return Outcome(step.ref, FAILED, Reason.NOT_PROVEN)
        if key in sight.live:
            row = sight.live[key]
            if is_merged(key, row) or version_of(row) != step.ref.version:
                return Outcome(step.ref, REFUSED, Reason.CHANGED)
            return Outcome(step.ref, ALREADY, Reason.SAME) if self._is_as_wanted(action, step, row) else None
        if key in sight.archived:
            # Archived by somebody else: still all there. It can be purged, but not be edited.
            return None if action is Action.ERASE else Outcome(step.ref, REFUSED, Reason.RECOVERABLE)
        return Outcome(step.ref, REFUSED if action is Action.RELEASE else ALREADY, Reason.GONE)

    def _is_as_wanted(self, action: Action, step: Step, row: Row) -> bool:
        properties = properties_of(row)
        match action:
            case Action.REDACT:
                return not any(is_filled(properties.get(name)) for name in step.fields)
            case Action.RESTRICT:
                minimised = not any(is_filled(properties.get(name)) for name in step.fields)
                return minimised and is_true(properties.get(self._kinds[step.ref.kind].restricted))
            case Action.RELEASE:
                return all(_text(properties.get(name)) == _text(value) for name, value in step.values.items())
            case _:
                return False

    def _purge(
        self, batch: Sequence[Step], todo: Sequence[int], warrant: Warrant, outcomes: dict[int, Outcome]
    ) -> None:
        """One call per contact, there being no batch form. The record goes at once, what hung on it within 30 days."""
        for number, answer in self._each(
            batch, todo, outcomes, lambda n: self._client.purge(batch[n].ref.key, warrant)
        ):
            step = batch[number]
            if answer.status in (200, 202, 204):
                outcomes[number] = Outcome(step.ref, DONE, Reason.OK, answer.evidence())
            elif answer.status == NOT_FOUND:
                outcomes[number] = self._purged_before(step, answer)
            else:
                outcomes[number] = _rejected(step, answer)

    def _purged_before(self, step: Step, answer: Answer) -> Outcome:
        """ "Not found" to a purge says nothing of the contact by itself: read again."""
        try:
            sight = self._records.look([step.ref.key], ())
        except ConnectorError:
            return Outcome(step.ref, UNKNOWN, Reason.NOT_PROVEN, answer.evidence())
        if step.ref.key in sight.archived:
            until = restorable_until(sight.archived[step.ref.key])
            return Outcome(step.ref, OutcomeStatus.ACCEPTED, Reason.RECOVERABLE, answer.evidence(), settle_on=until)
        if step.ref.key in sight.live or step.ref.key in sight.unreadable:
            return Outcome(step.ref, FAILED, Reason.NOT_PROVEN, answer.evidence())
        return Outcome(step.ref, ALREADY, Reason.GONE, answer.evidence())

    def _suppress(self, batch: Sequence[Step], warrant: Warrant, outcomes: dict[int, Outcome]) -> None:
        """Opt out every address of the step, or of the contact where the step names none; with or without a contact.

        The opt-out of all e-mail for many addresses at once is sold with the largest edition only.
        """
        addresses = self._addresses(batch, outcomes)
        todo = [(number, address) for number, some in addresses.items() for address in some]
        steps = [batch[number] for number, _ in todo]
        ends: dict[int, Outcome] = {}
        for position, answer in self._each(
            steps, range(len(todo)), ends, lambda position: self._client.unsubscribe(todo[position][1], warrant)
        ):
            ends[position] = _unsubscribed(steps[position], answer)
        for number in addresses:
            mine = [ends[position] for position, (of, _) in enumerate(todo) if of == number]
            outcomes[number] = min(mine, key=lambda outcome: WORST_FIRST.index(outcome.status))

    def _addresses(self, batch: Sequence[Step], outcomes: dict[int, Outcome]) -> dict[int, list[str]]:
        """Addresses to opt out per step; steps without any get their outcome."""
        given = {
            number: [i.value for i in step.identifiers if i.kind is IdentifierKind.EMAIL]
            for number, step in enumerate(batch)
        }
        unnamed = [number for number, values in given.items() if not values]
        if unnamed:
            names = [name for kind in self._kinds.values() for name, _ in kind.identifiers]
            sight = self._records.look((batch[number].ref.key for number in unnamed), names)
            for number in unnamed:
                ref = batch[number].ref
                if ref.key in sight.live:
                    given[number] = list(addresses_of(self._kinds[ref.kind], properties_of(sight.live[ref.key])))
                elif ref.key in sight.unreadable or not is_id(ref.key):
                    outcomes[number] = Outcome(ref, FAILED, Reason.NOT_PROVEN)
                elif ref.key in sight.archived:
                    outcomes[number] = Outcome(ref, REFUSED, Reason.RECOVERABLE)
                else:
                    outcomes[number] = Outcome(ref, ALREADY, Reason.GONE)
        usable: dict[int, list[str]] = {}
        for number, values in given.items():
            if number in outcomes:
                continue
            if fitting := [value for value in dict.fromkeys(values) if may_be_address(value)]:
                usable[number] = fitting
            else:
                outcomes[number] = Outcome(batch[number].ref, REFUSED, Reason.SUBJECT_NOT_FOUND)
        return usable

    def _update(
        self,
        action: Action,
        batch: Sequence[Step],
        todo: Sequence[int],
        sight: Sight,
        warrant: Warrant,
        outcomes: dict[int, Outcome],
    ) -> None:
        """Set properties of many contacts in one call; what the service rejects is sent again in halves."""
        if not todo:
            return
        values = {number: self._values(action, batch[number]) for number in todo}
        previous: dict[int, Mapping[str, Scalar]] = {}
        if action is Action.RESTRICT:
            for number in todo:
                name = self._kinds[batch[number].ref.kind].restricted
                previous[number] = {name: _text(properties_of(sight.live[batch[number].ref.key]).get(name))}
            warrant.note(Handle(action, "", tuple(batch[n].ref for n in todo), tuple(previous[n] for n in todo)))
        groups = deque([list(todo)])
        silent, alone = 0, 0
        while groups:
            group = groups.popleft()
            if silent >= MOST_SILENT:
                _not_sent(batch, group, outcomes)
                continue
            inputs: list[dict[str, Any]] = [{"id": batch[n].ref.key, "properties": values[n]} for n in group]
            try:
                answer = self._client.update(inputs, warrant)
            except Stopped:
                _not_sent(batch, [n for some in (group, *groups) for n in some], outcomes)
                return
            except NoAnswer:
                silent += 1
                for n in group:
                    outcomes[n] = Outcome(batch[n].ref, UNKNOWN, Reason.NO_ANSWER, previous=previous.get(n, {}))
                continue
            except ConnectorError as error:
                if not any(n in outcomes for n in todo):
                    raise
                _given_up(batch, group, error, outcomes)
                continue
            silent = 0
            is_rejected = answer.status in (400, 404, 409)
            if is_rejected and len(group) > 1:
                half = len(group) // 2
                groups.extendleft([group[half:], group[:half]])
                continue
            alone = alone + 1 if is_rejected else 0
            if alone == MOST_REJECTED:
                group += [n for some in groups for n in some]
                groups.clear()
            for n in group:
                outcomes[n] = _updated(batch[n], answer, previous.get(n, {}))

    def _values(self, action: Action, step: Step) -> Values:
        if action is Action.REDACT:
            return dict.fromkeys(step.fields, "")
        if action is Action.RESTRICT:
            return {**dict.fromkeys(step.fields, ""), self._kinds[step.ref.kind].restricted: YES}
        return {name: _text(value) for name, value in step.values.items()}

    def _each(
        self,
        steps: Sequence[Step],
        todo: Sequence[int],
        outcomes: dict[int, Outcome],
        send: Callable[[int], Answer],
    ) -> Iterator[tuple[int, Answer]]:
        """Send one call per step. Silence, and what stops the whole system, become outcomes of the steps they meet:
        an exception would say that nothing was sent at all."""
        silent = 0
        for position, number in enumerate(todo):
            if silent >= MOST_SILENT:
                _not_sent(steps, todo[position:], outcomes)
                return
            try:
                answer = send(number)
            except Stopped:
                _not_sent(steps, todo[position:], outcomes)
                return
            except NoAnswer:
                silent += 1
                outcomes[number] = Outcome(steps[number].ref, UNKNOWN, Reason.NO_ANSWER)
                continue
            except ConnectorError as error:
                if position == 0:
                    raise
                _given_up(steps, todo[position:], error, outcomes)
                return
            silent = 0
            yield number, answer


def _named(batch: Sequence[Step]) -> list[str]:
    return [name for step in batch for name in (*step.fields, *step.values)]


def _text(value: object) -> str:
    """A value as a property holds it: texts only, nothing being the empty one."""
    if isinstance(value, bool):
        return YES if value else "false"
    return "" if value is None else str(value)


def _not_sent(steps: Sequence[Step], numbers: Sequence[int], outcomes: dict[int, Outcome]) -> None:
    for number in numbers:
        outcomes[number] = Outcome(steps[number].ref, FAILED, Reason.NOT_SENT)


def _given_up(
    steps: Sequence[Step], numbers: Sequence[int], error: ConnectorError, outcomes: dict[int, Outcome]
) -> None:
    for number in numbers:
        if isinstance(error, AccessDenied):
            outcomes[number] = Outcome(steps[number].ref, REFUSED, Reason.NO_PERMISSION)
        else:
            outcomes[number] = Outcome(steps[number].ref, FAILED, Reason.NOT_SENT)


def _rejected(step: Step, answer: Answer) -> Outcome:
    if answer.status == LOCKED:
        return Outcome(step.ref, FAILED, Reason.LOCKED, answer.evidence())
    if answer.status in (400, 409, 422):
        return Outcome(step.ref, REFUSED, Reason.VALIDATION, answer.evidence())
    return Outcome(step.ref, FAILED, Reason.VENDOR_ERROR, answer.evidence())


def _updated(step: Step, answer: Answer, previous: Mapping[str, Scalar]) -> Outcome:
    """A mixed answer names what it did; a record it does not name is not known to be done."""
    if answer.status == NOT_FOUND:
        return Outcome(step.ref, FAILED, Reason.NOT_PROVEN, answer.evidence())
    if not 200 <= answer.status < 300:
        return _rejected(step, answer)
    body = answer.body()
    if any(isinstance(row, dict) and str(row.get("id")) == step.ref.key for row in listed(body.get("results"))):
        return Outcome(step.ref, DONE, Reason.OK, answer.evidence(), previous=previous)
    if category := _error_about(body, step.ref.key):
        is_gone = category == "OBJECT_NOT_FOUND"  # it was there when it was read a moment ago
        return Outcome(step.ref, REFUSED, Reason.CHANGED if is_gone else Reason.VALIDATION, answer.evidence())
    return Outcome(step.ref, UNKNOWN, Reason.NO_ANSWER, answer.evidence(), previous=previous)


def _error_about(body: Mapping[str, Any], key: str) -> str:
    """The category of the error of a mixed answer that names this contact; empty where none does."""
    for error in listed(body.get("errors")):
        context = error.get("context") if isinstance(error, dict) else None
        named = context.values() if isinstance(context, dict) else ()
        if any(str(value) == key for values in named for value in listed(values)):
            return str(error.get("category") or "ERROR")
    return ""


def _unsubscribed(step: Step, answer: Answer) -> Outcome:
    if not 200 <= answer.status < 300:
        return _rejected(step, answer)
    results = [row for row in listed(answer.body().get("results")) if isinstance(row, dict)]
    if results and all(row.get("setStatusSuccessReason") == "NO_STATUS_CHANGE" for row in results):
        return Outcome(step.ref, ALREADY, Reason.SAME, answer.evidence())
    return Outcome(step.ref, DONE, Reason.OK, answer.evidence())
