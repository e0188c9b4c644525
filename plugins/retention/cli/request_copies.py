"""How does a person get at the copy of a subject's data? Told its passphrase, fetched by its link, sent, destroyed."""

from __future__ import annotations

import sys
from datetime import datetime
from pathlib import Path

import click

from retention.cli.answers import as_json_option, tell
from retention.cli.request import by_option, said_plainly
from retention.cli.request_answers import by_post, told_by_post
from retention.cli.request_end import command
from retention.cli.surroundings import Unusable, copies_folder, desk, mailer, who_may_approve
from retention.requests import copies
from retention.requests.copies import NoSuchCopy

__all__ = ["command"]


@command.command("passphrase")
@click.argument("request_id")
@by_option
@as_json_option
def passphrase(request_id: str, who: str, as_json: bool) -> None:
    """Show what opens the copies of a request, to tell the person by telephone or in a letter; recorded.

    Never by the way the link goes. The request is answered only after somebody did this, or the website showed it.
    """
    here = desk()
    who_may_approve(here, who)
    with said_plainly():
        told = copies.tell_passphrase(here, request_id, who)
    tell({"request": request_id, "passphrase": told}, as_json, told)


@command.command("send-copy")
@click.argument("request_id")
@click.option("--page", required=True, help="Where links to copies lead: a page of the website.")
@as_json_option
def send_copy(request_id: str, page: str, as_json: bool) -> None:
    """Send the links to the copy of a request that were not sent yet; what was sent stays sent."""
    with said_plainly():
        sent = copies.deliver(desk(), mailer(), request_id, page)
    tell({"request": request_id, "links": sent}, as_json, f"{request_id}: {sent} links sent")


@command.command("fetch-copy")
@click.argument("request_id")
@click.argument("target", type=click.Path(dir_okay=False, path_type=Path))
@as_json_option
def fetch_copy(request_id: str, target: Path, as_json: bool) -> None:
    """Write the encrypted copy that a link leads to into TARGET. Its token comes by standard input and works once."""
    here, folder = desk(), copies_folder()
    try:
        fetched = copies.fetch(here, request_id, sys.stdin.read().strip(), folder)
    except NoSuchCopy as refused:
        tell({"request": request_id, "refused": refused.why}, as_json, str(refused))
        sys.exit(1)
    with fetched.path.open("rb") as content, target.open("wb") as written:
        for piece in copies.pieces(here, request_id, fetched, content):
            written.write(piece)
    tell({"request": request_id, "bytes": target.stat().st_size}, as_json, f"written to {target.name}")


@command.command("hand-over-copy")
@click.argument("request_id")
@click.argument("target", type=click.Path(dir_okay=False, path_type=Path))
@told_by_post
@by_option
@as_json_option
def hand_over_copy(
    request_id: str, target: Path, told_on: datetime | None, letter: str, who: str, as_json: bool
) -> None:
    """Write the encrypted copy of a request into TARGET, for a person without e-mail: it goes by post, and that is on
    record."""
    here = desk()
    who_may_approve(here, who)
    posted = by_post(told_on, letter)
    if posted is None:
        raise Unusable("name the letter it goes with: --told-on DAY and --letter REFERENCE")
    with said_plainly():
        copies.hand_over(here, request_id, copies_folder(), target, posted)
    tell({"request": request_id, "bytes": target.stat().st_size}, as_json, f"written to {target.name}")


@command.command("destroy-copies")
@click.option("--request", "request_id", default="", help="Those of one request, whatever their time.")
@as_json_option
def destroy_copies(request_id: str, as_json: bool) -> None:
    """Destroy the copies whose time is over, as the run of each morning does."""
    here, folder = desk(), copies_folder()
    gone = copies.destroy_of(here, request_id, folder) if request_id else copies.destroy_expired(here, folder)
    tell({"destroyed": gone}, as_json, f"destroyed {gone} copies")
