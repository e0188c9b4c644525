"""What of a mailbox lies in Recoverable Items, as far as we may look? The mailbox-item API, where it is granted.

The mail API loses sight of what was deleted; this one still shows it, and only its hard delete says that something is
on hold (403). It tells neither subject nor sender, so a row is matched by id, or by the message id it carries if no
other row carries the same.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from urllib.parse import quote

from connectors.microsoft365.answers import BAD_REQUEST, FORBIDDEN, NOT_FOUND, Answer, refusal, rows_of
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
        named = {one: name for one in wanted if (name := self._names[one]) is not None}
        asked = [(one, folder, _items(name, folder)) for one, name in named.items() for folder in (DELETIONS, PURGES)]
        rows: dict[str, list[Remains]] = {one: [] for one in named}
        views: dict[str, list[str]] = {one: [] for one in named}
        for (one, folder, items), listed in zip(asked, self._listed(asked), strict=True):
            if listed is not None:
                views[one].append(folder)
                rows[one] += (_remains(row, items) for row in listed if is_id(row.get("id")))
        return {
            one: Bin(tuple(rows[one]), tuple(views[one])) if DELETIONS in views.get(one, ()) else None for one in wanted
        }

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

    def _listed(self, asked: Sequence[tuple[str, str, str]]) -> list[list[Row] | None]:
        """The rows of each of these folders; None for one that is not shown to us."""
        answers = self._graph.read_all(
            [Part("GET", f"{items}?{_SELECT}{_EXPAND}", m) for m, _, items in asked], what=WHAT
        )
        plainly = [n for n, answer in enumerate(answers) if answer.status == BAD_REQUEST]
        # Not every surface of the service expands here: without it, rows are matched by their ids alone.
        parts = [Part("GET", f"{asked[n][2]}?{_SELECT}", asked[n][0]) for n in plainly]
        for n, answer in zip(plainly, self._graph.read_all(parts, what=WHAT), strict=True):
            answers[n] = answer
        return [self._rows(mailbox, answer) for (mailbox, _, _), answer in zip(asked, answers, strict=True)]

    def _rows(self, mailbox: str, answer: Answer) -> list[Row] | None:
        if answer.status in (BAD_REQUEST, FORBIDDEN, NOT_FOUND):
            return None
        rows: list[Row] = list(rows_of(self._graph.who, WHAT, answer))
        if (following := self._graph.next_page(answer)) is not None:
            rows += self._graph.pages(following, what=WHAT, mailbox=mailbox)
        return rows


def _items(mailbox_id: str, folder: str) -> str:
    return f"/admin/exchange/mailboxes/{quote(mailbox_id, safe='')}/folders/{folder}/items"


def _remains(row: Row, items: str) -> Remains:
    properties = row.get("singleValueExtendedProperties")
    carried = [
        str(one.get("value"))
        for one in (properties if isinstance(properties, list) else [])
        if isinstance(one, dict) and str(one.get("id")).casefold() == MESSAGE_ID.casefold()
    ]
    path = f"{items}/{quote(row['id'], safe='')}"
    return Remains(row["id"], path, carried[0] if carried else "", moment(row.get("lastModifiedDateTime")))
