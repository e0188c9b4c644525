"""How are records listed, read, searched, created and changed? The object paths for one record or a page."""

from __future__ import annotations

from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from sandbox.control import touched
from sandbox.hubspot import exchange
from sandbox.hubspot.account import Account, Row
from sandbox.hubspot.errors import Page404, Refused
from sandbox.hubspot.object_types import LINK_TYPES, TYPES
from sandbox.hubspot.search import search

LARGEST_LIST = 100
LARGEST_LIST_WITH_HISTORY = 50


async def listing(request: Request) -> Response:
    """All records by id, at most 100 a page, 50 with history. No filter, no order of another kind, no end at 10,000."""
    account, kind = exchange.account_of(request), exchange.kind_of(request)
    history = exchange.listed(request, "propertiesWithHistory")
    most = LARGEST_LIST_WITH_HISTORY if history else LARGEST_LIST
    limit, after = _number(request, "limit", 10), _number(request, "after", 0)
    if not 0 < limit <= most:
        raise Refused(400, f"limit must be between 1 and {most}, but was {limit}")
    archived, names = exchange.wants_archived(request), exchange.listed(request, "properties")
    rows = [row for row in account.visible(kind).values() if row["archived"] is archived and int(row["id"]) >= after]
    rows.sort(key=lambda row: int(row["id"]))
    page = rows[:limit]
    answer: dict[str, Any] = {
        "results": [
            exchange.shown(account, kind, row, names, history) | associations(request, account, kind, row)
            for row in page
        ]
    }
    if len(rows) > limit:
        following = str(int(page[-1]["id"]) + 1)
        link = str(request.url.include_query_params(after=following))
        answer["paging"] = {"next": {"after": following, "link": link}}
    return JSONResponse(answer)


async def read(request: Request) -> Response:
    """One record by id, or by another property that is unique."""
    account, kind = exchange.account_of(request), exchange.kind_of(request)
    row = found(request, account, kind, archived=exchange.wants_archived(request))
    if row is None:
        raise Page404 if account.switches.not_found_page else Refused(404, "resource not found")
    touched(request, [row["id"]])
    names, history = exchange.listed(request, "properties"), exchange.listed(request, "propertiesWithHistory")
    return JSONResponse(exchange.shown(account, kind, row, names, history) | associations(request, account, kind, row))


async def create(request: Request) -> Response:
    """A new record."""
    account, kind, given = exchange.account_of(request), exchange.kind_of(request), await exchange.body_of(request)
    values = exchange.checked(account, kind, given.get("properties"))
    refuse_taken(account, kind, values)
    targets = targets_in(account, kind, given)
    row = account.create(kind, values)
    for target, other in targets:
        account.link(kind, row["id"], target, other)
    touched(request, [row["id"]], effect=True)
    return JSONResponse(exchange.written(account, kind, row, values), 201)


async def update(request: Request) -> Response:
    """Change one record; the answer names only some of its properties."""
    account, kind, given = exchange.account_of(request), exchange.kind_of(request), await exchange.body_of(request)
    row = found(request, account, kind)
    if row is None:
        raise Refused(404, "resource not found")
    values = exchange.checked(account, kind, given.get("properties"))
    refuse_taken(account, kind, values, row)
    account.write(kind, row, values)
    touched(request, [row["id"]], effect=True)
    return JSONResponse(exchange.written(account, kind, row, values))


async def archive(request: Request) -> Response:
    """Archive one record; an absent one is answered the same, unless the switch says otherwise."""
    account, key = exchange.account_of(request), request.path_params["key"]
    done = account.archive(exchange.kind_of(request), key)
    touched(request, [key], effect=done)
    if not done and account.switches.archive_of_absent == 404:
        raise Refused(404, "resource not found")
    return Response(status_code=204)


async def do_search(request: Request) -> Response:
    """A search; archived records are never found."""
    account, kind, given = exchange.account_of(request), exchange.kind_of(request), await exchange.body_of(request)
    total, page, after = search(account, kind, given)
    names = exchange.names_in(given, "properties")
    answer: dict[str, Any] = {"total": total, "results": [exchange.shown(account, kind, row, names) for row in page]}
    if after is not None:
        answer["paging"] = {"next": {"after": after}}
    return JSONResponse(answer)


def found(request: Request, account: Account, kind: str, *, archived: bool = False) -> Row | None:
    """The record a path names."""
    return named(account, kind, request.path_params["key"], request.query_params.get("idProperty"), archived=archived)


def named(account: Account, kind: str, key: str, id_property: str | None, *, archived: bool = False) -> Row | None:
    """A record by its id or by `idProperty`."""
    if not id_property or id_property == "hs_object_id":
        return account.row(kind, key, archived=archived)
    prop = account.property(kind, id_property)
    if kind == "contacts" and id_property == "email":
        return account.archived_by_email(key) if archived else account.by_email(key)
    if prop is None or not prop.unique:
        raise Refused(400, f"Property '{id_property}' is not a unique property of {TYPES[kind].singular}")
    matches = (r for r in account.visible(kind).values() if account.value(kind, r, id_property) == key)
    return next((row for row in matches if row["archived"] is archived), None)


def refuse_taken(account: Account, kind: str, values: dict[str, str | None], row: Row | None = None) -> None:
    """An address belongs to one contact only; that of a purged one may be refused."""
    email = values.get("email")
    if kind != "contacts" or not email:
        return
    there = [key for key in account.holders(email) if row is None or key != row["id"]]
    if there:
        raise Refused(409, f"Contact already exists. Existing ID: {there[0]}")
    if email in account.blocklist and account.switches.blocked_for_api:
        raise Refused(400, "This contact was permanently deleted for privacy reasons and cannot be created again")


def targets_in(account: Account, kind: str, given: Any) -> list[tuple[str, str]]:
    """Type and id of the records that a new one shall be linked with; the number of the link tells the type."""
    numbers = {number: target for (origin, target), number in LINK_TYPES.items() if origin == kind}
    targets = []
    for one in given.get("associations") or []:
        other = str(((one or {}).get("to") or {}).get("id") or "")
        named = [link.get("associationTypeId") for link in (one or {}).get("types") or [] if isinstance(link, dict)]
        target = next((numbers[number] for number in named if number in numbers), None)
        if target is None or account.row(target, other) is None:
            raise Refused(400, f"One or more associations are not valid: {other}")
        targets.append((target, other))
    return targets


def associations(request: Request, account: Account, kind: str, row: Row) -> dict[str, Any]:
    """Links of the types asked for; a type without any is left out."""
    answer: dict[str, Any] = {}
    for name in exchange.listed(request, "associations"):
        target = exchange.kind_named(name)
        ids = account.linked(kind, row["id"], target)
        if ids:
            named_type = f"{TYPES[kind].singular}_to_{TYPES[target].singular}"
            answer[target] = {"results": [{"id": one, "type": named_type} for one in ids]}
    return {"associations": answer} if answer else {}


def _number(request: Request, name: str, otherwise: int) -> int:
    text = request.query_params.get(name) or str(otherwise)
    if not (text.isascii() and text.isdigit()):
        raise Refused(400, f"{name} must be a number")
    return int(text)
