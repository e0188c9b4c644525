"""How are contacts and deals listed, read, written, archived and purged? The CRM object paths."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from sandbox.control import touched
from sandbox.hubspot.account import Account, Row
from sandbox.hubspot.errors import Refused, not_found_page
from sandbox.hubspot.properties import DEFAULTS
from sandbox.hubspot.search import search

LARGEST_BATCH = 100
LARGEST_LIST = 100
COMPLETE = "COMPLETE"


def account_of(request: Request) -> Account:
    """The account this call works on (a copy, when it must not have an effect)."""
    found: Account = request.state.store
    return found


def kind_of(request: Request) -> str:
    """The object type of the path, by name or number."""
    kind = {"0-1": "contacts", "0-3": "deals", "contact": "contacts", "deal": "deals"}.get(
        request.path_params["object_type"], request.path_params["object_type"]
    )
    if kind not in account_of(request).objects:
        raise Refused(404, f"Unable to infer object type from: {request.path_params['kind']}")
    return str(kind)


async def body_of(request: Request) -> Mapping[str, Any]:
    """The JSON object of a call."""
    try:
        given = await request.json()
    except ValueError as error:
        raise Refused(400, "Invalid input JSON") from error
    if not isinstance(given, dict):
        raise Refused(400, "Invalid input JSON")
    return given


def shown(kind: str, row: Row, asked: Sequence[str] = ()) -> dict[str, Any]:
    """A record as an answer shows it; unknown properties asked for are ignored."""
    always = ("createdate", "hs_object_id", "lastmodifieddate" if kind == "contacts" else "hs_lastmodifieddate")
    names = dict.fromkeys([*always, *asked]) if asked else dict.fromkeys(DEFAULTS[kind])
    answer: dict[str, Any] = {
        "id": row["id"],
        "properties": {name: row["properties"].get(name) for name in names if name in row["properties"]},
        "createdAt": row["createdAt"],
        "updatedAt": row["updatedAt"],
        "archived": row["archived"],
    }
    return answer | ({"archivedAt": row["archivedAt"]} if row["archived"] else {})


def asked_properties(request: Request) -> list[str]:
    """`properties`, repeated or separated by commas."""
    return [n for part in request.query_params.getlist("properties") for n in part.split(",") if n]


def wants_archived(request: Request) -> bool:
    """Whether archived records are asked for."""
    return request.query_params.get("archived", "false").lower() == "true"


async def listing(request: Request) -> Response:
    """All records by id, at most 100 a page."""
    account, kind = account_of(request), kind_of(request)
    limit = request.query_params.get("limit", "10")
    if not limit.isdigit() or not 0 < int(limit) <= LARGEST_LIST:
        raise Refused(400, f"limit must be between 1 and {LARGEST_LIST}")
    after = request.query_params.get("after", "0")
    if not after.isdigit():
        raise Refused(400, "after is not valid")
    visible = {} if account.switches.hidden else account.objects[kind]
    keys = sorted(int(k) for k, row in visible.items() if row["archived"] is wants_archived(request))
    rest = [key for key in keys if key >= int(after)]
    page = rest[: int(limit)]
    rows = [account.objects[kind][str(key)] for key in page]
    answer: dict[str, Any] = {"results": [shown(kind, row, asked_properties(request)) for row in rows]}
    if len(rest) > len(page):
        following = str(page[-1] + 1)
        answer["paging"] = {"next": {"after": following, "link": f"{request.url.path}?limit={limit}&after={following}"}}
    return JSONResponse(answer)


async def read(request: Request) -> Response:
    """One record by id or by `idProperty`."""
    account, kind = account_of(request), kind_of(request)
    row = _found(account, kind, request.path_params["key"], request.query_params.get("idProperty"), request)
    if row is None:
        return not_found_page()
    touched(request, [row["id"]])
    return JSONResponse(shown(kind, row, asked_properties(request)))


def _found(account: Account, kind: str, key: str, id_property: str | None, request: Request) -> Row | None:
    if id_property == "email" and kind == "contacts":
        return account.by_email(key)
    return account.row(kind, key, archived=wants_archived(request))


async def create(request: Request) -> Response:
    """A new record."""
    account, kind = account_of(request), kind_of(request)
    values = (await body_of(request)).get("properties") or {}
    check_writable(account, kind, values)
    email = str(values.get("email") or "").lower()
    if kind == "contacts" and email:
        if (there := account.by_email(email)) is not None:
            raise Refused(409, f"Contact already exists. Existing ID: {there['id']}")
        if email in account.blocklist and account.switches.blocked_for_api:
            raise Refused(400, "This contact was permanently deleted and cannot be created again")
    row = account.create(kind, values)
    touched(request, [row["id"]], effect=True)
    return JSONResponse(shown(kind, row, list(values)), 201)


async def update(request: Request) -> Response:
    """Change one record."""
    account, kind = account_of(request), kind_of(request)
    row = _found(account, kind, request.path_params["key"], request.query_params.get("idProperty"), request)
    if row is None:
        return not_found_page()
    values = (await body_of(request)).get("properties") or {}
    check_writable(account, kind, values)
    account.write(kind, row, values)
    touched(request, [row["id"]], effect=True)
    return JSONResponse(shown(kind, row, list(values)))


async def archive(request: Request) -> Response:
    """Archive one record; also an absent one is answered 204."""
    key = request.path_params["key"]
    touched(request, [key], effect=account_of(request).archive(kind_of(request), key))
    return Response(status_code=204)


async def batch_read(request: Request) -> Response:
    """Up to 100 records; what is not there is an error inside a 207."""
    account, kind, given = account_of(request), kind_of(request), await body_of(request)
    by_email = given.get("idProperty") == "email"
    wanted = [str(one.get("id", "")) for one in inputs_of(given)]
    found: list[Row] = []
    missing: list[str] = []
    for key in wanted:
        row = account.by_email(key) if by_email else account.row(kind, key, archived=wants_archived(request))
        if row is None:
            missing.append(key)
        elif row not in found:
            found.append(row)
    touched(request, wanted)
    results = [shown(kind, row, given.get("properties") or ()) for row in found]
    return batch_answer(account, results, _absent(missing, kind))


async def batch_update(request: Request) -> Response:
    """Change up to 100 records; nothing is written when one input is not valid."""
    account, kind, given = account_of(request), kind_of(request), await body_of(request)
    inputs = inputs_of(given)
    for one in inputs:
        check_writable(account, kind, one.get("properties") or {})
    results, missing = [], []
    for one in inputs:
        row = account.row(kind, str(one.get("id", "")))
        if row is None:
            missing.append(str(one.get("id", "")))
            continue
        values = one.get("properties") or {}
        account.write(kind, row, values)
        touched(request, [row["id"]], effect=True)
        results.append(shown(kind, row, list(values)))
    return batch_answer(account, results, _absent(missing, kind))


async def batch_create(request: Request) -> Response:
    """Up to 100 new records."""
    account, kind, given = account_of(request), kind_of(request), await body_of(request)
    inputs = inputs_of(given)
    for one in inputs:
        check_writable(account, kind, one.get("properties") or {})
    rows = [account.create(kind, one.get("properties") or {}) for one in inputs]
    touched(request, [row["id"] for row in rows], effect=True)
    return batch_answer(account, [shown(kind, row) for row in rows], [], 201)


async def batch_archive(request: Request) -> Response:
    """Archive up to 100; no answer per item."""
    account, kind, given = account_of(request), kind_of(request), await body_of(request)
    keys = [str(one.get("id", "")) for one in inputs_of(given)]
    archived = [account.archive(kind, key) for key in keys]
    touched(request, keys, effect=any(archived))
    return Response(status_code=204)


async def gdpr_delete(request: Request) -> Response:
    """Purge one contact for good. An unknown address is put on the blocklist: a typo blocks a stranger."""
    account, given = account_of(request), await body_of(request)
    key, by_email = str(given.get("objectId") or ""), given.get("idProperty") == "email"
    if not key:
        raise Refused(400, "objectId is required")
    if by_email:
        row = account.by_email(key)
        if row is None:
            account.blocklist.add(key.lower())
            touched(request, [], effect=True)
            return Response(status_code=204)
    else:
        row = account.row("contacts", key) or account.row("contacts", key, archived=True)
    if row is None:
        touched(request, [key])
        if key in account.purged and account.switches.repeated_purge == 204:
            return Response(status_code=204)
        raise Refused(404, "Object not found")
    account.purge(row)
    touched(request, [row["id"]], effect=True)
    return Response(status_code=204)


async def merge(request: Request) -> Response:
    """Merge one contact into another; the loser's id leads to the winner from then on."""
    account, given = account_of(request), await body_of(request)
    winner = account.row("contacts", str(given.get("primaryObjectId")))
    loser = account.row("contacts", str(given.get("objectIdToMerge")))
    if winner is None or loser is None:
        raise Refused(404, "Object not found")
    held = [winner["properties"].get("hs_additional_emails"), loser["properties"].get("email")]
    held.append(loser["properties"].get("hs_additional_emails"))
    account.write("contacts", winner, {"hs_additional_emails": ";".join(one for one in held if one)})
    del account.objects["contacts"][loser["id"]]
    account.merged[loser["id"]] = winner["id"]
    touched(request, [winner["id"], loser["id"]], effect=True)
    return JSONResponse(shown("contacts", winner))


