"""How are field values written down, and is a given value one? Stored values compare as text and print as they are."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime
from typing import Any

from sandbox.salesforce.errors import ApiError
from sandbox.salesforce.ids import long_id
from sandbox.salesforce.schema import NUMBERS, Field

_DATETIME = re.compile(r"(\d{4}-\d{2}-\d{2})(?:[T ](\d{2}:\d{2}:\d{2})(?:\.\d+)?)?\s*(Z|z|[+-]\d{2}:?\d{2})?", re.ASCII)
_EMAIL = re.compile(r"[^\s@<>(),;:\\\"\[\]]+@[^\s@<>(),;:\\\"\[\]]+\.[^\s@<>(),;:\\\"\[\].]+")
_QUOTED_LOCAL = re.compile(r'"[^"\s]+"@[^\s@]+\.[^\s@.]+')
TRUE_WORDS = {"true": True, "1": True, "false": False, "0": False}


def stamp(moment: datetime) -> str:
    """An instant as the service prints it: UTC, whole seconds, three zeros."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.000+0000")


def moment_of(text: str) -> datetime:
    """The instant behind a stored or given text; ValueError if it is none. Without an offset it is UTC."""
    match = _DATETIME.fullmatch(text.strip())
    if match is None:
        raise ValueError(f"not a date-time: {text!r}")
    day, clock, offset = match.groups()
    zone = "+00:00" if offset in (None, "Z", "z") else offset if ":" in offset else f"{offset[:3]}:{offset[3:]}"
    return datetime.fromisoformat(f"{day}T{clock or '00:00:00'}{zone}")


def day_of(text: str) -> date:
    return date.fromisoformat(text[:10])


def seeded(field: Field, value: object) -> object:
    """A value of the made-up population in stored form."""
    if isinstance(value, datetime):
        return stamp(value) if field.type == "datetime" else value.date().isoformat()
    if isinstance(value, date):
        return value.isoformat() if field.type == "date" else stamp(datetime(*value.timetuple()[:3], tzinfo=UTC))
    if field.type == "datetime" and isinstance(value, str) and value:
        return stamp(moment_of(value))
    if field.type == "boolean":
        return bool(value)
    return None if value == "" else value


def accepted(field: Field, value: object) -> object:
    """A value given by a client in stored form; ApiError when the field cannot hold it. Empty text is null."""
    if value is None or value == "":
        if field.type == "boolean":
            raise _not_of_type(field, "")
        return None
    if field.type == "boolean":
        return _boolean(field, value)
    if field.type in NUMBERS:
        return _number(field, value)
    if field.type == "date":
        return _date(field, value)
    if field.type == "datetime":
        return _datetime(field, value)
    if field.type in ("id", "reference"):
        return _reference(field, value)
    return _text(field, value)


def _boolean(field: Field, value: object) -> bool:
    if isinstance(value, bool):
        return value
    word = value.lower() if isinstance(value, str) else None
    if word not in TRUE_WORDS:
        raise _not_of_type(field, value)
    return TRUE_WORDS[word]


def _number(field: Field, value: object) -> int | float:
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        raise _not_of_type(field, value)
    try:
        number = float(value)
    except ValueError:
        raise _not_of_type(field, value) from None
    return int(number) if field.type == "int" else number


def _date(field: Field, value: object) -> str:
    if isinstance(value, str):
        try:
            return moment_of(value).date().isoformat()
        except ValueError:
            raise _not_of_type(field, value) from None
    raise _not_of_type(field, value)


def _datetime(field: Field, value: object) -> str:
    if isinstance(value, str):
        try:
            return stamp(moment_of(value))
        except ValueError:
            raise _not_of_type(field, value) from None
    raise _not_of_type(field, value)


def _reference(field: Field, value: object) -> str:
    found = long_id(value) if isinstance(value, str) else None
    if found is None:
        raise ApiError(400, "MALFORMED_ID", f"{field.label}: id value of incorrect type: {value}", [field.name])
    return found


def _text(field: Field, value: object) -> str:
    if not isinstance(value, str):
        if isinstance(value, dict | list):
            raise _not_of_type(field, value)
        value = str(value).lower() if isinstance(value, bool) else str(value)
    value = value.strip()
    if field.length and len(value) > field.length:
        raise ApiError(
            400,
            "STRING_TOO_LONG",
            f"{field.label}: data value too large: {value} (max length={field.length})",
            [field.name],
        )
    if field.type == "email" and not (_EMAIL.fullmatch(value) or _QUOTED_LOCAL.fullmatch(value)):
        raise ApiError(400, "INVALID_EMAIL_ADDRESS", f"{field.label}: invalid email address: {value}", [field.name])
    return value


def _not_of_type(field: Field, value: object) -> ApiError:
    return ApiError(
        400, "JSON_PARSER_ERROR", f"Cannot deserialize instance of {field.type} from VALUE_STRING value {value}"
    )


def csv_text(value: Any) -> str:
    """A stored value in a bulk result file."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)
