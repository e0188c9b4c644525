"""How does a test take in, identify and answer a subject's request? A desk, a mail server, made-up people."""

from __future__ import annotations

import re
from datetime import UTC, datetime

from retention.clocks import Right
from retention.requests import identity
from retention.requests.case_file import CaseFile, Correction
from retention.requests.intake import Intake, Opened, take_in
from retention.requests.mailer import SmtpMailer, mailer_of
from retention.restriction import Ground
from retention.store import requests
from retention.store.desk import Desk
from retention.store.requests import Channel, Request
from retention.vocabulary import Identifier, IdentifierKind
from sandbox.mail.server import MailServer

RECEIVED = datetime(2026, 11, 20, 9, 0, tzinfo=UTC)
PAGE = "https://privacy.example.com/confirm"


def who(*addresses: str) -> tuple[Identifier, ...]:
    """People by their addresses; a customer number where there is no @."""
    return tuple(Identifier(IdentifierKind.EMAIL if "@" in a else IdentifierKind.CUSTOMER_NUMBER, a) for a in addresses)


def asked(
    desk: Desk,
    *addresses: str,
    asks_for: Right = Right.ERASURE,
    ground: Ground | None = None,
    to_marketing: bool = False,
    received_at: datetime = RECEIVED,
    corrections: tuple[Correction, ...] = (),
    by: str = "clerk",
) -> Opened:
    """A request taken in, by form."""
    file = CaseFile(who(*addresses), "please" if not corrections else "", corrections)
    (opened,) = take_in(desk, [Intake(asks_for, Channel.FORM, received_at, file, ground, to_marketing)], by)
    return opened


def identified(desk: Desk, *addresses: str, **how: object) -> str:
    """The same, with its person known; the request's id."""
    opened = asked(desk, *addresses, **how)  # type: ignore[arg-type]
    identity.show_by_hand(desk, opened.request_id, "dpo")
    return opened.request_id


def standing(desk: Desk, request_id: str) -> Request:
    """The request as it stands now."""
    with desk.transaction() as db:
        return requests.get(db, request_id)


def mailer_to(server: MailServer) -> SmtpMailer:
    """A mailer that reaches the sandbox's server."""
    return mailer_of(f"smtp://127.0.0.1:{server.port}?sender=privacy@example.com")


def token_in(server: MailServer, address: str) -> str:
    """The token of the newest link sent to an address."""
    found = re.findall(rf"{re.escape(PAGE)}/request-[0-9a-f]+/(\S+)", server.to(address)[-1].get_content())
    return str(found[-1])
