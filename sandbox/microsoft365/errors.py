"""What does Graph say when it says no? Statuses and codes as recorded; some messages echo what was asked."""

from __future__ import annotations

from datetime import datetime
from typing import Any

BAD_FILTER = "The query filter contains one or more invalid nodes."
TOO_COMPLEX = "The restriction or sort order is too complex for this operation."


class Refused(Exception):
    """An answer that is an error; `code` None stands for an empty body."""

    def __init__(
        self, status: int, code: str | None, message: str = "", *, headers: dict[str, str] | None = None
    ) -> None:
        super().__init__(code or "")
        self.status = status
        self.code = code
        self.message = message
        self.headers = headers or {}

    def body(self, now: datetime, request_id: str, client_id: str) -> dict[str, Any] | None:
        if self.code is None:
            return None
        inner = {"date": now.strftime("%Y-%m-%dT%H:%M:%S"), "request-id": request_id, "client-request-id": client_id}
        return {"error": {"code": self.code, "message": self.message, "innerError": inner}}


CODES = {
    400: ("BadRequest", "The request is not valid."),
    401: ("InvalidAuthenticationToken", "Access token is empty or has expired."),
    403: ("ErrorAccessDenied", "Access is denied. Check credentials and try again."),
    404: ("ErrorItemNotFound", "The specified object was not found in the store."),
    409: ("ErrorIrresolvableConflict", "The send or update operation could not be performed because the key changed."),
    410: ("syncStateNotFound", "The sync state generation is not found; resync is required."),
    423: ("resourceLocked", "The resource you are attempting to access is locked."),
    429: ("ApplicationThrottled", "Application is over its MailboxConcurrency limit."),
    500: ("ErrorInternalServerError", "An internal server error occurred. The operation failed."),
    503: ("serviceNotAvailable", "The service is temporarily unavailable."),
    507: ("ErrorQuotaExceeded", "The mailbox's quota is used up."),
}


def of_status(status: int) -> Refused:
    """The error the service gives with a status; 502 and 504 come without a body."""
    code, message = CODES.get(status, (None, ""))
    return Refused(status, code, message)


def bad_filter() -> Refused:
    return Refused(400, "ErrorInvalidUrlQueryFilter", BAD_FILTER)


def bad_query(message: str) -> Refused:
    return Refused(400, "ErrorInvalidUrlQuery", message)


def not_found() -> Refused:
    return of_status(404)


def malformed_id() -> Refused:
    return Refused(400, "ErrorInvalidIdMalformed", "Id is malformed.")
