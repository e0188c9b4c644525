"""Which folders has a mailbox, and how are they made and removed? Mail folders, contact folders and calendars."""

from __future__ import annotations

from collections.abc import Iterable

from sandbox.microsoft365 import ids, listing
from sandbox.microsoft365.errors import Refused, not_found
from sandbox.microsoft365.exchange import Exchange, Reply, Row, picked
from sandbox.microsoft365.mailbox import CALENDAR, CONTACTS, DELETED, ROOT, Folder, Mailbox

SEARCH = "#microsoft.graph.mailSearchFolder"


def mail(exchange: Exchange) -> Reply:
    """GET /users/{id}/mailFolders: children of the root only."""
    box = exchange.mailbox()
    return _listed(exchange, box, box.children(box.known(ROOT)))


def below(exchange: Exchange) -> Reply:
    """GET .../mailFolders/{id}/childFolders"""
    box = exchange.mailbox()
    return _listed(exchange, box, box.children(exchange.folder(box)))


def one(exchange: Exchange) -> Reply:
    """GET .../mailFolders/{id}, by id or well-known name."""
    box = exchange.mailbox()
    return Reply(200, picked(_mail_row(exchange, box, exchange.folder(box)), exchange.selected()))


def make(exchange: Exchange) -> Reply:
    """POST .../mailFolders and .../childFolders; only here a folder becomes a hidden one."""
    box, given = exchange.mailbox(), exchange.given()
    above = exchange.folder(box) if "folder" in exchange.parameters else box.known(ROOT)
    name = given.get("displayName")
    if not isinstance(name, str) or not name:
        raise Refused(400, "ErrorInvalidRequest", "A folder needs a displayName.")
    if any(one.name.casefold() == name.casefold() for one in box.children(above)):
        raise Refused(409, "ErrorFolderExists", "A folder with the specified name already exists.")
    made = box.add_folder(name, above.number, hidden=bool(given.get("isHidden")))
    exchange.touched.effect = True
    return Reply(201, _mail_row(exchange, box, made))


def remove(exchange: Exchange) -> Reply:
    """DELETE .../mailFolders/{id}: below Deleted Items."""
    box = exchange.mailbox()
    folder = _removable(exchange, box)
    folder.parent = box.known(DELETED).number
    exchange.touched.effect = True
    return Reply(204)


def purge(exchange: Exchange) -> Reply:
    """POST .../mailFolders/{id}/permanentDelete: the folder goes outright."""
    box = exchange.mailbox()
    box.drop_folder(_removable(exchange, box), exchange.tenant.now())
    exchange.touched.effect = True
    return Reply(204)


def contacts(exchange: Exchange) -> Reply:
    """GET /users/{id}/contactFolders: those besides the default one."""
    box = exchange.mailbox()
    found = [one for one in box.folders.values() if one.holds == "contact" and one.known != CONTACTS]
    top = [one for one in found if one.parent is None or box.folders[one.parent].holds != "contact"]
    return _plain(exchange, box, "contactFolders", top)


def contacts_below(exchange: Exchange) -> Reply:
    """GET .../contactFolders/{id}/childFolders"""
    box = exchange.mailbox()
    return _plain(exchange, box, "contactFolders", box.children(exchange.folder(box, holds="contact")))


def calendars(exchange: Exchange) -> Reply:
    """GET /users/{id}/calendars"""
    box = exchange.mailbox()
    return _plain(exchange, box, "calendars", [one for one in box.folders.values() if one.holds == "event"])


def _removable(exchange: Exchange, box: Mailbox) -> Folder:
    folder = exchange.folder(box)
    if folder.known:
        raise Refused(400, "ErrorDeleteDistinguishedFolder", "Distinguished folders cannot be deleted.")
    return folder


def _listed(exchange: Exchange, box: Mailbox, folders: Iterable[Folder]) -> Reply:
    hidden = exchange.query.get("includehiddenfolders", "").casefold() == "true"
    found = [one for one in folders if exchange.shows(one) and (hidden or not one.hidden)]
    select = exchange.selected()
    page = (picked(_mail_row(exchange, box, one), select) for one in found)
    return listing.plain(exchange, f"users('{box.user}')/mailFolders", page)


def _plain(exchange: Exchange, box: Mailbox, name: str, folders: Iterable[Folder]) -> Reply:
    select = exchange.selected()
    found = (picked(_row(box, one), select) for one in folders)
    return listing.plain(exchange, f"users('{box.user}')/{name}", found)


def _mail_row(exchange: Exchange, box: Mailbox, folder: Folder) -> Row:
    count = box.count(folder)
    row: Row = {
        "id": ids.folder_id(box.number, folder.number),
        "displayName": folder.name,
        "parentFolderId": ids.folder_id(box.number, folder.parent or folder.number),
        "childFolderCount": len([one for one in box.children(folder) if exchange.shows(one)]),
        "unreadItemCount": 0,
        "totalItemCount": count,
        "sizeInBytes": count * 2048,
        "isHidden": folder.hidden,
    }
    return {"@odata.type": SEARCH, **row} if folder.search else row


def _row(box: Mailbox, folder: Folder) -> Row:
    key = ids.folder_id(box.number, folder.number)
    if folder.holds == "event":
        is_default = folder.known == CALENDAR
        return {"id": key, "name": folder.name, "isDefaultCalendar": is_default, "canEdit": True, "isRemovable": True}
    if folder.holds != "contact":
        raise not_found()
    above = ids.folder_id(box.number, folder.parent or box.known(CONTACTS).number)
    return {"id": key, "displayName": folder.name, "parentFolderId": above}
