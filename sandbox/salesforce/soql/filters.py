"""Which rows does a WHERE clause keep? Conditions checked against field types and turned into functions of a row."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from sandbox.salesforce.errors import ApiError
from sandbox.salesforce.ids import long_id
from sandbox.salesforce.schema import NUMBERS, Field
from sandbox.salesforce.soql import ranges
from sandbox.salesforce.soql.language import (
    All,
    Among,
    Compare,
    Condition,
    Function,
    Literal,
    Negation,
    Operand,
    Query,
    complaint,
)
from sandbox.salesforce.soql.language import Any as AnyOf
from sandbox.salesforce.soql.names import Accessor, Names, Row
from sandbox.salesforce.values import moment_of, stamp

Test = Callable[[Row], bool]
SubSelect = Callable[[Query], frozenset[str]]
"""Runs a sub-select and gives the ids it found."""
Measure = Callable[[Operand], tuple[Field, Accessor]]
"""Finds the value behind an operand that is no plain field: a date part, or an aggregate in HAVING."""

_ORDERS: dict[str, Callable[[Any, Any], bool]] = {
    "<": lambda value, bound: value < bound,
    "<=": lambda value, bound: value <= bound,
    ">": lambda value, bound: value > bound,
    ">=": lambda value, bound: value >= bound,
}
_MAX_SEMI_JOINS = 2


@dataclass
class Filter:
    """Builds tests for one statement; `named_ids` collects the record ids that its conditions spell out."""

    text: str
    names: Names
    now: datetime
    zone: ZoneInfo
    sub_select: SubSelect
    measure: Measure
    grouped: bool = False
    """Whether operands are values of groups (HAVING) and all of them are measured."""
    named_ids: list[str] = field(default_factory=list)
    _semi_joins: int = 0

    def test(self, condition: Condition, *, top: bool = True) -> Test:
        if isinstance(condition, All):
            parts = [self.test(part, top=top) for part in condition.parts]
            return lambda row: all(part(row) for part in parts)
        if isinstance(condition, AnyOf):
            parts = [self.test(part, top=False) for part in condition.parts]
            return lambda row: any(part(row) for part in parts)
        if isinstance(condition, Negation):
            inner = self.test(condition.part, top=False)
            return lambda row: not inner(row)
        if isinstance(condition, Among):
            return self._among(condition, top)
        return self._compare(condition)

    # -- IN

    def _among(self, condition: Among, top: bool) -> Test:
        described, get = self._left(condition.left)
        if isinstance(condition.values, Query):
            members = self._semi_join(condition, condition.values, described, top)
            if condition.negated:
                return lambda row: get(row) not in members
            return lambda row: get(row) in members
        tests = [self._equals(described, get, literal) for literal in condition.values if _is_range(literal)]
        plain = frozenset(
            self._value(described, literal, condition.left.at) for literal in condition.values if not _is_range(literal)
        )
        fold = _folding(described)

        def found(row: Row) -> bool:
            return fold(get(row)) in plain or any(test(row) for test in tests)

        return (lambda row: not found(row)) if condition.negated else found

    def _semi_join(self, condition: Among, query: Query, described: Field, top: bool) -> frozenset[str]:
        at = condition.left.at
        if described.type not in ("id", "reference"):
            raise self._complain(
                at,
                "MALFORMED_QUERY",
                f"The left operand '{described.name}' in the where expression with sub-select should be an id field",
            )
        if not top:
            raise self._complain(
                at,
                "MALFORMED_QUERY",
                "Semi join sub-selects are only allowed at the top level WHERE expressions and not in nested WHERE "
                "expressions.",
            )
        if described.type == "id" and query.source.lower() == self.names.sobject.name.lower():
            raise self._complain(
                at, "MALFORMED_QUERY", "The inner and outer selects should not be on the same object type"
            )
        self._semi_joins += 1
        if self._semi_joins > _MAX_SEMI_JOINS:
            raise self._complain(at, "MALFORMED_QUERY", "Maximum number of semi join sub-selects exceeded")
        return self.sub_select(query)

    # -- comparisons

    def _compare(self, condition: Compare) -> Test:
        described, get = self._left(condition.left)
        literal, operator = condition.right, condition.operator
        if operator == "LIKE":
            return self._like(described, get, literal, condition.left.at)
        if operator in ("=", "!="):
            equals = self._equals(described, get, literal, condition.left.at)
            return equals if operator == "=" else lambda row: not equals(row)
        if described.type == "boolean" or literal.kind == "null":
            raise self._complain(condition.left.at, "INVALID_QUERY_FILTER_OPERATOR", "invalid operator")
        compare = _ORDERS[operator]
        if literal.kind == "range":
            first, after = self._span(described, literal, condition.left.at)
            # Before the span, up to its end, after its end, from its start on.
            bound = first if operator in ("<", ">=") else after
            compare = _ORDERS["<" if operator in ("<", "<=") else ">="]
        else:
            bound = self._value(described, literal, condition.left.at)
        fold = _folding(described)

        def holds(row: Row) -> bool:
            value = get(row)
            return value is not None and bound is not None and compare(fold(value), bound)

        return holds

    def _equals(self, described: Field, get: Accessor, literal: Literal, at: int = 0) -> Test:
        if literal.kind == "range":
            first, after = self._span(described, literal, at)
            return lambda row: (value := get(row)) is not None and first <= value < after
        wanted = self._value(described, literal, at)
        fold = _folding(described)
        return lambda row: fold(get(row)) == wanted

    def _like(self, described: Field, get: Accessor, literal: Literal, at: int) -> Test:
        if described.type in ("boolean", "date", "datetime", "id", "reference", *NUMBERS):
            raise self._complain(at, "INVALID_QUERY_FILTER_OPERATOR", f"invalid operator on {described.type} field")
        self._value(described, literal, at)
        pattern = _pattern(literal.pattern)
        return lambda row: (value := get(row)) is not None and pattern.fullmatch(value) is not None

    # -- operands and values

    def _left(self, operand: Operand) -> tuple[Field, Accessor]:
        if self.grouped or isinstance(operand, Function):
            return self.measure(operand)
        column = self.names.column(operand)
        if not column.field.filterable or column.field.type == "address":
            raise self._complain(
                operand.at, "INVALID_FIELD", f"field '{column.field.name}' can not be filtered in a query call"
            )
        return column.field, column.get

    def _value(self, described: Field, literal: Literal, at: int) -> Any:
        """The literal in stored form, folded for comparison; an error when it has the wrong type."""
        if literal.kind == "null":
            return None
        if described.type in ("id", "reference"):
            return self._id(literal, at)
        if described.type == "boolean" and literal.kind == "boolean":
            return literal.value
        if described.type in NUMBERS and literal.kind == "number":
            return literal.value
        if described.type in ("date", "datetime") and literal.kind == described.type:
            return self._instant(literal)
        if literal.kind == "string" and _is_text(described):
            return str(literal.value).casefold() or None
        quotes = "should be enclosed in quotes" if _is_text(described) else "should not be enclosed in quotes"
        kind = {"datetime": "dateTime", "currency": "double", "percent": "double"}.get(described.type, described.type)
        raise self._complain(
            at,
            "INVALID_FIELD",
            f"value of filter criterion for field '{described.name}' must be of type "
            f"{'string' if _is_text(described) else kind} and {quotes}",
        )

    def _id(self, literal: Literal, at: int) -> str | None:
        if literal.kind != "string":
            raise self._complain(at, "INVALID_QUERY_FILTER_OPERATOR", f"invalid ID field: {literal.value}")
        if literal.value == "":
            return None
        found = long_id(str(literal.value))
        if found is None:
            raise self._complain(at, "INVALID_QUERY_FILTER_OPERATOR", f"invalid ID field: {literal.value}")
        self.named_ids.append(found)
        return found

    def _instant(self, literal: Literal) -> str:
        try:
            if literal.kind == "date":
                return date.fromisoformat(str(literal.value)).isoformat()
            return stamp(moment_of(str(literal.value)))
        except (ValueError, OverflowError):
            raise self._complain(literal.at, "MALFORMED_QUERY", f"invalid date: {literal.value}") from None

    def _span(self, described: Field, literal: Literal, at: int) -> tuple[str, str]:
        """Start and end of a named span in stored form, in the user's time zone for instants."""
        if described.type not in ("date", "datetime"):
            self._value(described, Literal("number", 0.0, literal.at), at)
            raise self._complain(at, "INVALID_FIELD", f"'{literal.value}' needs a date field")
        today = self.now.astimezone(self.zone).date()
        try:
            first, after = ranges.days(str(literal.value), literal.count, today)
        except (OverflowError, ValueError):
            raise self._complain(literal.at, "MALFORMED_QUERY", f"number out of range: {literal.count}") from None
        if described.type == "date":
            return first.isoformat(), after.isoformat()
        return self._midnight(first), self._midnight(after)

    def _midnight(self, day: date) -> str:
        near_the_edge = timedelta(days=2)
        if not date.min + near_the_edge < day < date.max - near_the_edge:
            return stamp(datetime.combine(day, time(), UTC))
        return stamp(datetime.combine(day, time(), self.zone))

    def _complain(self, at: int, code: str, message: str) -> ApiError:
        return complaint(self.text, at, code, message)


def _is_range(literal: Literal) -> bool:
    return literal.kind == "range"


def _is_text(described: Field) -> bool:
    return described.type not in ("boolean", "date", "datetime", "id", "reference", "address", *NUMBERS)


def _folding(described: Field) -> Callable[[Any], Any]:
    """Text compares without case; ids, numbers and instants as they are."""
    if _is_text(described):
        return lambda value: value.casefold() if isinstance(value, str) else value
    return lambda value: value


def _pattern(marked: str) -> re.Pattern[str]:
    """The regular expression of a LIKE pattern: `%` any text, `_` one character, a backslash before a plain one."""
    parts: list[str] = []
    at = 0
    while at < len(marked):
        char = marked[at]
        if char == "\\":
            parts.append(re.escape(marked[at + 1]))
            at += 2
            continue
        parts.append({"%": ".*", "_": "."}.get(char, re.escape(char)))
        at += 1
    return re.compile("".join(parts), re.IGNORECASE | re.DOTALL)
