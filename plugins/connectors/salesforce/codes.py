"""What does a Salesforce error code mean for one record? The vendor's codes as outcomes of ours; never its messages.

Messages may echo what a record holds; codes are a closed vocabulary and are checked to look like one.
"""

from __future__ import annotations

import re
from typing import Any

from retention.vocabulary import OutcomeStatus, Reason

_CODE = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,79}")
NO_CODE = "NO_CODE"

Verdict = tuple[OutcomeStatus, Reason]

DELETED = "ENTITY_IS_DELETED"
REQUIRED_MISSING = "REQUIRED_FIELD_MISSING"
UNREADABLE_QUERY = frozenset({"INVALID_FIELD", "INVALID_TYPE", "MALFORMED_QUERY", "INVALID_FIELD_FOR_INSERT_UPDATE"})
LIMIT_CODES = frozenset({"REQUEST_LIMIT_EXCEEDED", "EXCEEDEDQUOTA", "TXN_SECURITY_METERING_ERROR"})

_PERMANENT = OutcomeStatus.REFUSED
_VERDICTS: dict[str, Verdict] = {
    "DELETE_FAILED": (_PERMANENT, Reason.BLOCKED_BY_CHILD),
    "DELETE_OPERATION_TOO_LARGE": (_PERMANENT, Reason.BLOCKED_BY_CHILD),
    "DELETE_REQUIRED_ON_CASCADE": (_PERMANENT, Reason.NO_PERMISSION),
    "CANNOT_UPDATE_CONVERTED_LEAD": (_PERMANENT, Reason.NO_PERMISSION),
    "CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY": (_PERMANENT, Reason.VALIDATION),
    "FIELD_CUSTOM_VALIDATION_EXCEPTION": (_PERMANENT, Reason.VALIDATION),
    "FIELD_INTEGRITY_EXCEPTION": (_PERMANENT, Reason.VALIDATION),
    "FIELD_FILTER_VALIDATION_EXCEPTION": (_PERMANENT, Reason.VALIDATION),
    "INVALID_TYPE_ON_FIELD_IN_RECORD": (_PERMANENT, Reason.VALIDATION),
    "DUPLICATES_DETECTED": (_PERMANENT, Reason.VALIDATION),
    "MALFORMED_ID": (_PERMANENT, Reason.VALIDATION),
    "INVALID_CROSS_REFERENCE_KEY": (_PERMANENT, Reason.VALIDATION),
    "ENTITY_IS_LOCKED": (_PERMANENT, Reason.LOCKED),
    REQUIRED_MISSING: (_PERMANENT, Reason.VALIDATION),
    DELETED: (_PERMANENT, Reason.CHANGED),
    "UNABLE_TO_LOCK_ROW": (OutcomeStatus.FAILED, Reason.LOCKED),
    "REQUEST_LIMIT_EXCEEDED": (OutcomeStatus.FAILED, Reason.THROTTLED),
    "UNKNOWN_EXCEPTION": (OutcomeStatus.FAILED, Reason.VENDOR_ERROR),
    "SERVER_UNAVAILABLE": (OutcomeStatus.FAILED, Reason.VENDOR_ERROR),
}


def verdict(code: str) -> Verdict:
    """How a step ended to which the service answered with this code. A code not known here is not tried again."""
    if code.startswith("INSUFFICIENT_ACCESS") or code in UNREADABLE_QUERY:
        return _PERMANENT, Reason.NO_PERMISSION
    return _VERDICTS.get(code, (_PERMANENT, Reason.VENDOR_ERROR))


def lacks_feature(code: str) -> bool:
    """Whether the user lacks the right to one feature, such as hard delete. The two bulk APIs spell it differently."""
    return code.replace("_", "").upper() == "FEATURENOTENABLED"


def checked(code: object) -> str:
    return code if isinstance(code, str) and _CODE.fullmatch(code) else NO_CODE


def of_body(body: Any) -> str:
    """The code in an error body: a list of errors, one bulk error, or an OAuth error."""
    error = body[0] if isinstance(body, list) and body else body
    if not isinstance(error, dict):
        return NO_CODE
    for key in ("errorCode", "statusCode", "exceptionCode", "error"):
        if key in error:
            return checked(error[key])
    return NO_CODE


def of_bulk_row(text: str) -> str:
    """The code in a bulk result row: `STATUS_CODE:message:fields`."""
    return checked(text.partition(":")[0])
