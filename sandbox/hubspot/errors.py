"""How does HubSpot say no? Its error bodies, by status; some of its 404s are pages."""

from __future__ import annotations

import uuid
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
    429: "RATE_LIMITS",
    477: "MIGRATION_IN_PROGRESS",
}
NOT_FOUND_PAGE = "<html>\n<head><title>Not Found</title></head>\n<body><h1>404</h1>resource not found</body>\n</html>\n"


class Refused(Exception):
    """An answer that is a refusal."""

    def __init__(self, status: int, message: str, **more: Any) -> None:
        super().__init__(message)
        self.status = status
        self.message = message
        self.more = more

    def response(self) -> Response:
        """As the service says it."""
        body = {"status": "error", "message": self.message, "correlationId": str(uuid.uuid4())}
        if category := CATEGORIES.get(self.status):
            body["category"] = category
        return JSONResponse(body | self.more, self.status)


def refusal(status: int) -> Response:
    """A refusal of this status, for injected faults."""
    if status == 429:
        return limited("TEN_SECONDLY_ROLLING")
    if status >= 500:
        return HTMLResponse("<html><body><h1>Internal Server Error</h1></body></html>", status)
    return Refused(status, f"The service answered {status}.").response()


def limited(policy: str) -> Response:
    """Too many calls."""
    message = {
        "DAILY": "You have reached your daily limit.",
        "SECONDLY": "You have reached your secondly limit.",
    }.get(policy, "You have reached your ten_secondly_rolling limit.")
    return JSONResponse(
        {
            "status": "error",
            "message": message,
            "errorType": "RATE_LIMIT",
            "correlationId": str(uuid.uuid4()),
            "policyName": policy,
            "requestId": str(uuid.uuid4()),
        },
        429,
    )


def not_found_page() -> Response:
    """What a read of an unknown record gives: a page, not JSON."""
    return HTMLResponse(NOT_FOUND_PAGE, 404, headers={"X-HubSpot-NotFound": "true"})
