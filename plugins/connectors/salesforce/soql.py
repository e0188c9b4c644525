"""How is a value written into SOQL so that it stays a value? One function for strings, and the filters built with it.

SOQL has no bind parameters over REST. Every string goes through `literal`; LIKE is never used, so no wildcard of an
identifier is ever read as one.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Sequence
from datetime import UTC, date, datetime
from urllib.parse import quote

LONGEST_LITERAL = 4_000  # characters of a string in WHERE
LONGEST_STATEMENT = 100_000  # characters
IN_COMPOSITE = 90_000  # characters of a statement's lists in the body of a composite call, the rest for its other parts
SAFE_URL = 8_000  # bytes of one statement in a URL: half of the 16,384 that URI and headers share
_ID_IN_LIST = len("%27003000000000000AAA%27%2C%20")
RECORD_ID = re.compile(r"[A-Za-z0-9]{15}(?:[A-Za-z0-9]{3})?")
_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]*(?:\.[A-Za-z][A-Za-z0-9_]*)*")


class NotExpressible(ValueError):
    """The value cannot be written as a SOQL string. No stored address or number contains such characters."""


def literal(value: str) -> str:
    """Quote a string. Control and format-breaking characters and over-long values are refused, never dropped."""
    if len(value) > LONGEST_LITERAL:
        raise NotExpressible(f"longer than {LONGEST_LITERAL} characters")
    plain = value.isascii() and value.isprintable()
    if not plain and any(unicodedata.category(character) in ("Cc", "Cs", "Zl", "Zp") for character in value):
        raise NotExpressible("contains a control character")
    return "'" + value.replace("\\", "\\\\").replace("'", "\\'").replace('"', '\\"') + "'"


def is_record_id(key: str) -> bool:
    """Whether this can be the id of a record; one malformed id makes the service refuse a whole call."""
    return RECORD_ID.fullmatch(key) is not None


def name(field_or_object: str) -> str:
    """A name from the policy file, checked: it stands in the statement unquoted."""
    if _NAME.fullmatch(field_or_object) is None:
        raise ValueError(f"{field_or_object!r} is no Salesforce field or object name: mend the systems policy")
    return field_or_object


def instant(moment: datetime) -> str:
    """A date-time literal: absolute UTC, never a relative one, which would follow the user's time zone."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def day(on: date) -> str:
    return on.isoformat()


def select(fields: Iterable[str], kind: str, where: str = "", tail: str = "") -> str:
    statement = f"SELECT {', '.join(name(field) for field in fields)} FROM {name(kind)}"  # noqa: S608 - names checked
    if where:
        statement += f" WHERE {where}"
    return f"{statement} {tail}" if tail else statement


def within(field: str, values: Iterable[str]) -> str:
    return f"{name(field)} IN ({', '.join(literal(value) for value in values)})"


def any_of(conditions: Iterable[str]) -> str:
    return " OR ".join(f"({condition})" for condition in dict.fromkeys(conditions))


def all_of(conditions: Iterable[str]) -> str:
    return " AND ".join(f"({condition})" for condition in dict.fromkeys(conditions))


def in_url(statement: str) -> str:
    return quote(statement, safe="")


def select_newest(link: str, kind: str, alias: str) -> str:
    """When the newest row of each group was made; the filter and the grouping follow."""
    return f"SELECT {name(link)}, MAX(CreatedDate) {alias} FROM {name(kind)}"  # noqa: S608 - names checked


def ids_in_statement(longest: int) -> int:
    """How many ids a list in a statement may hold."""
    return max(1, (longest - 1_000) // _ID_IN_LIST)


def chunks(values: Sequence[str], longest: int, times: int = 1) -> list[tuple[str, ...]]:
    """Cut values so that a list of them, written `times` times in one statement, stays within `longest` as sent."""
    found: list[tuple[str, ...]] = []
    chunk: list[str] = []
    size = 0
    for value in values:
        cost = len(in_url(literal(value) + ", ")) * times
        if chunk and size + cost > longest:
            found.append(tuple(chunk))
            chunk, size = [], 0
        chunk.append(value)
        size += cost
    return [*found, tuple(chunk)] if chunk else found
