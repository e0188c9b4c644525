"""How does a request over HTTPS reach the service, and its answer the client? One handler for every path."""

from __future__ import annotations

import asyncio
import json
from dataclasses import replace
from math import ceil
from typing import Any
from urllib.parse import parse_qsl

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.types import Receive, Scope, Send

from sandbox.control import Call, CallLog, Control, FaultPlan, NoAnswer
from sandbox.microsoft365 import tokens
from sandbox.microsoft365.errors import of_status
from sandbox.microsoft365.exchange import Ask, Reply, Touched
from sandbox.microsoft365.service import Service
from sandbox.microsoft365.tenant import Tenant

VERSIONS = ("/v1.0", "/beta")
TOKEN = "/oauth2/v2.0/token"  # noqa: S105 - a path
DISCOVERY = "/v2.0/.well-known/openid-configuration"


def build(tenant: Tenant) -> Control:
    """The whole emulator: control surface, authority and Graph on one address."""
    return Control(App(), tenant, refusal=_refusal, switch=tenant.set_switches)


class App:
    """Authority and Graph."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive)
        response = await self._response(request)
        await response(scope, receive, send)

    async def _response(self, request: Request) -> Response:
        origin = f"{request.url.scheme}://{request.url.netloc}"
        raw = (request.scope.get("raw_path") or request.scope["path"].encode()).decode("ascii", "replace")
        path = raw.partition("?")[0]
        tenant: Tenant = request.state.store
        call: Call = request.state.call
        if path.endswith(DISCOVERY):
            call.template = "/{tenant}" + DISCOVERY
            return _response(tokens.discovery(origin))
        if path.endswith(TOKEN):
            call.template = "/{tenant}" + TOKEN
            form = dict(parse_qsl((await request.body()).decode("utf-8"), keep_blank_values=True))
            return _response(tokens.issued(tenant, origin, path.strip("/").partition("/")[0], form))
        version = next((one for one in VERSIONS if path.startswith(f"{one}/")), None)
        if version is None:
            return _response(Reply(404, {"error": {"code": "ResourceNotFound", "message": "Invalid version."}}))
        return await self._graph(request, tenant, origin, version, path.removeprefix(version))

    async def _graph(self, request: Request, tenant: Tenant, origin: str, version: str, path: str) -> Response:
        call, body = request.state.call, await request.body()
        faults: FaultPlan = request.state.faults
        touched = Touched()

        def told(part: Ask, reply: Reply, of_part: Touched) -> None:
            log: CallLog = request.state.calls
            one = log.open(part.method, part.path.partition("?")[0], of_part.template or "?", part_of=call.seq)
            one.status = reply.status
            one.touch(of_part.ids, effect=of_part.effect)
            call.touch(of_part.ids, effect=of_part.effect)

        service = Service(tenant, origin, version, faults.take, told)
        query = f"?{request.url.query}" if request.url.query else ""
        headers = {name.lower(): value for name, value in request.headers.items()}
        ask = Ask(request.method, f"{path}{query}", headers, _json(body), len(body))
        reply = (
            await _slowly(service, ask, touched) if tenant.switches.latency_seconds else service.answer(ask, touched)
        )
        call.template = f"/{touched.template.lstrip('/')}" if touched.template else call.template
        call.touch(touched.ids, effect=touched.effect)
        if touched.lost:
            raise NoAnswer
        return _response(reply)


async def _slowly(service: Service, ask: Ask, touched: Touched) -> Reply:
    """A call that takes its time, so that others of the same mailboxes may be under way meanwhile."""
    limits, switches = service.tenant.limits, service.tenant.switches
    asked = service.boxes_of(ask)
    entered = {box: limits.enter(switches, box, count) for box, count in asked.items()}
    try:
        rounds = max((ceil(asked[box] / at_once) for box, at_once in entered.items() if at_once), default=1)
        await asyncio.sleep(switches.latency_seconds * rounds)
        crowded = frozenset(box for box, at_once in entered.items() if not at_once)
        return replace(service, crowded=crowded).answer(ask, touched)
    finally:
        for box, at_once in entered.items():
            limits.leave(box, at_once)


def _json(body: bytes) -> Any:
    if not body:
        return None
    try:
        return json.loads(body)
    except ValueError:
        return "this body is no JSON"


def _response(reply: Reply) -> Response:
    if reply.body is None:
        return Response(status_code=reply.status, headers=reply.headers)
    if isinstance(reply.body, bytes):
        return Response(reply.body, reply.status, reply.headers)
    return JSONResponse(reply.body, reply.status, reply.headers)


def _refusal(status: int) -> Response:
    """The service's own error for a fault; from 502 on it is a gateway's, which says nothing at all."""
    refused = of_status(status)
    if refused.code is None or 502 <= status <= 504:
        return Response(status_code=status)
    return JSONResponse({"error": {"code": refused.code, "message": refused.message}}, status)
