"""How does the service say no? One exception with the code, the text and the fields of the real error bodies."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from starlette.responses import JSONResponse, Response

_RESOURCE_MISSING = "The requested resource does not exist"

REFUSALS = {
    400: ("MALFORMED_QUERY", "unexpected token"),
    401: ("INVALID_SESSION_ID", "Session expired or invalid"),
    403: ("REQUEST_LIMIT_EXCEEDED", "TotalRequests Limit exceeded."),
    404: ("NOT_FOUND", _RESOURCE_MISSING),
    500: ("UNKNOWN_EXCEPTION", "An unexpected error occurred. Please include this ErrorId if you contact support: 1-1"),
    503: ("SERVER_UNAVAILABLE", "The server is currently unavailable, try again later"),
}


class ApiError(Exception):
    """One refused call or one refused record; the status serves the first, the rest both."""

    def __init__(self, status: int, code: str, message: str, fields: Sequence[str] | None = None) -> None:
        super().__init__(code)
        self.status = status
        self.code = code
        self.message = message
        self.fields = None if fields is None else list(fields)

    def body(self) -> list[dict[str, Any]]:
        entry: dict[str, Any] = {"message": self.message, "errorCode": self.code}
        if self.fields is not None:
            entry["fields"] = self.fields
        return [entry]

    def item(self) -> dict[str, Any]:
        """The form inside a collection's answer, where the code is called `statusCode`."""
        return {"statusCode": self.code, "message": self.message, "fields": self.fields or []}

    def row(self) -> str:
        """The form in the `sf__Error` column of a bulk result."""
        return f"{self.code}:{self.message}:{','.join(self.fields) if self.fields else '--'}"


def not_found(message: str = _RESOURCE_MISSING) -> ApiError:
    return ApiError(404, "NOT_FOUND", message)


def refusal(status: int) -> Response:
    """The body the service would send with a status that a fault asks for."""
    code, message = REFUSALS.get(status, ("UNKNOWN_EXCEPTION", f"The service answered {status}."))
    return JSONResponse([{"message": message, "errorCode": code}], status)
