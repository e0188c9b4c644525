"""What is in a mailbox with thousands of messages nobody looks at one by one? Each is made up from its number."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from sandbox.microsoft365.rows import message

FOLDERS = (("Inbox", 6), ("Sent Items", 3), ("Archive", 1))
"""Folder, and its tenths of all messages."""
_WORDS = "delivery invoice quote sample order question answer appointment thanks reminder catalogue visit".split()  # noqa: SIM905


@dataclass
class Bulk:
    """`size` messages of a mailbox, numbered from 1; `gone` are those that were written out or removed since."""

    address: str
    size: int
    newest: datetime
    days: int = 8 * 365
    """Over how many days before the newest they were received."""
    people: int = 500
    gone: set[int] = field(default_factory=set)

    def span(self, folder: str) -> range:
        """The numbers of the messages of a folder."""
        start = 1
        for name, tenths in FOLDERS:
            length = self.size * tenths // 10
            stop = self.size + 1 if name == FOLDERS[-1][0] else start + length
            if name == folder:
                return range(start, stop)
            start = stop
        return range(0)

    def folder_of(self, uid: int) -> str | None:
        """Where an untouched message lies."""
        if uid in self.gone:
            return None
        return next((name for name, _ in FOLDERS if uid in self.span(name)), None)

    def message(self, uid: int) -> tuple[dict[str, Any], datetime]:
        """A message by its number, the same each time, and when it was received."""
        at = self.newest.astimezone(UTC) - timedelta(seconds=self.days * 86400 * (uid - 1) // max(1, self.size))
        sender = f"writer{uid * 7919 % self.people:06d}@example.com"
        words = " ".join(_WORDS[(uid * step + step) % len(_WORDS)] for step in range(1, 40))
        text = f"<html><body><p>Dear all,</p><p>{words}.</p><p>Yours, <b>{sender}</b></p></body></html>"
        is_sent = uid in self.span("Sent Items")
        start, end = (self.address, sender) if is_sent else (sender, self.address)
        return message(sender=start, to=(end,), subject=f"Message {uid}", body=text, received=at, serial=uid), at
