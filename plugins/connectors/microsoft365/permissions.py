"""Which application permissions was this app granted? Read from its own token, where Entra ID writes them."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator

from retention.contract import Check

READING = {
    "User.Read.All": ("list the mailboxes", ("User.Read.All",)),
    "Mail.Read": ("read mail", ("Mail.Read", "Mail.ReadWrite")),
    "Contacts.Read": ("read contacts", ("Contacts.Read", "Contacts.ReadWrite")),
    "Calendars.Read": ("read calendars", ("Calendars.Read", "Calendars.ReadWrite")),
}
ACTING = {
    "Mail.ReadWrite": "move and delete mail",
    "Contacts.ReadWrite": "delete contacts",
    "Calendars.ReadWrite": "delete events",
    "MailboxItem.ReadWrite.All": "delete for good, and see what is still recoverable",
}


def checks(token: str) -> Iterator[Check]:
    """What the app may do in the whole tenant. Access narrowed in Exchange Online does not stand in the token."""
    held = granted(token)
    for least, (what, enough) in READING.items():
        yield Check(what, "" if held & set(enough) else _lacking(least))
    for permission, what in ACTING.items():
        yield Check(what, "" if permission in held else _lacking(permission), to_act=True)


def granted(token: str) -> frozenset[str]:
    """The permissions in a token; none if it cannot be read."""
    try:
        payload = token.split(".")[1]
        claims = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
        return frozenset(str(role) for role in claims.get("roles") or ())
    except (IndexError, ValueError, AttributeError):
        return frozenset()


def _lacking(permission: str) -> str:
    return f"application permission {permission} with admin consent, or access by a role of Exchange Online"
