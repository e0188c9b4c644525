"""What does a person decide on a request? Prove identity, pause, extend, refuse, weigh, lift, withdraw."""

from __future__ import annotations

import sys
from collections.abc import Callable
from datetime import datetime
from typing import Any, TypeVar

import click

from retention.cli.answers import as_json_option, tell
from retention.cli.request import by_option, command, said_plainly
from retention.cli.surroundings import Unusable, desk, mailer, who_may_approve
from retention.place_hold import MATTER
from retention.requests import answers, identity
from retention.requests.answers import Because, RefusalReason
from retention.requests.identity import LinkRefused
from retention.requests.notices import ByPost

__all__ = ["by_post", "command", "told_by_post"]

F = TypeVar("F", bound=Callable[..., Any])


def told_by_post(function: F) -> F:
    """The options of a letter that a person sent."""
    told_on = click.option("--told-on", type=click.DateTime(["%Y-%m-%d"]), help="The letter went by post on this day.")
    letter = click.option("--letter", default="", help="Its reference, like post-2026-17; with --told-on.")
    return told_on(letter(function))


@command.command("identity")
@click.argument("request_id")
@click.option("--page", default="", help="Where one-time links lead: sends one to each address of the request.")
@click.option("--confirm", is_flag=True, help="Take the link token on standard input.")
@click.option("--shown-otherwise", is_flag=True, help="A person of ours is satisfied who asks.")
@by_option
@as_json_option
def identify(request_id: str, page: str, confirm: bool, shown_otherwise: bool, who: str, as_json: bool) -> None:
    """Find out whether whoever asks is the person: by one-time links, or by the eyes of somebody who may approve."""
    if sum((bool(page), confirm, shown_otherwise)) != 1:
        raise Unusable("one of --page ADDRESS (send links), --confirm (take a token), --shown-otherwise")
    here = desk()
    with said_plainly():
        if page:
            post = mailer()
            if post is None:
                raise Unusable("RETENTION_SMTP_URL is not set: links go by e-mail only")
            sent = identity.ask(here, post, request_id, page, who)
            tell({"request": request_id, "links": sent}, as_json, f"{request_id}: {sent} links sent")
            return
        if shown_otherwise:
            who_may_approve(here, who)
            state = identity.show_by_hand(here, request_id, who)
        else:
            try:
                state = identity.confirm(here, request_id, sys.stdin.read().strip())
            except LinkRefused as refused:
                tell({"request": request_id, "refused": refused.why}, as_json, str(refused))
                sys.exit(1)
    tell({"request": request_id, "state": state}, as_json, f"{request_id} is {state}")


@command.command("extend")
@click.argument("request_id")
@click.option("--because", type=click.Choice([b.value for b in Because]), required=True, help="Of what (Art. 12(3)).")
@told_by_post
@by_option
@as_json_option
def extend(request_id: str, because: str, told_on: datetime | None, letter: str, who: str, as_json: bool) -> None:
    """Take up to two more months. The notice with the reason goes out first, before the first due date."""
    here = desk()
    with said_plainly():
        due = answers.extend(here, mailer(), request_id, Because(because), who, by_post(told_on, letter))
    tell({"request": request_id, "due": due}, as_json, f"{request_id}: due {due.isoformat()}, the subject was told")


@command.command("refuse")
@click.argument("request_id")
@click.option(
    "--reason",
    "reasons",
    multiple=True,
    required=True,
    type=click.Choice([r.value for r in RefusalReason]),
    help="Ground of law; may be repeated.",
)
@told_by_post
@by_option
@as_json_option
def refuse(
    request_id: str, reasons: tuple[str, ...], told_on: datetime | None, letter: str, who: str, as_json: bool
) -> None:
    """Refuse a request. The letter with reasons and ways to complain goes out first."""
    here = desk()
    who_may_approve(here, who)
    given = [RefusalReason(reason) for reason in reasons]
    with said_plainly():
        state = answers.refuse(here, mailer(), request_id, given, who, by_post(told_on, letter))
    tell({"request": request_id, "state": state}, as_json, f"{request_id} is {state}, the subject was told")


@command.command("pause")
@click.argument("request_id")
@by_option
@as_json_option
def pause(request_id: str, who: str, as_json: bool) -> None:
    """Wait for the subject to say what is meant. Whether that stops the clock depends on the right and the law."""
    with said_plainly():
        state = answers.pause(desk(), request_id, who)
    tell({"request": request_id, "state": state}, as_json, f"{request_id} is {state}")


@command.command("resume")
@click.argument("request_id")
@by_option
@as_json_option
def resume(request_id: str, who: str, as_json: bool) -> None:
    """Go on: the subject answered."""
    with said_plainly():
        state = answers.resume(desk(), request_id, who)
    tell({"request": request_id, "state": state}, as_json, f"{request_id} is {state}")


@command.command("weigh")
@click.argument("request_id")
@click.argument("outcome", type=click.Choice(["upheld", "overridden"]))
@by_option
@as_json_option
def weigh(request_id: str, outcome: str, who: str, as_json: bool) -> None:
    """Say what became of an objection, which only a person can weigh. One to marketing is not weighed."""
    here = desk()
    who_may_approve(here, who)
    with said_plainly():
        answers.weigh(here, request_id, outcome == "upheld", who)
    tell({"request": request_id, "objection": outcome}, as_json, f"{request_id}: the objection is {outcome}")


@command.command("lift")
@click.argument("request_id")
@click.option("--because", type=click.Choice(list(answers.LIFTED_BECAUSE)), required=True, help="Why it ends.")
@told_by_post
@by_option
@as_json_option
def lift(request_id: str, because: str, told_on: datetime | None, letter: str, who: str, as_json: bool) -> None:
    """End the restriction a request brought about: the subject is told first (Art. 18(3)), then it is lifted."""
    here = desk()
    who_may_approve(here, who)
    with said_plainly():
        notice = answers.lift(here, mailer(), request_id, because, who, by_post(told_on, letter))
    tell({"request": request_id, "notice": notice}, as_json, f"{request_id}: told, and lifted")


@command.command("withdraw")
@click.argument("request_id")
@by_option
@as_json_option
def withdraw(request_id: str, who: str, as_json: bool) -> None:
    """Take a request back for its subject. When this answers, no call starts for it any more; 1: one is still out."""
    with said_plainly():
        nothing_runs = answers.withdraw(desk(), request_id, who)
    words = f"{request_id} is withdrawn" + ("" if nothing_runs else "; a call sent before has not ended yet")
    tell({"request": request_id, "state": "withdrawn", "nothing_runs": nothing_runs}, as_json, words)
    if not nothing_runs:
        sys.exit(1)


def by_post(told_on: datetime | None, letter: str) -> ByPost | None:
    """The letter that the options name; None if none went by post."""
    if told_on is None and not letter:
        return None
    if told_on is None or not MATTER.fullmatch(letter):
        raise Unusable("a letter by post has both: --told-on DAY and --letter with a reference like post-2026-17")
    day = told_on.date()
    if day > desk().today:
        raise Unusable("--told-on takes the day on which the letter went: not one to come")
    return ByPost(letter, day)
