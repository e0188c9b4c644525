"""What lies in the mailboxes? Plans of mailboxes, messages, contacts and meetings, with the ids they will have."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from sandbox.microsoft365 import ids

OWN_DOMAIN = "harbour-ltd.example"
FIRST_UID = 1 << 32


@dataclass(frozen=True)
class MailboxPlan:
    """A mailbox of ours; `extra` is how many messages nobody looks at one by one it holds besides."""

    address: str
    name: str
    purpose: str = "user"
    aliases: tuple[str, ...] = ()
    on_hold: bool = False
    in_scope: bool = True
    archived: int = 0
    extra: int = 0


@dataclass(frozen=True)
class Attachment:
    """A file in a message; `inner` is the body of a message in a message instead."""

    name: str
    content: bytes = field(default=b"", repr=False)
    inner: str = field(default="", repr=False)


@dataclass(frozen=True)
class MessagePlan:
    """A message in a folder of a mailbox. People are addresses, or display name and address."""

    mailbox: str
    folder: str
    sender: str | tuple[str, str]
    to: tuple[str | tuple[str, str], ...]
    received: datetime
    subject: str
    body: str = field(repr=False)
    cc: tuple[str, ...] = ()
    bcc: tuple[str, ...] = ()
    categories: tuple[str, ...] = ()
    attachments: tuple[Attachment, ...] = ()
    hidden_folder: bool = False


@dataclass(frozen=True)
class ContactPlan:
    """A contact in a mailbox."""

    mailbox: str
    name: str
    addresses: tuple[str, ...]
    made: datetime
    phone: str | None = None


@dataclass(frozen=True)
class MeetingPlan:
    """A meeting one of ours invited to."""

    mailbox: str
    attendees: tuple[str, ...]
    start: datetime
    subject: str
    length: timedelta = timedelta(hours=1)


Plan = MessagePlan | ContactPlan | MeetingPlan


class MailRows:
    """Mailboxes, and what lies in them in the order it is put there: that order gives each item its id."""

    def __init__(self) -> None:
        self.mailboxes: list[MailboxPlan] = []
        self.without_mailbox: list[tuple[str, str, bool]] = []
        """Address and name of users without one, and whether they are guests."""
        self.items: list[Plan] = []

    def mailbox(self, name: str, text: str, **how: object) -> str:
        """A mailbox of ours; its address."""
        address = f"{name}@{OWN_DOMAIN}"
        self.mailboxes.append(MailboxPlan(address, text, **how))  # type: ignore[arg-type]
        return address

    def put(self, plan: Plan) -> str:
        """An item; the key of its record."""
        box = [one.address for one in self.mailboxes].index(plan.mailbox) + 1
        earlier = sum(one.mailbox == plan.mailbox for one in self.items)
        self.items.append(plan)
        key = ids.item_id(box, FIRST_UID + earlier, 0, immutable=True)
        return f"{ids.user_id(plan.mailbox)}/{key}"

    def of(self, mailbox: str) -> Sequence[Plan]:
        """What lies in one mailbox, in order."""
        return [one for one in self.items if one.mailbox == mailbox]
