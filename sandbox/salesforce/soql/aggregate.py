"""What do COUNT, SUM and GROUP BY answer, and which part of a date is meant?"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import timedelta
from typing import Any

from sandbox.salesforce.schema import NUMBERS, Field
from sandbox.salesforce.soql.language import (
    DATE_PARTS,
    Function,
    Operand,
    Query,
    Selected,
    complaint,
    is_aggregate,
)
from sandbox.salesforce.soql.names import Accessor, Names, Row
from sandbox.salesforce.values import day_of, moment_of

_NUMBER = Field("number", "number", "double", 0, frozenset("nfsg"), (), None, None)


def date_part(text: str, what: Function, names: Names) -> tuple[Field, Accessor]:
    """`CALENDAR_YEAR(CreatedDate)` and its like, as a filterable value. Parts of an instant are in UTC."""
    if what.name not in DATE_PARTS or what.argument is None:
        raise complaint(text, what.at, "MALFORMED_QUERY", f"unexpected token: '{what.name}'")
    column = names.column(what.argument)
    if column.field.type not in ("date", "datetime"):
        raise complaint(text, what.at, "INVALID_FIELD", f"field '{column.field.name}' is no date")
    day_only = what.name == "DAY_ONLY"
    described = Field(what.name, what.name, "date" if day_only else "int", 0, frozenset("nfsg"), (), None, None)

    def get(row: Row) -> Any:
        value = column.get(row)
        return None if value is None else _part(what.name, value)

    return described, get


def _part(name: str, value: str) -> Any:
    day = day_of(value)
    if name == "DAY_ONLY":
        return day.isoformat()
    if name == "HOUR_IN_DAY":
        return moment_of(value).hour
    sunday_first = (day.weekday() + 1) % 7 + 1
    return {
        "YEAR": day.year,
        "MONTH": day.month,
        "QUARTER": (day.month + 2) // 3,
        "DAY_IN_MONTH": day.day,
        "DAY_IN_WEEK": sunday_first,
        "DAY_IN_YEAR": (day - day.replace(month=1, day=1)) // timedelta(days=1) + 1,
    }[name.removeprefix("CALENDAR_").removeprefix("FISCAL_")]


class Grouping:
    """The grouped keys and aggregates of one statement, with the names they have in the answer."""

    def __init__(self, text: str, query: Query, names: Names) -> None:
        self._text = text
        self._names = names
        self.keys = [self._key(operand) for operand in query.group_by]
        self._aggregates: dict[tuple[str, str], Callable[[list[Row]], Any]] = {}
        self.columns: dict[str, tuple[str, str]] = {}
        unnamed = 0
        for item in query.select:
            if not isinstance(item, Selected):
                raise complaint(text, query.source_at, "MALFORMED_QUERY", "a grouped query selects no records")
            name = item.alias
            if name is None and isinstance(item.what, Function):
                name = f"expr{unnamed}"
                unnamed += 1
            elif name is None and not isinstance(item.what, Function):
                name = names.column(item.what).path[-1]
            self.columns[str(name)] = self._identity(item.what)

    def _key(self, operand: Operand) -> tuple[tuple[str, str], Accessor]:
        if isinstance(operand, Function):
            return self._name_of(operand), date_part(self._text, operand, self._names)[1]
        column = self._names.column(operand)
        if not column.field.groupable:
            raise complaint(
                self._text,
                operand.at,
                "MALFORMED_QUERY",
                f"field '{column.field.name}' can not be grouped in a query call",
            )
        return self._name_of(operand), column.get

    def _identity(self, operand: Operand) -> tuple[str, str]:
        """How a group's row calls this value; aggregates are prepared on the way."""
        identity = self._name_of(operand)
        if isinstance(operand, Function) and is_aggregate(operand):
            self._aggregates[identity] = self._aggregate(operand)
        elif identity not in {key for key, _ in self.keys}:
            raise complaint(
                self._text,
                operand.at,
                "MALFORMED_QUERY",
                f"Field must be grouped or aggregated: {identity[1]}",
            )
        return identity

    def _name_of(self, operand: Operand) -> tuple[str, str]:
        if isinstance(operand, Function):
            inner = ".".join(self._names.column(operand.argument).path) if operand.argument else ""
            return operand.name, inner
        return "", ".".join(self._names.column(operand).path)

    def _aggregate(self, what: Function) -> Callable[[list[Row]], Any]:
        if what.argument is None:
            return len
        column = self._names.column(what.argument)
        if what.name in ("SUM", "AVG") and column.field.type not in NUMBERS:
            raise complaint(
                self._text,
                what.at,
                "MALFORMED_QUERY",
                f"field {column.field.name} does not support aggregate operator {what.name}",
            )

        def over(rows: list[Row]) -> Any:
            return _summed_up(what.name, [value for row in rows if (value := column.get(row)) is not None])

        return over

    def measure(self, operand: Operand) -> tuple[Field, Accessor]:
        """An aggregate or a grouped value in HAVING."""
        identity = self._identity(operand)
        return _NUMBER, lambda row: row[identity]

    def group_row(self, keys: Mapping[tuple[str, str], Any], rows: list[Row]) -> dict[Any, Any]:
        return {**keys, **{name: over(rows) for name, over in self._aggregates.items()}}

    def render(self, row: Mapping[Any, Any]) -> dict[str, Any]:
        found = {name: row[identity] for name, identity in self.columns.items()}
        return {"attributes": {"type": "AggregateResult"}, **found}


def grouped(
    shape: Grouping, rows: Iterable[Row], having: Callable[[Mapping[Any, Any]], bool] | None
) -> Iterator[Mapping[Any, Any]]:
    """One row per group; without GROUP BY one row over everything, even over nothing."""
    groups: dict[tuple[Any, ...], list[Row]] = {} if shape.keys else {(): []}
    for row in rows:
        groups.setdefault(tuple(get(row) for _, get in shape.keys), []).append(row)
    for values, members in groups.items():
        keys = {name: value for (name, _), value in zip(shape.keys, values, strict=True)}
        found = shape.group_row(keys, members)
        if having is None or having(found):
            yield found


def _summed_up(name: str, values: list[Any]) -> Any:
    if name == "COUNT":
        return len(values)
    if name == "COUNT_DISTINCT":
        return len(set(values))
    if not values:
        return None
    if name == "AVG":
        return sum(values) / len(values)
    if name == "SUM":
        return sum(values)
    return min(values) if name == "MIN" else max(values)
