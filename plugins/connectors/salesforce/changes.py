"""How are fields of many records written at once? Collections of 200, five of them in one composite call.

Before the call it is decided per record what to write, from the row as it is now; after it, each record's own result
is read. What a call without answer did stays unknown.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from connectors.salesforce import codes
from connectors.salesforce.describe import FieldView, is_filled
from connectors.salesforce.patience import NoAnswer
from connectors.salesforce.rest import MOST_QUERIES, Answer, Part, Rest
from connectors.salesforce.standard import special
from retention.contract import Stopped, Warrant
from retention.vocabulary import Action, Evidence, Outcome, OutcomeStatus, Reason, RecordKind, RecordRef, Scalar, Step

COLLECTION = 200
LARGEST_CALL = COLLECTION * MOST_QUERIES
LOCK_WAITS = (2.0, 10.0)
"""Seconds before rows that somebody else's transaction held are written again."""

Row = Mapping[str, Any]


@dataclass(frozen=True)
class Change:
    """What to write to one record, and what stood there before."""

    ref: RecordRef
    values: Mapping[str, Scalar]
    previous: Mapping[str, Scalar]


def fields_read(action: Action, kind: RecordKind, steps: Sequence[Step]) -> tuple[str, ...]:
    """Which fields must be known before these steps are taken."""
    match action:
        case Action.REDACT:
            names = [name for step in steps for name in step.fields]
        case Action.RELEASE | Action.RECTIFY:
            names = [name for step in steps for name in step.values]
        case Action.RESTRICT:
            names = [kind.restricted, *_marks(kind), *(name for step in steps for name in step.fields)]
        case _:
            names = [kind.opt_out]
    return tuple(dict.fromkeys(name for name in names if name))


def wanted(action: Action, kind: RecordKind, view: FieldView, step: Step, row: Row) -> Mapping[str, Scalar] | Reason:
    """The values that bring the row into the wanted state: none if it is there, a reason if it cannot be."""
    names = fields_read(action, kind, [step])
    if not names or (action is Action.RESTRICT and not kind.restricted):
        return Reason.VALIDATION
    # A hidden field reads as empty and is not: what it holds can neither be judged nor changed.
    if not all(view.sees(name) or _dispensable(kind, name) for name in names):
        return Reason.NO_PERMISSION
    match action:
        case Action.REDACT:
            return {name: view.emptied(name) for name in names if is_filled(row.get(name))}
        case Action.RELEASE:
            return {name: value for name, value in step.values.items() if row.get(name) != value}
        case Action.RECTIFY:
            return _corrected(view, step, row)
        case Action.RESTRICT:
            minimised = {name: view.emptied(name) for name in step.fields if is_filled(row.get(name))}
            if row.get(kind.restricted):
                return minimised
            return {name: True for name in names if view.sees(name) and name not in step.fields} | minimised
        case _:
            return {} if row.get(kind.opt_out) else {kind.opt_out: True}


def holds(row: Row, values: Mapping[str, Scalar]) -> bool:
    """Whether a row holds these texts, in whatever type and spelling the org keeps them."""
    return all(_says(row.get(name), "" if text is None else str(text).strip()) for name, text in values.items())


def _corrected(view: FieldView, step: Step, row: Row) -> Mapping[str, Scalar] | Reason:
    wrong = {name: text for name, text in step.values.items() if not holds(row, {name: text})}
    if not all(view.can_write(name) for name in wrong):
        return Reason.NO_PERMISSION
    try:
        return {name: view.typed(name, str(text)) for name, text in wrong.items()}
    except ValueError:
        return Reason.VALIDATION


def _says(value: object, text: str) -> bool:
    if isinstance(value, bool):
        return str(value).casefold() == text.casefold()
    if isinstance(value, int | float):
        try:
            return float(text) == value
        except ValueError:
            return False
    plain = "" if value is None else str(value).strip()
    return plain.casefold() == text.casefold() if "@" in plain else plain == text