async def do_search(request: Request) -> Response:
    """Search, at most 200 a page."""
    account, kind, given = account_of(request), kind_of(request), await body_of(request)
    total, page, after = search(account, kind, given)
    answer: dict[str, Any] = {
        "total": total,
        "results": [shown(kind, row, given.get("properties") or ()) for row in page],
    }
    if after is not None:
        answer["paging"] = {"next": {"after": after}}
    return JSONResponse(answer)


def check_writable(account: Account, kind: str, values: Mapping[str, Any]) -> None:
    """Refuse unknown and read-only properties, as the service does: the whole call."""
    known = account.properties[kind]
    for name in values:
        if name not in known:
            raise _invalid(name, "PROPERTY_DOESNT_EXIST", f'Property "{name}" does not exist')
        if known[name].read_only:
            raise _invalid(name, "READ_ONLY_VALUE", f'"{name}" is a read only property; its value cannot be set.')


def _invalid(name: str, code: str, message: str) -> Refused:
    detail = {"message": message, "code": code, "context": {"propertyName": [name]}}
    return Refused(400, f"Property values were not valid: {message}", errors=[detail])


def inputs_of(given: Mapping[str, Any], most: int = LARGEST_BATCH) -> Sequence[Mapping[str, Any]]:
    """The inputs of a batch call."""
    inputs = given.get("inputs")
    if not isinstance(inputs, list) or not all(isinstance(one, dict) for one in inputs):
        raise Refused(400, "inputs is required")
    if len(inputs) > most:
        raise Refused(400, f"The maximum number of inputs supported in a batch request is {most}")
    return inputs


def batch_answer(
    account: Account, results: Sequence[Any], errors: Sequence[Mapping[str, Any]], status: int = 200
) -> Response:
    """The answer to a batch: 207 as soon as one input failed."""
    stamp = account.stamp()
    answer = {"status": COMPLETE, "results": results, "startedAt": stamp, "completedAt": stamp}
    if not errors:
        return JSONResponse(answer, status)
    return JSONResponse(answer | {"numErrors": len(errors), "errors": errors}, 207)


def _absent(keys: Iterable[str], kind: str) -> list[dict[str, Any]]:
    missing = list(keys)
    if not missing:
        return []
    return [
        {
            "status": "error",
            "category": "OBJECT_NOT_FOUND",
            "message": f"Could not get some {kind}, they may be deleted or not exist. Check that ids are valid.",
            "context": {"ids": missing},
        }
    ]
