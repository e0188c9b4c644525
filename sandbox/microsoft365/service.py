"""How is a request answered, alone or as a part of a batch? The token, the allowance, the resource, the headers."""

from __future__ import annotations

import base64
import copy
import re
import uuid
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from sandbox.control import Fault
from sandbox.microsoft365 import ids, tokens
from sandbox.microsoft365.errors import Refused, of_status
from sandbox.microsoft365.exchange import Ask, Exchange, Reply, Touched
from sandbox.microsoft365.resources import find, steps_of
from sandbox.microsoft365.tenant import TENANT, Tenant

LARGEST_BATCH = 20
_METHODS = frozenset({"GET", "POST", "PATCH", "PUT", "DELETE"})
_UPLOADS = frozenset({"POST", "PATCH", "PUT"})
_ABSENT = "Resource not found for the segment."

Breaks = Callable[[str, str], Fault | None]
"""Says how a part of a batch is to go wrong, by its method and path; None: not at all."""
Told = Callable[[Ask, Reply, Touched], None]
"""Is told of every part of a batch."""


@dataclass(frozen=True)
class Service:
    """Graph below one address, on one tenant."""

    tenant: Tenant
    origin: str
    version: str = "/v1.0"
    breaks: Breaks = lambda method, path: None
    told: Told = lambda ask, reply, touched: None
    crowded: frozenset[int] = frozenset()
    """Mailboxes of which too much is under way already."""

    @property
    def base(self) -> str:
        return f"{self.origin}{self.version}"

    def answer(self, ask: Ask, touched: Touched | None = None) -> Reply:
        """The answer to one request; whatever is refused is an answer too."""
        touched = touched if touched is not None else Touched()
        request_id = str(uuid.uuid4())
        try:
            roles = tokens.check(self.tenant, self.origin, ask.headers.get("authorization", ""))
            self.tenant.settle()
            if ask.path.rstrip("/").casefold() == "/$batch":
                touched.template = "/$batch"
                reply = self._batch(ask, roles, touched)
            else:
                reply = self._one(ask, roles, touched)
        except Refused as refused:
            reply = self._refusal(refused, ask, request_id)
        reply.headers = {
            "request-id": request_id,
            "client-request-id": ask.headers.get("client-request-id", request_id),
            "Date": self.tenant.now().strftime("%a, %d %b %Y %H:%M:%S GMT"),
            "x-ms-ags-diagnostic": '{"ServerInfo":{"DataCenter":"Sandbox","Slice":"E","Ring":"1"}}',
            **reply.headers,
        }
        return reply

    def box_of(self, path: str) -> int | None:
        """Which mailbox a request counts against."""
        steps = steps_of(path)
        tenant = self.tenant
        if len(steps) > 2 and steps[0].casefold() == "users":
            found = tenant.users.get(steps[1].casefold())
            if found is None:
                found = next((o for o in tenant.users.values() if o.address.casefold() == steps[1].casefold()), None)
            return found.box if found is not None else None
        if steps[:3] == ["admin", "exchange", "mailboxes"] and len(steps) > 3:
            wanted = steps[3]
            return next((n for n, box in tenant.boxes.items() if ids.mailbox_id(box.user, TENANT) == wanted), None)
        return None

    def boxes_of(self, ask: Ask) -> Counter[int]:
        """How many requests a call makes to each mailbox: its parts count one by one."""
        given = ask.body.get("requests") if isinstance(ask.body, dict) else None
        parts = (
            given if ask.path.rstrip("/").casefold() == "/$batch" and isinstance(given, list) else [{"url": ask.path}]
        )
        found = (self.box_of(str(part.get("url"))) for part in parts if isinstance(part, dict))
        return Counter(box for box in found if box is not None)

    def _one(self, ask: Ask, roles: frozenset[str], touched: Touched) -> Reply:
        if ask.method not in _METHODS:
            raise Refused(405, "Request_BadRequest", "The method is not supported here.")
        found = find(ask.method, ask.path)
        if found is None:
            raise Refused(400, "BadRequest", _ABSENT)
        resource, parameters = found
        touched.template = resource.path
        box = self.box_of(ask.path)
        if box in self.crowded:
            message = "Application is over its MailboxConcurrency limit."
            raise Refused(429, "ApplicationThrottled", message, headers={"Retry-After": "1"})
        if box is not None:
            uploaded = ask.size if ask.method in _UPLOADS else 0
            self.tenant.limits.take(self.tenant.switches, box, self.tenant.now(), uploaded)
        if not roles & set(resource.roles):
            code = "Authorization_RequestDenied" if resource.path == "/users" else "ErrorAccessDenied"
            raise Refused(403, code, "Access is denied. Check credentials and try again.")
        return resource.handler(Exchange(ask, self.tenant, parameters, touched, self.base))

    def _refusal(self, refused: Refused, ask: Ask, request_id: str) -> Reply:
        client_id = ask.headers.get("client-request-id", request_id)
        return Reply(refused.status, refused.body(self.tenant.now(), request_id, client_id), dict(refused.headers))

    # --- Batches ---

    def _batch(self, ask: Ask, roles: frozenset[str], touched: Touched) -> Reply:
        parts = _checked(ask.body)
        answers: dict[str, dict[str, Any]] = {}
        for part in parts:
            if any(not 200 <= answers[one]["status"] < 300 for one in part.get("dependsOn") or ()):
                refused = Refused(424, "FailedDependency", "A request this one depends on has failed.")
                answers[part["id"]] = _part(part["id"], self._refusal(refused, ask, str(uuid.uuid4())))
                continue
            answers[part["id"]] = self._answered(part, ask, roles, touched)
        # In any order: the last first, so that nobody relies on it.
        return Reply(200, {"responses": list(reversed(answers.values()))})

    def _answered(self, part: dict[str, Any], ask: Ask, roles: frozenset[str], of_all: Touched) -> dict[str, Any]:
        headers = {str(k).lower(): str(v) for k, v in (part.get("headers") or {}).items()}
        one = Ask(part["method"].upper(), part["url"], headers, part.get("body"), len(str(part.get("body") or "")))
        touched, service = Touched(), self
        found = find(one.method, one.path)
        touched.template = found[0].path if found is not None else ""
        fault = self.breaks(one.method, f"{self.version}{one.path.partition('?')[0]}")
        if fault is not None and fault.fault == "success_without_effect":
            service = replace(self, tenant=copy.deepcopy(self.tenant))
        of_all.lost = of_all.lost or (fault is not None and fault.fault == "timeout_after_effect")
        try:
            if fault is not None and fault.fault == "status":
                raise _refused(fault)
            if one.body is not None and "content-type" not in headers:
                raise Refused(400, "BadRequest", "Write request id does not have a Content-Type header.")
            reply = service._one(one, roles, touched)
        except Refused as refused:
            reply = self._refusal(refused, ask, str(uuid.uuid4()))
        touched.effect = touched.effect and service is self
        self.told(one, reply, touched)
        return _part(part["id"], reply)


