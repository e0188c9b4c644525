"""What is a SOQL statement made of? The values the parser hands to whoever checks and runs them."""

from __future__ import annotations

from dataclasses import dataclass

from sandbox.salesforce.errors import ApiError

_CONTEXT = 60


@dataclass(frozen=True)
class Path:
    """A field, maybe of a parent: `Account.Name` has two parts."""

    parts: tuple[str, ...]
    at: int

    def __str__(self) -> str:
        return ".".join(self.parts)


@dataclass(frozen=True)
class Function:
    """`COUNT(Id)`, `CALENDAR_YEAR(CreatedDate)`, `toLabel(Status)`; `COUNT()` has no argument."""

    name: str
    argument: Path | None
    at: int


Operand = Path | Function


@dataclass(frozen=True)
class Literal:
    """A value as written. `kind`: string, number, boolean, null, date, datetime or range (a named span of days)."""

    kind: str
    value: str | float | bool | None
    at: int
    pattern: str = ""
    """For strings: the text with `%` and `_` still marked as wildcards or escaped, as LIKE needs it."""
    count: int | None = None
    """For ranges such as `LAST_N_DAYS:5`: the number."""


@dataclass(frozen=True)
class Compare:
    left: Operand
    operator: str
    right: Literal


@dataclass(frozen=True)
class Among:
    """`IN` or `NOT IN` a list or a sub-select."""

    left: Operand
    negated: bool
    values: tuple[Literal, ...] | Query


@dataclass(frozen=True)
class All:
    parts: tuple[Condition, ...]


@dataclass(frozen=True)
class Any:
    parts: tuple[Condition, ...]


@dataclass(frozen=True)
class Negation:
    part: Condition


Condition = Compare | Among | All | Any | Negation


@dataclass(frozen=True)
class Selected:
    """One entry of the select list; `alias` only beside functions and grouped fields."""

    what: Operand
    alias: str | None


@dataclass(frozen=True)
class SelectedChildren:
    """`(SELECT ... FROM Contacts)` in the select list."""

    query: Query


@dataclass(frozen=True)
class FieldsOf:
    """`FIELDS(ALL)`, `FIELDS(STANDARD)` or `FIELDS(CUSTOM)`."""

    which: str
    at: int


SelectItem = Selected | SelectedChildren | FieldsOf


@dataclass(frozen=True)
class Ordering:
    by: Operand
    descending: bool
    nulls_last: bool


@dataclass(frozen=True)
class Query:
    select: tuple[SelectItem, ...]
    source: str
    source_at: int
    alias: str | None = None
    where: Condition | None = None
    group_by: tuple[Operand, ...] = ()
    having: Condition | None = None
    order_by: tuple[Ordering, ...] = ()
    limit: int | None = None
    offset: int | None = None
    offset_at: int = 0

    @property
    def counts_rows(self) -> bool:
        """Whether this is the bare `SELECT COUNT() FROM ...`."""
        first = self.select[0]
        return isinstance(first, Selected) and isinstance(first.what, Function) and is_bare_count(first.what)


AGGREGATES = frozenset({"COUNT", "COUNT_DISTINCT", "MIN", "MAX", "SUM", "AVG"})
DATE_PARTS = frozenset(
    {
        "CALENDAR_YEAR",
        "CALENDAR_QUARTER",
        "CALENDAR_MONTH",
        "DAY_IN_MONTH",
        "DAY_IN_WEEK",
        "DAY_IN_YEAR",
        "DAY_ONLY",
        "HOUR_IN_DAY",
        "FISCAL_YEAR",
        "FISCAL_QUARTER",
        "FISCAL_MONTH",
    }
)
PLAIN = frozenset({"TOLABEL", "FORMAT"})


def is_bare_count(what: Function) -> bool:
    return what.name == "COUNT" and what.argument is None


def is_aggregate(what: Operand) -> bool:
    return isinstance(what, Function) and what.name in AGGREGATES


def complaint(text: str, at: int, code: str, message: str) -> ApiError:
    """An error that shows the place in the statement, as the service does."""
    at = min(at, len(text))
    line_start = text.rfind("\n", 0, at) + 1
    row = text.count("\n", 0, at) + 1
    line_end = text.find("\n", at)
    line_end = len(text) if line_end < 0 else line_end
    shown_from = max(line_start, at - _CONTEXT)
    shown = text[shown_from : min(line_end, at + _CONTEXT)]
    pointer = " " * (at - shown_from) + "^"
    return ApiError(400, code, f"\n{shown}\n{pointer}\nERROR at Row:{row}:Column:{at - line_start + 1}\n{message}")
