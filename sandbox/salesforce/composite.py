"""What do several calls sent as one answer? Composite and composite batch, run through the same resources."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import unquote, urlsplit

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Match, Router
from starlette.types import Message, Scope

from sandbox.control import call_of
from sandbox.salesforce.errors import ApiError
from sandbox.salesforce.exchange import answer, base_of, json_object, store_of

MOST_PARTS = 25
MOST_QUERIES = 5
_QUERY = re.compile(r"/services/data/v[\d.]+/(?:query|queryAll)(?:[/?]|$)", re.IGNORECASE)
_COLLECTION = re.compile(r"/services/data/v[\d.]+/composite/sobjects(?:[/?]|$)", re.IGNORECASE)
_REFERENCE = re.compile(r"@\{(\w+)((?:\.\w+|\[\d+\])*)\}")
_STEP = re.compile(r"\.(\w+)|\[(\d+)\]")
_HALTED = [
    {
        "errorCode": "PROCESSING_HALTED",
        "message": "The transaction was rolled back since another operation in the same transaction failed.",
    }
]


async def composite(request: Request) -> Response:
    """Counts as one call. With allOrNone everything is taken back when one part fails."""
    given = await json_object(request)
    parts = given.get("compositeRequest")
    _check(request, parts)
    results: list[dict[str, Any]] = []
    bodies: dict[str, Any] = {}
    with store_of(request).transaction() as roll_back:
        for part in parts or ():
            status, headers, body = await _run(
                request,
                str(part["method"]).upper(),
                _filled(str(part["url"]), bodies),
                _filled_in(part.get("body"), bodies),
                part.get("httpHeaders") or {},
            )
            bodies[part["referenceId"]] = body
            results.append(
                {
                    "body": body,
                    "httpHeaders": headers,
                    "httpStatusCode": status,
                    "referenceId": part["referenceId"],
                }
            )
        if given.get("allOrNone") is True and any(one["httpStatusCode"] >= 400 for one in results):
            roll_back()
            call_of(request).effect = False
            for one in results:
                if one["httpStatusCode"] < 400:
                    one.update(body=_HALTED, httpHeaders={}, httpStatusCode=400)
    return answer({"compositeResponse": results})


async def batch(request: Request) -> Response:
    """Parts are independent of each other, and each counts as a call."""
    given = await json_object(request)
    parts = given.get("batchRequests")
    if not isinstance(parts, list) or not parts:
        raise ApiError(400, "MISSING_ARGUMENT", "batchRequests is required")
    if len(parts) > MOST_PARTS:
        raise _over(MOST_PARTS, "batch request")
    store = store_of(request)
    store.calls_at.extend([store.now()] * (len(parts) - 1))
    results = []
    for part in parts:
        url = f"/services/data/{str(part['url']).lstrip('/').removeprefix('services/data/')}"
        status, _, body = await _run(request, str(part["method"]).upper(), url, part.get("richInput"), {})
        results.append({"statusCode": status, "result": body})
    return answer({"hasErrors": any(one["statusCode"] >= 400 for one in results), "results": results})


def _check(request: Request, parts: Any) -> None:
    if not isinstance(parts, list) or not parts:
        raise ApiError(400, "MISSING_ARGUMENT", "compositeRequest is required")
    if len(parts) > MOST_PARTS:
        raise _over(MOST_PARTS, "composite request")
    references = set()
    for part in parts:
        if not isinstance(part, dict) or not all(part.get(name) for name in ("method", "url", "referenceId")):
            raise ApiError(400, "JSON_PARSER_ERROR", "Each subrequest needs method, url and referenceId")
        if part["referenceId"] in references:
            raise ApiError(400, "INVALID_INPUT", f"Duplicate referenceId: {part['referenceId']}")
        references.add(part["referenceId"])
        if not str(part["url"]).startswith("/services/data/"):
            raise ApiError(400, "INVALID_INPUT", f"Invalid subrequest url: {str(part['url']).partition('?')[0]}")
    switches = store_of(request).switches
    counted = [_QUERY] + ([_COLLECTION] if switches.collections_count_as_queries else [])
    if sum(any(kind.match(str(part["url"])) for kind in counted) for part in parts) > MOST_QUERIES:
        raise _over(MOST_QUERIES, "query and collection operations in a composite request")
    longest = switches.composite_url_limit
    if longest is not None and any(len(str(part["url"])) > longest for part in parts):
        raise ApiError(414, "URI_TOO_LONG", "A subrequest's url is too long")


def _over(most: int, what: str) -> ApiError:
    return ApiError(400, "LIMIT_EXCEEDED", f"Limit of {most} reached: {what}")


async def _run(
    request: Request, method: str, url: str, body: Any, headers: Mapping[str, Any]
) -> tuple[int, dict[str, str], Any]:
    """Run one part on the same resources and note it in the call log as part of the outer call."""
    router: Router = request.app.router
    address = urlsplit(url)
    path = unquote(address.path).rstrip("/")
    scope: Scope = {
        "type": "http",
        "method": method,
        "path": path,
        "raw_path": address.path.encode(),
        "root_path": "",
        "query_string": address.query.replace(" ", "%20").encode(),
        "headers": [
            (b"content-type", b"application/json"),
            *((name.lower().encode(), str(value).encode()) for name, value in headers.items()),
        ],
        "app": request.app,
        "state": dict(request.scope["state"]),
    }
    outer = call_of(request)
    template = next((str(getattr(r, "path", path)) for r in router.routes if r.matches(scope)[0] is Match.FULL), path)
    call = request.state.calls.open(method, address.path, template, part_of=outer.seq)
    scope["state"]["call"] = call
    sent: list[Message] = []

    async def receive() -> Message:
        return {"type": "http.request", "body": b"" if body is None else json.dumps(body).encode(), "more_body": False}

    async def send(message: Message) -> None:
        sent.append(message)

    await request.app.state.handle(scope, receive, send)
    call.status = sent[0]["status"]
    outer.touch(call.ids, effect=call.effect)
    content = b"".join(message.get("body", b"") for message in sent[1:])
    location = {"Location": f"{base_of(request)}/sobjects"} if call.status == 201 else {}
    return sent[0]["status"], location, json.loads(content) if content else None


def _filled(text: str, bodies: Mapping[str, Any]) -> str:
    """Replace `@{part.id}` by what an earlier part answered."""

    def value_of(match: re.Match[str]) -> str:
        value = bodies.get(match.group(1))
        for name, index in _STEP.findall(match.group(2)):
            try:
                value = value[name] if name else value[int(index)]  # type: ignore[index]
            except (KeyError, IndexError, TypeError):
                message = f"Invalid reference specified. No value for {match.group(0)[2:-1]} found"
                raise ApiError(400, "PROCESSING_HALTED", message) from None
        return str(value)

    return _REFERENCE.sub(value_of, text)


def _filled_in(body: Any, bodies: Mapping[str, Any]) -> Any:
    if isinstance(body, str):
        return _filled(body, bodies)
    if isinstance(body, dict):
        return {name: _filled_in(value, bodies) for name, value in body.items()}
    if isinstance(body, list):
        return [_filled_in(value, bodies) for value in body]
    return body
