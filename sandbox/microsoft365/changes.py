"""What changed in a folder since a position? First everything there is, page by page, then only what is new or gone."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta

from sandbox.microsoft365 import ids
from sandbox.microsoft365.errors import Refused, bad_query
from sandbox.microsoft365.exchange import Exchange, Reply, Row, pack, rows, unpack
from sandbox.microsoft365.filters import check_order, wanted
from sandbox.microsoft365.mailbox import Folder, Item, Mailbox

PAGE = 10
Test = Callable[[Item], bool]
Met = tuple[Row, Row | None]
"""The position after a row, and the row; None for one that is passed over."""


def of(
    exchange: Exchange, box: Mailbox, kind: str, folder: Folder, *, among: Test | None = None, tag: str = ""
) -> Reply:
    """A page of changes of a folder. `among` are the items that belong, `tag` what a position carries of the query."""
    at = _position(exchange, box, folder, tag)
    exchange.query.setdefault("$select", str(at.get("select") or ""))
    select = exchange.selected() or None
    size = min(exchange.page_size() or PAGE, exchange.tenant.switches.largest_delta_page)
    page = list(itertools.islice(_from(exchange, box, kind, folder, at, select, among), size))
    values = [row for _, row in page if row is not None]
    context = f"{exchange.base}/$metadata#Collection({kind})"
    path = _canonical(exchange)
    if len(page) == size:
        return rows(context, values, exchange.link(path, {"$skiptoken": pack(page[-1][0])}, encoded=False))
    last = {**at, "bulk": None, "after": box.seq, "from": box.seq, "start": 0}
    reply = rows(context, values)
    reply.body["@odata.deltaLink"] = exchange.link(path, {"$deltatoken": pack(last)}, encoded=False)
    return reply


def _from(
    exchange: Exchange, box: Mailbox, kind: str, folder: Folder, at: Row, select: list[str] | None, among: Test | None
) -> Iterator[Met]:
    """Rows from a position on, each with the position behind it."""
    if at["bulk"] is not None:
        for lazy in box.bulk_from(folder, int(at["bulk"])):
            row = exchange.shown(box, lazy, select) if among is None or among(lazy) else None
            yield {**at, "bulk": lazy.uid + 1}, row
    lean = exchange.tenant.switches.delta_rows_are_lean and at["from"] != 0
    for seq, uid, item in list(box.changed(folder, int(at["after"]))):
        behind = {**at, "bulk": None, "after": seq}
        if item is not None and item.kind == kind and (among is None or among(item)):
            shown = select
            if lean and item.lean:
                shown = [*item.lean, "changeKey", "parentFolderId"]
            yield behind, exchange.shown(box, item, shown)
        elif seq > at["start"] and (item is None or item.kind == kind):  # it may have been told of before it went
            key = ids.item_id(box.number, uid, 0, immutable=exchange.immutable)
            yield behind, {"id": key, "@removed": {"reason": "deleted"}}
        else:
            yield behind, None


def _position(exchange: Exchange, box: Mailbox, folder: Folder, tag: str) -> Row:
    text = exchange.query.get("$deltatoken") or exchange.query.get("$skiptoken")
    tenant = exchange.tenant
    if text is None:
        if "$search" in exchange.query:
            raise bad_query("The query parameter '$search' is not supported with delta.")
        _check_filter(exchange)
        return {
            "bulk": 0,
            "after": 0,
            "from": 0,
            "start": box.seq,
            "folder": folder.number,
            "box": box.number,
            "made": tenant.now().isoformat(),
            "epoch": [tenant.generation, tenant.switches.forgotten_deltas],
            "select": exchange.query.get("$select"),
            "tag": tag,
        }
    at = unpack(text)
    if {"after", "from", "start", "folder", "box", "made", "epoch", "bulk"} - set(at) or at["box"] != box.number:
        raise bad_query("Badly formed token.")
    age = tenant.now() - datetime.fromisoformat(at["made"])
    if at["epoch"] != [tenant.generation, tenant.switches.forgotten_deltas] or age > timedelta(
        days=tenant.switches.delta_days
    ):
        # The letter case of this code varies from one answer to the next.
        code = "SyncStateNotFound" if len(tenant.boxes) % 2 else "syncStateNotFound"
        raise Refused(410, code, "The sync state generation is not found; resync is required.")
    return {**at, "made": tenant.now().isoformat()}


def tag_of(exchange: Exchange) -> str:
    """What a position carries of the query it began with."""
    text = exchange.query.get("$deltatoken") or exchange.query.get("$skiptoken")
    return str(unpack(text).get("tag") or "") if text else ""


def _check_filter(exchange: Exchange) -> None:
    """Only one filter and one order are served here."""
    if "$filter" in exchange.query:
        _, names = wanted(exchange.query["$filter"], "message")
        if names != ["receivedDateTime"] or " l" in exchange.query["$filter"] or " eq " in exchange.query["$filter"]:
            raise bad_query("The filter is not supported with delta.")
    if exchange.query.get("$orderby") not in (None, "receivedDateTime desc"):
        raise bad_query("The order is not supported with delta.")
    check_order(exchange.query.get("$orderby"), [], "message")


def _canonical(exchange: Exchange) -> str:
    """The path of a list of changes as the service writes it: `mailFolders('inbox')`."""
    user, folder = exchange.parameters["user"], exchange.parameters.get("folder")
    start = f"/users('{user}')"
    rest = exchange.path().rstrip("/").rpartition("/")[0].rpartition("/")[2]
    if folder is not None:
        holder = "contactFolders" if rest == "contacts" else "mailFolders"
        start += f"/{holder}('{folder}')"
    return f"{start}/{rest}/delta"
