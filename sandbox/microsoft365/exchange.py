"""What do all resources read from a request, and in what shape do they answer? A request, or a part of a batch."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl, quote

from sandbox.microsoft365 import ids
from sandbox.microsoft365.errors import Refused, bad_query, malformed_id, not_found
from sandbox.microsoft365.mailbox import PURGES, RECOVERABLE, Folder, Item, Mailbox
from sandbox.microsoft365.tenant import Tenant

Row = dict[str, Any]
_ALWAYS = ("@odata.type", "@odata.etag", "id")


@dataclass(frozen=True, slots=True)
class Ask:
    """One request as it came. `path` is below the version's root, undecoded, with its query; headers are lower-case."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: Any = None
    size: int = 0


@dataclass(slots=True)
class Reply:
    """One answer. `body` is what JSON can say, bytes for a message as text, or None for nothing."""

    status: int
    body: Any = None
    headers: dict[str, str] = field(default_factory=dict)


@dataclass(slots=True)
class Touched:
    """What a request read by name or changed."""

    ids: list[str] = field(default_factory=list)
    effect: bool = False
    template: str = ""
    lost: bool = False
    """The answer is not to arrive."""


@dataclass
class Exchange:
    """One request at work."""

    ask: Ask
    tenant: Tenant
    parameters: Mapping[str, str]
    touched: Touched
    base: str
    """Address of the service's root, for links."""

    def __post_init__(self) -> None:
        query = self.ask.path.partition("?")[2]
        self.query = {name.casefold(): value for name, value in parse_qsl(query, keep_blank_values=True)}
        self.prefer = [one.strip() for one in self.ask.headers.get("prefer", "").split(",")]

    @property
    def immutable(self) -> bool:
        return any(one.replace(" ", "").casefold() == 'idtype="immutableid"' for one in self.prefer)

    def page_size(self) -> int | None:
        """The page a client asked for by `Prefer`."""
        for one in self.prefer:
            if found := re.fullmatch(r"odata\.maxpagesize=(\d+)", one.replace(" ", "").casefold()):
                return int(found[1])
        return None

    def given(self) -> Row:
        """The JSON object of a request."""
        if self.ask.body is None:
            return {}
        if not isinstance(self.ask.body, dict):
            raise Refused(400, "BadRequest", "Unable to read JSON request payload.")
        return self.ask.body

    # --- What the path names ---

    def mailbox(self) -> Mailbox:
        return self.tenant.mailbox(self.parameters["user"])

    def folder(self, box: Mailbox, name: str = "folder", holds: str = "message") -> Folder:
        """The folder of the path, if the mail API shows it."""
        found = box.folder(self.parameters[name])
        if found is None or found.holds != holds or not self.shows(found):
            raise not_found()
        return found

    def shows(self, folder: Folder) -> bool:
        """Whether the mail API knows a folder."""
        if folder.known == PURGES:
            return False
        return folder.known not in RECOVERABLE or self.tenant.switches.deletions_shown_to_mail

    def item(self, box: Mailbox, kind: str, within: Folder | None = None) -> Item:
        """The item of the path, by either form of its id."""
        found = ids.parse_item(self.parameters["item"])
        if found is None:
            raise malformed_id()
        number, uid, moves = found
        item = box.item(uid) if number == box.number else None
        if item is None or item.kind != kind or (moves is not None and moves != item.moves):
            raise not_found()
        folder = box.folders[item.folder]
        if folder.known in RECOVERABLE and not self.shows(folder):
            raise not_found()
        if within is not None and within.number != item.folder:
            raise not_found()
        self.note(box, item)
        return item

    def note(self, box: Mailbox, item: Item, *, effect: bool = False) -> None:
        """For the call log: which item, and whether it was changed."""
        self.touched.ids.append(ids.item_id(box.number, item.uid, 0, immutable=True))
        self.touched.effect = self.touched.effect or effect

    # --- How an item is shown ---

    def shown(self, box: Mailbox, item: Item, select: Iterable[str] | None = None) -> Row:
        """An item as an answer shows it."""
        key = ids.item_id(box.number, item.uid, item.moves, immutable=self.immutable)
        change = base64.b64encode(f"{item.uid}:{item.seq}".encode()).decode("ascii")
        row: Row = {"@odata.etag": f'W/"{change}"', "id": key, "changeKey": change, **item.row}
        row["parentFolderId"] = ids.folder_id(box.number, item.folder)
        if item.kind != "contact":
            row["hasAttachments"] = bool(item.attachments)
        return picked(row, select)

    def selected(self) -> list[str] | None:
        """The properties asked for; None for all."""
        given = self.query.get("$select")
        return None if given is None else [one.strip() for one in given.split(",") if one.strip()]

    def link(self, path: str, query: Mapping[str, str], *, encoded: bool = True) -> str:
        """An address below the root; lists encode the dollar sign of their query, lists of changes do not."""
        pairs = "&".join(
            f"{quote(name, safe='' if encoded else '$')}={quote(value, safe='')}" for name, value in query.items()
        )
        return f"{self.base}{path}?{pairs}"

    def path(self) -> str:
        """The path of this request, undecoded."""
        return self.ask.path.partition("?")[0]

    def whole(self, name: str, least: int, most: int) -> int | None:
        """A number of the query."""
        text = self.query.get(name)
        if text is None:
            return None
        if not re.fullmatch(r"\d{1,9}", text) or not least <= int(text) <= most:
            raise bad_query(f"Invalid value for {name}: allowed are {least} to {most}.")
        return int(text)


def picked(row: Row, select: Iterable[str] | None) -> Row:
    """A row's properties asked for; ids and types are always there."""
    if select is None:
        return row
    wanted = {one.casefold() for one in select} | {one.casefold() for one in _ALWAYS}
    return {name: value for name, value in row.items() if name.casefold() in wanted}


def rows(context: str, values: list[Row], following: str | None = None, **more: Any) -> Reply:
    """A page of a list."""
    body: Row = {"@odata.context": context, **more, "value": values}
    if following is not None:
        body["@odata.nextLink"] = following
    return Reply(200, body)


def pack(value: Row) -> str:
    """A position as an opaque text."""
    return base64.urlsafe_b64encode(json.dumps(value, separators=(",", ":")).encode()).decode("ascii")


def unpack(text: str) -> Row:
    """What a position says; refused where it is none of ours."""
    try:
        value = json.loads(base64.urlsafe_b64decode(text.encode("ascii")))
    except (ValueError, UnicodeEncodeError):
        raise bad_query("Badly formed token.") from None
    if not isinstance(value, dict):
        raise bad_query("Badly formed token.")
    return value
