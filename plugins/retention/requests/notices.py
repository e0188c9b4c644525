"""What is a subject told, in which words, and how is it proven that they were told? Letters from templates.

A letter is made from `include/notices/`, sent, and only then recorded: by its template, the digest of that template and
the digest of the letter. A crash between the two sends the same letter again under the same message id.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum
from functools import lru_cache
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import jinja2

from retention import audit, clocks
from retention.impediment import Impediment
from retention.requests.due import clock_of
from retention.requests.mailer import Mailer
from retention.store import audit_log, request_notices, requests
from retention.store.database import Connection
from retention.store.desk import Desk
from retention.store.requests import Request

FOLDER = Path(__file__).parents[3] / "include" / "notices"


class Template(StrEnum):
    """The letters there are; each is a file of that name."""

    ACKNOWLEDGEMENT = "acknowledgement"
    IDENTITY = "identity"
    EXTENSION = "extension"
    OUTCOME = "outcome"
    REFUSAL = "refusal"
    LIFTING = "lifting"
    RECIPIENTS = "recipients"
    RECIPIENTS_NAMED = "recipients-named"
    COPY = "copy"
    FEE = "fee"
    COMPLAINT_ACKNOWLEDGEMENT = "complaint-acknowledgement"
    COMPLAINT_PROGRESS = "complaint-progress"
    COMPLAINT_ANSWER = "complaint-answer"


class NobodyToWriteTo(Impediment):
    """A request holds no address: the letter goes by post, and its reference is recorded."""


@dataclass(frozen=True, slots=True)
class Letter:
    """A letter in its final words."""

    template: Template
    template_digest: str
    subject: str
    body: str = field(repr=False)

    @property
    def digest(self) -> str:
        """By which it can be recognised again; says nothing of its words."""
        return hashlib.sha256(f"{self.subject}\n\n{self.body}".encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class ByPost:
    """A letter that a person sent, by its reference."""

    reference: str
    on: date


def written(desk: Desk, db: Connection, request: Request, template: Template, **values: Any) -> Letter:
    """The letter to the subject of a request; a template that names a value nobody gave is an error."""
    rules = desk.policy.schedule.answering
    clock = clock_of(desk.policy.schedule, request, requests.events(db, [request.request_id])[request.request_id])
    given = {
        "request_id": request.request_id,
        "asks_for": ASKS_FOR[request.asks_for],
        "received_on": clocks.local_day(request.received_at, ZoneInfo(rules.zone)).isoformat(),
        "due_on": clock.due.due.isoformat() if clock.due.due else "",
        "controller": rules.controller,
        "contact": rules.contact,
        "regime": desk.policy.schedule.response_regime,
    }
    return letter(template, given | values)


def letter(template: Template, values: Mapping[str, Any]) -> Letter:
    """A letter from its template, whose first line is the subject."""
    source, digest = _source(template)
    subject, _, body = _environment().from_string(source).render(values).partition("\n")
    return Letter(template, digest, subject.removeprefix("Subject: ").strip(), body.strip() + "\n")


def tell(
    desk: Desk, mailer: Mailer | None, request: Request, made: Letter, by_post: ByPost | None = None, to: str = ""
) -> str:
    """Send a letter to the addresses of a request (or to one of them), then record it; returns the notice's id.

    With `by_post` a person sent it. Whoever moves a request because of it does so after this.
    """
    with desk.transaction() as db:
        addresses = () if by_post else (to,) if to else _addresses(db, desk, request)
    return send(desk, mailer, request.request_id, made, addresses, by_post)


def send(
    desk: Desk,
    mailer: Mailer | None,
    about: str,
    made: Letter,
    addresses: Sequence[str],
    by_post: ByPost | None = None,
) -> str:
    """Send a letter about a request or complaint to addresses, then record it; returns the notice's id."""
    with desk.transaction() as db:
        notice_id = request_notices.next_id(db, about, made.template)
    if by_post is None:
        if mailer is None or not addresses:
            raise NobodyToWriteTo(
                f"{about}: no address or no mail server: send the {made.template} letter by post and name its reference"
            )
        for number, address in enumerate(addresses):
            mailer.send(address, made.subject, made.body, f"{notice_id}.{number}")
    with desk.transaction() as db:
        request_notices.record(
            db,
            notice_id,
            about,
            template=made.template,
            template_digest=made.template_digest,
            digest=made.digest,
            reference=by_post.reference if by_post else "",
            sent_on=by_post.on if by_post else desk.today,
        )
        entry = desk.entry(
            audit.Event.NOTICE_SENT,
            run=about,
            reference=notice_id,
            reasons=(made.template,),
            role=audit.Role.OPERATOR,
        )
        audit_log.append(db, [entry])
    return notice_id


def _addresses(db: Connection, desk: Desk, request: Request) -> tuple[str, ...]:
    """The addresses shown to be theirs; all given ones while none was."""
    file = requests.read_file(db, desk.keyring, request.request_id)
    verified = requests.verified_keys(db, request.request_id)
    shown = tuple(
        i.value
        for i in file.identifiers
        if i.value in file.addresses and not verified.isdisjoint(desk.keyring.exact_keys(i))
    )
    return shown or file.addresses


ASKS_FOR: Mapping[clocks.Right, str] = {
    clocks.Right.ACCESS: "a copy of your personal data",
    clocks.Right.PORTABILITY: "your personal data in a portable form",
    clocks.Right.RECTIFICATION: "the correction of your personal data",
    clocks.Right.ERASURE: "the erasure of your personal data",
    clocks.Right.RESTRICTION: "the restriction of the use of your personal data",
    clocks.Right.OBJECTION: "that we stop using your personal data (your objection)",
    clocks.Right.CONSENT_WITHDRAWAL: "that your withdrawn consent is given effect",
}
"""What somebody asks for, in the words of a letter to them."""


@lru_cache(maxsize=len(Template))
def _source(template: Template) -> tuple[str, str]:
    source = (FOLDER / f"{template}.txt").read_text(encoding="utf-8")
    return source, hashlib.sha256(source.encode()).hexdigest()


@lru_cache(maxsize=1)
def _environment() -> jinja2.Environment:
    # Letters are plain text: nothing in them is to be escaped, and nothing that was not given may be left out.
    return jinja2.Environment(undefined=jinja2.StrictUndefined, autoescape=False, trim_blocks=True, lstrip_blocks=True)  # noqa: S701
