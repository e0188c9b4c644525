"""What may a property hold, and how do two values compare? Everything is stored as text, or as nothing."""

from __future__ import annotations

import json
import re
from datetime import UTC, date, datetime
from typing import Any

from sandbox.hubspot.properties import Property

_ADDRESS = re.compile(r"[^\s@\"(),:;<>\[\]\\]+@[^\s@\"(),:;<>\[\]\\]+\.[^\s@.\"(),:;<>\[\]\\0-9]{2,}")
_NUMBER = re.compile(r"[-+]?(\d+(\.\d*)?|\.\d+)([eE][-+]?\d+)?")
LEAST = float("-inf")


class Unfit(ValueError):
    """A value that its property cannot hold."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


def is_address(text: str) -> bool:
    """Whether mail could be sent there."""
    return len(text) <= 254 and _ADDRESS.fullmatch(text) is not None


def instant(moment: datetime) -> str:
    """A time as the service writes it, to the millisecond."""
    utc = moment.astimezone(UTC)
    return utc.strftime("%Y-%m-%dT%H:%M:%S.") + f"{utc.microsecond // 1000:03d}Z"


def stored(prop: Property, given: Any) -> str | None:
    """What is stored for a value that is written; nothing clears."""
    if given is None or given == "":
        return None
    text = json.dumps(given) if isinstance(given, bool | int | float) else str(given)
    if prop.name == "email":
        text = text.strip().lower()
        if not is_address(text):
            raise Unfit("INVALID_EMAIL", f"Email address {text} is invalid")
    match prop.type:
        case "number":
            if _NUMBER.fullmatch(text) is None:
                raise Unfit("INVALID_DOUBLE", f"{text} was not a valid number.")
        case "bool":
            if text not in ("true", "false"):
                raise Unfit("INVALID_OPTION", f"{text} was not one of the allowed options: [true, false]")
        case "enumeration":
            chosen = text.split(";") if prop.field_type == "checkbox" else [text]
            for one in chosen:
                if one and not prop.takes(one):
                    allowed = ", ".join(str(option["value"]) for option in prop.options)
                    raise Unfit("INVALID_OPTION", f"{one} was not one of the allowed options: [{allowed}]")
        case "date":
            return _day(text)
        case "datetime":
            return instant(_moment(text, "INVALID_DATE"))
    return text


def _day(text: str) -> str:
    if re.fullmatch(r"\d{4}-\d{2}-\d{2}", text):
        try:
            return date.fromisoformat(text).isoformat()
        except ValueError:
            raise Unfit("INVALID_DATE", f"{text} was not a valid date.") from None
    moment = _moment(text, "INVALID_LONG")
    if (moment.hour, moment.minute, moment.second, moment.microsecond) != (0, 0, 0, 0):
        raise Unfit("INVALID_DATE", f"{text} is at {moment:%H:%M:%S} UTC, not midnight!")
    return moment.date().isoformat()


def _moment(text: str, code: str) -> datetime:
    try:
        if re.fullmatch(r"-?\d+", text):
            return datetime.fromtimestamp(int(text) / 1000, UTC)
        moment = datetime.fromisoformat(text)
    except (ValueError, OverflowError, OSError):
        raise Unfit(code, f"{text} was not a valid long.") from None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def comparable(prop: Property, text: str) -> Any:
    """Numbers as numbers, times as milliseconds, text without regard to case. ValueError for what is neither."""
    if prop.type == "number":
        return float(text)
    if prop.type in ("date", "datetime"):
        return _moment(text, "INVALID_DATE").timestamp() * 1000
    return text.lower()


def sortable(prop: Property, text: str | None) -> Any:
    """For sorting: what is empty comes first."""
    if text is None or text == "":
        return "" if prop.type not in ("number", "date", "datetime") else LEAST
    return comparable(prop, text)
