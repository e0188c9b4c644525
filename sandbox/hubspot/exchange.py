"""What do all resources read from a call, and in what shape do they answer?"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from sandbox.hubspot.account import HUB_ID, Account, Row
from sandbox.hubspot.errors import Refused, invalid_values
from sandbox.hubspot.history import versions
from sandbox.hubspot.object_types import NAMES, TYPES
from sandbox.hubspot.properties import OPTOUT
from sandbox.hubspot.values import Unfit, instant, stored

LARGEST_BATCH = 100
LARGEST_BATCH_WITH_HISTORY = 50
COMPLETE = "COMPLETE"


def account_of(request: Request) -> Account:
    """The account this call works on (a copy, when it must not have an effect)."""
    found: Account = request.state.store
    return found


def kind_named(name: str) -> str:
    """The object type of a name or number in a path."""
    if name.lower() not in NAMES:
        raise Refused(400, f"Unable to infer object type from: {name}")
    return NAMES[name.lower()]


def kind_of(request: Request) -> str:
    """The object type of the path."""
    return kind_named(request.path_params.get("object_type", "contacts"))


async def body_of(request: Request) -> Mapping[str, Any]:
    """The JSON object of a call."""
    body = await request.body()
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if body and kind != "application/json":
        raise Refused(415, f"The media type {kind or 'of this call'} is not supported: send application/json")
    try:
        given = json.loads(body)
    except ValueError:
        raise Refused(400, "Invalid input JSON: the body cannot be read") from None
    if not isinstance(given, dict):
        raise Refused(400, "Invalid input JSON: the body is not an object")
    return given


def wants_archived(request: Request) -> bool:
    """Whether archived records are asked for."""
    return is_true(request, "archived")


def is_true(request: Request, name: str) -> bool:
    """A boolean of the query, false unless it says true."""
    return request.query_params.get(name, "false").lower() == "true"


def listed(request: Request, name: str) -> list[str]:
    """A list of the query: repeated, or separated by commas."""
    return [one.strip() for part in request.query_params.getlist(name) for one in part.split(",") if one.strip()]


def names_in(given: Mapping[str, Any], part: str) -> list[str]:
    """A list of names in a body."""
    found = given.get(part) or []
    if not isinstance(found, list):
        raise Refused(400, f"Invalid input JSON: {part} is a list")
    return [str(one) for one in found]


def inputs_of(given: Mapping[str, Any], most: int = LARGEST_BATCH) -> list[Mapping[str, Any]]:
    """The inputs of a batch call; each is an object."""
    inputs = given.get("inputs")
    if not isinstance(inputs, list) or not all(isinstance(one, dict) for one in inputs):
        raise Refused(400, "Invalid input JSON: inputs is required", errors=[{"message": "inputs is required"}])
    limit_batch(inputs, most)
    return inputs


def limit_batch(inputs: Collection[Any], most: int) -> None:
    """Refuse a batch that is too large."""
    if len(inputs) > most:
        raise Refused(400, f"The maximum number of inputs supported in a batch request is {most}")


def id_in(given: Mapping[str, Any]) -> str:
    """The id of an input; numbers are taken as well."""
    found = given.get("id")
    if found is None or found == "":
        raise Refused(400, "Invalid input JSON: id is required", errors=[{"message": "id is required"}])
    return str(found)


def checked(account: Account, kind: str, given: object) -> dict[str, str | None]:
    """Values as they will be stored; unknown and read-only properties, and values that do not fit, are refused."""
    if not isinstance(given, dict):
        raise Refused(400, "Invalid input JSON: properties is required", errors=[{"message": "properties is required"}])
    values: dict[str, str | None] = {}
    problems: list[dict[str, str]] = []
    for name, value in given.items():
        prop = account.property(kind, name)
        if prop is None:
            message = f'Property "{name}" does not exist'
            problems.append({"name": name, "code": "PROPERTY_DOESNT_EXIST", "message": message})
        elif prop.read_only:
            message = f'"{name}" is a read only property; its value cannot be set.'
            problems.append({"name": name, "code": "READ_ONLY_VALUE", "message": message})
        else:
            try:
                values[name] = stored(prop, value)
            except Unfit as unfit:
                problems.append({"name": name, "code": unfit.code, "message": str(unfit)})
    if problems:
        raise invalid_values(problems, HUB_ID)
    return values


def shown(
    account: Account, kind: str, row: Row, asked: Sequence[str] = (), history: Sequence[str] = ()
) -> dict[str, Any]:
    """A record as an answer shows it; unknown properties asked for are left out, empty ones are null."""
    known = TYPES[kind]
    always = (known.created, "hs_object_id", known.modified)
    names = {*always, *asked, *history} if asked or history else {*always, *known.shown}
    answer: dict[str, Any] = {
        "id": row["id"],
        "properties": {
            name: account.value(kind, row, name) or None for name in sorted(names) if account.property(kind, name)
        },
        "createdAt": row["createdAt"],
        "updatedAt": row["updatedAt"],
        "archived": row["archived"],
    }
    if row["archived"]:
        answer["archivedAt"] = row["archivedAt"]
    if history:
        kept = [name for name in history if account.property(kind, name)]
        answer["propertiesWithHistory"] = {name: versions(row, name, account.value(kind, row, name)) for name in kept}
    return answer


def written(account: Account, kind: str, row: Row, values: Iterable[str] = ()) -> dict[str, Any]:
    """A record as an answer to a write shows it: what was set and what the service keeps, not everything."""
    kept = [name for name in row["properties"] if name.startswith("hs_") and not name.startswith(OPTOUT)]
    answer = shown(account, kind, row, [*values, *kept])
    answer["properties"] = {name: value for name, value in answer["properties"].items() if value is not None}
    return answer


def batch_answer(
    request: Request, results: Sequence[Any], errors: Sequence[Mapping[str, Any]] = (), status: int = 200
) -> Response:
    """The answer to a batch or an action: 207 as soon as one input failed."""
    now = instant(account_of(request).now())
    answer: dict[str, Any] = {"status": COMPLETE, "results": list(results), "startedAt": now, "completedAt": now}
    if not errors:
        return JSONResponse(answer, status)
    return JSONResponse(answer | {"numErrors": len(errors), "errors": list(errors)}, 207)


def batch_error(account: Account, category: str, message: str, context: Mapping[str, list[str]], **more: Any) -> Any:
    """One error inside a 207."""
    required: dict[str, Any] = {} if account.switches.lean_batch_errors else {"errors": [], "links": {}}
    return {"status": "error", "category": category, "message": message, "context": context, **required, **more}


def absent(account: Account, kind: str, ids: Iterable[str]) -> list[Any]:
    """All ids of a batch that are not there make one error."""
    missing = list(dict.fromkeys(ids))
    name = TYPES[kind].singular.upper()
    message = f"Could not get some {name} objects, they may be deleted or not exist. Check that ids are valid."
    return [batch_error(account, "OBJECT_NOT_FOUND", message, {"ids": missing})] if missing else []
