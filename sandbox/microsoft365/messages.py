"""How are messages found, read, changed, moved and deleted? 204 says little: what is deleted stays somewhere."""

from __future__ import annotations

from datetime import UTC, datetime

from sandbox.microsoft365 import changes, filters, listing, mime
from sandbox.microsoft365.errors import Refused, not_found
from sandbox.microsoft365.exchange import Exchange, Reply, Row, picked, rows
from sandbox.microsoft365.mailbox import DELETIONS, PURGES, RECOVERABLE, ROOT, Folder, Item, Mailbox
from sandbox.microsoft365.rows import message, preview

WRITABLE = frozenset(
    {"categories", "flag", "importance", "isRead", "inferenceClassification", "singleValueExtendedProperties"}
)
OF_DRAFTS = frozenset({"subject", "body", "toRecipients", "ccRecipients", "bccRecipients", "from", "sender", "replyTo"})
CANNOT_DELETE = "Object cannot be deleted."


def everywhere(exchange: Exchange) -> Reply:
    """GET /users/{id}/messages: the whole mailbox with Deleted Items, without Recoverable Items."""
    box = exchange.mailbox()
    return listing.items(exchange, box, "message", box.everywhere("message"))


def inside(exchange: Exchange) -> Reply:
    """GET .../mailFolders/{id}/messages"""
    box = exchange.mailbox()
    folder = exchange.folder(box)
    found = box.everywhere("message") if folder.search else box.inside(folder)
    return listing.items(exchange, box, "message", (one for one in found if one.kind == "message"))


def delta(exchange: Exchange) -> Reply:
    """GET .../mailFolders/{id}/messages/delta"""
    box = exchange.mailbox()
    text = changes.tag_of(exchange) or exchange.query.get("$filter", "")
    among = filters.wanted(text, "message")[0] if text else None
    return changes.of(exchange, box, "message", exchange.folder(box), among=among, tag=text)


def read(exchange: Exchange) -> Reply:
    """GET .../messages/{id}"""
    box = exchange.mailbox()
    item = exchange.item(box, "message", _within(exchange, box))
    row = exchange.shown(box, item, exchange.selected())
    if "singlevalueextendedproperties" in exchange.query.get("$expand", "").casefold() and item.extended:
        row["singleValueExtendedProperties"] = [{"id": k, "value": v} for k, v in item.extended.items()]
    return Reply(200, row)


def content(exchange: Exchange) -> Reply:
    """GET .../messages/{id}/$value: RFC 822 text."""
    box = exchange.mailbox()
    item = exchange.item(box, "message", _within(exchange, box))
    return Reply(200, mime.written(item.row, item.attachments), {"Content-Type": "text/plain"})


def create(exchange: Exchange) -> Reply:
    """POST /users/{id}/messages: a draft."""
    box, given = exchange.mailbox(), exchange.given()
    folder = _within(exchange, box) or box.known("drafts")
    now = exchange.tenant.now()
    row = message(sender=None, received=now, draft=True, serial=box.next_uid)
    row |= {name: value for name, value in given.items() if name in WRITABLE | OF_DRAFTS}
    row["bodyPreview"] = preview(str(row["body"].get("content", "")))
    item = box.add("message", row, folder, now)
    exchange.note(box, item, effect=True)
    return Reply(201, exchange.shown(box, item))


def update(exchange: Exchange) -> Reply:
    """PATCH .../messages/{id}: lists are replaced as a whole; what a message says is fixed once it was sent."""
    box, given = exchange.mailbox(), exchange.given()
    item = exchange.item(box, "message", _within(exchange, box))
    match = exchange.ask.headers.get("if-match")
    if match is not None and match != exchange.shown(box, item)["@odata.etag"]:
        message = "The send or update operation could not be performed because the change key has changed."
        raise Refused(409, "ErrorIrresolvableConflict", message)
    allowed = WRITABLE | OF_DRAFTS if item.row["isDraft"] else WRITABLE
    for name in given:
        if name.rpartition("@")[0] or name in allowed:
            continue
        raise Refused(400, "ErrorInvalidPropertySet", f"The property '{name}' cannot be changed.")
    extended = given.get("singleValueExtendedProperties")
    plain = {name: value for name, value in given.items() if name in allowed and "Extended" not in name}
    box.touch(item, exchange.tenant.now(), plain)
    if isinstance(extended, list):
        box.items[item.uid].extended |= {str(one["id"]).casefold(): str(one["value"]) for one in extended}
    exchange.note(box, item, effect=True)
    return Reply(200, exchange.shown(box, box.items[item.uid]))


