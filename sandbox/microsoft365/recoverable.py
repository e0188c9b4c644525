"""What does the mailbox-item API show and delete? Also what the mail API has lost sight of; it alone says "on hold"."""

from __future__ import annotations

from sandbox.microsoft365 import ids, listing
from sandbox.microsoft365.errors import Refused, not_found
from sandbox.microsoft365.exchange import Exchange, Reply, Row, picked
from sandbox.microsoft365.mailbox import DELETIONS, ROOT, Folder, Item, Mailbox

TYPES = {"message": "IPM.Note", "contact": "IPM.Contact", "event": "IPM.Appointment"}
MESSAGE_ID = "String 0x1035"
HELD = "The item is protected by a hold or a retention policy."


def folders(exchange: Exchange) -> Reply:
    """GET .../folders and .../childFolders: hidden ones too."""
    box = _box(exchange)
    if "folder" in exchange.parameters:
        found = box.children(_folder(exchange, box))
    else:
        found = [one for one in box.folders.values() if one.parent is None and one.known != ROOT]
        found += box.children(box.known(ROOT))
    return listing.plain(exchange, "mailboxFolders", (_folder_row(box, one) for one in found))


def folder(exchange: Exchange) -> Reply:
    """GET .../folders/{id}"""
    box = _box(exchange)
    return Reply(200, _folder_row(box, _folder(exchange, box)))


def items(exchange: Exchange) -> Reply:
    """GET .../folders/{id}/items: neither subject nor sender."""
    box = _box(exchange)
    found = list(box.inside(_folder(exchange, box)))
    return listing.plain(exchange, "items", [_row(exchange, box, one) for one in found], most=1000)


def item(exchange: Exchange) -> Reply:
    """GET .../items/{id}"""
    box = _box(exchange)
    return Reply(200, _row(exchange, box, _item(exchange, box)))


def delete(exchange: Exchange) -> Reply:
    """DELETE .../items/{id}?disposalType=: 403 where something protects the item, gone for good otherwise."""
    box = _box(exchange)
    disposal = exchange.query.get("disposaltype", "").casefold()
    if disposal not in ("softdelete", "harddelete"):
        raise Refused(400, "BadRequest", "disposalType must be softDelete or hardDelete.")
    found = _item(exchange, box)
    if exchange.tenant.is_on_hold(box):
        raise Refused(403, "ErrorAccessDenied", HELD)
    exchange.note(box, found, effect=True)
    if disposal == "harddelete":
        box.remove(found)
    else:
        box.move(found, box.known(DELETIONS), exchange.tenant.now())
    return Reply(204)


def _box(exchange: Exchange) -> Mailbox:
    return exchange.tenant.by_mailbox_id(exchange.parameters["mailbox"])


def _folder(exchange: Exchange, box: Mailbox) -> Folder:
    found = box.folder(exchange.parameters["folder"])
    if found is None:
        raise not_found()
    return found


def _item(exchange: Exchange, box: Mailbox) -> Item:
    folder, key = _folder(exchange, box), exchange.parameters["item"]
    named = ids.parse_item(key)
    if named is not None and not exchange.tenant.switches.item_ids_differ:
        candidates = [one for one in [box.item(named[1])] if one is not None and one.folder == folder.number]
    else:
        candidates = list(box.inside(folder))
    found = next((one for one in candidates if _key(exchange, box, one) == key), None)
    if found is None:
        raise not_found()
    return found


def _key(exchange: Exchange, box: Mailbox, one: Item) -> str:
    if exchange.tenant.switches.item_ids_differ:
        return "AAMkAF" + ids.item_id(box.number, one.uid, one.moves + 1_000_000, immutable=False)[6:]
    return ids.item_id(box.number, one.uid, 0, immutable=True)


def _row(exchange: Exchange, box: Mailbox, one: Item) -> Row:
    row: Row = {
        "@odata.type": "#microsoft.graph.mailboxItem",
        "id": _key(exchange, box, one),
        "createdDateTime": one.row["createdDateTime"],
        "lastModifiedDateTime": (one.moved_at or one.changed_at).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "changeKey": f"{one.uid:x}{one.seq:x}",
        "categories": one.row["categories"],
        "type": TYPES[one.kind],
        "size": 2048 + sum(each["size"] for each in one.attachments),
    }
    row = picked(row, exchange.selected())
    expand = exchange.query.get("$expand", "")
    if expand and not exchange.tenant.switches.items_carry_properties:
        raise Refused(400, "BadRequest", "The query parameter '$expand' is not supported here.")
    if MESSAGE_ID.casefold() in expand.casefold() and "internetMessageId" in one.row:
        row["singleValueExtendedProperties"] = [{"id": MESSAGE_ID, "value": one.row["internetMessageId"]}]
    return row


def _folder_row(box: Mailbox, folder: Folder) -> Row:
    return {
        "id": folder.known or ids.folder_id(box.number, folder.number),
        "displayName": folder.name,
        "parentFolderId": ids.folder_id(box.number, folder.parent or folder.number),
        "childFolderCount": len(box.children(folder)),
        "totalItemCount": box.count(folder),
        "type": "IPF.Note",
    }
