"""Who complained, and by when do they hear from us? Open, acknowledge, answer, close; people by standard input."""

from __future__ import annotations

import sys
from datetime import datetime
from typing import Any

import click

from retention.cli.answers import as_json_option, tell, tell_rows
from retention.cli.mailed_alarms import mail_alarms
from retention.cli.request import by_option, moment_of, people_and_words, said_plainly
from retention.cli.request_answers import by_post, told_by_post
from retention.cli.surroundings import desk, mailer, who_may_approve
from retention.cli.told_case import tell_case
from retention.complaints import answering
from retention.complaints.due import ComplaintClock, clocks_of, raise_alarms
from retention.complaints.taking_in import ComplaintIntake, take_in
from retention.impediment import Impediment
from retention.life_cycles import COMPLAINT
from retention.requests.case_file import CaseFile
from retention.store import complaints, request_notices
from retention.store.complaints import Outcome
from retention.store.desk import Desk
from retention.store.requests import Channel

COLUMNS = ("complaint", "state", "channel", "received", "owed", "due", "hold", "outcome")
ALARM_COLUMNS = ("complaint", "mark_on", "owed", "due")


@click.group("complaint")
def command() -> None:
    """Complaints of data subjects. While one is open nothing about its people is destroyed."""


@command.command("open")
@click.option("--channel", type=click.Choice([c.value for c in Channel]), required=True, help="How it came in.")
@click.option("--received-at", default="", help="When, as 2026-11-22T10:00+00:00 or a day; default: now.")
@click.option("--about", default="", help="The request whose answer it is about, if it is about one.")
@by_option
@as_json_option
def open_complaint(channel: str, received_at: str, about: str, who: str, as_json: bool) -> None:
    """Open a complaint of the person on standard input: an identifier a line; after a line of --- their own words.

    A hold over them is placed with it. Where a mail server is set, receipt is acknowledged at once.
    """
    here = desk()
    with said_plainly():
        people, words = people_and_words()
        given = ComplaintIntake(
            Channel(channel), moment_of(here, received_at), CaseFile(people, "\n".join(words)), about or None
        )
        opened = take_in(here, given, who)
    acknowledged = _acknowledged(here, opened.complaint_id, who)
    answer = {
        "complaint": opened.complaint_id,
        "hold": opened.hold.hold_id,
        "nothing_runs": opened.hold.nothing_runs,
        "calls": [call.step_id for call in opened.hold.calls],
        "acknowledged": acknowledged,
    }
    tell(answer, as_json, f"opened {opened.complaint_id}, under {opened.hold.hold_id}")
    if opened.hold.calls or not opened.hold.nothing_runs:
        sys.exit(1)


@command.command("list")
@click.option("--state", "states", multiple=True, type=click.Choice(list(COMPLAINT)), help="Only these; default: open.")
@as_json_option
def list_complaints(states: tuple[str, ...], as_json: bool) -> None:
    """Complaints with what is owed by when; without --state those that are not closed."""
    here = desk()
    with here.transaction() as db:
        found = complaints.listed(db, states or tuple(state for state in COMPLAINT if state != "closed"))
    tell_rows([_line(clock) for clock in clocks_of(here, found)], COLUMNS, as_json, "no complaints")


@command.command("status")
@click.argument("complaint_id")
@as_json_option
def status(complaint_id: str, as_json: bool) -> None:
    """One complaint: its state, its clock, what happened to it and which letters were sent."""
    here = desk()
    with said_plainly(), here.transaction() as db:
        complaint = complaints.get(db, complaint_id)
        happened = complaints.events(db, [complaint_id])[complaint_id]
        letters = request_notices.of_request(db, complaint_id)
    (clock,) = clocks_of(here, [complaint])
    more = {"about_request": complaint.about_request, "alarms": list(clock.alarms)}
    tell_case(_line(clock), more, happened, letters, as_json)


