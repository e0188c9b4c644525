"""A tenant in memory that answers as Graph does, as far as the connector asks: faults included, on demand.

Delta links carry the number of the last change; ids stay with an item wherever it moves; `permanentDelete` answers 204
and moves to Purges; only the hard delete of the mailbox-item API says that something is on hold.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

import httpx

HOST = "https://graph.test"
Row = dict[str, Any]
Reply = tuple[int, Any]
DELETIONS, PURGES = "recoverableitemsdeletions", "recoverableitemspurges"
HIDDEN_FROM_MAIL = (PURGES,)
RETAINED = timedelta(days=14)
COLLECTION = {"messages": "message", "contacts": "contact", "events": "event"}


@dataclass
class Stored:
    """One item: where it lies, what it says, when it changed last."""

    kind: str
    row: Row
    folder: str
    seq: int
    attachments: list[Row] = field(default_factory=list)
    moved_at: datetime | None = None  # when it came to where it lies


@dataclass
class Folder:
    """One mail folder; `parent` "" is the root."""

    name: str
    parent: str = ""
    hidden: bool = False
    search: bool = False


@dataclass
class Box:
    """One mailbox."""

    address: str
    folders: dict[str, Folder] = field(default_factory=dict)
    items: dict[str, Stored] = field(default_factory=dict)
    removed: list[tuple[int, str, str]] = field(default_factory=list)
    on_hold: bool = False
    contacts: dict[str, str] = field(default_factory=dict)
    """Contact folders besides the default one, and the folder each lies in."""
    calendars: int = 1
    status: int = 200


@dataclass
class Tenant:
    """The whole tenant. `twist` may answer a request, or a part of a batch, in the tenant's place."""

    granted: bool = True
    page: int = 1000
    now: datetime = datetime(2026, 11, 22, 12, tzinfo=UTC)
    boxes: dict[str, Box] = field(default_factory=dict)
    calls: list[tuple[str, str]] = field(default_factory=list)
    parts: list[tuple[str, str]] = field(default_factory=list)
    twist: Callable[[str, str], Reply | None] | None = None
    before: Callable[[httpx.Request], httpx.Response | None] | None = None
    after: Callable[[httpx.Request], None] | None = None
    refused_tokens: set[str] = field(default_factory=set)
    longest_view: int = 100_000
    _seq: int = 1

    def add_box(self, name: str = "u1", address: str = "sales@ours.example") -> Box:
        folders = {f"{name}-{one}": Folder(one.title()) for one in ("inbox", "sent", "deleteditems")}
        box = self.boxes[name] = Box(address, folders)
        return box

    def add(self, kind: str, row: Row, *, box: str = "u1", folder: str = "inbox", files: tuple[Row, ...] = ()) -> str:
        self._seq += 1
        item = row.setdefault("id", f"{kind}-{self._seq:08d}-AAkALgAA=")
        row.setdefault("changeKey", f"CQ{self._seq}")
        row["hasAttachments"] = bool(files)
        at = f"{box}-{folder}" if kind == "message" and f"{box}-{folder}" in self.boxes[box].folders else folder
        self.boxes[box].items[item] = Stored(kind, row, at if kind == "message" else kind, self._seq, list(files))
        return str(item)

    def touch(self, box: str, item: str, **changes: Any) -> None:
        self._seq += 1
        stored = self.boxes[box].items[item]
        stored.row |= {**changes, "changeKey": f"CQ{self._seq}"}
        stored.seq = self._seq

    def move(self, box: str, item: str, folder: str) -> None:
        stored = self.boxes[box].items[item]
        self._seq += 1
        self.boxes[box].removed.append((self._seq, stored.folder, item))
        stored.folder, stored.moved_at = folder, self.now
        stored.seq = self._seq + 1
        self._seq += 1

    def remove(self, box: str, item: str) -> None:
        self._seq += 1
        stored = self.boxes[box].items.pop(item)
        self.boxes[box].removed.append((self._seq, stored.folder, item))

    def pass_days(self, days: int) -> None:
        """Let time go by: what is in Purges longer than the retention time goes, but for holds."""
        self.now += timedelta(days=days)
        for box in self.boxes.values():
            if not box.on_hold:
                box.items = {key: stored for key, stored in box.items.items() if not self._is_over(stored)}

    def _is_over(self, stored: Stored) -> bool:
        """Whether an item was in the recoverable items for as long as the service keeps it there."""
        deleted = stored.moved_at if stored.folder in (PURGES, DELETIONS) else None
        return deleted is not None and self.now - deleted >= RETAINED

    # --- HTTP ---

    def handle(self, request: httpx.Request) -> httpx.Response:
        url = urlsplit(str(request.url))
        path = url.path.removeprefix("/v1.0") + (f"?{url.query}" if url.query else "")
        self.calls.append((request.method, path))
        if self.before is not None and (given := self.before(request)) is not None:
            return given
        headers = {"date": format_datetime(self.now, usegmt=True), "request-id": f"r-{len(self.calls)}"}
        if request.headers["authorization"] in self.refused_tokens:
            return httpx.Response(401, json=error("InvalidAuthenticationToken"), headers=headers)
        body = json.loads(request.content) if request.content else None
        if path == "/$batch":
            status, answer = 200, {"responses": list(self._batch(body["requests"]))}
        else:
            status, answer = self.one(request.method, path, body, request.headers.get("prefer", ""))
        if self.after is not None:
            self.after(request)
        content = {"content": answer} if isinstance(answer, bytes) else {"json": answer} if answer is not None else {}
        if status == 429:
            headers["retry-after"] = "7"
        return httpx.Response(status, headers=headers, **content)  # type: ignore[arg-type]

    def _batch(self, requests: list[Row]) -> Iterator[Row]:
        assert 1 <= len(requests) <= 20
        failed: set[str] = set()
        for given in requests:
            if failed & set(given.get("dependsOn", ())):
                status, body = 424, error("FailedDependency")
            else:
                prefer = given["headers"]["Prefer"]
                status, body = self.one(given["method"], given["url"], given.get("body"), prefer)
            if status >= 300:
                failed.add(given["id"])
            headers = {"Retry-After": "7"} if status == 429 else {}
            yield {"id": given["id"], "status": status, "headers": headers, "body": body}

    def one(self, verb: str, path: str, body: Row | None, prefer: str) -> Reply:
        assert 'IdType="ImmutableId"' in prefer
        self.parts.append((verb, path))
        if self.twist is not None and (given := self.twist(verb, path)) is not None:
            return given
        url = urlsplit(path)
        query = {name: values[0] for name, values in parse_qs(url.query).items()}
        steps = [unquote(one) for one in url.path.strip("/").split("/")]
        size = min(self.page, int((re.findall(r"maxpagesize=(\d+)", prefer) or [self.page])[0]))
        if steps[0] == "admin":
            return self._admin(verb, steps[3:], query)
        if steps == ["users"]:
            rows = [{"id": n, "mail": b.address, "userType": "Member"} for n, b in self.boxes.items()]
            return 200, {"value": rows}
        box = self.boxes.get(steps[1])
        if box is None:
            return 404, error("ResourceNotFound")
        if box.status != 200:
            return box.status, error("ErrorAccessDenied" if box.status == 403 else "MailboxNotEnabledForRESTAPI")
        return self._mailbox(verb, steps[1], box, steps[2:], query, body, size)

    def _mailbox(
        self, verb: str, name: str, box: Box, steps: list[str], query: Mapping[str, str], body: Row | None, size: int
    ) -> Reply:
        match steps:
            case []:
                return 200, {"id": name, "mail": box.address}
            case ["mailFolders"] if verb == "POST":
                return self._make_folder(name, box, body or {})
            case ["mailFolders"]:
                return 200, {"value": [self._folder_row(box, i) for i, f in box.folders.items() if not f.parent]}
            case ["mailFolders", folder, "childFolders"]:
                rows = [self._folder_row(box, i) for i, f in box.folders.items() if f.parent == folder]
                return 200, {"value": rows}
            case ["mailFolders", folder]:
                found = folder if folder in (DELETIONS, *box.folders) else f"{name}-{folder}"
                known = found == DELETIONS or found in box.folders
                return (200, {"id": found}) if known else (404, error("ErrorItemNotFound"))
            case ["mailFolders", folder, "messages", "delta"]:
                return self._delta(box, f"/users/{name}/mailFolders/{folder}/messages/delta", folder, query, size)
            case ["contactFolders"]:
                return 200, {
                    "value": [{"id": one, "displayName": one} for one, above in box.contacts.items() if not above]
                }
            case ["contactFolders", folder, "childFolders"]:
                inside = [one for one, above in box.contacts.items() if above == folder]
                return 200, {"value": [{"id": one, "displayName": one} for one in inside]}
            case ["contactFolders", folder, "contacts", "delta"]:
                return self._delta(box, f"/users/{name}/contactFolders/{folder}/contacts/delta", folder, query, size)
            case ["calendars"]:
                return 200, {"value": [{"id": f"cal-{n}", "isDefaultCalendar": not n} for n in range(box.calendars)]}
            case ["contacts", "delta"]:
                return self._delta(box, f"/users/{name}/contacts/delta", "contact", query, size)
            case ["calendarView", "delta"]:
                if (start := query.get("startDateTime")) is not None:
                    length = datetime.fromisoformat(query["endDateTime"]) - datetime.fromisoformat(start)
                    if length.days > self.longest_view:
                        return 400, error("ErrorInvalidParameter")
                return self._delta(box, f"/users/{name}/calendarView/delta", "event", query, size)
            case ["settings", "exchange"]:
                answer = {"primaryMailboxId": f"MBX:{name}"}
                return (200, answer) if self.granted else (403, error("ErrorAccessDenied"))
            case [collection, item, *rest] if collection in COLLECTION:
                stored = box.items.get(item)
                if stored is None or stored.folder in HIDDEN_FROM_MAIL or stored.kind != COLLECTION[collection]:
                    return 404, error("ErrorItemNotFound")
                return self._item(verb, name, item, stored, rest, body)
        return 400, error("BadRequest")

    def _item(self, verb: str, name: str, item: str, stored: Stored, rest: list[str], body: Row | None) -> Reply:
        row = {**stored.row, "parentFolderId": stored.folder}
        match rest:
            case [] if verb == "PATCH":
                self.touch(name, item, **(body or {}))
                return 200, stored.row
            case []:
                return 200, row
            case ["$value"]:
                lines = [f"Message-ID: {item}", json.dumps(stored.row.get("from")), json.dumps(stored.row["body"])]
                return 200, "\r\n".join(lines).encode()
            case ["permanentDelete"]:
                if stored.folder == DELETIONS:
                    return 400, error("ErrorCannotDeleteObject")
                self.move(name, item, PURGES)
                return 204, None
            case ["move"]:
                target = (body or {})["destinationId"]
                if target not in self.boxes[name].folders:
                    return 404, error("ErrorItemNotFound")
                self.move(name, item, target)
                self.touch(name, item)
                return 201, {**stored.row, "parentFolderId": target}
            case ["attachments"]:
                return 200, {"value": [{k: v for k, v in a.items() if k != "contentBytes"} for a in stored.attachments]}
            case ["attachments", attachment]:
                return 200, next(a for a in stored.attachments if a["id"] == attachment)
        return 400, error("BadRequest")

    def _admin(self, verb: str, steps: list[str], query: Mapping[str, str]) -> Reply:
        name, folder = steps[0].removeprefix("MBX:"), steps[2]
        box = self.boxes[name]
        if not self.granted:
            return 403, error("ErrorAccessDenied")
        inside = {i: s for i, s in box.items.items() if s.folder == folder}
        if verb == "GET":
            return 200, {"value": [{"id": i, "lastModifiedDateTime": self.now.isoformat()} for i in inside]}
        assert query == {"disposalType": "hardDelete"}
        if steps[4] not in inside:
            return 404, error("ErrorItemNotFound")
        if box.on_hold:
            return 403, error("ErrorAccessDenied")
        del box.items[steps[4]]
        return 204, None

    def _delta(self, box: Box, base: str, folder: str, query: Mapping[str, str], size: int) -> Reply:
        since, offset = int(query.get("$deltatoken", 0)), 0
        if "$skiptoken" in query:
            since, offset = (int(one) for one in query["$skiptoken"].split("-"))
        changed: list[tuple[int, Row]] = [
            (s.seq, {**s.row, "parentFolderId": s.folder}) for s in box.items.values() if s.folder == folder
        ]
        if since:
            changed += [(n, {"id": i, "@removed": {"reason": "deleted"}}) for n, at, i in box.removed if at == folder]
        rows = [row for seq, row in sorted(changed, key=lambda one: one[0]) if seq > since]
        answer: Row = {"value": rows[offset : offset + size]}
        if offset + size < len(rows):
            answer["@odata.nextLink"] = f"{HOST}/v1.0{base}?$skiptoken={since}-{offset + size}"
        else:
            answer["@odata.deltaLink"] = f"{HOST}/v1.0{base}?$deltatoken={self._seq}"
        return 200, answer

    def _make_folder(self, name: str, box: Box, body: Row) -> Reply:
        if any(one.name == body["displayName"] and not one.parent for one in box.folders.values()):
            return 409, error("ErrorFolderExists")
        made = f"{name}-made-{len(box.folders)}"
        box.folders[made] = Folder(body["displayName"], hidden=body.get("isHidden", False))
        return 201, self._folder_row(box, made)

    def _folder_row(self, box: Box, folder: str) -> Row:
        one = box.folders[folder]
        row: Row = {"id": folder, "displayName": one.name, "isHidden": one.hidden}
        row["childFolderCount"] = sum(f.parent == folder for f in box.folders.values())
        row["totalItemCount"] = sum(s.folder == folder for s in box.items.values())
        return {"@odata.type": "#microsoft.graph.mailSearchFolder", **row} if one.search else row


def error(code: str) -> Row:
    return {"error": {"code": code, "message": "says who: somebody@example.com"}}


def person(address: str, name: str = "") -> Row:
    return {"emailAddress": {"name": name, "address": address}}


def message(sender: str, *to: str, on: str = "2026-06-01T12:00:00Z", text: str = "Thank you.", **more: Any) -> Row:
    """A message as Graph tells it."""
    return {
        "receivedDateTime": on,
        "from": person(sender),
        "sender": person(sender),
        "toRecipients": [person(one) for one in to],
        "ccRecipients": [],
        "bccRecipients": [],
        "replyTo": [],
        "subject": "Your question",
        "body": {"contentType": "html", "content": f"<p>{text}</p>"},
        "categories": [],
        **more,
    }
