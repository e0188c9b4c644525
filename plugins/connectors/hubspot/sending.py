"""What becomes of steps that are sent one call each? Silence and refusals of the whole system become outcomes of the
steps they meet: an exception would say that nothing was sent at all."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from connectors.hubspot.answers import LOCKED, Answer
from connectors.hubspot.patience import NoAnswer
from retention.contract import AccessDenied, ConnectorError, Stopped
from retention.vocabulary import Outcome, OutcomeStatus, Reason, Step

MOST_SILENT = 2
"""After this many unanswered calls in a row the rest of a batch is not sent."""

DONE, ALREADY, REFUSED = OutcomeStatus.DONE, OutcomeStatus.ALREADY_DONE, OutcomeStatus.REFUSED
FAILED, UNKNOWN = OutcomeStatus.FAILED, OutcomeStatus.UNKNOWN

Outcomes = dict[int, Outcome]
"""Outcomes by the number of their step in the batch."""


def each(
    steps: Sequence[Step],
    todo: Sequence[int],
    outcomes: Outcomes,
    send: Callable[[int], Answer],
    *,
    is_first: bool = True,
) -> Iterator[tuple[int, Answer]]:
    """Send one call per step, and give the answers there are. `is_first`: nothing was sent for this batch before."""
    silent = 0
    for position, number in enumerate(todo):
        if silent >= MOST_SILENT:
            not_sent(steps, todo[position:], outcomes)
            return
        try:
            answer = send(number)
        except Stopped:
            not_sent(steps, todo[position:], outcomes)
            return
        except NoAnswer:
            silent += 1
            outcomes[number] = Outcome(steps[number].ref, UNKNOWN, Reason.NO_ANSWER)
            continue
        except ConnectorError as error:
            if is_first and position == 0:
                raise
            given_up(steps, todo[position:], error, outcomes)
            return
        silent = 0
        yield number, answer


def not_sent(steps: Sequence[Step], numbers: Sequence[int], outcomes: Outcomes) -> None:
    """These were not tried, and may be later."""
    for number in numbers:
        outcomes[number] = Outcome(steps[number].ref, FAILED, Reason.NOT_SENT)


def given_up(steps: Sequence[Step], numbers: Sequence[int], error: ConnectorError, outcomes: Outcomes) -> None:
    """The whole system refused: what was not sent yet is not, for want of permission or for now."""
    for number in numbers:
        if isinstance(error, AccessDenied):
            outcomes[number] = Outcome(steps[number].ref, REFUSED, Reason.NO_PERMISSION)
        else:
            outcomes[number] = Outcome(steps[number].ref, FAILED, Reason.NOT_SENT)


def rejected(step: Step, answer: Answer) -> Outcome:
    """What an answer says that rejected one step."""
    if answer.status == LOCKED:
        return Outcome(step.ref, FAILED, Reason.LOCKED, answer.evidence())
    if answer.status in (400, 409, 422):
        return Outcome(step.ref, REFUSED, Reason.VALIDATION, answer.evidence())
    return Outcome(step.ref, FAILED, Reason.VENDOR_ERROR, answer.evidence())
