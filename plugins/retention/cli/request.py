"""Who asked for what, and by when is it due? Open, list and look at subjects' requests; people by standard input."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

import click

from retention.cli.answers import as_json_option, tell, tell_rows
from retention.cli.mailed_alarms import mail_alarms
from retention.cli.sheet import BadInput, Cells, parse_moment, rows_of
from retention.cli.surroundings import Unusable, desk, mailer
from retention.cli.told_case import tell_case
from retention.clocks import Right
from retention.impediment import Impediment
from retention.life_cycles import REQUEST, IllegalMove
from retention.naming import NotNamed, identifiers_in
from retention.requests import notices
from retention.requests.case_file import CaseFile, corrections_in
from retention.requests.due import Clock, clocks_of, raise_alarms
from retention.requests.intake import Intake, NotARequest, Opened, take_in
from retention.restriction import Ground
from retention.store import request_notices, requests
from retention.store.desk import Desk
from retention.store.requests import Channel
from retention.vocabulary import Identifier

COLUMNS = ("request", "state", "right", "channel", "received", "due", "clock", "joined_to")
ALARM_COLUMNS = ("request", "mark_on", "status", "due")
SHEET = ("identifiers", "right", "channel", "received_at")
WORDS_FOLLOW = "---"
"""The line on standard input after which the person's own words begin."""

by_option = click.option("--by", "who", required=True, help="Who does it; recorded in the audit log.")


@click.group("request")
def command() -> None:
    """Requests of data subjects: taken in, answered within their time, closed. Only an opaque id is ever shown."""


@contextmanager
def said_plainly() -> Iterator[None]:
    """What the ledger refuses becomes one clear line and exit code 2."""
    try:
        yield
    except (IllegalMove, LookupError, BadInput) as error:
        raise Unusable(str(error)) from error


@command.command("open")
@click.option("--right", type=click.Choice([r.value for r in Right]), default=None, help="What is asked for.")
@click.option("--channel", type=click.Choice([c.value for c in Channel]), default=None, help="How it came in.")
@click.option("--received-at", default="", help="When, as 2026-11-22T10:00+00:00 or a day; default: now.")
@click.option("--ground", type=click.Choice([g.value for g in Ground]), default=None, help="Of a restriction.")
@click.option("--to-marketing", is_flag=True, help="An objection to marketing: absolute, needs no proof of identity.")
@click.option("--to-third-party", is_flag=True, help="A portable copy goes to somebody else, too (Art. 20(2)).")
@click.option("--many", is_flag=True, help=f"Standard input is a CSV of requests: {', '.join(SHEET)}.")
@by_option
@as_json_option
def open_request(
    right: str | None,
    channel: str | None,
    received_at: str,
    ground: str | None,
    to_marketing: bool,
    to_third_party: bool,
    many: bool,
    who: str,
    as_json: bool,
) -> None:
    """Open a request of the person on standard input: an identifier a line; after a line of --- their own words.

    For a rectification the words are lines of SYSTEM KIND FIELD VALUE; with --to-third-party their first line is the
    e-mail address of whoever is to have the copy, too. A second request by the same person for the same
    right joins the first. Where a mail server is set, receipt is acknowledged.
    """
    here = desk()
    with said_plainly():
        if many:
            intakes = [_of_row(here, row) for row in rows_of(sys.stdin.buffer, SHEET)]
        else:
            if right is None or channel is None:
                raise Unusable("say what is asked for and how it came in: --right, --channel (or --many)")
            file = _file_on_standard_input(Right(right), to_third_party)
            moment = moment_of(here, received_at)
            intakes = [Intake(Right(right), Channel(channel), moment, file, _ground(ground), to_marketing)]
        opened = take_in(here, intakes, who)
    acknowledged = _acknowledge(here, opened)
    rows = [{"request": o.request_id, "state": o.state, "joined_to": o.joined_to} for o in opened]
    if many:
        tell_rows(rows, ("request", "state", "joined_to"), as_json, "no requests in the table")
    else:
        words = f"joined {opened[0].joined_to}" if opened[0].joined_to else opened[0].state
        tell({**rows[0], "acknowledged": acknowledged}, as_json, f"opened {opened[0].request_id}: {words}")


@command.command("list")
@click.option("--state", "states", multiple=True, type=click.Choice(list(REQUEST)), help="Only these; default: open.")
@as_json_option
def list_requests(states: tuple[str, ...], as_json: bool) -> None:
    """Requests with their due dates, those received first at the top; without --state those that are not closed."""
    here = desk()
    with here.transaction() as db:
        found = requests.listed(db, states or tuple(state for state in REQUEST if state != "closed"))
    tell_rows([_line(clock) for clock in clocks_of(here, found)], COLUMNS, as_json, "no requests")


