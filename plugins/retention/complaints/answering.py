"""What is a complainant told, and when is a complaint over? The letter goes out first; the close ends hold and key."""

from __future__ import annotations

from typing import Any
from zoneinfo import ZoneInfo

from retention import audit, clocks
from retention.complaints.due import PROGRESS_DAYS
from retention.complaints.moves import Moved, move
from retention.impediment import Impediment
from retention.life_cycles import COMPLAINT, IllegalMove
from retention.requests import notices
from retention.requests.due import working_days
from retention.requests.mailer import Mailer
from retention.requests.notices import ByPost, Letter, Template
from retention.store import audit_log, complaints, holds, requests
from retention.store.complaints import Complaint, Outcome
from retention.store.desk import Desk

IN_WORDS = {
    Outcome.UPHELD: "you are right",
    Outcome.UPHELD_IN_PART: "you are right in part",
    Outcome.NOT_UPHELD: "we do not think that we did wrong",
}


class NothingSaid(Impediment):
    """An answer to a complaint says in words what was found; nobody gave any."""


def acknowledge(desk: Desk, mailer: Mailer | None, complaint_id: str, by: str, by_post: ByPost | None = None) -> str:
    """Tell that the complaint is there; returns the state."""
    complaint = _that_may(desk, complaint_id, Moved.ACKNOWLEDGEMENT_SENT)
    letter = _written(desk, complaint, Template.COMPLAINT_ACKNOWLEDGEMENT, progress_days=PROGRESS_DAYS)
    return _tell(desk, mailer, complaint, letter, Moved.ACKNOWLEDGEMENT_SENT, by, by_post)


def tell_progress(
    desk: Desk, mailer: Mailer | None, complaint_id: str, words: str, by: str, by_post: ByPost | None = None
) -> str:
    """Tell how far we are; the next word is due a period later."""
    complaint = _that_may(desk, complaint_id, Moved.PROGRESS_SENT)
    days = working_days(desk.policy.schedule.answering.holidays)
    next_word = clocks.acknowledgement_due(by_post.on if by_post else desk.today, days).due
    letter = _written(desk, complaint, Template.COMPLAINT_PROGRESS, words=words.strip(), next_word_by=next_word)
    return _tell(desk, mailer, complaint, letter, Moved.PROGRESS_SENT, by, by_post)


def answer(
    desk: Desk,
    mailer: Mailer | None,
    complaint_id: str,
    outcome: Outcome,
    words: str,
    by: str,
    by_post: ByPost | None = None,
) -> str:
    """Tell what was found and where the complainant can go from here; returns the state."""
    complaint = _that_may(desk, complaint_id, Moved.ANSWER_SENT)
    if not words.strip():
        raise NothingSaid(f"{complaint_id}: say on standard input what was found: the letter tells the complainant")
    letter = _written(desk, complaint, Template.COMPLAINT_ANSWER, words=words.strip(), outcome=IN_WORDS[outcome])
    return _tell(desk, mailer, complaint, letter, Moved.ANSWER_SENT, by, by_post, outcome)


def withdraw(desk: Desk, complaint_id: str, by: str) -> str:
    """Take a complaint back for its subject; its hold stands until it is closed."""
    with desk.transaction() as db:
        return move(db, desk, complaint_id, Moved.WITHDRAW, by=by)


def close(desk: Desk, complaint_id: str, by: str) -> str:
    """End a complaint: its hold is released and its key destroyed. Returns the hold.

    Where a claim is to be expected place a hold for that first: what no other hold protects is decided afresh tonight.
    """
    with desk.transaction() as db:
        hold_id = complaints.get(db, complaint_id).hold_id
        move(db, desk, complaint_id, Moved.CLOSE, by=by, what=hold_id)
        entries = [desk.entry(audit.Event.KEY_DESTROYED, run=complaint_id, case_key=complaint_id, actor=by)]
        if holds.release(db, hold_id, by):
            released = desk.entry(
                audit.Event.HOLD_RELEASED,
                run=complaint_id,
                reference=hold_id,
                reasons=(Moved.CLOSE,),
                actor=by,
                role=audit.Role.DPO,
            )
            entries.insert(0, released)
        requests.destroy_key(db, complaint_id, desk.now())
        audit_log.append(db, entries)
    return hold_id


def _that_may(desk: Desk, complaint_id: str, moved: Moved) -> Complaint:
    """A complaint that can be moved so; asked before a letter goes out that could not be followed."""
    with desk.transaction() as db:
        complaint = complaints.get(db, complaint_id)
    if moved not in COMPLAINT[complaint.state]:
        raise IllegalMove(f"{complaint_id} is {complaint.state}: {moved.value} is no move from there")
    return complaint


def _written(desk: Desk, complaint: Complaint, template: Template, **values: Any) -> Letter:
    rules = desk.policy.schedule.answering
    given = {
        "complaint_id": complaint.complaint_id,
        "received_on": clocks.local_day(complaint.received_at, ZoneInfo(rules.zone)).isoformat(),
        "controller": rules.controller,
        "contact": rules.contact,
        "regime": desk.policy.schedule.response_regime,
    }
    return notices.letter(template, given | values)


def _tell(
    desk: Desk,
    mailer: Mailer | None,
    complaint: Complaint,
    letter: Letter,
    moved: Moved,
    by: str,
    by_post: ByPost | None,
    outcome: Outcome | None = None,
) -> str:
    with desk.transaction() as db:
        addresses = complaints.read_file(db, desk.keyring, complaint.complaint_id).addresses
    notice = notices.send(desk, mailer, complaint.complaint_id, letter, addresses, by_post)
    told_on = by_post.on if by_post else desk.today
    with desk.transaction() as db:
        return move(db, desk, complaint.complaint_id, moved, by=by, on=told_on, notice=notice, outcome=outcome)
