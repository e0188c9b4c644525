"""Where does each address of the vendor's API lead, and what does every call pass on its way there?"""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route
from starlette.types import Message, Receive, Scope, Send

from sandbox.control import Control, touched
from sandbox.hubspot import preferences, records
from sandbox.hubspot.account import HUB_ID, TOKEN, Account
from sandbox.hubspot.errors import Refused, limited, not_found_page, refusal
from sandbox.hubspot.properties import Property, definition

OBJECTS = "/crm/v3/objects/{object_type}"
PREFERENCES = "/communication-preferences"
LARGEST_ASSOCIATION_BATCH = 1_000
INTERVAL = timedelta(seconds=10)


async def token_info(request: Request) -> Response:
    """What a private app's token may do."""
    given = await records.body_of(request)
    if given.get("tokenKey") != TOKEN:
        raise Refused(404, "The access token was not found")
    scopes = list(records.account_of(request).switches.scopes)
    return JSONResponse({"userId": 7_654_321, "hubId": HUB_ID, "appId": 1_234_567, "scopes": scopes})


async def list_properties(request: Request) -> Response:
    """Every property definition of an object type."""
    known = records.account_of(request).properties[records.kind_of(request)]
    return JSONResponse({"results": [definition(prop) for prop in known.values()]})


async def create_property(request: Request) -> Response:
    """A new custom property; 409 where the name is taken."""
    given, known = await records.body_of(request), records.account_of(request).properties[records.kind_of(request)]
    name = str(given.get("name") or "")
    if not name or not given.get("type"):
        raise Refused(400, "name and type are required")
    if name in known:
        raise Refused(409, f"A property named '{name}' already exists", category="OBJECT_ALREADY_EXISTS")
    known[name] = Property(name, str(given["type"]), custom=True)
    touched(request, [], effect=True)
    return JSONResponse(definition(known[name]), 201)


async def archive_property(request: Request) -> Response:
    """Archive a custom property: from then on nobody sees it."""
    known, name = records.account_of(request).properties[records.kind_of(request)], request.path_params["name"]
    if name in known and not known[name].custom:
        raise Refused(400, f"{name} is defined by HubSpot and cannot be archived")
    for row in records.account_of(request).objects[records.kind_of(request)].values():
        row["properties"].pop(name, None)
    touched(request, [], effect=known.pop(name, None) is not None)
    return Response(status_code=204)


async def associate(request: Request) -> Response:
    """Link a contact with a deal, by the default label."""
    account, key, other = records.account_of(request), request.path_params["key"], request.path_params["other"]
    contact = account.row("contacts", key)
    if contact is None or account.row("deals", other) is None:
        raise Refused(404, "Object not found")
    deals: list[str] = contact["associations"]["deals"]
    if other not in deals:
        deals.append(other)
    account.modified("contacts", contact)
    contact["properties"]["num_associated_deals"] = str(len(deals))
    touched(request, [key], effect=True)
    stamp = account.stamp()
    return JSONResponse({"status": "COMPLETE", "results": [], "startedAt": stamp, "completedAt": stamp})


async def associations_batch(request: Request) -> Response:
    """For up to 1,000 contacts, which deals they have; those without any are errors inside a 207."""
    account, given = records.account_of(request), await records.body_of(request)
    origin, target = _plural(request.path_params["origin"]), _plural(request.path_params["target"])
    results: list[dict[str, Any]] = []
    without: list[str] = []
    for one in records.inputs_of(given, LARGEST_ASSOCIATION_BATCH):
        key = str(one.get("id", ""))
        linked = _linked(account, origin, target, key)
        if linked:
            results.append({"from": {"id": key}, "to": [_link(other) for other in linked]})
        else:
            without.append(key)
    touched(request, [str(one.get("id", "")) for one in given["inputs"]])
    message = f"No {target} is associated with {origin}"
    errors = [
        {
            "status": "error",
            "category": "OBJECT_NOT_FOUND",
            "subCategory": "crm.associations.NO_ASSOCIATIONS_FOUND",
            "message": f"{message} {key}.",
            "context": {"fromObjectId": [key]},
        }
        for key in without
    ]
    return records.batch_answer(account, results, errors)


async def associations_of(request: Request) -> Response:
    """Which deals one contact has."""
    account, key = records.account_of(request), request.path_params["key"]
    origin, target = _plural(request.path_params["object_type"]), _plural(request.path_params["target"])
    touched(request, [key])
    return JSONResponse({"results": [_link(other) for other in _linked(account, origin, target, key)]})


