"""Which contacts does a search find? Filter groups, sorts, pages of at most 200, at most 10,000 results in all."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime
from typing import Any

from sandbox.hubspot.account import Account, Row, addresses
from sandbox.hubspot.errors import Refused
from sandbox.hubspot.properties import Property

LARGEST_PAGE = 200
MOST_RESULTS = 10_000
MOST_GROUPS = 5
MOST_FILTERS = 25
MOST_FILTERS_A_GROUP = 10
NEEDS_VALUES = {"IN", "NOT_IN"}
NEEDS_NOTHING = {"HAS_PROPERTY", "NOT_HAS_PROPERTY"}
OPERATORS = {"EQ", "NEQ", "LT", "LTE", "GT", "GTE", "BETWEEN", "CONTAINS_TOKEN", "NOT_CONTAINS_TOKEN"}
OPERATORS |= NEEDS_VALUES | NEEDS_NOTHING

Test = Callable[[Row], bool]


def search(account: Account, kind: str, request: Mapping[str, Any]) -> tuple[int, list[Row], str | None]:
    """(total, rows of this page, `after` of the next)."""
    limit = _number(request.get("limit", 10), "limit")
    after = _number(request.get("after") or 0, "after")
    if not 0 < limit <= LARGEST_PAGE:
        raise Refused(400, f"limit must be between 1 and {LARGEST_PAGE}")
    if after + limit > MOST_RESULTS:
        raise Refused(400, f"The request exceeds the maximum of {MOST_RESULTS} results: page with filters instead")
    test = _any_group(account, kind, request.get("filterGroups") or [])
    visible = () if account.switches.hidden else account.objects[kind].values()
    found = [row for row in visible if not row["archived"] and test(row)]
    if word := str(request.get("query") or "").lower():
        found = [row for row in found if any(word in str(v or "").lower() for v in row["properties"].values())]
    name, descending = _sort(account, kind, request.get("sorts") or [])
    prop = account.properties[kind][name]
    found.sort(key=lambda row: (_comparable(prop, row["properties"].get(name)), int(row["id"])), reverse=descending)
    page = found[after : after + limit]
    more = after + limit < len(found)
    return len(found), page, str(after + limit) if more else None


def _any_group(account: Account, kind: str, groups: list[Mapping[str, Any]]) -> Test:
    filters = [group.get("filters") or [] for group in groups]
    too_many = len(groups) > MOST_GROUPS or any(len(one) > MOST_FILTERS_A_GROUP for one in filters)
    if too_many or sum(map(len, filters)) > MOST_FILTERS:
        raise Refused(400, f"at most {MOST_GROUPS} filterGroups, {MOST_FILTERS_A_GROUP} filters each")
    tests = [[_filter(account, kind, one) for one in group] for group in filters]
    return lambda row: not tests or any(all(test(row) for test in group) for group in tests)


def _filter(account: Account, kind: str, given: Mapping[str, Any]) -> Test:
    name, operator = str(given.get("propertyName")), str(given.get("operator"))
    prop = account.properties[kind].get(name)
    if prop is None:
        raise Refused(400, f"There was a problem with the request: property {name} does not exist")
    if operator not in OPERATORS:
        raise Refused(400, f"{operator} is no operator")
    if operator in NEEDS_VALUES and not given.get("values"):
        raise Refused(400, f"operator {operator} needs values")
    if operator not in NEEDS_VALUES | NEEDS_NOTHING and given.get("value") in (None, ""):
        raise Refused(400, f"operator {operator} needs a value")
    every_address = name == "email" and kind == "contacts" and account.switches.search_finds_additional_emails

    def test(row: Row) -> bool:
        held = row["properties"].get(name)
        if operator in NEEDS_NOTHING:
            return (held not in (None, "")) is (operator == "HAS_PROPERTY")
        if held in (None, ""):
            return False
        if every_address and operator in ("EQ", "IN"):
            wanted = {str(v).lower() for v in (given.get("values") or [given.get("value")])}
            return bool(wanted & addresses(row))
        return _holds(prop, operator, held, given)

    return test


def _holds(prop: Property, operator: str, held: str, given: Mapping[str, Any]) -> bool:
    if operator in ("CONTAINS_TOKEN", "NOT_CONTAINS_TOKEN"):
        return _has_token(held, str(given["value"])) is (operator == "CONTAINS_TOKEN")
    mine = _comparable(prop, held)
    if operator in NEEDS_VALUES:
        return (mine in [_comparable(prop, value) for value in given["values"]]) is (operator == "IN")
    other = _comparable(prop, given["value"])
    match operator:
        case "EQ":
            return bool(mine == other)
        case "NEQ":
            return bool(mine != other)
        case "LT":
            return bool(mine < other)
        case "LTE":
            return bool(mine <= other)
        case "GT":
            return bool(mine > other)
        case "GTE":
            return bool(mine >= other)
    return bool(other <= mine <= _comparable(prop, given.get("highValue")))


def _has_token(held: str, wanted: str) -> bool:
    """Words of the value against words of the wanted text; `*` stands for any rest of a word."""
    tokens = re.split(r"[^\w*]+", held.lower())
    pattern = [re.escape(token).replace(r"\*", ".*") for token in re.split(r"[^\w*]+", wanted.lower()) if token]
    return bool(pattern) and all(any(re.fullmatch(one, token) for token in tokens) for one in pattern)


def _comparable(prop: Property, value: Any) -> Any:
    """Numbers as numbers, times as milliseconds, text without regard to case; what is empty sorts first."""
    text = "" if value is None else str(value)
    if prop.type == "number":
        return float(text) if re.fullmatch(r"-?\d+(\.\d+)?", text) else float("-inf")
    if prop.type in ("date", "datetime"):
        return _milliseconds(text)
    return text.lower()


def _milliseconds(text: str) -> float:
    if re.fullmatch(r"-?\d+", text):
        return float(text)
    try:
        if "T" in text:
            return datetime.fromisoformat(text).timestamp() * 1000
        day = date.fromisoformat(text)
        return datetime(day.year, day.month, day.day, tzinfo=UTC).timestamp() * 1000
    except ValueError:
        return float("-inf")


def _sort(account: Account, kind: str, sorts: list[Any]) -> tuple[str, bool]:
    if not sorts:
        return "createdate", False
    if len(sorts) > 1:
        raise Refused(400, "at most one sort is allowed")
    first = sorts[0]
    if isinstance(first, str):
        name, descending = first.removeprefix("-"), first.startswith("-")
    else:
        name, descending = str(first.get("propertyName")), first.get("direction") == "DESCENDING"
    if name not in account.properties[kind]:
        raise Refused(400, f"cannot sort by {name}")
    return name, descending


def _number(value: Any, name: str) -> int:
    text = str(value)
    if not text.isdigit():
        raise Refused(400, f"{name} must be a number")
    return int(text)
