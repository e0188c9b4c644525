"""How does a complaint come in? Written down with a hold over its people, in one transaction: nothing of theirs goes.

Who complains need not be proven for that: weak evidence is enough to protect. Answering it is a person's work.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from retention import audit, clocks
from retention.holds import HoldReason, Scope, first_review
from retention.impediment import Impediment
from retention.place_hold import PATIENCE_SECONDS, Acknowledgement, acknowledge, write_down
from retention.requests.case_file import CaseFile
from retention.store import audit_log, complaints, requests
from retention.store.desk import Desk
from retention.store.requests import Channel


class NotAComplaint(Impediment):
    """What came in cannot be a complaint as it is. Nothing was written down; the text says what is missing."""


@dataclass(frozen=True, slots=True)
class ComplaintIntake:
    """What came in, by which way and when; `about_request` names the request whose answer it is about, if any."""

    channel: Channel
    received_at: datetime
    file: CaseFile
    about_request: str | None = None

    def __post_init__(self) -> None:
        """Refuse what nobody could answer or protect."""
        if not self.file.identifiers:
            raise NotAComplaint("a complaint names its person by at least one address or customer number")
        if self.received_at.tzinfo is None:
            raise NotAComplaint("the time of receipt needs its offset from UTC")


@dataclass(frozen=True, slots=True)
class ComplaintOpened:
    """A complaint on record, and the hold that stands because of it."""

    complaint_id: str
    state: str
    hold: Acknowledgement


def take_in(desk: Desk, intake: ComplaintIntake, by: str, patience: float = PATIENCE_SECONDS) -> ComplaintOpened:
    """Write a complaint down and place its hold; answers once no call on its people starts any more, or names those."""
    if intake.received_at > desk.now():
        raise NotAComplaint("a complaint cannot have been received in the future")
    complaint_id = complaints.new_id()
    day = clocks.local_day(intake.received_at, ZoneInfo(desk.policy.schedule.answering.zone))
    with desk.transaction() as db:
        if intake.about_request:
            requests.get(db, intake.about_request)
        hold_id = write_down(
            db,
            desk,
            Scope(intake.file.identifiers),
            matter=complaint_id,
            reason=HoldReason.COMPLAINT,
            owner=desk.policy.schedule.approval.approvers[0],
            placed_by=by,
            review_on=first_review(desk.today),
        )
        complaints.insert(
            db,
            desk.keyring,
            complaint_id,
            channel=intake.channel,
            received_at=intake.received_at,
            opened_by=by,
            file=intake.file,
            hold_id=hold_id,
            about_request=intake.about_request or None,
        )
        complaints.note_event(db, complaint_id, "received", on=day, by=by, what=hold_id)
        entry = desk.entry(
            audit.Event.COMPLAINT_OPENED,
            run=complaint_id,
            reference=hold_id,
            reasons=(intake.channel,),
            actor=by,
            role=audit.Role.REQUESTER,
        )
        audit_log.append(db, [entry])
        state = complaints.get(db, complaint_id).state
    return ComplaintOpened(complaint_id, state, acknowledge(desk, hold_id, patience))
