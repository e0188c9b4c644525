"""How is one item of a mailbox named? Mailbox and immutable id, which a move inside the mailbox does not change."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from urllib.parse import quote

from retention.vocabulary import RecordRef

MESSAGE, CONTACT, EVENT, MAILBOX = "message", "contact", "event", "mailbox"
COLLECTIONS = {MESSAGE: "messages", CONTACT: "contacts", EVENT: "events"}
_MAILBOX = re.compile(r"[0-9A-Za-z\-]{1,64}")
_ID = re.compile(r"[0-9A-Za-z_\-+/=]{1,600}")


@dataclass(frozen=True, slots=True)
class Item:
    """Where an item lies: the id of its mailbox's user, and its own immutable id."""

    kind: str
    mailbox: str = field(repr=False)
    item_id: str = field(repr=False)

    @property
    def path(self) -> str:
        """Its address below the service's root."""
        return f"{mailbox_path(self.mailbox)}/{COLLECTIONS[self.kind]}/{quote(self.item_id, safe='')}"


def key(mailbox: str, item_id: str) -> str:
    """The key of an item's record."""
    return f"{mailbox}/{item_id}"


def mailbox_path(mailbox: str) -> str:
    """Where a mailbox lies below the service's root."""
    return f"/users/{quote(mailbox, safe='')}"


def item_of(ref: RecordRef) -> Item | None:
    """The item a record's key names; None for a key that cannot be one of ours."""
    mailbox, _, item_id = ref.key.partition("/")
    if ref.kind not in COLLECTIONS or not _MAILBOX.fullmatch(mailbox) or not is_id(item_id):
        return None
    return Item(ref.kind, mailbox, item_id)


def is_id(value: object) -> bool:
    """Whether something can be the id of an item."""
    return isinstance(value, str) and _ID.fullmatch(value) is not None and not value.startswith("/")
