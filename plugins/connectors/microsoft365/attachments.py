"""Whom do the attachments of a message or event name, and could they be read? Files are read as documents are.

A link to a cloud file is not followed and reported: erasing the mail does not erase the file. Pictures that stand
inside the text are its decoration. Everything else that cannot be read is a gap, and protects what it hangs on.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

from connectors.documents.reader import Reader
from connectors.microsoft365.answers import NOT_FOUND, Answer, refusal, rows_of
from connectors.microsoft365.facts import Row, people_in
from connectors.microsoft365.graph import BATCH, Graph, Part
from connectors.microsoft365.keys import MESSAGE, Item, is_id
from retention.vocabulary import GapCode, Identifier, IdentifierKind

LISTED = "$select=id,name,contentType,size,isInline"
ITEM = "#microsoft.graph.itemAttachment"
LINK = "#microsoft.graph.referenceAttachment"
LARGEST = 32 * 1024 * 1024
AT_ONCE = 4 * 1024 * 1024
"""Bytes of attachments fetched by one request, so that memory is bounded by it."""


@dataclass
class Found:
    """What the attachments of one item say. `unread`: why one of them could not be read."""

    people: list[Identifier] = field(default_factory=list, repr=False)
    unread: tuple[GapCode, str] | None = None
    links: int = 0


@dataclass(frozen=True, slots=True)
class _Attachment:
    item: Item
    path: str = field(repr=False)
    name: str | None = field(repr=False)
    size: int


class Attachments:
    """Reads attachments of many items at a time."""

    def __init__(self, graph: Graph, reader: Reader, largest: int = LARGEST) -> None:
        self._graph = graph
        self._reader = reader
        self._largest = largest

    def read(self, items: Sequence[Item]) -> dict[Item, Found]:
        """What is in the attachments of each item."""
        found = {item: Found() for item in items}
        wanted = [one for item, rows in self._listed(items) for one in self._sorted(item, rows, found[item])]
        for group in _groups(wanted):
            parts = [Part("GET", one.path, one.item.mailbox) for one in group]
            answers = self._graph.batch(parts, what="reading attachments")
            for one, answer in zip(group, answers, strict=True):
                self._take(one, answer, found[one.item])
        return found

    def _listed(self, items: Sequence[Item]) -> Iterator[tuple[Item, list[dict[str, Any]]]]:
        parts = [Part("GET", f"{item.path}/attachments?{LISTED}", item.mailbox) for item in items]
        for item, answer in zip(items, self._graph.read_all(parts, what="listing attachments"), strict=True):
            if answer.status == NOT_FOUND:  # gone since it was listed; the next pass says so
                continue
            rows = rows_of(self._graph.who, "listing attachments", answer)
            if (following := self._graph.next_page(answer)) is not None:
                rows += self._graph.pages(following, what="listing attachments", mailbox=item.mailbox)
            yield item, rows

    def _sorted(self, item: Item, rows: Sequence[Row], found: Found) -> Iterator[_Attachment]:
        for row in rows:
            type_, content_type = row.get("@odata.type"), str(row.get("contentType") or "").lower()
            size = row.get("size") if isinstance(row.get("size"), int) else 0
            path = f"{item.path}/attachments/{quote(str(row.get('id')), safe='')}"
            if type_ == LINK:
                found.links += 1
            elif not is_id(row.get("id")):
                found.unread = GapCode.DAMAGED, "attachment"
            elif type_ == ITEM:
                yield _Attachment(item, f"{path}?$expand=microsoft.graph.itemattachment/item", None, int(size or 0))
            elif row.get("isInline") is True and content_type.startswith("image/"):
                continue
            elif int(size or 0) > self._largest:
                found.unread = GapCode.TOO_LARGE, "attachment"
            else:
                yield _Attachment(item, path, str(row.get("name") or ""), int(size or 0))

    def _take(self, one: _Attachment, answer: Answer, found: Found) -> None:
        if answer.status == NOT_FOUND:
            return
        if not answer.is_fine:
            if answer.is_worth_repeating():
                raise refusal(self._graph.who, "reading attachments", answer)
            found.unread = GapCode.NOT_REACHABLE, "attachment"
        elif one.name is None:
            self._take_item(answer.body().get("item"), found)
        else:
            try:
                content = base64.b64decode(answer.body()["contentBytes"], validate=True)
            except (KeyError, TypeError, ValueError, binascii.Error):
                found.unread = GapCode.DAMAGED, "attachment"
                return
            said = self._reader.read(one.name, content)
            found.people += [who for who in said.identifiers if who.kind is IdentifierKind.EMAIL]
            if said.gap is not None:
                found.unread = said.gap, "attachment"

    def _take_item(self, item: object, found: Found) -> None:
        """A message or event inside: its people count; what it carries itself cannot be reached."""
        if not isinstance(item, dict):
            found.unread = GapCode.DAMAGED, "attachment"
            return
        found.people += people_in(MESSAGE, item)
        if item.get("hasAttachments") is True:
            found.unread = GapCode.NOT_REACHABLE, "attachment-inside"


def _groups(wanted: Sequence[_Attachment]) -> Iterator[list[_Attachment]]:
    group: list[_Attachment] = []
    size = 0
    for one in wanted:
        if group and (len(group) == BATCH or size + one.size > AT_ONCE):
            yield group
            group, size = [], 0
        group.append(one)
        size += one.size
    if group:
        yield group