@command.command("status")
@click.argument("request_id")
@as_json_option
def status(request_id: str, as_json: bool) -> None:
    """One request: its state, its clock, what happened to it and which letters were sent."""
    here = desk()
    with said_plainly(), here.transaction() as db:
        request = requests.get(db, request_id)
        happened = requests.events(db, [request_id])[request_id]
        letters = request_notices.of_request(db, request_id)
    (clock,) = clocks_of(here, [request])
    more = {"holidays": clock.holidays, "alarms": list(clock.alarms)}
    tell_case(_line(clock), more, happened, letters, as_json)


@command.command("alarms")
@as_json_option
def alarms(as_json: bool) -> None:
    """Raise every alarm whose day has come, each once; ends with 1 if there is any. Mailed to the policy's contact."""
    here = desk()
    raised = raise_alarms(here)
    rows = [{"request": a.request_id, "mark_on": a.mark_on, "status": a.status.value, "due": a.due} for a in raised]
    owed = [f"due {a.due.isoformat()}" if a.due else a.status.value for a in raised]
    mail_alarms(here, [(a.request_id, a.mark_on, text) for a, text in zip(raised, owed, strict=True)])
    tell_rows(rows, ALARM_COLUMNS, as_json, "no alarms")
    if raised:
        sys.exit(1)


def _acknowledge(here: Desk, opened: list[Opened]) -> bool:
    """Tell the people that their requests are there; a mail server that fails does not undo that they are."""
    post = mailer()
    if post is None:
        return False
    for one in opened:
        with here.transaction() as db:
            request = requests.get(db, one.request_id)
            letter = notices.written(here, db, request, notices.Template.ACKNOWLEDGEMENT)
        try:
            notices.tell(here, post, request, letter)
        except Impediment as error:
            click.echo(f"{one.request_id} is open, but not acknowledged: {error}", err=True)
            return False
    return True


def _file_on_standard_input(right: Right, to_third_party: bool) -> CaseFile:
    identifiers, words = people_and_words()
    if right is Right.RECTIFICATION:
        return CaseFile(identifiers, corrections=corrections_in(words))
    if to_third_party:
        return CaseFile(identifiers, "\n".join(words[1:]), deliver_to=words[0].strip() if words else "-")
    return CaseFile(identifiers, "\n".join(words))


def people_and_words() -> tuple[tuple[Identifier, ...], list[str]]:
    """Who stands on standard input, an identifier a line, and the lines of their own words."""
    lines = sys.stdin.read().splitlines()
    at = lines.index(WORDS_FOLLOW) if WORDS_FOLLOW in lines else len(lines)
    return identifiers_in(lines[:at]), lines[at + 1 :]


def _of_row(here: Desk, row: Cells) -> Intake:
    try:
        people = identifiers_in(row.needed("identifiers").split(";"))
    except NotNamed as error:
        raise row.bad("identifiers", "expected addresses or customer_number:NUMBER, joined by ;") from error
    right, channel = row.one_of("right", Right), row.one_of("channel", Channel)
    ground = row.one_of("ground", Ground) if row.has("ground") and row.text("ground") else None
    to_marketing = row.has("to_marketing") and row.text("to_marketing") == "yes"
    moment = row.parsed("received_at", lambda text: moment_of(here, text))
    try:
        return Intake(right, channel, moment, CaseFile(people), ground, to_marketing)
    except NotARequest as error:
        raise row.bad("right", str(error)) from error


def moment_of(here: Desk, text: str) -> datetime:
    """An instant; of a day its first moment, in UTC; nothing: now."""
    if not text:
        return here.now()
    try:
        moment = parse_moment(text)
    except ValueError as error:
        raise Unusable(f"--received-at: {error}") from error
    return moment if isinstance(moment, datetime) else datetime(moment.year, moment.month, moment.day, tzinfo=UTC)


def _ground(name: str | None) -> Ground | None:
    return Ground(name) if name else None


def _line(clock: Clock) -> dict[str, Any]:
    request = clock.request
    return {
        "request": request.request_id,
        "state": request.state,
        "right": request.asks_for.value,
        "channel": request.channel.value,
        "received": request.received_at,
        "due": clock.due.due,
        "clock": clock.due.status.value,
        "joined_to": request.joined_to,
    }
