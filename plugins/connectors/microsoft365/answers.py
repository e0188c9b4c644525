"""What did Graph answer, and which exception is it? Statuses, codes and ids; never a message, which may echo a person.

The service says statuses and codes, in varying letter case and shape: `innerError` may be missing, a code may be empty
and a body may be no JSON at all. Only the status and, where it looks like one, the code count.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

from retention.contract import AccessDenied, ConnectorError, Incomplete, Throttled, Unavailable
from retention.vocabulary import Evidence

_CODE = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,63}")
_REQUEST_ID = re.compile(r"[0-9A-Za-z\-]{1,64}")
_TIME = re.compile(r"[0-9A-Za-z:., +\-]{1,40}")

BAD_REQUEST, UNAUTHORIZED, FORBIDDEN, NOT_FOUND, CONFLICT, GONE = 400, 401, 403, 404, 409, 410
LOCKED, FAILED_DEPENDENCY, TOO_MANY, TIMED_OUT = 423, 424, 429, 504
TRANSIENT = frozenset({429, 500, 502, 503, 504})
NEVER_HEALS = "errorcorruptdata"
"""A 500 with this code stays one: the item is damaged, and asking again does not mend it."""

NO_CODE = "no code"


@dataclass(frozen=True, slots=True)
class Answer:
    """One answer, of a request or of a part of a batch. Header names are lower-case."""

    status: int
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    content: bytes = field(default=b"", repr=False)
    parsed: Any = field(default=None, repr=False)

    def body(self) -> dict[str, Any]:
        """The JSON object in it; empty where it holds anything else."""
        if self.parsed is not None:
            return self.parsed if isinstance(self.parsed, dict) else {}
        try:
            body = json.loads(self.content)
        except ValueError:
            return {}
        return body if isinstance(body, dict) else {}

    @property
    def is_fine(self) -> bool:
        return 200 <= self.status < 300

    def code(self) -> str:
        """The error's code in lower case; its case varies."""
        error = self.body().get("error")
        return (_matching(_CODE, error.get("code")) if isinstance(error, dict) else "").lower()

    def is_worth_repeating(self) -> bool:
        return self.status in TRANSIENT and self.code() != NEVER_HEALS

    def retry_after(self) -> float | None:
        """Seconds the service asked to wait."""
        try:
            return max(0.0, float(self.headers.get("retry-after", "")))
        except ValueError:
            return None

    def request_id(self) -> str:
        return _matching(_REQUEST_ID, self.headers.get("request-id"))

    def moment(self) -> datetime | None:
        """When the service answered, by its own clock."""
        try:
            return parsedate_to_datetime(self.headers.get("date", "")).astimezone(UTC)
        except (ValueError, TypeError):
            return None

    def evidence(self) -> Evidence:
        return Evidence(self.request_id(), self.status, _matching(_TIME, self.headers.get("date")))


def refusal(who: str, what: str, answer: Answer) -> ConnectorError:
    """The exception for an answer by which a whole call cannot be served."""
    said = f"{answer.status} {answer.code() or NO_CODE}"
    if request_id := answer.request_id():
        said += f", request id {request_id}"
    if answer.status == UNAUTHORIZED:
        return AccessDenied(f"{who}: {what}: the token was refused ({said}); check the app registration")
    if answer.status == FORBIDDEN:
        return AccessDenied(f"{who}: {what}: the app may not do this ({said}); grant it, see docs/microsoft365.md")
    if answer.status == TOO_MANY:
        return Throttled(f"{who}: {what}: the allowance stays used up ({said})", retry_after=answer.retry_after())
    if answer.status == NOT_FOUND:
        return Unavailable(f"{who}: {what}: not found at this address ({said}); check the connection's host")
    if answer.status in TRANSIENT:
        return Unavailable(f"{who}: {what}: does not work at the moment ({said}); try again later")
    if answer.is_fine:
        return Incomplete(f"{who}: {what}: the answer is no whole answer ({said}); read again later")
    return ConnectorError(f"{who}: {what}: rejected ({said}); check the connector's settings in systems.yaml")


def rows_of(who: str, what: str, answer: Answer) -> list[dict[str, Any]]:
    """The rows of a list; `Incomplete` where the answer broke off, since half a list is no list."""
    if not answer.is_fine:
        raise refusal(who, what, answer)
    rows = answer.body().get("value")
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise refusal(who, what, answer)
    return rows


def _matching(pattern: re.Pattern[str], value: object) -> str:
    return value if isinstance(value, str) and pattern.fullmatch(value) else ""
