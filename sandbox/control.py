"""How is an emulator watched, broken, set in time and reset? The surface under `/_sandbox`, the same for every vendor.

An HTTP emulator wraps its app in `Control`. Handlers take the store from `request.state.store`, never from a global,
because a call that must succeed without effect is run against a copy of it, and name what they touched with `touched`.
A server of another protocol serves `Control(None, store)` beside itself and uses `control.faults` and `control.calls`.
"""

from __future__ import annotations

import asyncio
import copy
import fnmatch
import json
import threading
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, date, datetime
from typing import Any, Protocol

from starlette.requests import HTTPConnection, Request
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.routing import BaseRoute, Match
from starlette.types import ASGIApp, Message, Receive, Scope, Send

FAULTS = (
    "status",
    "html",
    "timeout_after_effect",
    "success_without_effect",
    "truncated",
    "delay_before_effect",
    "delay_after_effect",
)
PREFIX = "/_sandbox"


class Store(Protocol):
    """What an emulator stores. It is deep-copied for calls without effect, so it holds no locks or sockets."""

    def state(self) -> Mapping[str, Any]:
        """Everything stored, as plain values, in a stable order."""
        ...

    def reset(self) -> None:
        """Go back to the seeded state, switches and clock included."""
        ...

    def set_clock(self, now: datetime) -> None: ...


class NoAnswer(Exception):
    """Raised by an app to end the connection under a call whose work is done."""


@dataclass
class Fault:
    """What the next `times` matching calls meet instead of a plain answer."""

    fault: str
    method: str | None = None
    path: str = "*"
    times: int = 1
    status: int = 503
    retry_after: float | None = None
    seconds: float = 5.0
    after_effect: bool = False
    """For `status` and `html`: the work is done before the error is answered."""

    def __post_init__(self) -> None:
        if self.fault not in FAULTS:
            raise ValueError(f"unknown fault {self.fault!r}; known: {', '.join(FAULTS)}")

    def matches(self, method: str, path: str) -> bool:
        if self.times <= 0 or (self.method and self.method.upper() != method.upper()):
            return False
        # Some clients end an address with a slash: the same resource to the vendor, and to a fault.
        return any(fnmatch.fnmatchcase(one, self.path) for one in (path, path.rstrip("/")))


class FaultPlan:
    """The faults still to come, first match first. Safe to use from several threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._faults: list[Fault] = []

    def add(self, fault: Fault) -> None:
        with self._lock:
            self._faults.append(fault)

    def take(self, method: str, path: str) -> Fault | None:
        """Use up one occurrence of the first fault that matches."""
        with self._lock:
            for fault in self._faults:
                if fault.matches(method, path):
                    fault.times -= 1
                    return fault
        return None

    def left(self) -> list[dict[str, Any]]:
        with self._lock:
            return [asdict(fault) for fault in self._faults if fault.times > 0]

    def clear(self) -> None:
        with self._lock:
            self._faults.clear()


@dataclass
class Call:
    """One call received. `part_of` names the call that carried it (composite requests): a part is not counted."""

    seq: int
    at: str
    method: str
    path: str
    template: str
    status: int | None = None
    ids: list[str] = field(default_factory=list)
    effect: bool = False
    fault: str | None = None
    part_of: int | None = None

    def touch(self, ids: Iterable[str], *, effect: bool = False) -> None:
        seen = set(self.ids)
        for record_id in ids:
            if record_id not in seen:
                seen.add(record_id)
                self.ids.append(record_id)
        self.effect = self.effect or effect


class CallLog:
    """Every call in the order of arrival. Safe to use from several threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._calls: list[Call] = []

    def open(self, method: str, path: str, template: str, part_of: int | None = None) -> Call:
        with self._lock:
            at = datetime.now(UTC).isoformat(timespec="milliseconds")
            call = Call(len(self._calls) + 1, at, method, path, template, part_of=part_of)
            self._calls.append(call)
            return call

    def report(self) -> dict[str, Any]:
        with self._lock:
            calls = list(self._calls)
        counts = Counter(f"{call.method} {call.template}" for call in calls if call.part_of is None)
        parts = Counter(f"{call.method} {call.template}" for call in calls if call.part_of is not None)
        return {
            "calls": [asdict(call) for call in calls],
            "counts": dict(sorted(counts.items())),
            "part_counts": dict(sorted(parts.items())),
        }

    def clear(self) -> None:
        with self._lock:
            self._calls.clear()


