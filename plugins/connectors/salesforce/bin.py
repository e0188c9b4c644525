"""How does a row leave where hard delete is not allowed? Into the Recycle Bin, and out of it over SOAP.

Where the bin may not be emptied either, the row is recoverable until the bin lets go of it, and that is what is said.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta
from email.utils import parsedate_to_datetime

from connectors.salesforce import codes, soap
from connectors.salesforce.patience import NoAnswer
from connectors.salesforce.rest import MOST_QUERIES, Answer, Part, Rest
from connectors.salesforce.sight import short
from retention.contract import Stopped, Warrant
from retention.vocabulary import Evidence, Outcome, OutcomeStatus, Reason, RecordRef

COLLECTION = 200
BIN_DAYS = 15


class RecycleBin:
    """Deletes rows the long way, by id."""

    def __init__(self, rest: Rest) -> None:
        self._rest = rest

    def erase(self, refs: Sequence[RecordRef], warrant: Warrant) -> list[Outcome]:
        """Delete, then empty the bin of what was deleted; an outcome per ref, in order."""
        outcomes: dict[int, Outcome] = {}
        binned: list[int] = []
        step = COLLECTION * MOST_QUERIES
        for start in range(0, len(refs), step):
            for number, outcome in enumerate(self._delete(refs[start : start + step], warrant), start):
                if outcome.status in (OutcomeStatus.DONE, OutcomeStatus.ALREADY_DONE):
                    binned.append(number)
                else:
                    outcomes[number] = outcome
        for start in range(0, len(binned), soap.MOST_IDS):
            some = binned[start : start + soap.MOST_IDS]
            outcomes.update(zip(some, self._empty([refs[number] for number in some], warrant), strict=True))
        return [outcomes[number] for number in range(len(refs))]

    def _delete(self, refs: Sequence[RecordRef], warrant: Warrant) -> list[Outcome]:
        chunks = [refs[start : start + COLLECTION] for start in range(0, len(refs), COLLECTION)]
        parts = [
            Part("DELETE", f"composite/sobjects?ids={','.join(ref.key for ref in chunk)}&allOrNone=false")
            for chunk in chunks
        ]
        try:
            answers = self._rest.composite(parts, warrant)
        except Stopped:
            return [Outcome(ref, OutcomeStatus.FAILED, Reason.NOT_SENT) for ref in refs]
        except NoAnswer:
            return [Outcome(ref, OutcomeStatus.UNKNOWN, Reason.NO_ANSWER) for ref in refs]
        return [outcome for chunk, answer in zip(chunks, answers, strict=True) for outcome in _results(chunk, answer)]

    def _empty(self, refs: Sequence[RecordRef], warrant: Warrant) -> list[Outcome]:
        try:
            emptied, answer = soap.told(self._rest, soap.EMPTY_RECYCLE_BIN, [ref.key for ref in refs], warrant)
        except Stopped:
            emptied, answer = None, Answer(0, None)
        until = _recoverable_until(answer.vendor_time)
        evidence = Evidence(http_status=answer.status or None, vendor_time=answer.vendor_time)
        if emptied is None:
            return [_recoverable(ref, evidence, until) for ref in refs]
        return [
            Outcome(ref, OutcomeStatus.DONE, Reason.OK, evidence)
            if short(ref.key) in emptied
            else _recoverable(ref, evidence, until)
            for ref in refs
        ]


def _recoverable(ref: RecordRef, evidence: Evidence, until: date | None) -> Outcome:
    return Outcome(ref, OutcomeStatus.ACCEPTED, Reason.RECOVERABLE, evidence, until)


def _recoverable_until(http_date: str) -> date | None:
    try:
        return parsedate_to_datetime(http_date).date() + timedelta(days=BIN_DAYS + 1)
    except ValueError:
        return None


def _results(refs: Sequence[RecordRef], answer: Answer) -> list[Outcome]:
    evidence = Evidence(answer.request_id, answer.status, answer.vendor_time)
    if answer.status != 200 or not isinstance(answer.body, list) or len(answer.body) != len(refs):
        status, reason = (
            codes.verdict(codes.of_body(answer.body))
            if 400 <= answer.status < 500
            else (OutcomeStatus.UNKNOWN, Reason.NO_ANSWER)
        )
        return [Outcome(ref, status, reason, evidence) for ref in refs]
    return [_result(ref, given, evidence) for ref, given in zip(refs, answer.body, strict=True)]


def _result(ref: RecordRef, given: object, evidence: Evidence) -> Outcome:
    if not isinstance(given, dict):
        return Outcome(ref, OutcomeStatus.UNKNOWN, Reason.NO_ANSWER, evidence)
    if given.get("success") is True:
        return Outcome(ref, OutcomeStatus.DONE, Reason.OK, evidence)
    code = codes.of_body(given.get("errors"))
    if code == codes.DELETED:
        return Outcome(ref, OutcomeStatus.ALREADY_DONE, Reason.SAME, evidence)
    return Outcome(ref, *codes.verdict(code), evidence)
