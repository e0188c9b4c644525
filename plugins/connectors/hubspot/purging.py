"""How is a record erased for good, and when is it gone? One call each: there is no batch form.

The record goes at once, or soon; what hung on a contact within thirty days. What is still shown after its batch was
only accepted: whether it went is read back on the day it must have gone.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date, timedelta
from email.utils import parsedate_to_datetime

from connectors.hubspot.answers import NOT_FOUND, Answer
from connectors.hubspot.client import HubSpotClient
from connectors.hubspot.records import Records, restorable_until
from connectors.hubspot.sending import ALREADY, DONE, FAILED, UNKNOWN, Outcomes, each, rejected
from retention.contract import ConnectorError, Warrant
from retention.vocabulary import Evidence, Outcome, OutcomeStatus, Reason, Step

PURGED_WITHIN = timedelta(days=30)


def purge(
    client: HubSpotClient,
    records: Records,
    batch: Sequence[Step],
    todo: Sequence[int],
    warrant: Warrant,
    outcomes: Outcomes,
) -> None:
    """Erase the records of some steps of a batch."""
    taken: list[int] = []
    for number, answer in each(
        batch, todo, outcomes, lambda n: client.purge(records.object_type, batch[n].ref.key, warrant)
    ):
        step = batch[number]
        if answer.status in (200, 202, 204):
            taken.append(number)
            proof = answer.evidence()
            outcomes[number] = Outcome(step.ref, DONE, Reason.OK, proof, settle_on=_purged_by(proof))
        elif answer.status == NOT_FOUND:
            outcomes[number] = _purged_before(records, step, answer)
        else:
            outcomes[number] = rejected(step, answer)
    _only_accepted(records, batch, taken, outcomes)


def _only_accepted(records: Records, batch: Sequence[Step], taken: Sequence[int], outcomes: Outcomes) -> None:
    """Correct the outcomes of what is still shown."""
    if not taken or any(outcome.reason is Reason.NOT_SENT for outcome in outcomes.values()):
        return  # nothing to look for, or no leave to go on: whether they are gone is read back later
    try:
        shown = records.live((batch[number].ref.key for number in taken), ())
    except ConnectorError:
        return
    for number in taken:
        if batch[number].ref.key in shown:
            is_dated = outcomes[number].settle_on is not None
            status = OutcomeStatus.ACCEPTED if is_dated else UNKNOWN
            reason = Reason.PENDING if is_dated else Reason.NOT_PROVEN
            outcomes[number] = replace(outcomes[number], status=status, reason=reason)


def _purged_before(records: Records, step: Step, answer: Answer) -> Outcome:
    """ "Not found" to a purge says nothing of the record by itself: read again."""
    try:
        sight = records.look([step.ref.key], ())
    except ConnectorError:
        return Outcome(step.ref, UNKNOWN, Reason.NOT_PROVEN, answer.evidence())
    if step.ref.key in sight.archived:
        until = restorable_until(sight.archived[step.ref.key])
        return Outcome(step.ref, OutcomeStatus.ACCEPTED, Reason.RECOVERABLE, answer.evidence(), settle_on=until)
    if step.ref.key in sight.live or step.ref.key in sight.unreadable:
        return Outcome(step.ref, FAILED, Reason.NOT_PROVEN, answer.evidence())
    return Outcome(step.ref, ALREADY, Reason.GONE, answer.evidence())


def _purged_by(proof: Evidence) -> date | None:
    """By when the vendor must be finished, counted from its own word for now."""
    try:
        return parsedate_to_datetime(proof.vendor_time).date() + PURGED_WITHIN
    except (TypeError, ValueError):
        return None
