"""Which records does a search find? Filter groups, sorts, pages of at most 200, at most 10,000 results in all."""

from __future__ import annotations

import bisect
import json
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from sandbox.hubspot.account import Account, Row
from sandbox.hubspot.addresses import addresses
from sandbox.hubspot.errors import Refused
from sandbox.hubspot.object_types import TYPES
from sandbox.hubspot.properties import Property
from sandbox.hubspot.values import comparable, sortable

LARGEST_PAGE = 200
MOST_RESULTS = 10_000
MOST_GROUPS = 5
MOST_FILTERS = 25
MOST_FILTERS_A_GROUP = 10
NEEDS_VALUES = {"IN", "NOT_IN"}
NEEDS_NOTHING = {"HAS_PROPERTY", "NOT_HAS_PROPERTY"}
NEGATIVE = {"NEQ", "NOT_IN", "NOT_CONTAINS_TOKEN"}
COMPARISONS: dict[str, Callable[[Any, Any], bool]] = {
    "EQ": lambda mine, other: bool(mine == other),
    "NEQ": lambda mine, other: bool(mine != other),
    "LT": lambda mine, other: bool(mine < other),
    "LTE": lambda mine, other: bool(mine <= other),
    "GT": lambda mine, other: bool(mine > other),
    "GTE": lambda mine, other: bool(mine >= other),
}
OPERATORS = {*COMPARISONS, *NEEDS_VALUES, *NEEDS_NOTHING, "BETWEEN", "CONTAINS_TOKEN", "NOT_CONTAINS_TOKEN"}
ID = "hs_object_id"

Test = Callable[[Row], bool]


def search(account: Account, kind: str, request: Mapping[str, Any]) -> tuple[int, list[Row], str | None]:
    """(total, rows of this page, `after` of the next)."""
    limit, after = _number(request.get("limit"), "limit", 10), _number(request.get("after"), "after", 0)
    if not 0 < limit <= LARGEST_PAGE:
        raise invalid(f"limit must be between 1 and {LARGEST_PAGE}, but was {limit}")
    if after >= MOST_RESULTS or after + limit > MOST_RESULTS:
        raise invalid(f"A search can be paged through {MOST_RESULTS} results at most: after {after}, limit {limit}")
    groups = _groups(request)
    name, descending = _sort(account, kind, _list(request, "sorts"))
    above, groups = _keyset(groups) if name == ID and not descending else (None, groups)
    tests = [[_test(account, kind, one) for one in group] for group in groups]
    words = str(request.get("query") or "").lower().split()
    rows = account.view.rows(kind, account.visible(kind)) if not account.switches.hidden else {}
    question = json.dumps([kind, groups, words, name, descending, sorted(account.switches.plain().items())])
    found = account.view.remembered(question)
    if found is None:
        found = _found(account, kind, rows, tests, words, name, descending)
        account.view.remember(question, found)
    start = 0 if above is None else bisect.bisect_right(found, above, key=int)
    total, page = len(found) - start, found[start + after : start + after + limit]
    return total, [rows[key] for key in page], str(after + limit) if after + limit < total else None


def invalid(message: str) -> Refused:
    """A search nobody can run."""
    return Refused(400, f"There was a problem with the request. {message}", errors=[{"message": message}])


def _found(
    account: Account,
    kind: str,
    rows: Mapping[str, Row],
    tests: Sequence[Sequence[Test]],
    words: Sequence[str],
    name: str,
    descending: bool,
) -> list[str]:
    """Ids of all matches, sorted."""
    prop = account.definitions[kind][name]

    def matches(row: Row) -> bool:
        if row["archived"] or (tests and not any(all(test(row) for test in group) for group in tests)):
            return False
        held = [str(row["properties"].get(one) or "").lower() for one in TYPES[kind].searched] if words else []
        return all(any(word in text for text in held) for word in words)

    found = [row for row in rows.values() if matches(row)]
    found.sort(key=lambda row: int(row["id"]))
    if name != ID or descending:
        found.sort(key=lambda row: sortable(prop, account.value(kind, row, name)), reverse=descending)
    return [row["id"] for row in found]


def _keyset(groups: list[list[Mapping[str, Any]]]) -> tuple[int | None, list[list[Mapping[str, Any]]]]:
    """An id that every group wants to be exceeded, taken out of the groups: the next page asks the same question."""
    bounds = [
        [one for one in group if one.get("propertyName") == ID and one.get("operator") == "GT"] for group in groups
    ]
    values = {str(one.get("value")) for bound in bounds for one in bound}
    if len(values) != 1 or any(len(bound) != 1 for bound in bounds) or not (value := values.pop()).isdigit():
        return None, groups
    kept = [[one for one in group if one not in bound] for group, bound in zip(groups, bounds, strict=True)]
    return int(value), kept


