"""What does a handler read from a call, and in which form does it answer? The few things all resources share."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from sandbox.salesforce.errors import ApiError, not_found
from sandbox.salesforce.ids import long_id
from sandbox.salesforce.schema import SObject
from sandbox.salesforce.store import OrgStore

LATEST_VERSION = 68
OLDEST_VERSION = 31


def store_of(request: Request) -> OrgStore:
    store: OrgStore = request.state.store
    return store


def version_of(request: Request) -> str:
    """The API version of the path, such as `59.0`."""
    found = known_version(str(request.path_params["version"]))
    if found is None:
        raise not_found()
    return found


def known_version(given: str) -> str | None:
    number, dot, minor = given.partition(".")
    if not number.isdigit() or (dot and minor != "0") or not OLDEST_VERSION <= int(number) <= LATEST_VERSION:
        return None
    return f"{int(number)}.0"


def base_of(request: Request) -> str:
    return f"/services/data/v{version_of(request)}"


def sobject_of(request: Request) -> SObject:
    sobject = store_of(request).schema.get(request.path_params["sobject"])
    if sobject is None:
        raise not_found()
    return sobject


def record_id_of(request: Request, sobject: SObject) -> str:
    """The 18-character id in the path. What is no id at all is taken for an unknown external id."""
    given = request.path_params["record_id"]
    found = long_id(given)
    if found is None:
        raise not_found(f"Provided external ID field does not exist or is not accessible: {given}")
    if found[:3] != sobject.prefix:
        raise ApiError(400, "MALFORMED_ID", f"{sobject.name} ID: id value of incorrect type: {given}", ["Id"])
    return found


async def json_object(request: Request) -> dict[str, Any]:
    """The body as a JSON object."""
    content_type = request.headers.get("content-type", "application/json")
    if "json" not in content_type:
        raise ApiError(415, "UNSUPPORTED_MEDIA_TYPE", f"Content type not supported: {content_type.partition(';')[0]}")
    try:
        given = json.loads(await request.body())
    except ValueError:
        raise ApiError(400, "JSON_PARSER_ERROR", "Unexpected character or end of input in the JSON body") from None
    if not isinstance(given, dict):
        raise ApiError(400, "JSON_PARSER_ERROR", "The JSON body is not an object")
    return given


def answer(body: object, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    return JSONResponse(body, status, dict(headers or {}))


def no_content() -> Response:
    return Response(status_code=204)
