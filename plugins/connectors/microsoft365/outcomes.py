"""What does an answer, or a look, say of one step? One place for the verdicts that every verb shares."""

from __future__ import annotations

from connectors.microsoft365.answers import CONFLICT, FAILED_DEPENDENCY, FORBIDDEN, LOCKED, TOO_MANY, Answer
from connectors.microsoft365.viewing import Sight, State, Surroundings
from retention.vocabulary import Outcome, OutcomeStatus, Reason, Step

DONE, ALREADY, ACCEPTED = OutcomeStatus.DONE, OutcomeStatus.ALREADY_DONE, OutcomeStatus.ACCEPTED
REFUSED, FAILED, UNKNOWN = OutcomeStatus.REFUSED, OutcomeStatus.FAILED, OutcomeStatus.UNKNOWN

Outcomes = dict[int, Outcome]
"""Outcomes by the number of their step in the batch."""

PRECONDITION_FAILED = 412


def of_look(step: Step, sight: Sight, around: Surroundings) -> Outcome | None:
    """The outcome of a step for which nothing needs to be sent, whatever the verb; None: go on."""
    if not around.is_there or sight.state is State.UNREADABLE:
        return Outcome(step.ref, FAILED, Reason.NOT_PROVEN)
    if sight.state is State.DENIED or not around.is_in_scope:
        return Outcome(step.ref, REFUSED, Reason.NO_PERMISSION)
    if around.is_on_hold:
        return Outcome(step.ref, REFUSED, Reason.LOCKED)
    if sight.state is State.THERE and sight.version != step.ref.version:
        return Outcome(step.ref, REFUSED, Reason.CHANGED)
    return None


def of_answer(step: Step, answer: Answer) -> Outcome:
    """The outcome by the answer to a call that changes one item."""
    evidence = answer.evidence()
    if answer.is_fine:
        return Outcome(step.ref, DONE, Reason.OK, evidence)
    if answer.status == FORBIDDEN:
        return Outcome(step.ref, REFUSED, Reason.NO_PERMISSION, evidence)
    if answer.status == LOCKED:
        return Outcome(step.ref, FAILED, Reason.LOCKED, evidence)
    if answer.status in (CONFLICT, PRECONDITION_FAILED):
        return Outcome(step.ref, REFUSED, Reason.CHANGED, evidence)
    if answer.status in (TOO_MANY, FAILED_DEPENDENCY):
        return Outcome(step.ref, FAILED, Reason.NOT_SENT, evidence)
    if 400 <= answer.status < 500:
        return Outcome(step.ref, REFUSED, Reason.VALIDATION, evidence)
    return Outcome(step.ref, UNKNOWN, Reason.NO_ANSWER)


def not_sent(step: Step) -> Outcome:
    """Nothing was sent for this step, and may be later."""
    return Outcome(step.ref, FAILED, Reason.NOT_SENT)
