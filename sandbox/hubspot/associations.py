"""Which records belong together? The association paths of v4, and the reading one of v3."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from sandbox.control import touched
from sandbox.hubspot import exchange
from sandbox.hubspot.account import Account
from sandbox.hubspot.errors import Refused
from sandbox.hubspot.object_types import LINK_TYPES, TYPES

LARGEST_BATCH_READ = 1_000
LARGEST_BATCH_WRITE = 2_000
LARGEST_PAGE = 500


async def of_one(request: Request) -> Response:
    """What one record is linked with, at most 500 a page."""
    account, key = exchange.account_of(request), request.path_params["key"]
    kind, target = exchange.kind_of(request), exchange.kind_named(request.path_params["target"])
    limit, after = (request.query_params.get(name) or other for name, other in (("limit", "500"), ("after", "0")))
    if not (limit.isdigit() and after.isdigit()) or not 0 < int(limit) <= LARGEST_PAGE:
        raise Refused(400, f"limit must be between 1 and {LARGEST_PAGE}")
    if account.row(kind, key) is None:
        raise Refused(404, f"{TYPES[kind].singular} {key} does not exist")
    touched(request, [key])
    page, following = _page(account.linked(kind, key, target), after, int(limit))
    answer: dict[str, Any] = {"results": [_labelled(account, kind, target, one) for one in page]}
    if following:
        link = str(request.url.include_query_params(after=following))
        answer["paging"] = {"next": {"after": following, "link": link}}
    return JSONResponse(answer)


async def batch_read(request: Request) -> Response:
    """For up to 1,000 records, what they are linked with; those without any are errors inside a 207."""
    return await _batch_read(request, _labelled)


async def batch_read_v3(request: Request) -> Response:
    """The same, as v3 shows it."""
    return await _batch_read(
        request,
        lambda account, kind, target, one: {"id": one, "type": f"{TYPES[kind].singular}_to_{TYPES[target].singular}"},
    )


async def _batch_read(request: Request, show: Callable[[Account, str, str, str], Mapping[str, Any]]) -> Response:
    account, given = exchange.account_of(request), await exchange.body_of(request)
    kind, target = _ends(request)
    results: list[dict[str, Any]] = []
    errors: list[Any] = []
    asked: list[str] = []
    for one in exchange.inputs_of(given, LARGEST_BATCH_READ):
        key = exchange.id_in(one)
        asked.append(key)
        ids, following = _page(account.linked(kind, key, target), str(one.get("after") or "0"), LARGEST_PAGE)
        if ids:
            result: dict[str, Any] = {"from": {"id": key}, "to": [show(account, kind, target, other) for other in ids]}
            results.append(result | ({"paging": {"next": {"after": following}}} if following else {}))
        else:
            errors.append(_without(account, kind, target, key))
    touched(request, asked)
    return exchange.batch_answer(request, results, errors)


async def associate(request: Request) -> Response:
    """Link two records by the default label."""
    account, key, other = exchange.account_of(request), request.path_params["key"], request.path_params["other"]
    kind, target = exchange.kind_of(request), exchange.kind_named(request.path_params["target"])
    _refuse_unlinkable(account, kind, target, key, other)
    touched(request, [key, other], effect=account.link(kind, key, target, other))
    ends = ((kind, key, target, other), (target, other, kind, key))
    return exchange.batch_answer(request, [_default(*end) for end in ends])


async def batch_associate(request: Request) -> Response:
    """Link many pairs by the default label."""
    account, given = exchange.account_of(request), await exchange.body_of(request)
    kind, target = _ends(request)
    pairs = [_pair(one) for one in exchange.inputs_of(given, LARGEST_BATCH_WRITE)]
    for key, other in pairs:
        _refuse_unlinkable(account, kind, target, key, other)
    results = []
    for key, other in pairs:
        touched(request, [key, other], effect=account.link(kind, key, target, other))
        results += [_default(kind, key, target, other), _default(target, other, kind, key)]
    return exchange.batch_answer(request, results)


async def dissociate(request: Request) -> Response:
    """Undo a link; none is as good."""
    account, key, other = exchange.account_of(request), request.path_params["key"], request.path_params["other"]
    target = exchange.kind_named(request.path_params["target"])
    touched(request, [key, other], effect=account.unlink(exchange.kind_of(request), key, target, other))
    return Response(status_code=204)


async def batch_archive(request: Request) -> Response:
    """Undo many links."""
    account, given = exchange.account_of(request), await exchange.body_of(request)
    kind, target = _ends(request)
    for one in exchange.inputs_of(given, LARGEST_BATCH_WRITE):
        key = exchange.id_in(one.get("from") or {})
        for other in one.get("to") or []:
            other_key = exchange.id_in(other)
            touched(request, [key, other_key], effect=account.unlink(kind, key, target, other_key))
    return Response(status_code=204)


def _ends(request: Request) -> tuple[str, str]:
    return exchange.kind_named(request.path_params["origin"]), exchange.kind_named(request.path_params["target"])


def _pair(given: Mapping[str, Any]) -> tuple[str, str]:
    return exchange.id_in(given.get("from") or {}), exchange.id_in(given.get("to") or {})


def _page(ids: list[str], after: str, limit: int) -> tuple[list[str], str | None]:
    start = int(after) if after.isdigit() else 0
    rest = [one for one in ids if int(one) >= start]
    return rest[:limit], rest[limit] if len(rest) > limit else None


def _labelled(account: Account, kind: str, target: str, other: str) -> dict[str, Any]:
    """A number, as observed; the published schema says text."""
    return {
        "toObjectId": other if account.switches.association_ids_as_text else int(other),
        "associationTypes": [{"category": "HUBSPOT_DEFINED", "typeId": LINK_TYPES[kind, target], "label": None}],
    }


def _default(kind: str, key: str, target: str, other: str) -> dict[str, Any]:
    return {
        "from": {"id": key},
        "to": {"id": other},
        "associationSpec": {"associationCategory": "HUBSPOT_DEFINED", "associationTypeId": LINK_TYPES[kind, target]},
    }


def _without(account: Account, kind: str, target: str, key: str) -> Any:
    return exchange.batch_error(
        account,
        "OBJECT_NOT_FOUND",
        f"No {TYPES[target].singular} is associated with {TYPES[kind].singular} {key}.",
        {"fromObjectId": [key], "fromObjectType": [TYPES[kind].singular], "toObjectType": [TYPES[target].singular]},
        subCategory="crm.associations.NO_ASSOCIATIONS_FOUND",
    )


def _refuse_unlinkable(account: Account, kind: str, target: str, key: str, other: str) -> None:
    if (kind, target) not in LINK_TYPES:
        raise Refused(400, f"{TYPES[kind].number} and {TYPES[target].number} have no default association")
    if account.row(kind, key) is None or account.row(target, other) is None:
        raise Refused(404, "One of the two records does not exist")
