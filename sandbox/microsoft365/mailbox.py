"""What lies in one mailbox, and what changed in which order? Folders, items, and the numbers changes are read by.

A large mailbox holds messages that are written out only when somebody asks for them (`bulk`); one that is touched
becomes an item like any other.
"""

from __future__ import annotations

import bisect
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from sandbox.microsoft365 import ids
from sandbox.microsoft365.bulk import Bulk

Row = dict[str, Any]
DELETIONS, PURGES, DELETED = "recoverableitemsdeletions", "recoverableitemspurges", "deleteditems"
RECOVERABLE = (DELETIONS, PURGES)
CONTACTS, CALENDAR = "contacts", "calendar"
WELL_KNOWN = {
    "msgfolderroot": "Top of Information Store",
    "inbox": "Inbox",
    "sentitems": "Sent Items",
    "drafts": "Drafts",
    DELETED: "Deleted Items",
    "junkemail": "Junk Email",
    "archive": "Archive",
    "outbox": "Outbox",
    "conversationhistory": "Conversation History",
    DELETIONS: "Deletions",
    PURGES: "Purges",
    CONTACTS: "Contacts",
    CALENDAR: "Calendar",
}
ROOT = "msgfolderroot"
HIDDEN_ROOTS = (*RECOVERABLE, CONTACTS, CALENDAR, ROOT)
"""Folders that are no children of the root's: a walk over mail folders does not meet them."""


@dataclass
class Folder:
    """One folder; `holds` is message, contact or event, `parent` the number of the folder above."""

    number: int
    name: str
    parent: int | None
    holds: str = "message"
    known: str = ""
    hidden: bool = False
    search: bool = False
    changes: list[tuple[int, int]] = field(default_factory=list)
    """Number of the change and of the item: it came, changed or went."""


@dataclass
class Item:
    """One message, contact or event. `row` holds what the vendor shows, without ids and bookkeeping."""

    uid: int
    kind: str
    row: Row
    folder: int
    seq: int
    changed_at: datetime
    moves: int = 0
    moved_at: datetime | None = None
    attachments: list[Row] = field(default_factory=list)
    extended: dict[str, str] = field(default_factory=dict)
    lean: tuple[str, ...] = ()
    """What the last change touched."""


