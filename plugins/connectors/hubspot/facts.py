"""What may policy know of a contact? Vendor properties become facts, identifiers and dates; the values stay here."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any

from retention.vocabulary import (
    ClassFacts,
    Criteria,
    Dated,
    Facts,
    FieldSet,
    Finding,
    Identifier,
    IdentifierKind,
    RecordKind,
    RecordRef,
    Scalar,
)

CREATED = frozenset({"createdate", "hs_createdate"})
"""When the account first had the contact: an import date where the contact was imported."""

ADDITIONAL = "hs_additional_emails"
DEALS = "num_associated_deals"
COMPANY = "associatedcompanyid"
MERGED = ("hs_merged_object_ids", "hs_calculated_merged_vids")
OF_CONTACT = "contact."
"""Begins the name of what an activity is known by: a property of the contacts it is linked with."""

Row = Mapping[str, Any]
Properties = Mapping[str, Any]
Types = Mapping[str, str]


def declared(kind: RecordKind) -> tuple[str, ...]:
    """Every property the policy names for a kind, in its order, each once."""
    names: list[str] = []
    for field_set in kind.field_sets:
        names += [*field_set.fields, *field_set.collected_from, field_set.present_if]
    names += [name for name, _ in kind.identifiers]
    names += [kind.opt_out, kind.opt_out_on, kind.consent_on, kind.undated_if, kind.restricted]
    return tuple(dict.fromkeys(name for name in names if name and not name.startswith(OF_CONTACT)))


def personal(kind: RecordKind) -> tuple[str, ...]:
    """The properties that hold the data itself."""
    return tuple(dict.fromkeys(name for field_set in kind.field_sets for name in field_set.fields))


def date_chain(kind: RecordKind, field_set: FieldSet, types: Types) -> tuple[str, ...]:
    """The properties that may date a set, as far as they can be trusted.

    Behind a hidden one the chain ends: its value would have decided, so no later one may. The same goes for the
    creation date where nobody can see whether it is the day of an import.
    """
    chain: list[str] = []
    for name in field_set.collected_from:
        if name not in types or (name in CREATED and kind.undated_if and kind.undated_if not in types):
            break
        chain.append(name)
    return tuple(chain)


def properties_of(row: Row) -> Properties:
    properties = row.get("properties")
    return properties if isinstance(properties, dict) else {}


def version_of(row: Row) -> str:
    return str(row.get("updatedAt") or "")


def is_filled(value: object) -> bool:
    return value not in (None, "")


def is_true(value: object) -> bool:
    """Booleans are texts here; one that was never set is absent, and means no."""
    return isinstance(value, str) and value.lower() == "true"


def filled(kind: RecordKind, properties: Properties) -> frozenset[str]:
    return frozenset(name for name in personal(kind) if is_filled(properties.get(name)))


def identifiers_of(kind: RecordKind, properties: Properties) -> tuple[Identifier, ...]:
    found: dict[Identifier, None] = {}
    for name, what in kind.identifiers:
        value = properties.get(name)
        if not is_filled(value):
            continue
        for one in str(value).split(";") if name.endswith(ADDITIONAL) else (str(value),):
            if one.strip():
                found[Identifier(what, one.strip())] = None
    return tuple(found)


def addresses_of(kind: RecordKind, properties: Properties) -> tuple[str, ...]:
    """Every address the contact is known by, in lower case as the service stores them."""
    kinds = identifiers_of(kind, properties)
    return tuple(dict.fromkeys(one.value.lower() for one in kinds if one.kind is IdentifierKind.EMAIL))


def finding_of(system: str, kind: RecordKind, types: Types, row: Row, marketing: Sequence[str] = ()) -> Finding:
    """What the record itself says. `marketing` names the opt-outs of single kinds of mail that together mean all of
    marketing."""
    properties = properties_of(row)
    out_of_each = bool(marketing) and all(is_true(properties.get(name)) for name in marketing)
    facts = Facts(
        classes=tuple(_classes(kind, types, properties)),
        opted_out=is_true(properties.get(kind.opt_out)) or out_of_each,
        opted_out_on=day_of(properties.get(kind.opt_out_on)),
        consented_on=day_of(properties.get(kind.consent_on)),
        restricted=is_true(properties.get(kind.restricted)),
    )
    ref = RecordRef(system, kind.name, str(row["id"]), version_of(row))
    return Finding(ref, facts, identifiers_of(kind, properties))


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


def moment_of(value: object) -> date | datetime | None:
    """A day (`2021-11-22`), an instant (ISO or milliseconds since 1970), or None for anything else."""
    text = str(value) if is_filled(value) else ""
    try:
        if text.lstrip("-").isdigit():
            return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=int(text))
        if "T" not in text:
            return date.fromisoformat(text)
        moment = datetime.fromisoformat(text)
    except (ValueError, OverflowError):
        return None
    return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)


def day_of(value: object) -> date | None:
    moment = moment_of(value)
    return moment.date() if isinstance(moment, datetime) else moment


def _before(criteria: Criteria, value: date | datetime) -> bool:
    if criteria.collected_before is None:
        return False
    if isinstance(value, datetime):
        return value < criteria.collected_before
    day = cutoff_day(criteria)
    return day is not None and value < day


def _classes(kind: RecordKind, types: Types, properties: Properties) -> Iterable[ClassFacts]:
    for field_set in kind.field_sets:
        names = tuple(name for name in field_set.fields if is_filled(properties.get(name)))
        presence = field_set.present_if
        is_absent = presence and presence in types and not is_filled(properties.get(presence))
        if names and not is_absent:
            collected = _collected(kind, field_set, types, properties)
            yield ClassFacts(field_set.data_class, field_set.lawful_basis, names, collected)


def _collected(kind: RecordKind, field_set: FieldSet, types: Types, properties: Properties) -> Dated | None:
    """The first filled property decides, also where what it holds is no date: then none can be proven."""
    for name in date_chain(kind, field_set, types):
        if name in CREATED and is_true(properties.get(kind.undated_if)):
            continue
        if is_filled(value := properties.get(name)):
            moment = moment_of(value)
            if types[name] == "date" and isinstance(moment, datetime):
                moment = moment.date()  # a day stored as its UTC midnight
            return None if moment is None else Dated(moment, f"{kind.name}.{name}")
    return None


def holds(properties: Mapping[str, Any], values: Mapping[str, Scalar]) -> bool:
    """Whether properties hold these values; the service keeps addresses in small letters."""
    return all(_comparable(properties.get(name)) == _comparable(value) for name, value in values.items())


def _comparable(value: object) -> str:
    plain = "" if value is None else str(value).strip()
    return plain.casefold() if "@" in plain else plain