def touched(
    request: HTTPConnection, ids: Iterable[str] = (), *, effect: bool = False, template: str | None = None
) -> None:
    """Say in the call log which records this call read by name or changed, and whether it changed anything."""
    call: Call = request.state.call
    call.touch(ids, effect=effect)
    if template is not None:
        call.template = template


def call_of(request: HTTPConnection) -> Call:
    call: Call = request.state.call
    return call


Refusal = Callable[[int], Response]
"""Builds the vendor's own error answer for a status."""


def _plain_refusal(status: int) -> Response:
    return JSONResponse({"status": "error", "message": f"The service answered {status}."}, status_code=status)


Switch = Callable[[Mapping[str, Any]], Mapping[str, Any]]
"""Takes changed switches (maybe none) and gives all of them; ValueError for an unknown one."""


class Control:
    """ASGI wrapper around a vendor's app: answers `/_sandbox/...`, logs every other call and applies the faults."""

    def __init__(
        self, app: ASGIApp | None, store: Store, *, refusal: Refusal = _plain_refusal, switch: Switch | None = None
    ) -> None:
        self._app = app
        self._routes: Sequence[BaseRoute] = getattr(app, "routes", ())
        self._refusal = refusal
        self._switch = switch
        self.store = store
        self.faults = FaultPlan()
        self.calls = CallLog()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return
        path: str = scope["path"]
        if path.startswith(f"{PREFIX}/"):
            response = await self._control(Request(scope, receive), path.removeprefix(f"{PREFIX}/"))
            await response(scope, receive, send)
        elif self._app is None:
            await JSONResponse({"error": f"only {PREFIX} is served here"}, 404)(scope, receive, send)
        else:
            await self._serve(self._app, scope, receive, send)

    async def _serve(self, app: ASGIApp, scope: Scope, receive: Receive, send: Send) -> None:
        method: str = scope["method"]
        raw_path = (scope.get("raw_path") or scope["path"].encode()).decode("ascii", "replace").partition("?")[0]
        call = self.calls.open(method, raw_path, self._template(scope, raw_path))
        fault = self.faults.take(method, raw_path)
        state = scope.setdefault("state", {})
        state.update(call=call, calls=self.calls, faults=self.faults, store=self.store)
        if fault is None:
            try:
                await app(scope, receive, _noting_status(call, send))
            except NoAnswer:
                await _hang_up(send)
            return
        call.fault = fault.fault
        if fault.fault == "success_without_effect":
            state["store"] = copy.deepcopy(self.store)
            await app(scope, receive, _noting_status(call, send))
            call.effect = False
            return
        await self._break(fault, call, app, scope, receive, send)

    async def _break(self, fault: Fault, call: Call, app: ASGIApp, scope: Scope, receive: Receive, send: Send) -> None:
        refused = fault.fault in ("status", "html")
        if fault.fault == "delay_before_effect":
            await asyncio.sleep(fault.seconds)
        answer: list[Message] = []
        if not refused or fault.after_effect:
            answer = await _answer_of(app, scope, receive)
        if refused:
            response = self._refused(fault)
            await response(scope, receive, _noting_status(call, send))
        elif fault.fault == "timeout_after_effect":
            await _hang_up(send)
        elif fault.fault == "truncated":
            await _send_half(answer, _noting_status(call, send), send)
        else:
            if fault.fault == "delay_after_effect":
                await asyncio.sleep(fault.seconds)
            for message in answer:
                await _noting_status(call, send)(message)

    def _refused(self, fault: Fault) -> Response:
        if fault.fault == "html":
            return HTMLResponse(
                "<html><head><title>502 Bad Gateway</title></head><body><h1>502 Bad Gateway</h1></body></html>", 502
            )
        response = self._refusal(fault.status)
        if fault.retry_after is not None:
            response.headers["Retry-After"] = f"{fault.retry_after:g}"
        return response

    def _template(self, scope: Scope, path: str) -> str:
        """The route's template; a trailing slash makes no other one."""
        plain = {**scope, "path": scope["path"].rstrip("/") or "/"}
        for route in self._routes:
            match, _ = route.matches(plain)
            if match is Match.FULL:
                return str(getattr(route, "path", path))
        return path

    async def _control(self, request: Request, command: str) -> Response:
        action = f"{request.method} {command.rstrip('/')}"
        given = {} if request.method == "GET" else await _json_object(request)
        try:
            answer = self._obey(action, given)
        except (TypeError, ValueError, KeyError) as error:
            return JSONResponse({"error": str(error)}, 400)
        if answer is None:
            return JSONResponse({"error": f"no such command: {action}"}, 404)
        return Response(json.dumps(answer, default=_plain), media_type="application/json")

    def _obey(self, action: str, given: dict[str, Any]) -> Mapping[str, Any] | None:
        if action == "POST faults":
            self.faults.add(Fault(**given))
        elif action == "DELETE faults":
            self.faults.clear()
        elif action == "GET calls":
            return self.calls.report()
        elif action == "DELETE calls":
            self.calls.clear()
            return {"calls": [], "counts": {}}
        elif action == "GET state":
            return self.store.state()
        elif action == "POST clock":
            now = datetime.fromisoformat(given["now"])
            self.store.set_clock(now if now.tzinfo else now.replace(tzinfo=UTC))
            return {"now": given["now"]}
        elif action == "POST reset":
            self.store.reset()
            self.calls.clear()
            self.faults.clear()
        elif action in ("GET switches", "POST switches") and self._switch is not None:
            return self._switch(given)
        elif action != "GET faults":
            return None
        return {"faults": self.faults.left()}


