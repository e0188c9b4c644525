"""Where does each address of the vendor's API lead, and what does every call pass on its way there?"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware.exceptions import ExceptionMiddleware
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route
from starlette.types import Message, Receive, Scope, Send

from sandbox.control import Control
from sandbox.salesforce import bulk, composite, consent, queries, resources, row_sets, soap
from sandbox.salesforce.access import USERNAME, Access
from sandbox.salesforce.errors import ApiError, not_found, refusal
from sandbox.salesforce.exchange import known_version
from sandbox.salesforce.own_rows import ORGANIZATION_ID, USER_ID
from sandbox.salesforce.store import OrgStore

LONGEST_ADDRESS = 16_384
_VERSIONED = "/services/data/v"
_DATA = f"{_VERSIONED}{{version}}"


async def identity(request: Request) -> Response:
    access: Access = request.app.state.access
    return JSONResponse(
        {
            "id": access.identity_url(),
            "sub": access.identity_url(),
            "user_id": USER_ID,
            "organization_id": ORGANIZATION_ID,
            "username": USERNAME,
            "preferred_username": USERNAME,
            "display_name": "Integration User",
            "urls": {"rest": f"{access.instance_url}/services/data/v{{version}}/"},
            "active": True,
        }
    )


def _routes(access: Access) -> list[BaseRoute]:
    job = f"{_DATA}/jobs/ingest/{{job_id}}"
    query_job = f"{_DATA}/jobs/query/{{job_id}}"
    rows = f"{_DATA}/sobjects/{{sobject}}"
    return [
        Route("/services/oauth2/token", access.token, methods=["POST"]),
        Route("/services/oauth2/revoke", access.revocation, methods=["POST"]),
        Route("/services/oauth2/userinfo", identity),
        Route("/id/{organization}/{user}", identity),
        Route("/services/Soap/u/{version}", soap.call, methods=["POST"]),
        Route("/services/data", resources.versions),
        Route(_DATA, resources.resources),
        Route(f"{_DATA}/query", queries.query),
        Route(f"{_DATA}/queryAll", queries.query_all),
        Route(f"{_DATA}/query/{{locator}}", queries.next_page),
        Route(f"{_DATA}/queryAll/{{locator}}", queries.next_page),
        Route(f"{_DATA}/limits", resources.limits),
        Route(f"{_DATA}/limits/recordCount", resources.record_count),
        Route(f"{_DATA}/sobjects", resources.global_describe),
        Route(rows, resources.basic_information),
        Route(rows, resources.create, methods=["POST"]),
        Route(f"{rows}/describe", resources.describe),
        Route(f"{rows}/deleted", resources.deleted),
        Route(f"{rows}/updated", resources.updated),
        Route(f"{rows}/{{record_id}}", resources.read),
        Route(f"{rows}/{{record_id}}", resources.update, methods=["PATCH"]),
        Route(f"{rows}/{{record_id}}", resources.delete, methods=["DELETE"]),
        Route(f"{_DATA}/composite", composite.composite, methods=["POST"]),
        Route(f"{_DATA}/composite/batch", composite.batch, methods=["POST"]),
        Route(f"{_DATA}/composite/sobjects", row_sets.create, methods=["POST"]),
        Route(f"{_DATA}/composite/sobjects", row_sets.update, methods=["PATCH"]),
        Route(f"{_DATA}/composite/sobjects", row_sets.delete, methods=["DELETE"]),
        Route(f"{_DATA}/composite/sobjects/{{sobject}}", row_sets.read, methods=["GET", "POST"]),
        Route(f"{_DATA}/composite/sobjects/{{sobject}}/{{field}}", row_sets.upsert, methods=["PATCH"]),
        Route(f"{_DATA}/consent/action/{{action}}", consent.action),
        Route(f"{_DATA}/jobs/ingest", bulk.listing),
        Route(f"{_DATA}/jobs/ingest", bulk.create_ingest, methods=["POST"]),
        Route(job, bulk.state),
        Route(job, bulk.change_state, methods=["PATCH"]),
        Route(job, bulk.remove, methods=["DELETE"]),
        Route(f"{job}/batches", bulk.upload, methods=["PUT"]),
        Route(f"{job}/{{which}}", bulk.results),
        Route(f"{_DATA}/jobs/query", bulk.listing),
        Route(f"{_DATA}/jobs/query", bulk.create_query, methods=["POST"]),
        Route(query_job, bulk.state),
        Route(query_job, bulk.change_state, methods=["PATCH"]),
        Route(query_job, bulk.remove, methods=["DELETE"]),
        Route(f"{query_job}/results", bulk.query_results),
    ]


class Gate:
    """What stands before every resource: length limits, the token, the daily allowance, and its header."""

    def __init__(self, app: Starlette, access: Access) -> None:
        self._app = app
        self._access = access
        self.routes: Sequence[BaseRoute] = app.routes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        path: str = scope["path"]
        if path.endswith("/") and path != "/":
            scope["path"] = path = path.rstrip("/")
        store: OrgStore = scope["state"]["store"]
        refused = self._refused(scope, path, store)
        if refused is not None:
            await JSONResponse(refused.body(), refused.status)(scope, receive, send)
            return
        limited = path.startswith("/services/data/")
        if limited:
            store.calls_at.append(store.now())
        used = f"api-usage={len(store.calls_at)}/{store.switches.daily_api_requests}"

        async def with_usage(message: Message) -> None:
            if limited and message["type"] == "http.response.start":
                message["headers"] = [*message["headers"], (b"sforce-limit-info", used.encode())]
            await send(message)

        await self._app(scope, receive, with_usage)

    def _refused(self, scope: Scope, path: str, store: OrgStore) -> ApiError | None:
        address = len(scope.get("raw_path") or b"") + len(scope["query_string"])
        headers = sum(len(name) + len(value) for name, value in scope["headers"])
        if address > LONGEST_ADDRESS:
            return ApiError(414, "URI_TOO_LONG", "The length of the URI exceeds the 16,384 byte limit")
        if address + headers > LONGEST_ADDRESS:
            return ApiError(431, "REQUEST_HEADER_FIELDS_TOO_LARGE", "URI and headers exceed the 16,384 byte limit")
        if path == "/services/data" or (path.startswith("/services/oauth2/") and not path.endswith("/userinfo")):
            return None
        if path.startswith("/services/Soap/"):
            return None  # its session stands in the envelope
        authorization = next((value.decode() for name, value in scope["headers"] if name == b"authorization"), None)
        if not self._access.admits(authorization, store.now(), store.switches.session_seconds):
            return ApiError(401, "INVALID_SESSION_ID", "Session expired or invalid")
        day_ago = store.now() - timedelta(days=1)
        while store.calls_at and store.calls_at[0] <= day_ago:
            store.calls_at.popleft()
        if path.startswith("/services/data/") and len(store.calls_at) >= store.switches.daily_api_requests:
            return ApiError(403, "REQUEST_LIMIT_EXCEEDED", "TotalRequests Limit exceeded.")
        version = path.removeprefix(_VERSIONED).partition("/")[0] if path.startswith(_VERSIONED) else None
        return not_found() if version is not None and known_version(version) is None else None


def build(store: OrgStore, access: Access) -> Control:
    """The whole emulator: control surface, gate, resources."""
    handlers = {ApiError: _on_refusal, HTTPException: _on_http_error}
    app = Starlette(routes=_routes(access), exception_handlers=handlers)
    app.router.redirect_slashes = False
    app.state.access = access
    # A part of a composite call meets the same resources and error bodies, but not the gate.
    app.state.handle = ExceptionMiddleware(app.router, handlers=handlers)
    return Control(Gate(app, access), store, refusal=refusal, switch=store.set_switches)


async def _on_refusal(request: Request, error: Exception) -> Response:
    if not isinstance(error, ApiError):
        raise error
    return JSONResponse(error.body(), error.status)


async def _on_http_error(request: Request, error: Exception) -> Response:
    status = error.status_code if isinstance(error, HTTPException) else 404
    if status == 405:
        refused = ApiError(405, "METHOD_NOT_ALLOWED", f"HTTP Method '{request.method}' not allowed.")
        return JSONResponse(refused.body(), 405)
    return JSONResponse(not_found().body(), 404)
