"""Where does each address of the vendor's API lead, and what does every call pass on its way there?"""

from __future__ import annotations

import functools
import uuid
from collections.abc import Awaitable, Callable, Sequence
from typing import NamedTuple
from urllib.parse import unquote

from starlette.applications import Starlette
from starlette.convertors import Convertor, register_url_convertor
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route
from starlette.types import Message, Receive, Scope, Send

from sandbox.control import Control
from sandbox.hubspot import (
    account_info,
    associations,
    batches,
    definitions,
    preferences_v3,
    preferences_v4,
    records,
    removal,
)
from sandbox.hubspot.account import TOKEN, Account
from sandbox.hubspot.errors import (
    CORRELATION,
    UNKNOWN_CALLER,
    Page404,
    Refused,
    limited,
    missing_scopes,
    not_found_page,
    refusal,
)
from sandbox.hubspot.object_types import NAMES, TYPES

Handler = Callable[[Request], Awaitable[Response]]
TOKEN_INFO = "/oauth/v2/private-apps/get/access-token-info"  # noqa: S105

# Any one of the scopes is enough; `{}` stands for the scope of the object type in the path.
READ = ("{}.read",)
WRITE = ("{}.write",)
LINKED = (
    "crm.objects.contacts.read",
    "crm.objects.deals.read",
    "crm.objects.contacts.write",
    "crm.objects.deals.write",
)
KNOW = ("{}.read", "{}.write", "crm.schemas.contacts.read")
DEFINE = ("crm.schemas.contacts.write",)
ASK = ("communication_preferences.read_write", "communication_preferences.read")
TELL = ("communication_preferences.read_write", "communication_preferences.write")
ASK_MANY = ("communication_preferences.statuses.batch.read",)
TELL_MANY = ("communication_preferences.statuses.batch.write",)


class Resource(NamedTuple):
    """A method and a path, what answers there, and the scopes of which the token needs one."""

    method: str
    path: str
    handler: Handler
    scopes: tuple[str, ...] = ()
    tells_scopes: bool = True


DATED = r"{version:dated}"


class _Version(Convertor[str]):
    """A date-versioned release, such as 2026-09 or 2026-09-beta."""

    regex = r"20(25-09|26-03|26-09)(-beta)?"

    def convert(self, value: str) -> str:
        return value

    def to_string(self, value: str) -> str:
        return value


register_url_convertor("dated", _Version())


def _resources() -> list[Resource]:
    usage = "/account-info/v3/api-usage/daily"
    return [
        Resource("POST", TOKEN_INFO, account_info.token_info),
        Resource("GET", usage, account_info.usage),
        Resource("GET", f"{usage}/private-apps", account_info.usage),
        Resource("GET", "/account-info/v3/details", account_info.details, ("oauth",)),
        *_definitions("/crm/v3/properties/{object_type}"),
        *_definitions(f"/crm/properties/{DATED}/{{object_type}}"),
        Resource("POST", "/crm/v3/objects/contacts/gdpr-delete", removal.gdpr_delete, WRITE),
        Resource("POST", f"/crm/objects/{DATED}/{{object_type}}/gdpr-delete", removal.gdpr_delete, WRITE),
        *_objects("/crm/v3/objects"),
        *_objects(f"/crm/objects/{DATED}"),
        *_links("/crm/v4/associations", "/crm/v4/objects"),
        *_links(f"/crm/associations/{DATED}", f"/crm/objects/{DATED}"),
        Resource("POST", "/crm/v3/associations/{origin}/{target}/batch/read", associations.batch_read_v3, LINKED),
        *_preferences("/communication-preferences/v4"),
        *_preferences(f"/communication-preferences/{DATED}"),
        *_preferences_v3("/communication-preferences/v3"),
        *_preferences_v3(f"/communication-preferences/{DATED}"),
    ]


def _definitions(defined: str) -> list[Resource]:
    named = f"{defined}/{{name}}"
    return [
        Resource("GET", defined, definitions.listing, KNOW, tells_scopes=False),
        Resource("POST", defined, definitions.create, DEFINE, tells_scopes=False),
        Resource("GET", named, definitions.read, KNOW, tells_scopes=False),
        Resource("PATCH", named, definitions.update, DEFINE, tells_scopes=False),
        Resource("DELETE", named, definitions.archive, DEFINE, tells_scopes=False),
    ]


def _objects(base: str) -> list[Resource]:
    many = f"{base}/{{object_type}}"
    one, batch = f"{many}/{{key}}", f"{many}/batch"
    return [
        Resource("POST", f"{base}/contacts/merge", removal.merge, WRITE),
        Resource("POST", f"{many}/search", records.do_search, READ),
        Resource("POST", f"{batch}/read", batches.read, READ),
        Resource("POST", f"{batch}/create", batches.create, WRITE),
        Resource("POST", f"{batch}/update", batches.update, WRITE),
        Resource("POST", f"{batch}/upsert", batches.upsert, WRITE),
        Resource("POST", f"{batch}/archive", batches.archive, WRITE),
        Resource("GET", many, records.listing, READ),
        Resource("POST", many, records.create, WRITE),
        Resource("GET", one, records.read, READ),
        Resource("PATCH", one, records.update, WRITE),
        Resource("DELETE", one, records.archive, WRITE),
    ]