def _refused(fault: Fault) -> Refused:
    headers = {} if fault.retry_after is None else {"Retry-After": f"{fault.retry_after:g}"}
    known = of_status(fault.status)
    return Refused(fault.status, known.code, known.message, headers=headers)


def _checked(body: Any) -> list[dict[str, Any]]:
    """The parts of a batch; one thing wrong, and none is done."""
    parts = body.get("requests") if isinstance(body, dict) else None
    if not isinstance(parts, list) or not 1 <= len(parts) <= LARGEST_BATCH:
        raise Refused(400, "BadRequest", f"Number of batch request steps exceeds the maximum value of {LARGEST_BATCH}.")
    seen: set[str] = set()
    for part in parts:
        if not isinstance(part, dict) or not isinstance(part.get("id"), str) or not part["id"] or part["id"] in seen:
            raise Refused(400, "BadRequest", "Request id is missing or not unique.")
        url, method = part.get("url"), part.get("method")
        if not isinstance(url, str) or not re.match(r"/[^/]", url) or not isinstance(method, str):
            raise Refused(400, "BadRequest", "A request needs a method and a relative url.")
        if set(part.get("dependsOn") or ()) - seen:
            raise Refused(400, "BadRequest", "A request depends on one that does not come before it.")
        seen.add(part["id"])
    return parts


def _part(key: str, reply: Reply) -> dict[str, Any]:
    body = base64.b64encode(reply.body).decode("ascii") if isinstance(reply.body, bytes) else reply.body
    headers = {"Cache-Control": "private", **reply.headers}
    if body is not None:
        headers.setdefault("Content-Type", "application/json")
    return {"id": key, "status": reply.status, "headers": headers, "body": body}