def move(exchange: Exchange) -> Reply:
    """POST .../messages/{id}/move: a new id unless immutable ones are asked for."""
    box = exchange.mailbox()
    item = exchange.item(box, "message", _within(exchange, box))
    target = _destination(exchange, box)
    moved = box.move(item, target, exchange.tenant.now())
    exchange.note(box, moved, effect=True)
    return Reply(201, exchange.shown(box, moved))


def copy(exchange: Exchange) -> Reply:
    """POST .../messages/{id}/copy"""
    box = exchange.mailbox()
    item = exchange.item(box, "message", _within(exchange, box))
    made = box.add("message", dict(item.row), _destination(exchange, box), exchange.tenant.now())
    made.attachments = list(item.attachments)
    exchange.note(box, made, effect=True)
    return Reply(201, exchange.shown(box, made))


def delete(exchange: Exchange) -> Reply:
    """DELETE .../messages/{id}: soft; holds say nothing here."""
    box = exchange.mailbox()
    item = exchange.item(box, "message", _within(exchange, box))
    if box.folders[item.folder].known in RECOVERABLE:
        raise Refused(400, "ErrorCannotDeleteObject", CANNOT_DELETE)
    goes_to = box.known(exchange.tenant.switches.deleted_goes_to)
    if item.folder == goes_to.number:
        goes_to = box.known(DELETIONS)
    exchange.note(box, box.move(item, goes_to, exchange.tenant.now()), effect=True)
    return Reply(204)


def permanent_delete(exchange: Exchange, kind: str = "message") -> Reply:
    """POST .../permanentDelete: to Purges, where it stays for the retention time and as long as any hold lasts."""
    box = exchange.mailbox()
    item = exchange.item(box, kind, _within(exchange, box) if kind == "message" else None)
    if box.folders[item.folder].known in RECOVERABLE:
        raise Refused(400, "ErrorCannotDeleteObject", CANNOT_DELETE)
    exchange.note(box, box.move(item, box.known(PURGES), exchange.tenant.now()), effect=True)
    return Reply(204)


def attachments(exchange: Exchange, kind: str = "message") -> Reply:
    """GET .../attachments: contents too, unless a selection leaves them out."""
    box = exchange.mailbox()
    item = exchange.item(box, kind)
    select = exchange.selected()
    found = [picked(_bare(one), select) for one in item.attachments]
    return rows(f"{exchange.base}/$metadata#users('{box.user}')/{kind}s/attachments", found)


def attachment(exchange: Exchange, kind: str = "message") -> Reply:
    """GET .../attachments/{id}; a message in a message only where it is asked for."""
    box = exchange.mailbox()
    item = exchange.item(box, kind)
    for one in item.attachments:
        if one["id"] == exchange.parameters["attachment"]:
            expand = exchange.query.get("$expand", "").casefold()
            row = one if "itemattachment/item" in expand else _bare(one)
            return Reply(200, picked(row, exchange.selected()))
    raise not_found()


def attachment_content(exchange: Exchange, kind: str = "message") -> Reply:
    """GET .../attachments/{id}/$value: the bytes of a file, the text of a message."""
    box = exchange.mailbox()
    item = exchange.item(box, kind)
    for one in item.attachments:
        if one["id"] == exchange.parameters["attachment"]:
            return Reply(200, mime.of_attachment(one), {"Content-Type": "application/octet-stream"})
    raise not_found()


def _bare(row: Row) -> Row:
    return {name: value for name, value in row.items() if name != "item"}


def _within(exchange: Exchange, box: Mailbox) -> Folder | None:
    return exchange.folder(box) if "folder" in exchange.parameters else None


def _destination(exchange: Exchange, box: Mailbox) -> Folder:
    given = exchange.given()
    wanted = given.get("destinationId", given.get("DestinationId"))
    target = box.folder(str(wanted)) if wanted else None
    if target is None or target.holds != "message" or target.known in (PURGES, ROOT) or target.search:
        raise not_found()
    return target


def moment(text: str) -> datetime:
    """An instant of a query."""
    found = datetime.fromisoformat(text)
    return found.replace(tzinfo=found.tzinfo or UTC)


def is_in(item: Item, folder: Folder) -> bool:
    return item.folder == folder.number