def _links(base: str, objects: str) -> list[Resource]:
    pairs, links = f"{base}/{{origin}}/{{target}}/batch", f"{objects}/{{object_type}}/{{key}}/associations"
    return [
        Resource("POST", f"{pairs}/read", associations.batch_read, LINKED),
        Resource("POST", f"{pairs}/associate/default", associations.batch_associate, LINKED),
        Resource("POST", f"{pairs}/archive", associations.batch_archive, LINKED),
        Resource("GET", f"{links}/{{target}}", associations.of_one, LINKED),
        Resource("PUT", f"{links}/default/{{target}}/{{other}}", associations.associate, LINKED),
        Resource("DELETE", f"{links}/{{target}}/{{other}}", associations.dissociate, LINKED),
    ]


def _preferences(base: str) -> list[Resource]:
    mine, all_of = f"{base}/statuses/{{address}}", f"{base}/statuses/batch"
    return [
        Resource("GET", f"{base}/definitions", preferences_v4.definitions, ASK),
        Resource("POST", f"{base}/links/generate", preferences_v4.links, TELL),
        Resource("POST", f"{all_of}/read", preferences_v4.batch_read, ASK_MANY),
        Resource("POST", f"{all_of}/write", preferences_v4.batch_write, TELL_MANY),
        Resource("POST", f"{all_of}/unsubscribe-all", preferences_v4.batch_opt_out, TELL_MANY),
        Resource("POST", f"{all_of}/unsubscribe-all/read", preferences_v4.batch_opted_out, ASK_MANY),
        Resource("GET", f"{mine}/unsubscribe-all", preferences_v4.opted_out, ASK),
        Resource("POST", f"{mine}/unsubscribe-all", preferences_v4.opt_out, TELL),
        Resource("GET", mine, preferences_v4.statuses, ASK),
        Resource("POST", mine, preferences_v4.set_status, TELL),
    ]


def _preferences_v3(base: str) -> list[Resource]:
    return [
        Resource("GET", f"{base}/definitions", preferences_v3.definitions, ASK),
        Resource("GET", f"{base}/status/email/{{address}}", preferences_v3.status, ASK),
        Resource("POST", f"{base}/subscribe", preferences_v3.subscribe, TELL),
        Resource("POST", f"{base}/unsubscribe", preferences_v3.unsubscribe, TELL),
    ]


def _scope(scope: str, of_type: str) -> str:
    """Tickets have one scope for reading and writing."""
    return of_type if "{}" in scope and of_type == "tickets" else scope.format(of_type)


SLASH = "\x00"
"""Stands for a slash inside one part of a path, which must not divide it: addresses may hold one."""


def _route(resource: Resource) -> BaseRoute:
    @functools.wraps(resource.handler)
    async def guarded(request: Request) -> Response:
        kind = NAMES.get(request.path_params.get("object_type", "contacts").lower(), "contacts")
        needed = [_scope(scope, TYPES[kind].scope) for scope in resource.scopes]
        granted = request.state.store.switches.granted()
        if needed and not any(scope in granted for scope in needed):
            raise missing_scopes(needed, bare=not resource.tells_scopes)
        for name, value in request.path_params.items():
            request.path_params[name] = value.replace(SLASH, "/")
        return await resource.handler(request)

    return Route(resource.path, guarded, methods=[resource.method])


class Gate:
    """What stands before every resource: the token, the allowances, and the headers that tell of them."""

    def __init__(self, app: Starlette) -> None:
        self._app = app
        self.routes: Sequence[BaseRoute] = app.routes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        raw = (scope.get("raw_path") or scope["path"].encode()).partition(b"?")[0].decode("ascii", "replace")
        parts = [unquote(part).replace("/", SLASH) for part in raw.split("/")]
        scope["path"] = path = "/".join(parts).rstrip("/") or "/"
        account: Account = scope["state"]["store"]
        account.settle()
        correlation_id = str(uuid.uuid4())
        scope["state"]["correlation_id"] = correlation_id
        searching = path.endswith("/search")
        refused = self._refused(scope, path, account, correlation_id, searching=searching)
        told = {CORRELATION: correlation_id}
        if path != TOKEN_INFO and (refused is None or refused.status_code == 429):
            told |= account.allowance.headers(account.switches, account.now(), searching=searching)

        async def with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message["headers"], *((k.encode(), v.encode()) for k, v in told.items())]
            await send(message)

        await (refused or self._app)(scope, receive, with_headers)

    def _refused(
        self, scope: Scope, path: str, account: Account, correlation_id: str, *, searching: bool
    ) -> Response | None:
        if path == TOKEN_INFO:
            return None
        given = next((value.decode("latin-1") for name, value in scope["headers"] if name == b"authorization"), "")
        scheme, _, token = given.partition(" ")
        if scheme.lower() != "bearer" or token.strip() != TOKEN:
            return Refused(401, UNKNOWN_CALLER).response(correlation_id)
        spent = account.allowance.take(account.switches, account.now(), searching=searching)
        if spent is None:
            return None
        policy, seconds = spent
        return limited(policy, correlation_id, seconds if account.switches.retry_after else None)


def build(account: Account) -> Control:
    """The whole emulator: control surface, gate, resources."""
    app = Starlette(
        routes=[_route(one) for one in _resources()],
        exception_handlers={Refused: _on_refusal, Page404: _on_page, HTTPException: _on_http_error},
    )
    app.router.redirect_slashes = False
    return Control(Gate(app), account, refusal=refusal, switch=account.set_switches)


async def _on_refusal(request: Request, error: Exception) -> Response:
    if not isinstance(error, Refused):
        raise error
    return error.response(request.state.correlation_id)


async def _on_page(request: Request, error: Exception) -> Response:
    return not_found_page()


async def _on_http_error(request: Request, error: Exception) -> Response:
    if isinstance(error, HTTPException) and error.status_code == 405:
        return Refused(405, f"The method {request.method} is not allowed here").response(request.state.correlation_id)
    return not_found_page()