def _linked(account: Account, origin: str, target: str, key: str) -> list[str]:
    if (origin, target) == ("contacts", "deals"):
        row = account.row("contacts", key)
        return [deal for deal in (row or {}).get("associations", {}).get("deals", []) if account.row("deals", deal)]
    contacts = account.objects["contacts"].values()
    return [c["id"] for c in contacts if not c["archived"] and key in c.get("associations", {}).get("deals", [])]


def _link(key: str) -> dict[str, Any]:
    return {
        "toObjectId": int(key),
        "associationTypes": [{"category": "HUBSPOT_DEFINED", "typeId": 4, "label": None}],
    }


def _plural(kind: str) -> str:
    return {"0-1": "contacts", "contact": "contacts", "0-3": "deals", "deal": "deals"}.get(kind, kind)


async def usage(request: Request) -> Response:
    """How much of the daily allowance is used."""
    account = records.account_of(request)
    row = {
        "name": "private-apps-api-calls-daily",
        "usageLimit": account.switches.per_day,
        "currentUsage": account.calls_today,
        "collectedAt": account.stamp(),
        "fetchStatus": "SUCCESS",
        "resetsAt": account.stamp(),
    }
    return JSONResponse({"results": [row]})


def _routes() -> list[BaseRoute]:
    one, v4, v3 = f"{OBJECTS}/{{key}}", f"{PREFERENCES}/v4", f"{PREFERENCES}/v3"
    return [
        Route("/oauth/v2/private-apps/get/access-token-info", token_info, methods=["POST"]),
        Route("/account-info/v3/api-usage/daily/private-apps", usage),
        Route("/crm/v3/properties/{object_type}", list_properties),
        Route("/crm/v3/properties/{object_type}", create_property, methods=["POST"]),
        Route("/crm/v3/properties/{object_type}/{name}", archive_property, methods=["DELETE"]),
        Route("/crm/v3/objects/contacts/gdpr-delete", records.gdpr_delete, methods=["POST"]),
        Route("/crm/v3/objects/contacts/merge", records.merge, methods=["POST"]),
        Route(f"{OBJECTS}/search", records.do_search, methods=["POST"]),
        Route(f"{OBJECTS}/batch/read", records.batch_read, methods=["POST"]),
        Route(f"{OBJECTS}/batch/update", records.batch_update, methods=["POST"]),
        Route(f"{OBJECTS}/batch/create", records.batch_create, methods=["POST"]),
        Route(f"{OBJECTS}/batch/archive", records.batch_archive, methods=["POST"]),
        Route(OBJECTS, records.listing),
        Route(OBJECTS, records.create, methods=["POST"]),
        Route(one, records.read),
        Route(one, records.update, methods=["PATCH"]),
        Route(one, records.archive, methods=["DELETE"]),
        Route("/crm/v4/associations/{origin}/{target}/batch/read", associations_batch, methods=["POST"]),
        Route("/crm/v4/objects/{object_type}/{key}/associations/{target}", associations_of),
        Route("/crm/v4/objects/{object_type}/{key}/associations/default/{target}/{other}", associate, methods=["PUT"]),
        Route(f"{v4}/definitions", preferences.definitions_v4),
        Route(f"{v4}/statuses/batch/unsubscribe-all", preferences.batch_opt_out_v4, methods=["POST"]),
        Route(f"{v4}/statuses/{{address}}/unsubscribe-all", preferences.opted_out_v4),
        Route(f"{v4}/statuses/{{address}}/unsubscribe-all", preferences.opt_out_v4, methods=["POST"]),
        Route(f"{v4}/statuses/{{address}}", preferences.statuses_v4),
        Route(f"{v4}/statuses/{{address}}", preferences.set_status_v4, methods=["POST"]),
        Route(f"{v3}/definitions", preferences.definitions_v3),
        Route(f"{v3}/status/email/{{address}}", preferences.status_v3),
        Route(f"{v3}/subscribe", preferences.change_v3, methods=["POST"]),
        Route(f"{v3}/unsubscribe", preferences.change_v3, methods=["POST"]),
    ]


