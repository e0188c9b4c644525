"""How is a list of items asked for, and what is on its page? Filter, search, order, selection and pages."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Iterator
from datetime import timedelta
from typing import Any

from sandbox.microsoft365 import filters, search
from sandbox.microsoft365.errors import Refused
from sandbox.microsoft365.exchange import Exchange, Reply, Row, pack, rows, unpack
from sandbox.microsoft365.mailbox import Item, Mailbox

PAGE, LARGEST_PAGE = 10, 1000
NEWEST_FIRST = {"message": "receivedDateTime", "contact": "createdDateTime", "event": "createdDateTime"}


def items(
    exchange: Exchange, box: Mailbox, kind: str, found: Iterable[Item], show: Callable[[Item], Row] | None = None
) -> Reply:
    """A page of items of one kind."""
    query = exchange.query
    if "$search" in query:
        return _searched(exchange, box, kind, found)
    filtered: list[str] = []
    if "$filter" in query:
        test, filtered = filters.wanted(query["$filter"], kind)
        found = (item for item in found if test(item))
    order = filters.check_order(query.get("$orderby"), filtered, kind)
    wanted = sorted(found, key=lambda item: str(item.row.get(NEWEST_FIRST[kind])), reverse=True)
    for name, descending in reversed(order):
        wanted.sort(key=lambda item: (filters.value_of(item, name) is not None, filters.value_of(item, name)))
        if descending:
            wanted.reverse()
    size = exchange.whole("$top", 1, LARGEST_PAGE) or exchange.page_size() or PAGE
    start = exchange.whole("$skip", 0, 10**9) or 0
    more: Row = {"@odata.count": len(wanted)} if query.get("$count") == "true" else {}
    following = None
    if start + size < len(wanted):
        following = exchange.link(exchange.path(), {**query, "$skip": str(start + size)})
    return _page(exchange, box, kind, wanted[start : start + size], following, show, **more)


def plain(exchange: Exchange, context: str, found: Iterable[Row], *, default: int = PAGE, most: int = 999) -> Reply:
    """A page of folders, users and the like, in a stable order."""
    size = exchange.whole("$top", 1, most) or exchange.page_size() or default
    start = exchange.whole("$skip", 0, 10**9) or 0
    if "$skiptoken" in exchange.query:
        start = int(unpack(exchange.query["$skiptoken"])["at"])
    page = list(itertools.islice(found, start, start + size + 1))
    following = None
    if len(page) > size:
        kept = {name: value for name, value in exchange.query.items() if name not in ("$skip", "$skiptoken")}
        following = exchange.link(exchange.path(), {**kept, "$skiptoken": pack({"at": start + size})})
    return rows(f"{exchange.base}/$metadata#{context}", page[:size], following)


def _searched(exchange: Exchange, box: Mailbox, kind: str, found: Iterable[Item]) -> Reply:
    query = exchange.query
    if kind != "message":
        raise Refused(400, "BadRequest", "The query parameter '$search' is not supported here.")
    if "$orderby" in query:
        raise Refused(400, "SearchWithOrderBy", "The query parameter '$orderBy' is not supported with '$search'.")
    if "$filter" in query:
        raise Refused(400, "SearchWithFilter", "The query parameter '$filter' is not supported with '$search'.")
    if "$skip" in query:
        raise Refused(400, "SearchWithSkip", "The query parameter '$skip' is not supported with '$search'.")
    test = search.wanted(query["$search"])
    seen = exchange.tenant.now() - timedelta(seconds=exchange.tenant.switches.index_lag_seconds)
    hits = sorted(_indexed(found, test, seen), key=lambda item: str(item.row["sentDateTime"]), reverse=True)
    hits = hits[: search.MOST]
    size = exchange.whole("$top", 1, LARGEST_PAGE) or PAGE
    start = int(unpack(query["$skiptoken"])["at"]) if "$skiptoken" in query else 0
    following = None
    if start + size < len(hits):
        following = exchange.link(exchange.path(), {**query, "$skiptoken": pack({"at": start + size})})
    return _page(exchange, box, kind, hits[start : start + size], following, None)


def _indexed(found: Iterable[Item], test: filters.Test, seen: Any) -> Iterator[Item]:
    return (item for item in found if item.changed_at <= seen and test(item))


def _page(
    exchange: Exchange,
    box: Mailbox,
    kind: str,
    page: list[Item],
    following: str | None,
    show: Callable[[Item], Row] | None,
    **more: Any,
) -> Reply:
    select = exchange.selected()
    context = f"{exchange.base}/$metadata#users('{box.user}')/{kind}s"
    shown = [show(item) if show else exchange.shown(box, item, select) for item in page]
    return rows(context, shown, following, **more)