@dataclass
class Mailbox:
    """One mailbox of a user, shared or not."""

    number: int
    user: str
    address: str
    name: str
    purpose: str = "user"
    aliases: tuple[str, ...] = ()
    on_hold: bool = False
    in_scope: bool = True
    archived: int = 0
    """Messages in the in-place archive, which no call of the mail API reaches."""
    bulk: Bulk | None = None
    folders: dict[int, Folder] = field(default_factory=dict)
    items: dict[int, Item] = field(default_factory=dict)
    seq: int = 1
    next_uid: int = 1 << 32
    """Above all messages of the bulk."""

    def __post_init__(self) -> None:
        if self.folders:
            return
        root = self.add_folder(WELL_KNOWN[ROOT], None, known=ROOT)
        for known, name in WELL_KNOWN.items():
            if known != ROOT:
                above = None if known in HIDDEN_ROOTS else root.number
                holds = {CONTACTS: "contact", CALENDAR: "event"}.get(known, "message")
                self.add_folder(name, above, known=known, holds=holds)

    # --- Folders ---

    def add_folder(self, name: str, parent: int | None, **how: Any) -> Folder:
        number = max(self.folders, default=0) + 1
        folder = self.folders[number] = Folder(number, name, parent, **how)
        return folder

    def known(self, name: str) -> Folder:
        return next(one for one in self.folders.values() if one.known == name)

    def folder(self, key: str) -> Folder | None:
        """A folder by its id or well-known name."""
        for one in self.folders.values():
            if key == ids.folder_id(self.number, one.number) or (one.known and one.known == key.casefold()):
                return one
        return None

    def path(self, path: str, *, hidden: bool = False) -> Folder:
        """A folder by its path from the root, made where it is missing."""
        at = self.known(ROOT)
        for name in path.split("/"):
            below = [one for one in self.children(at) if one.name == name]
            at = below[0] if below else self.add_folder(name, at.number, hidden=hidden)
        return at

    def children(self, folder: Folder) -> list[Folder]:
        return [one for one in self.folders.values() if one.parent == folder.number]

    def below(self, folder: Folder) -> list[Folder]:
        """A folder and all below it."""
        return [folder, *(deeper for one in self.children(folder) for deeper in self.below(one))]

    def drop_folder(self, folder: Folder, now: datetime) -> None:
        """A folder goes outright, its items to Purges."""
        for one in self.below(folder):
            for item in list(self.inside(one)):
                self.move(item, self.known(PURGES), now)
            del self.folders[one.number]

    # --- Items ---

    def add(self, kind: str, row: Row, folder: Folder, now: datetime, **how: Any) -> Item:
        uid, self.next_uid = self.next_uid, self.next_uid + 1
        item = self.items[uid] = Item(uid, kind, row, folder.number, self._next(), now, **how)
        folder.changes.append((item.seq, uid))
        return item

    def item(self, uid: int) -> Item | None:
        """An item by its number, written out if it is one of the bulk."""
        if uid in self.items or self.bulk is None:
            return self.items.get(uid)
        where = self.bulk.folder_of(uid)
        return None if where is None else self._of_bulk(uid, self.path(where).number)

    def touch(self, item: Item, now: datetime, changes: Mapping[str, Any]) -> None:
        item = self._own(item)
        item.row |= changes
        item.lean = tuple(changes)
        item.seq, item.changed_at = self._next(), now
        self.folders[item.folder].changes.append((item.seq, item.uid))

    def move(self, item: Item, target: Folder, now: datetime) -> Item:
        item = self._own(item)
        seq = self._next()
        self.folders[item.folder].changes.append((seq, item.uid))
        item.folder, item.seq, item.moved_at, item.moves = target.number, seq, now, item.moves + 1
        item.lean = ()
        target.changes.append((seq, item.uid))
        return item

    def remove(self, item: Item) -> None:
        """Gone for good."""
        item = self._own(item)
        self.folders[item.folder].changes.append((self._next(), item.uid))
        del self.items[item.uid]

    def expire(self, now: datetime, retained: timedelta) -> None:
        """What has been recoverable for long enough goes."""
        numbers = {self.known(name).number for name in RECOVERABLE}
        over = [i for i in self.items.values() if i.folder in numbers and i.moved_at and now - i.moved_at >= retained]
        for item in over:
            self.remove(item)

    def inside(self, folder: Folder) -> Iterator[Item]:
        """The items of a folder, the bulk's first."""
        yield from self.bulk_from(folder, 0)
        yield from [item for item in self.items.values() if item.folder == folder.number]

    def everywhere(self, kind: str) -> Iterator[Item]:
        """All items the mail API shows of a kind, wherever they lie."""
        hidden = {self.known(name).number for name in RECOVERABLE}
        for folder in list(self.folders.values()):
            if folder.number not in hidden and not folder.search:
                yield from (item for item in self.inside(folder) if item.kind == kind)

    def count(self, folder: Folder) -> int:
        bulk = self.bulk
        lazy = 0
        if bulk is not None and (span := bulk.span(self._path(folder))):
            lazy = len(span) - sum(uid in span for uid in self.items) - sum(uid in span for uid in bulk.gone)
        return lazy + sum(item.folder == folder.number for item in self.items.values())

    def bulk_from(self, folder: Folder, at: int) -> Iterator[Item]:
        """The bulk's untouched messages of a folder from a number on."""
        span = self.bulk.span(self._path(folder)) if self.bulk is not None else range(0)
        for uid in range(max(span.start, at), span.stop):
            if uid not in self.items and self.bulk is not None and uid not in self.bulk.gone:
                yield self._of_bulk(uid, folder.number)

    def changed(self, folder: Folder, after: int) -> Iterator[tuple[int, int, Item | None]]:
        """Changes of a folder after one, each item once with its latest: (number, uid, the item or None if it left)."""
        start = bisect.bisect_right(folder.changes, (after, 1 << 62))
        latest = {uid: seq for seq, uid in folder.changes[start:]}
        for seq, uid in folder.changes[start:]:
            if latest[uid] == seq:
                item = self.items.get(uid)
                yield seq, uid, item if item is not None and item.folder == folder.number else None

    def state(self) -> Row:
        """Everything stored, as plain values; of the untouched bulk only how many there are."""
        return {
            "address": self.address,
            "on_hold": self.on_hold,
            "archived": self.archived,
            "bulk": 0 if self.bulk is None else self.bulk.size - len(self.bulk.gone),
            "folders": {
                ids.folder_id(self.number, one.number): {"name": self._path(one), "hidden": one.hidden}
                for one in self.folders.values()
            },
            "items": {
                ids.item_id(self.number, item.uid, 0, immutable=True): {
                    "kind": item.kind,
                    "folder": self.folders[item.folder].known or self._path(self.folders[item.folder]),
                    "seq": item.seq,
                    "attachments": len(item.attachments),
                    **item.row,
                }
                for item in self.items.values()
            },
        }

    def _path(self, folder: Folder) -> str:
        names: list[str] = []
        at: Folder | None = folder
        while at is not None and at.known != ROOT:
            names.append(at.name)
            at = self.folders[at.parent] if at.parent is not None else None
        return "/".join(reversed(names))

    def _own(self, item: Item) -> Item:
        """The stored item; one of the bulk is stored now."""
        if item.uid not in self.items:
            self.items[item.uid] = item
            if self.bulk is not None:
                self.bulk.gone.add(item.uid)
        return self.items[item.uid]

    def _of_bulk(self, uid: int, folder: int) -> Item:
        if self.bulk is None:
            raise LookupError("this mailbox has no bulk")
        row, at = self.bulk.message(uid)
        return Item(uid, "message", row, folder, 1, at)

    def _next(self) -> int:
        self.seq += 1
        return self.seq
