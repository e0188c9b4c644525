"""What do query, queryAll and their next pages answer?"""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from sandbox.control import touched
from sandbox.salesforce.errors import ApiError
from sandbox.salesforce.exchange import answer, base_of, store_of
from sandbox.salesforce.soql.run import Answer, run
from sandbox.salesforce.store import CURSOR_DAYS, OrgStore

_BATCH_SIZE = re.compile(r"\bbatchSize\s*=\s*(\d+)", re.IGNORECASE)
_SMALLEST_PAGE, _LARGEST_PAGE = 200, 2_000
_MOST_CURSORS = 1_000


async def query(request: Request) -> Response:
    return _first_page(request, deleted=False)


async def query_all(request: Request) -> Response:
    """Like query, with rows in the Recycle Bin."""
    return _first_page(request, deleted=True)


async def next_page(request: Request) -> Response:
    store = store_of(request)
    key, _, offset = request.path_params["locator"].rpartition("-")
    found = store.cursors.get(key)
    if found is None or not offset.isdigit() or int(offset) > len(found[1].rows):
        raise ApiError(400, "INVALID_QUERY_LOCATOR", "invalid query locator")
    return answer(_page(request, found[1], key, int(offset), _page_rows(request, store)))


def _first_page(request: Request, *, deleted: bool) -> Response:
    text = request.query_params.get("q")
    if text is None:
        raise ApiError(400, "MALFORMED_QUERY", "A query string has to be specified")
    store = store_of(request)
    found = run(text, store.session(base_of(request), deleted=deleted))
    touched(request, found.named_ids)
    if found.counts_rows:
        return answer({"totalSize": len(found.rows), "done": True, "records": []})
    size = _page_rows(request, store)
    key = _keep(store, found) if len(found.rows) > size else ""
    return answer(_page(request, found, key, 0, size))


def _page(request: Request, found: Answer, key: str, offset: int, size: int) -> dict[str, Any]:
    end = offset + size
    done = end >= len(found.rows)
    body: dict[str, Any] = {"totalSize": len(found.rows), "done": done}
    if not done:
        body["nextRecordsUrl"] = f"{base_of(request)}/query/{key}-{end}"
    body["records"] = [found.render(row) for row in found.rows[offset:end]]
    return body


def _page_rows(request: Request, store: OrgStore) -> int:
    """The size asked for is a hint: it is brought into the allowed range, and the org may give less."""
    match = _BATCH_SIZE.search(request.headers.get("sforce-query-options", ""))
    wanted = int(match.group(1)) if match else _LARGEST_PAGE
    return min(max(wanted, _SMALLEST_PAGE), _LARGEST_PAGE, store.switches.page_rows)


def _keep(store: OrgStore, found: Answer) -> str:
    limit = store.now() - timedelta(days=CURSOR_DAYS)
    for key in [key for key, (made, _) in store.cursors.items() if made < limit]:
        del store.cursors[key]
    while len(store.cursors) >= _MOST_CURSORS:
        del store.cursors[next(iter(store.cursors))]
    key = store.new_id("0r8")
    store.cursors[key] = (store.now(), found)
    return key
