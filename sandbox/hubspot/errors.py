"""How does HubSpot say no? Its error bodies, by status; some of its 404s are pages."""

from __future__ import annotations

import json
import uuid
from collections.abc import Mapping, Sequence
from typing import Any

from starlette.responses import HTMLResponse, JSONResponse, Response

CATEGORIES = {
    400: "VALIDATION_ERROR",
    401: "INVALID_AUTHENTICATION",
    403: "MISSING_SCOPES",
    404: "OBJECT_NOT_FOUND",
    405: "METHOD_NOT_ALLOWED",
    409: "CONFLICT",
    423: "LOCKED",
    477: "MIGRATION_IN_PROGRESS",
}
NOT_FOUND_PAGE = "<html>\n<head><title>Not Found</title></head>\n<body><h1>404</h1>resource not found</body>\n</html>\n"
CORRELATION = "X-HubSpot-Correlation-Id"

UNKNOWN_CALLER = (
    "Authentication credentials not found. This API supports OAuth 2.0 authentication and you can find more details at "
    "https://developers.hubspot.com/docs/methods/auth/oauth-overview"
)
SCOPES_PAGE = "https://developers.hubspot.com/scopes"
NO_SCOPE = (
    "This app hasn't been granted all required scopes to make this call. "
    f"Read more about required scopes here: {SCOPES_PAGE}."
)


class Refused(Exception):
    """An answer that is a refusal."""

    def __init__(self, status: int, message: str, *, category: str | None = None, **more: Any) -> None:
        super().__init__(message)
        self.status = status
        self.message = message
        self.category = CATEGORIES.get(status) if category is None else category
        self.more = more

    def response(self, correlation_id: str) -> Response:
        """As the service says it."""
        body = {"status": "error", "message": self.message, "correlationId": correlation_id}
        if self.category:
            body["category"] = self.category
        return JSONResponse(body | self.more, self.status)


class Page404(Exception):
    """A read of something absent, answered with a page."""


def missing_scopes(alternatives: Sequence[str], *, bare: bool = False) -> Refused:
    """The token lacks a scope. The properties API says no more than that (`bare`)."""
    if bare:
        return Refused(403, NO_SCOPE, category="")
    return Refused(
        403,
        NO_SCOPE,
        errors=[
            {
                "message": "One or more of the following scopes are required.",
                "context": {"requiredGranularScopes": list(alternatives)},
            }
        ],
        links={"scopes": SCOPES_PAGE},
    )


def invalid_values(problems: Sequence[Mapping[str, str]], hub_id: int) -> Refused:
    """Property values nobody can write: the message repeats what was sent, as the service's does."""
    listed = [
        {
            "isValid": False,
            "message": one["message"],
            "error": one["code"],
            "name": one["name"],
            "localizedErrorMessage": one["message"],
            "portalId": hub_id,
        }
        for one in problems
    ]
    message = f"Property values were not valid: {json.dumps(listed, separators=(',', ':'))}"
    details = [
        {"message": one["message"], "code": one["code"], "context": {"propertyName": [one["name"]]}} for one in problems
    ]
    return Refused(400, message, errors=details)


def limited(policy: str, correlation_id: str, retry_after: int | None = None) -> Response:
    """Too many calls."""
    body = {
        "status": "error",
        "message": f"You have reached your {policy.lower()} limit.",
        "errorType": "RATE_LIMIT",
        "correlationId": correlation_id,
        "policyName": policy,
        "requestId": str(uuid.uuid4()),
    }
    return JSONResponse(body, 429, {} if retry_after is None else {"Retry-After": str(retry_after)})


def not_found_page() -> Response:
    """What a read of an unknown record gives: a page, not JSON."""
    return HTMLResponse(NOT_FOUND_PAGE, 404, headers={"X-HubSpot-NotFound": "true"})


MESSAGES = {
    401: UNKNOWN_CALLER,
    423: "The record is locked by another change. Wait two seconds before the next call.",
    477: "This account is being moved to another data centre. Try again later.",
}


def refusal(status: int) -> Response:
    """A refusal of this status, for injected faults."""
    correlation_id = str(uuid.uuid4())
    if status == 429:
        answer = limited("TEN_SECONDLY_ROLLING", correlation_id)
    elif status in (502, 504) or status > 504:
        answer = HTMLResponse(
            f"<html><head><title>{status}</title></head><body><h1>{status}</h1></body></html>", status
        )
    elif status >= 500:
        answer = Refused(status, "internal error").response(correlation_id)
    else:
        answer = Refused(status, MESSAGES.get(status, f"The service answered {status}.")).response(correlation_id)
    answer.headers[CORRELATION] = correlation_id
    return answer