def _groups(request: Mapping[str, Any]) -> list[list[Mapping[str, Any]]]:
    groups = []
    for group in _list(request, "filterGroups"):
        filters = group.get("filters") if isinstance(group, dict) else None
        if not isinstance(filters, list) or not all(isinstance(one, dict) for one in filters):
            raise invalid("each of filterGroups holds a list of filters")
        groups.append(filters)
    if plain := _list(request, "filters"):
        groups.append(plain)
    if len(groups) > MOST_GROUPS:
        raise invalid(f"there are {len(groups)} filterGroups, but {MOST_GROUPS} are allowed")
    if any(len(filters) > MOST_FILTERS_A_GROUP for filters in groups):
        raise invalid(f"a group holds more than {MOST_FILTERS_A_GROUP} filters")
    if sum(map(len, groups)) > MOST_FILTERS:
        raise invalid(f"there are more than {MOST_FILTERS} filters in all")
    return groups


def _test(account: Account, kind: str, given: Mapping[str, Any]) -> Test:
    name, operator = str(given.get("propertyName")), str(given.get("operator"))
    prop = account.property(kind, name)
    if prop is None:
        raise invalid(f"Property '{name}' does not exist")
    if operator not in OPERATORS:
        raise invalid(f"{operator} is no operator")
    if operator in NEEDS_NOTHING:
        return lambda row: (account.value(kind, row, name) not in (None, "")) is (operator == "HAS_PROPERTY")
    compare = _comparison(account, prop, operator, given)
    empty = operator in NEGATIVE and account.switches.negative_filters_find_empty
    every_address = kind == "contacts" and name == "email" and account.switches.search_finds_additional_emails
    wanted = set(_wanted(account, prop, operator, given)) if every_address and operator in ("EQ", "IN") else set()

    def test(row: Row) -> bool:
        if wanted:
            return not wanted.isdisjoint(addresses(row))
        held = account.value(kind, row, name)
        return empty if held is None or held == "" else compare(held)

    return test


def _comparison(account: Account, prop: Property, operator: str, given: Mapping[str, Any]) -> Callable[[str], bool]:
    """Whether a filled value passes."""
    if operator in ("CONTAINS_TOKEN", "NOT_CONTAINS_TOKEN"):
        return _token_test(_text(given, "value", operator), operator == "CONTAINS_TOKEN")
    if operator in NEEDS_VALUES:
        several = set(_wanted(account, prop, operator, given))
        return lambda held: (comparable(prop, held) in several) is (operator == "IN")
    least = _comparable(prop, _text(given, "value", operator))
    if operator == "BETWEEN":
        most = _comparable(prop, _text(given, "highValue", operator))
        return lambda held: bool(least <= comparable(prop, held) <= most)
    passes = COMPARISONS[operator]
    return lambda held: passes(comparable(prop, held), least)


def _wanted(account: Account, prop: Property, operator: str, given: Mapping[str, Any]) -> list[Any]:
    if operator == "EQ":
        return [_comparable(prop, _text(given, "value", operator))]
    values = given.get("values")
    if not isinstance(values, list) or not values:
        raise invalid(f"operator {operator} needs values")
    if prop.type in ("string", "enumeration") and account.switches.in_values_must_be_lower_case:
        return [str(value) for value in values]
    return [_comparable(prop, str(value)) for value in values]


def _text(given: Mapping[str, Any], part: str, operator: str) -> str:
    value = given.get(part)
    if value is None or value == "":
        raise invalid(f"operator {operator} on {given.get('propertyName')} needs a {part}")
    return ("true" if value else "false") if isinstance(value, bool) else str(value)


def _comparable(prop: Property, text: str) -> Any:
    try:
        return comparable(prop, text)
    except ValueError:
        raise invalid(f"{text} does not fit {prop.name}, which is a {prop.type}") from None


def _token_test(wanted: str, contains: bool) -> Callable[[str], bool]:
    """Words of the value against words of the wanted text; `*` stands for any rest of a word."""
    tokens = [token for token in re.split(r"[^\w*]+", wanted.lower()) if token]
    patterns = [re.compile(re.escape(token).replace(r"\*", ".*")) for token in tokens]

    def passes(held: str) -> bool:
        words = re.split(r"\W+", held.lower())
        has = bool(patterns) and all(any(one.fullmatch(word) for word in words) for one in patterns)
        return has is contains

    return passes


def _sort(account: Account, kind: str, sorts: list[Any]) -> tuple[str, bool]:
    if not sorts:
        return TYPES[kind].created, False
    if len(sorts) > 1:
        raise invalid("only one sort is allowed")
    first = sorts[0]
    if isinstance(first, dict):
        name, descending = str(first.get("propertyName")), first.get("direction") == "DESCENDING"
    else:
        name, descending = str(first).removeprefix("-"), str(first).startswith("-")
    if account.property(kind, name) is None:
        raise invalid(f"Cannot sort by '{name}', which does not exist")
    return name, descending


def _list(request: Mapping[str, Any], part: str) -> list[Any]:
    found = request.get(part) or []
    if not isinstance(found, list):
        raise invalid(f"{part} is a list")
    return found


def _number(value: Any, name: str, otherwise: int) -> int:
    if value is None or value == "":
        return otherwise
    text = str(value)
    if not (text.isascii() and text.isdigit()):
        raise invalid(f"{name} must be a number")
    return int(text)
