"""What did the service answer, and what of it may be repeated? Statuses, categories and ids; never its messages.

A message may echo an address, and every field of an error body is optional: a body can be HTML, half a JSON text, or
nothing. Codes are taken only where they look like codes.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from retention.contract import AccessDenied, ConnectorError, Throttled, Unavailable
from retention.vocabulary import Evidence

_CODE = re.compile(r"[A-Z][A-Z0-9_]{0,63}")
_SCOPE = re.compile(r"[a-z][a-z0-9_.\-]{0,99}")
_REQUEST_ID = re.compile(r"[0-9A-Za-z\-]{1,64}")
_TIME = re.compile(r"[0-9A-Za-z:., +\-]{1,40}")

NO_CODE = "no category"
UNAUTHORIZED, FORBIDDEN, NOT_FOUND = 401, 403, 404
CONFLICT, LOCKED, TOO_MANY, MOVING = 409, 423, 429, 477
TRANSIENT = frozenset({500, 502, 503, 504, 521, 522, 523, 524, 525, 526})


@dataclass(frozen=True, slots=True)
class Answer:
    """One HTTP answer. Header names are lower-case."""

    status: int
    headers: Mapping[str, str] = field(repr=False)
    content: bytes | str = field(default=b"", repr=False)

    def body(self) -> dict[str, Any]:
        """The JSON object in it; empty where it holds anything else."""
        try:
            body = json.loads(self.content)
        except ValueError:
            return {}
        return body if isinstance(body, dict) else {}

    def category(self) -> str:
        return _code(self.body().get("category"))

    def limit_policy(self) -> str:
        """Which allowance a 429 says is used up."""
        return _code(self.body().get("policyName"))

    def correlation_id(self) -> str:
        given = self.headers.get("x-hubspot-correlation-id") or self.body().get("correlationId")
        return _matching(_REQUEST_ID, given)

    def retry_after(self) -> float | None:
        """Seconds the service asked to wait; the header's date form, which needs a clock, is not read."""
        try:
            return max(0.0, float(self.headers.get("retry-after", "")))
        except ValueError:
            return None

    def evidence(self) -> Evidence:
        when = _matching(_TIME, self.body().get("completedAt") or self.headers.get("date"))
        return Evidence(request_id=self.correlation_id(), http_status=self.status, vendor_time=when)

    def named_scopes(self) -> list[str]:
        """The scopes a 403 says are missing."""
        body = self.body()
        contexts = [body.get("context"), *(e.get("context") for e in listed(body.get("errors")) if isinstance(e, dict))]
        named = [
            scope
            for context in contexts
            if isinstance(context, dict)
            for key in ("requiredGranularScopes", "requiredScopes", "missingScopes")
            for scope in listed(context.get(key))
        ]
        return sorted({scope for scope in named if isinstance(scope, str) and _SCOPE.fullmatch(scope)})


def refusal(who: str, what: str, answer: Answer) -> ConnectorError:
    """The exception for an answer by which a whole call cannot be served."""
    said = f"{answer.status} {answer.category()}"
    if correlation := answer.correlation_id():
        said += f", correlation id {correlation}"
    if answer.status == UNAUTHORIZED:
        return AccessDenied(f"{who}: {what}: the token was refused ({said}); renew it in the connection")
    if answer.status == FORBIDDEN:
        scopes = ", ".join(answer.named_scopes())
        missing = f"the private app lacks the scope {scopes}" if scopes else "the private app may not do this"
        return AccessDenied(f"{who}: {what}: {missing} ({said}); grant it in the account's settings")
    if answer.status == NOT_FOUND:
        return Unavailable(f"{who}: {what}: not found at this address ({said}); check the connection's host")
    if answer.status == LOCKED:
        return Unavailable(f"{who}: {what}: records are locked by another change ({said}); try again later")
    if answer.status in TRANSIENT:
        if (wait := answer.retry_after()) is not None:
            return Throttled(f"{who}: {what}: asks to wait ({said})", retry_after=wait)
        return Unavailable(f"{who}: {what}: does not work at the moment ({said}); try again later")
    return ConnectorError(f"{who}: {what}: rejected ({said}); check the policy's field names against the account")


def listed(value: object) -> list[Any]:
    return value if isinstance(value, list) else []


def _code(value: object) -> str:
    return _matching(_CODE, value) or NO_CODE


def _matching(pattern: re.Pattern[str], value: object) -> str:
    return value if isinstance(value, str) and pattern.fullmatch(value) else ""
