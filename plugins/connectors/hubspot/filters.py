"""Which contacts should the account send? Criteria as filter groups that may let too much through, never too little.

A group holds alternatives' parts that must all be true; groups are alternatives. The vendor's limits on both differ
from source to source (3 groups of 3 filters is the smallest): each group keeps one filter free for the last id.
What comes back is compared again here, so that no tokeniser, wildcard or letter case can widen an answer.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any, TypeVar

from connectors.hubspot.facts import ADDITIONAL, CREATED, Types, cutoff_day, date_chain
from retention.vocabulary import Criteria, FieldSet, Identifier, IdentifierKind, RecordKind

MOST_GROUPS = 3
MOST_FILTERS = 3
MOST_VALUES = 100
FEW_ADDRESSES = 8

Filter = tuple[str, str, str | tuple[str, ...]]
Condition = tuple[Filter, ...]
Query = tuple[Condition, ...]

_T = TypeVar("_T")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_UNPRINTABLE = frozenset(map(chr, (*range(0x21), 0x7F, *range(0x80, 0xA1))))


def by_facts(kind: RecordKind, types: Types, criteria: Criteria, marketing: Sequence[str] = ()) -> list[Condition]:
    """Conditions for dates and opt-out; none where nothing that was asked for can be read.

    Who opted out of every kind of `marketing` mail, one by one, opted out as well: two of the kinds are asked for.
    """
    conditions: list[Condition] = []
    if criteria.collected_before is not None:
        for field_set in kind.field_sets:
            conditions += _collected_before(date_chain(kind, field_set, types), types, criteria)
    if criteria.opted_out and kind.opt_out in types:
        conditions.append(((kind.opt_out, "EQ", "true"),))
        if marketing:
            conditions.append(_cropped([(name, "EQ", "true") for name in marketing]))
    if criteria.undated:
        for field_set in kind.field_sets:
            conditions += _undated(kind, field_set, types)
    return _without_repetition(conditions)


def by_identifiers(kind: RecordKind, types: Types, identifiers: Sequence[Identifier]) -> Iterator[list[Condition]]:
    """Conditions for identifiers, in portions that make a few queries each.

    An additional address cannot be asked for by equality. A few are asked for by their parts; for many it costs less
    to read every contact that has additional addresses and to compare here.
    """
    asked = {
        what: sorted({one.value.lower() for one in identifiers if one.kind is what and _is_askable(one)})
        for what in IdentifierKind
    }
    addresses = asked[IdentifierKind.EMAIL]
    plain: list[Condition] = [
        ((name, "IN", tuple(values)),)
        for name, what in kind.identifiers
        if name in types and name != ADDITIONAL
        for values in portions(asked[what], MOST_VALUES)
    ]
    known_by_more = ADDITIONAL in types and ADDITIONAL in dict(kind.identifiers)
    if len(addresses) <= FEW_ADDRESSES and len(plain) <= MOST_GROUPS:
        parts = [((ADDITIONAL, "CONTAINS_TOKEN", value),) for value in addresses if known_by_more]
        if plain or parts:
            yield [*plain, *parts]
        return
    if addresses and known_by_more:
        plain.append(((ADDITIONAL, "HAS_PROPERTY", ""),))
    for some in portions(plain, MOST_GROUPS):
        yield list(some)


def may_be_address(value: str) -> bool:
    """Whether anybody could be stored under it. Much that is no address passes; it finds nobody."""
    local, _, domain = value.rpartition("@")
    return bool(local) and bool(domain) and len(value) <= 320 and not _UNPRINTABLE.intersection(value)


def queries(conditions: Sequence[Condition]) -> tuple[Query, ...]:
    """As few queries as the limit of groups allows."""
    return tuple(tuple(some) for some in portions(conditions, MOST_GROUPS))


def in_request(query: Query, after_id: str) -> list[dict[str, Any]]:
    """The query's filter groups for what comes after an id."""
    behind: Filter = ("hs_object_id", "GT", after_id)
    return [{"filters": [_in_request(part) for part in (*condition, behind)]} for condition in query]


def portions(values: Sequence[_T], size: int) -> Iterator[Sequence[_T]]:
    for start in range(0, len(values), size):
        yield values[start : start + size]


def _is_askable(identifier: Identifier) -> bool:
    if identifier.kind is IdentifierKind.EMAIL:
        return may_be_address(identifier.value)
    return bool(identifier.value.strip())


def _collected_before(chain: Sequence[str], types: Types, criteria: Criteria) -> Iterator[Condition]:
    """One condition per property that may decide: it is past the cut-off, and the preferred ones are empty."""
    undecided: list[Filter] = []
    for name in chain:
        decides: Filter = (name, "LT", _milliseconds(_cut(types[name], criteria)))
        yield _cropped([decides, *reversed(undecided)])
        undecided.append((name, "NOT_HAS_PROPERTY", ""))


def _undated(kind: RecordKind, field_set: FieldSet, types: Types) -> Iterator[Condition]:
    """Conditions under which no date can be proven though the set is there; nothing where that cannot be."""
    chain = date_chain(kind, field_set, types)
    if field_set.present_if in chain:
        return
    empty: list[Filter] = [(name, "NOT_HAS_PROPERTY", "") for name in reversed(chain) if name not in CREATED]
    if len(empty) < len(chain):
        if kind.undated_if:
            yield _cropped([(kind.undated_if, "EQ", "true"), *empty])
        return
    signs = [field_set.present_if] if field_set.present_if in types else field_set.fields
    for sign in signs:
        if sign in types:
            yield _cropped([(sign, "HAS_PROPERTY", ""), *empty])


def _cropped(parts: Sequence[Filter]) -> Condition:
    """Left out parts only let more through."""
    return tuple(parts[: MOST_FILTERS - 1])


def _without_repetition(conditions: Iterable[Condition]) -> list[Condition]:
    """Leave out what another condition already lets through."""
    kept: list[Condition] = []
    for condition in conditions:
        if any(set(other) <= set(condition) for other in kept):
            continue
        kept = [other for other in kept if not set(condition) <= set(other)]
        kept.append(condition)
    return kept


def _cut(type_: str, criteria: Criteria) -> date | datetime:
    day = cutoff_day(criteria)
    if type_ == "date" and day is not None:
        return day
    return criteria.collected_before or _EPOCH


def _milliseconds(moment: date | datetime) -> str:
    """The form the service takes for days (their UTC midnight) and instants alike."""
    instant = moment if isinstance(moment, datetime) else datetime(moment.year, moment.month, moment.day, tzinfo=UTC)
    return str((instant - _EPOCH) // timedelta(milliseconds=1))


def _in_request(part: Filter) -> dict[str, Any]:
    name, operator, value = part
    if isinstance(value, tuple):
        return {"propertyName": name, "operator": operator, "values": list(value)}
    return {"propertyName": name, "operator": operator, **({"value": value} if value else {})}