@command.command("alarms")
@as_json_option
def alarms(as_json: bool) -> None:
    """Raise every alarm whose day has come, each once; ends with 1 if there is any. Mailed to the policy's contact."""
    here = desk()
    raised = raise_alarms(here)
    mail_alarms(here, [(a.complaint_id, a.mark_on, f"{a.owed} by {a.due.isoformat()}") for a in raised])
    rows = [{"complaint": a.complaint_id, "mark_on": a.mark_on, "owed": a.owed.value, "due": a.due} for a in raised]
    tell_rows(rows, ALARM_COLUMNS, as_json, "no alarms")
    if raised:
        sys.exit(1)


@command.command("acknowledge")
@click.argument("complaint_id")
@told_by_post
@by_option
@as_json_option
def acknowledge(complaint_id: str, told_on: datetime | None, letter: str, who: str, as_json: bool) -> None:
    """Tell that the complaint is there, where that was not done when it was opened."""
    with said_plainly():
        state = answering.acknowledge(desk(), mailer(), complaint_id, who, by_post(told_on, letter))
    tell({"complaint": complaint_id, "state": state}, as_json, f"{complaint_id} is {state}")


@command.command("progress")
@click.argument("complaint_id")
@told_by_post
@by_option
@as_json_option
def progress(complaint_id: str, told_on: datetime | None, letter: str, who: str, as_json: bool) -> None:
    """Tell how far we are, in the words on standard input, if any. The next word is due thirty days later."""
    with said_plainly():
        words = sys.stdin.read()
        state = answering.tell_progress(desk(), mailer(), complaint_id, words, who, by_post(told_on, letter))
    tell({"complaint": complaint_id, "state": state}, as_json, f"{complaint_id}: the complainant was told")


@command.command("answer")
@click.argument("complaint_id")
@click.option("--outcome", type=click.Choice([o.value for o in Outcome]), required=True, help="What came of it.")
@told_by_post
@by_option
@as_json_option
def answer(complaint_id: str, outcome: str, told_on: datetime | None, letter: str, who: str, as_json: bool) -> None:
    """Tell what was found, in the words on standard input, and where the complainant can go from here."""
    here = desk()
    who_may_approve(here, who)
    with said_plainly():
        words = sys.stdin.read()
        state = answering.answer(here, mailer(), complaint_id, Outcome(outcome), words, who, by_post(told_on, letter))
    tell({"complaint": complaint_id, "state": state}, as_json, f"{complaint_id} is {state}, the complainant was told")


@command.command("withdraw")
@click.argument("complaint_id")
@by_option
@as_json_option
def withdraw(complaint_id: str, who: str, as_json: bool) -> None:
    """Take a complaint back for its subject. Its hold stands until it is closed."""
    with said_plainly():
        state = answering.withdraw(desk(), complaint_id, who)
    tell({"complaint": complaint_id, "state": state}, as_json, f"{complaint_id} is {state}")


@command.command("close")
@click.argument("complaint_id")
@by_option
@as_json_option
def close(complaint_id: str, who: str, as_json: bool) -> None:
    """End a complaint: its hold is released, its key destroyed. Place a hold first if a claim is to be expected."""
    here = desk()
    who_may_approve(here, who)
    with said_plainly():
        hold = answering.close(here, complaint_id, who)
    tell({"complaint": complaint_id, "released": hold}, as_json, f"closed {complaint_id}, released {hold}")


def _acknowledged(here: Desk, complaint_id: str, who: str) -> bool:
    """Acknowledge at once where that can be done; a mail server that fails does not undo the complaint."""
    try:
        answering.acknowledge(here, mailer(), complaint_id, who)
    except Impediment as error:
        click.echo(f"{complaint_id} is open, but not acknowledged: {error}", err=True)
        return False
    return True


def _line(clock: ComplaintClock) -> dict[str, Any]:
    complaint = clock.complaint
    return {
        "complaint": complaint.complaint_id,
        "state": complaint.state,
        "channel": complaint.channel.value,
        "received": complaint.received_at,
        "owed": clock.owed.value if clock.owed else None,
        "due": clock.due,
        "hold": complaint.hold_id,
        "outcome": complaint.outcome.value if complaint.outcome else None,
    }