def _noting_status(call: Call, send: Send) -> Send:
    async def noting(message: Message) -> None:
        if message["type"] == "http.response.start":
            call.status = message["status"]
        await send(message)

    return noting


async def _answer_of(app: ASGIApp, scope: Scope, receive: Receive) -> list[Message]:
    answer: list[Message] = []

    async def keep(message: Message) -> None:
        answer.append(message)

    await app(scope, receive, keep)
    return answer


async def _send_half(answer: list[Message], noting: Send, send: Send) -> None:
    """Announce the whole length, send half of the body, and close the connection."""
    body = b"".join(message.get("body", b"") for message in answer[1:])
    if body:
        await noting(answer[0])
        await send({"type": "http.response.body", "body": body[: len(body) // 2], "more_body": True})
    await _hang_up(send, flush=bool(body))


async def _hang_up(send: Send, *, flush: bool = False) -> None:
    """Close the connection under the server: ASGI has no message for "no answer", so take uvicorn's transport."""
    transport = getattr(getattr(send, "__self__", None), "transport", None)
    if transport is None:
        raise ConnectionResetError("the sandbox ends this connection without an answer")
    if flush:
        transport.close()
    else:
        transport.abort()
    # The protocol must see the loss before the app returns, or the server would write an answer of its own.
    while not getattr(send, "__self__").disconnected:  # noqa: B009
        await asyncio.sleep(0.001)


async def _json_object(request: Request) -> dict[str, Any]:
    body = await request.body()
    try:
        given = json.loads(body) if body else {}
    except ValueError:
        given = {"": "the body is not JSON"}
    return given if isinstance(given, dict) else {"": "the body is not an object"}


def _plain(value: object) -> object:
    if isinstance(value, datetime | date):
        return value.isoformat()
    if isinstance(value, set | frozenset | tuple):
        return sorted(value) if isinstance(value, set | frozenset) else list(value)
    if isinstance(value, bytes):
        return value.decode("latin-1")
    raise TypeError(f"the state holds a {type(value).__name__}, which is not a plain value")