NEEDS = (
    ("/crm/v3/objects/contacts", "GET", "crm.objects.contacts.read"),
    ("/crm/v3/objects/contacts/search", "POST", "crm.objects.contacts.read"),
    ("/crm/v3/objects/contacts/batch/read", "POST", "crm.objects.contacts.read"),
    ("/crm/v3/objects/contacts", None, "crm.objects.contacts.write"),
    ("/crm/v3/objects/deals", None, "crm.objects.deals.read"),
    ("/crm/v3/properties/contacts", None, "crm.schemas.contacts.read"),
    (PREFERENCES, "GET", "communication_preferences.read"),
    (PREFERENCES, None, "communication_preferences.write"),
)
"""Start of the path, method (None: any), and the scope a token must have; the first line that fits decides."""


class Gate:
    """What stands before every resource: the token, its scopes, the allowances, and the headers that tell of them."""

    def __init__(self, app: Starlette) -> None:
        self._app = app
        self.routes: Sequence[BaseRoute] = app.routes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        account: Account = scope["state"]["store"]
        path: str = scope["path"]
        refused = self._refused(scope, path, account)
        searching = path.endswith("/search")
        headers = _headers(account, searching)

        async def with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message["headers"], *headers]
            await send(message)

        if refused is not None:
            await refused(scope, receive, with_headers)
        else:
            await self._app(scope, receive, with_headers)

    def _refused(self, scope: Scope, path: str, account: Account) -> Response | None:
        given = next((value.decode() for name, value in scope["headers"] if name == b"authorization"), "")
        if given != f"Bearer {TOKEN}":
            message = "Authentication credentials not found. This API supports OAuth 2.0 authentication."
            return Refused(401, message).response()
        needed = next((n for start, m, n in NEEDS if path.startswith(start) and m in (None, scope["method"])), None)
        if needed and needed not in account.switches.scopes:
            return _missing(needed)
        return self._over_limit(path, account)

    def _over_limit(self, path: str, account: Account) -> Response | None:
        now = account.now()
        account.calls_today += 1
        if not account.switches.enforce_limits:
            return None
        if account.calls_today > account.switches.per_day:
            return limited("DAILY")
        for times, window, most, policy in (
            (account.searches_at, timedelta(seconds=1), account.switches.searches_per_second, "SECONDLY"),
            (account.calls_at, INTERVAL, account.switches.per_ten_seconds, "TEN_SECONDLY_ROLLING"),
        ):
            if policy == "SECONDLY" and not path.endswith("/search"):
                continue
            while times and times[0] <= now - window:
                times.popleft()
            if len(times) >= most:
                return limited(policy)
            times.append(now)
        return None


def _missing(scope: str) -> Response:
    message = "This app hasn't been granted all required scopes to make this call."
    context = {"requiredGranularScopes": [scope]}
    return Refused(403, message, errors=[{"message": message, "context": context}]).response()


def _headers(account: Account, searching: bool) -> list[tuple[bytes, bytes]]:
    switches = account.switches
    told = {
        "X-HubSpot-Correlation-Id": str(uuid.uuid4()),
        "X-HubSpot-RateLimit-Daily": str(switches.per_day),
        "X-HubSpot-RateLimit-Daily-Remaining": str(max(0, switches.per_day - account.calls_today)),
    }
    if not searching:
        told |= {
            "X-HubSpot-RateLimit-Interval-Milliseconds": "10000",
            "X-HubSpot-RateLimit-Max": str(switches.per_ten_seconds),
            "X-HubSpot-RateLimit-Remaining": str(max(0, switches.per_ten_seconds - len(account.calls_at))),
            "X-HubSpot-RateLimit-Secondly": str(switches.per_ten_seconds // 10),
            "X-HubSpot-RateLimit-Secondly-Remaining": str(switches.per_ten_seconds // 10),
        }
    return [(name.encode(), value.encode()) for name, value in told.items()]


def build(account: Account) -> Control:
    """The whole emulator: control surface, gate, resources."""
    app = Starlette(routes=_routes(), exception_handlers={Refused: _on_refusal, HTTPException: _on_http_error})
    return Control(Gate(app), account, refusal=refusal, switch=account.set_switches)


async def _on_refusal(request: Request, error: Exception) -> Response:
    if not isinstance(error, Refused):
        raise error
    return error.response()


async def _on_http_error(request: Request, error: Exception) -> Response:
    if isinstance(error, HTTPException) and error.status_code == 405:
        return Refused(405, "Method not allowed").response()
    return not_found_page()