def _marks(kind: RecordKind) -> tuple[str, ...]:
    own = (kind.opt_out,) if kind.opt_out else ()
    return tuple(dict.fromkeys((*own, *special(kind.name).marks)))


def _dispensable(kind: RecordKind, name: str) -> bool:
    """The marks for telephone and fax: where an org hides them, the restriction stands without them."""
    return name.removeprefix("Person") in ("DoNotCall", "HasOptedOutOfFax") and name != kind.opt_out


class Writer:
    """Sends changes and reads their results."""

    def __init__(self, rest: Rest, pause: Callable[[float], None]) -> None:
        self._rest = rest
        self._pause = pause

    def write(self, kind: str, changes: Sequence[Change], warrant: Warrant) -> list[Outcome]:
        """Write up to 1,000 records in one call; an outcome per change, in order."""
        outcomes: list[Outcome] = []
        for start in range(0, len(changes), LARGEST_CALL):
            outcomes += self._write(kind, changes[start : start + LARGEST_CALL], warrant)
        for wait in LOCK_WAITS:
            locked = [number for number, one in enumerate(outcomes) if one.reason is Reason.LOCKED]
            if not locked:
                break
            self._pause(wait)
            again = self._write(kind, [changes[number] for number in locked[:LARGEST_CALL]], warrant)
            for number, outcome in zip(locked, again, strict=False):
                outcomes[number] = outcome
        return outcomes

    def _write(self, kind: str, changes: Sequence[Change], warrant: Warrant) -> list[Outcome]:
        chunks = [changes[start : start + COLLECTION] for start in range(0, len(changes), COLLECTION)]
        try:
            answers = self._rest.composite([_part(kind, chunk) for chunk in chunks], warrant)
        except Stopped:
            return [_outcome(one, OutcomeStatus.FAILED, Reason.NOT_SENT, Evidence()) for one in changes]
        except NoAnswer:
            return [_outcome(one, OutcomeStatus.UNKNOWN, Reason.NO_ANSWER, Evidence()) for one in changes]
        outcomes: list[Outcome] = []
        for chunk, answer in zip(chunks, answers, strict=True):
            outcomes += _results(chunk, answer)
        return outcomes


def _part(kind: str, changes: Sequence[Change]) -> Part:
    records = [{"attributes": {"type": kind}, "id": one.ref.key, **one.values} for one in changes]
    return Part("PATCH", "composite/sobjects", {"allOrNone": False, "records": records})


def _results(changes: Sequence[Change], answer: Answer) -> list[Outcome]:
    """One outcome per record of a collection, whose results come in the order of the input."""
    evidence = Evidence(answer.request_id, answer.status, answer.vendor_time)
    if answer.status == 200 and isinstance(answer.body, list) and len(answer.body) == len(changes):
        return [_result(one, given, evidence) for one, given in zip(changes, answer.body, strict=True)]
    if 400 <= answer.status < 500:
        verdict = codes.verdict(codes.of_body(answer.body))
        return [_outcome(one, *verdict, evidence) for one in changes]
    return [_outcome(one, OutcomeStatus.UNKNOWN, Reason.NO_ANSWER, evidence) for one in changes]


def _result(change: Change, given: Any, evidence: Evidence) -> Outcome:
    if not isinstance(given, dict):
        return _outcome(change, OutcomeStatus.UNKNOWN, Reason.NO_ANSWER, evidence)
    if given.get("success") is True:
        return _outcome(change, OutcomeStatus.DONE, Reason.OK, evidence)
    return _outcome(change, *codes.verdict(codes.of_body(given.get("errors"))), evidence)


def _outcome(change: Change, status: OutcomeStatus, reason: Reason, evidence: Evidence) -> Outcome:
    kept = status in (OutcomeStatus.DONE, OutcomeStatus.UNKNOWN)
    return Outcome(change.ref, status, reason, evidence, previous=change.previous if kept else {})
