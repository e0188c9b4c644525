"""What of a mailbox lies in Recoverable Items, as far as we may look? The mailbox-item API, where it is granted.

The mail API loses sight of what was deleted; this one still shows it, and only its hard delete says that something is
on hold (403). It tells neither subject nor sender, so a row is matched by id, or by the message id it carries if no
other row carries the same.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from urllib.parse import quote

from connectors.microsoft365.answers import BAD_REQUEST, FORBIDDEN, NOT_FOUND, UNAUTHORIZED, refusal, rows_of
from connectors.microsoft365.facts import Row, moment
from connectors.microsoft365.graph import Graph, Part
from connectors.microsoft365.keys import is_id, mailbox_path

DELETIONS, PURGES = "recoverableitemsdeletions", "recoverableitemspurges"
MESSAGE_ID = "String 0x1035"
WHAT = "listing recoverable items"
_SELECT = "$select=id,type,size,lastModifiedDateTime&$top=1000"
_EXPAND = f"&$expand=singleValueExtendedProperties($filter=id%20eq%20'{quote(MESSAGE_ID)}')"


@dataclass(frozen=True, slots=True)
class Remains:
    """An item that can still be recovered."""

    item_id: str = field(repr=False)
    path: str = field(repr=False)
    message_id: str = field(repr=False)
    since: datetime | None


@dataclass(frozen=True, slots=True)
class Bin:
    """What one mailbox has in Recoverable Items. `views` names the folders that could be read."""

    rows: tuple[Remains, ...]
    views: tuple[str, ...]

    def find(self, item_id: str, message_id: str = "") -> Remains | None:
        """The remains of an item, if they are surely its."""
        for row in self.rows:
            if row.item_id == item_id:
                return row
        same = [row for row in self.rows if message_id and row.message_id == message_id]
        return same[0] if len(same) == 1 else None


class RecoverableItems:
    """Looks into Recoverable Items of mailboxes; None where nobody granted it."""

    def __init__(self, graph: Graph) -> None:
        self._graph = graph
        self._names: dict[str, str | None] = {}

    def bins(self, mailboxes: Iterable[str]) -> dict[str, Bin | None]:
        """What lies in each of these mailboxes."""
        wanted = list(dict.fromkeys(mailboxes))
        self._learn_names([one for one in wanted if one not in self._names])
        return {one: self._bin(one, name) if (name := self._names[one]) else None for one in wanted}

    def _learn_names(self, mailboxes: list[str]) -> None:
        parts = [Part("GET", f"{mailbox_path(one)}/settings/exchange", one) for one in mailboxes]
        for one, answer in zip(mailboxes, self._graph.read_all(parts, what="looking for mailbox ids"), strict=True):
            name = answer.body().get("primaryMailboxId")
            if answer.is_fine and isinstance(name, str) and name:
                self._names[one] = name
            elif answer.status in (BAD_REQUEST, FORBIDDEN, NOT_FOUND):
                self._names[one] = None
            else:
                raise refusal(self._graph.who, "looking for mailbox ids", answer)

    def _bin(self, mailbox: str, name: str) -> Bin | None:
        rows: list[Remains] = []
        views: list[str] = []
        for folder in (DELETIONS, PURGES):
            items = f"/admin/exchange/mailboxes/{quote(name, safe='')}/folders/{folder}/items"
            listed = self._listed(mailbox, items)
            if listed is None:
                if folder == DELETIONS:
                    return None
                continue
            views.append(folder)
            rows += (_remains(row, items) for row in listed if is_id(row.get("id")))
        return Bin(tuple(rows), tuple(views))

    def _listed(self, mailbox: str, items: str) -> list[Row] | None:
        """The rows of a folder; None where it is not shown to us."""
        answer = self._graph.get(f"{items}?{_SELECT}{_EXPAND}", what=WHAT, mailbox=mailbox)
        if answer.status == BAD_REQUEST:  # not every surface of the service expands here
            answer = self._graph.get(f"{items}?{_SELECT}", what=WHAT, mailbox=mailbox)
        if answer.status in (BAD_REQUEST, FORBIDDEN, NOT_FOUND):
            return None
        if answer.status == UNAUTHORIZED:
            raise refusal(self._graph.who, WHAT, answer)
        rows: list[Row] = list(rows_of(self._graph.who, WHAT, answer))
        if (following := self._graph.next_page(answer)) is not None:
            rows += self._graph.pages(following, what=WHAT, mailbox=mailbox)
        return rows


def _remains(row: Row, items: str) -> Remains:
    properties = row.get("singleValueExtendedProperties")
    carried = [
        str(one.get("value"))
        for one in (properties if isinstance(properties, list) else [])
        if isinstance(one, dict) and str(one.get("id")).casefold() == MESSAGE_ID.casefold()
    ]
    path = f"{items}/{quote(row['id'], safe='')}"
    return Remains(row["id"], path, carried[0] if carried else "", moment(row.get("lastModifiedDateTime")))
