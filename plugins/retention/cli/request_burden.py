"""What does a request cost others? Judged excessive or in order, charged for; who else had the data, and who knows."""

from __future__ import annotations

from datetime import datetime

import click

from retention.cli.answers import as_json_option, tell, tell_rows
from retention.cli.request import by_option, said_plainly
from retention.cli.request_answers import by_post, command, told_by_post
from retention.cli.surroundings import Unusable, desk, mailer, who_may_approve
from retention.place_hold import MATTER
from retention.requests import charging, recipients
from retention.requests.answers import RefusalReason
from retention.store import request_recipients, requests

__all__ = ["command"]

IN_ORDER = "in-order"
RECIPIENT_COLUMNS = ("system", "recipient", "what", "by", "state", "told_on", "proof")


@command.command("judge")
@click.argument("request_id")
@click.option(
    "--as",
    "verdict",
    type=click.Choice([*(one.value for one in charging.TOO_MUCH), IN_ORDER]),
    required=True,
    help="What it is found to be.",
)
@click.option("--file", "reference", default="", help="Where that is shown, like case-2026-17: the burden is ours.")
@by_option
@as_json_option
def judge(request_id: str, verdict: str, reference: str, who: str, as_json: bool) -> None:
    """Say that a request is excessive or manifestly unfounded (Art. 12(5)): then it may be charged for or refused.

    Until it is, or is found in order, a person decides on each of its records.
    """
    here = desk()
    who_may_approve(here, who)
    if verdict != IN_ORDER and not MATTER.fullmatch(reference):
        raise Unusable("--file takes the reference under which it is shown, like case-2026-17; no names")
    because = None if verdict == IN_ORDER else RefusalReason(verdict)
    with said_plainly():
        charging.judge(here, request_id, because, reference, who)
    tell({"request": request_id, "found": verdict}, as_json, f"{request_id} is found {verdict}")


@command.command("charge")
@click.argument("request_id")
@click.option("--fee", required=True, help="Amount and currency, like '10.00 GBP': what it costs, and no more.")
@told_by_post
@by_option
@as_json_option
def charge(request_id: str, fee: str, told_on: datetime | None, letter: str, who: str, as_json: bool) -> None:
    """Ask for a fee, by a letter that goes out first, and wait. `request resume` when it was paid."""
    here = desk()
    who_may_approve(here, who)
    with said_plainly():
        state = charging.charge(here, mailer(), request_id, fee, who, by_post(told_on, letter))
    tell({"request": request_id, "state": state}, as_json, f"{request_id} is {state}, the subject was told")


@command.command("recipients")
@click.argument("request_id")
@click.option("--tell", "tells", is_flag=True, help="Tell the subject who they are, as they may ask (Art. 19).")
@told_by_post
@as_json_option
def list_recipients(request_id: str, tells: bool, told_on: datetime | None, letter: str, as_json: bool) -> None:
    """To whom the data of a request was passed, and who of them was told what was done."""
    here = desk()
    with said_plainly():
        with here.transaction() as db:
            requests.get(db, request_id)
            found = request_recipients.of_request(db, request_id)
        if tells:
            recipients.name_to_subject(here, mailer(), request_id, by_post(told_on, letter))
    rows = [
        {
            "system": one.system,
            "recipient": recipients.name_of(here, one),
            "what": one.what.value,
            "by": one.how.value,
            "state": one.state,
            "told_on": one.told_on,
            "proof": one.proof,
        }
        for one in found
    ]
    tell_rows(rows, RECIPIENT_COLUMNS, as_json, "nobody is to be told")
