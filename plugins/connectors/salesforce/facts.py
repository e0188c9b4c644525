"""What may policy know of a row? Vendor rows become facts, identifiers and dates; the values themselves stay here."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime
from typing import Any

from connectors.salesforce.describe import CREATED, FieldView, is_filled
from connectors.salesforce.links import NO_LINKS, Links
from retention.vocabulary import (
    ClassFacts,
    Criteria,
    Dated,
    Facts,
    FieldSet,
    Finding,
    Identifier,
    RecordKind,
    RecordRef,
)

VERSION = "SystemModstamp"

Row = Mapping[str, Any]


def declared(kind: RecordKind) -> tuple[str, ...]:
    """Every field the policy names for a kind, in its order, each once."""
    names: list[str] = []
    for field_set in kind.field_sets:
        names += [*field_set.fields, *field_set.collected_from, field_set.present_if]
    names += [name for name, _ in kind.identifiers]
    names += [kind.opt_out, kind.opt_out_on, kind.consent_on, kind.undated_if, kind.restricted]
    return tuple(dict.fromkeys(name for name in names if name))


def personal(kind: RecordKind) -> tuple[str, ...]:
    """The fields that hold the data itself."""
    return tuple(dict.fromkeys(name for field_set in kind.field_sets for name in field_set.fields))


def date_chain(kind: RecordKind, field_set: FieldSet, view: FieldView) -> tuple[str, ...]:
    """The fields that may date a set, as far as they can be trusted.

    Behind a hidden field the chain ends: its value would have decided, so no later one may. The same goes for the
    creation date where nobody can see whether it is the day of an import.
    """
    chain: list[str] = []
    for name in field_set.collected_from:
        if not view.sees(name) or (name == CREATED and kind.undated_if and not view.sees(kind.undated_if)):
            break
        chain.append(name)
    return tuple(chain)


def filled(kind: RecordKind, row: Row) -> frozenset[str]:
    return frozenset(name for name in personal(kind) if is_filled(row.get(name)))


def identifiers_of(kind: RecordKind, row: Row) -> tuple[Identifier, ...]:
    return tuple(Identifier(what, str(row[name])) for name, what in kind.identifiers if is_filled(row.get(name)))


def finding_of(system: str, kind: RecordKind, view: FieldView, row: Row, links: Links = NO_LINKS) -> Finding:
    ref = RecordRef(system, kind.name, str(row["Id"]), str(row[VERSION]))
    facts = Facts(
        classes=tuple(_classes(kind, view, row)),
        opted_out=bool(row.get(kind.opt_out)),
        opted_out_on=_day(row.get(kind.opt_out_on)),
        consented_on=_day(row.get(kind.consent_on)),
        transactions=links.transactions,
        open_complaint=links.open_complaint,
        restricted=bool(row.get(kind.restricted)),
        undeletable=links.undeletable,
    )
    return Finding(ref, facts, identifiers_of(kind, row))


def meets(criteria: Criteria, facts: Facts) -> bool:
    """Whether the facts alone (identifiers aside) make this a finding. The filter sent may let more through."""
    if criteria.opted_out and facts.opted_out:
        return True
    dates = [one.collected.value if one.collected else None for one in facts.classes]
    if criteria.undated and None in dates:
        return True
    return any(_before(criteria, value) for value in dates if value is not None)


def cutoff_day(criteria: Criteria) -> date | None:
    """The local day, or the UTC day of the instant where none is given."""
    if criteria.collected_before_day is not None or criteria.collected_before is None:
        return criteria.collected_before_day
    return criteria.collected_before.astimezone(UTC).date()


def _before(criteria: Criteria, value: date | datetime) -> bool:
    if criteria.collected_before is None:
        return False
    if isinstance(value, datetime):
        return value < criteria.collected_before
    day = cutoff_day(criteria)
    return day is not None and value < day


def _classes(kind: RecordKind, view: FieldView, row: Row) -> Iterable[ClassFacts]:
    for field_set in kind.field_sets:
        names = tuple(name for name in field_set.fields if is_filled(row.get(name)))
        absent = (
            field_set.present_if and view.sees(field_set.present_if) and not is_filled(row.get(field_set.present_if))
        )
        if names and not absent:
            yield ClassFacts(
                field_set.data_class, field_set.lawful_basis, names, _collected(kind, field_set, view, row)
            )


def _collected(kind: RecordKind, field_set: FieldSet, view: FieldView, row: Row) -> Dated | None:
    for name in date_chain(kind, field_set, view):
        if name == CREATED and kind.undated_if and row.get(kind.undated_if):
            continue
        value = _moment(row.get(name))
        if value is not None:
            return Dated(value, f"{kind.name}.{name}")
    return None


def _moment(value: object) -> date | datetime | None:
    if not isinstance(value, str) or not value:
        return None
    return datetime.fromisoformat(value).astimezone(UTC) if "T" in value else date.fromisoformat(value)


def _day(value: object) -> date | None:
    moment = _moment(value)
    return moment.date() if isinstance(moment, datetime) else moment
