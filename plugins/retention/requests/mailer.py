"""How does a letter leave the house? By SMTP; who sends is a protocol, so that nothing else knows how."""

from __future__ import annotations

import smtplib
import ssl
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from email.message import EmailMessage
from typing import Protocol
from urllib.parse import parse_qs, unquote, urlsplit

from retention.impediment import Impediment

TIMEOUT_SECONDS = 30


class NotSent(Impediment):
    """The mail server did not take a letter. Nothing was recorded as sent; the text names the server, nobody else."""


class Mailer(Protocol):
    """Whatever can send a letter."""

    def send(self, to: str, subject: str, body: str, message_id: str) -> None:
        """Hand one letter over, or raise `NotSent`; a server that knows the message id takes it once."""
        ...


@dataclass(frozen=True)
class SmtpMailer:
    """Sends through one mail server: `smtps` from the first byte, `smtp` with STARTTLS unless it is on loopback."""

    host: str
    port: int
    sender: str
    user: str = ""
    password: str = field(default="", repr=False)
    tls: bool = True
    context: Callable[[], ssl.SSLContext] = ssl.create_default_context

    def send(self, to: str, subject: str, body: str, message_id: str) -> None:
        letter = EmailMessage()
        try:
            letter["From"], letter["To"], letter["Subject"] = self.sender, to, subject
        except ValueError as error:
            raise NotSent("an address that is no address cannot be written to: use another channel") from error
        letter["Message-ID"] = f"<{message_id}@{self.sender.rpartition('@')[2]}>"
        letter["Auto-Submitted"] = "auto-generated"
        letter.set_content(body)
        try:
            with self._connected() as server:
                if self.user:
                    server.login(self.user, self.password)
                server.send_message(letter)
        except (OSError, smtplib.SMTPException) as error:  # their text repeats the recipient
            raise NotSent(f"the mail server {self.host}:{self.port} took no letter ({type(error).__name__})") from None

    def _connected(self) -> AbstractContextManager[smtplib.SMTP]:
        if self.tls and self.port == 465:
            return smtplib.SMTP_SSL(self.host, self.port, timeout=TIMEOUT_SECONDS, context=self.context())
        server = smtplib.SMTP(self.host, self.port, timeout=TIMEOUT_SECONDS)
        if self.tls:
            server.starttls(context=self.context())
        return server


def mailer_of(url: str) -> SmtpMailer:
    """A mailer from `smtp://user:password@host:port?sender=privacy@example.com`; without TLS on this machine only."""
    parts = urlsplit(url)
    sender = parse_qs(parts.query).get("sender", [""])[0]
    if parts.scheme not in ("smtp", "smtps") or not parts.hostname or "@" not in sender:
        raise Impediment("the mail server is written smtp://USER:PASSWORD@HOST:PORT?sender=ADDRESS")
    loopback = parts.hostname in ("127.0.0.1", "::1", "localhost")
    return SmtpMailer(
        parts.hostname,
        parts.port or (465 if parts.scheme == "smtps" else 587),
        sender,
        unquote(parts.username or ""),
        unquote(parts.password or ""),
        tls=parts.scheme == "smtps" or not loopback,
    )
