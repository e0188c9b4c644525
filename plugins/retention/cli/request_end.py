"""How does a request end? Answered, put off and reopened, certified, closed."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import click

from retention.cli.answers import as_json_option, tell
from retention.cli.request import by_option, said_plainly
from retention.cli.request_answers import by_post, told_by_post
from retention.cli.request_burden import command
from retention.cli.surroundings import Unusable, desk, mailer
from retention.requests import certificate as certificates
from retention.requests import finishing
from retention.store import request_certificates

__all__ = ["command"]


@command.command("answer")
@click.argument("request_id")
@told_by_post
@by_option
@as_json_option
def answer(request_id: str, told_on: datetime | None, letter: str, who: str, as_json: bool) -> None:
    """Tell the subject what came of a request that every system has finished; names those that have not."""
    with said_plainly():
        state = finishing.answer(desk(), mailer(), request_id, who, by_post(told_on, letter))
    tell({"request": request_id, "state": state}, as_json, f"{request_id} is {state}, the subject was told")


@command.command("reopen")
@click.argument("request_id")
@by_option
@as_json_option
def reopen(request_id: str, who: str, as_json: bool) -> None:
    """Look again at a request that was put off: a hold ended, or a statute asks no longer. The next run decides."""
    with said_plainly():
        state = finishing.reopen(desk(), request_id, who)
    tell({"request": request_id, "state": state}, as_json, f"{request_id} is {state}")


@command.command("close")
@click.argument("request_id")
@by_option
@as_json_option
def close(request_id: str, who: str, as_json: bool) -> None:
    """End a case and those that joined it. Their keys are destroyed: afterwards nobody can read whom it was about."""
    with said_plainly():
        closed = finishing.close(desk(), request_id, who)
    tell({"closed": closed}, as_json, f"closed {', '.join(closed)}")


@command.command("certificate")
@click.argument("request_id")
@click.option("--page", "page_file", type=click.Path(path_type=Path), help="Write it as a page for people, too.")
@as_json_option
def certificate(request_id: str, page_file: Path | None, as_json: bool) -> None:
    """The newest certificate of a request: signed, and naming nobody."""
    with desk().transaction() as db:
        document = request_certificates.newest(db, request_id)
    if document is None:
        raise Unusable(f"{request_id} has no certificate yet: it is issued when the request is closed")
    if page_file is not None:
        page_file.write_text(certificates.page(document), encoding="utf-8")
    body = document["certificate"]
    tell(document, as_json, f"{body['certificate']}: {'complete' if body['complete'] else 'not complete'}")
