"""What may policy know of a row? Vendor rows become facts, identifiers and dates; the values themselves stay here."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime
from typing import Any

from connectors.salesforce.describe import CREATED, FieldView, is_filled, value_of
from connectors.salesforce.links import NO_LINKS, Links
from connectors.salesforce.standard import special
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


def selected(kind: RecordKind, view: FieldView) -> tuple[str, ...]:
    """Every field a search asks for: what the policy names, and the ways to what hangs on the record."""
    way = special(kind.name)
    vias = [one.via for one in way.relations if view.knows(one.via)]
    own = [name for name in declared(kind) if view.sees(name)]
    return tuple(dict.fromkeys(["Id", VERSION, *own, *objections(kind, view), *vias, *filter(None, [way.opened])]))


def objections(kind: RecordKind, view: FieldView) -> tuple[str, ...]:
    """The flags of the person's Individual that mean "do not use my data for marketing", where the org has them."""
    way = special(kind.name).individual
    if not way or not view.knows(f"{way}Id"):
        return ()
    return tuple(f"{way}.{flag}" for flag in ("HasOptedOutSolicit", "HasOptedOutProcessing", "ShouldForget"))


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
    return frozenset(name for name in personal(kind) if is_filled(value_of(row, name)))


def identifiers_of(kind: RecordKind, row: Row) -> tuple[Identifier, ...]:
    several = special(kind.name).several_people
    found: dict[Identifier, None] = {}
    for name, what in kind.identifiers:
        value = value_of(row, name)
        if is_filled(value):
            values = [part.strip() for part in str(value).split(";")] if several else [str(value)]
            found.update({Identifier(what, one): None for one in values if one})
    return tuple(found)


def finding_of(
    system: str,
    kind: RecordKind,
    view: FieldView,
    row: Row,
    links: Links = NO_LINKS,
    young_from: datetime | None = None,
) -> Finding:
    """`young_from` is the instant before which activities of the record may go with it unjudged."""
    ref = RecordRef(system, kind.name, str(row["Id"]), str(row[VERSION]))
    opened = special(kind.name).opened
    own = bool(value_of(row, kind.opt_out)) if kind.opt_out else False
    objected = any(value_of(row, flag) for flag in objections(kind, view))
    said = links.consent
    consents = [_day(value_of(row, kind.consent_on)) if kind.consent_on else None]
    if said is not None and not said.opted_out and said.since is not None:
        consents.append(said.since.date())
    facts = Facts(
        classes=(*_classes(kind, view, row, links), *_activities(kind, links, young_from)),
        opted_out=own or objected or (said is not None and said.opted_out),
        opted_out_on=_opted_out_on(kind, row, links, own, objected),
        consented_on=max((day for day in consents if day), default=None),
        transactions=links.transactions,
        open_complaint=links.open_complaint or bool(opened and value_of(row, opened) is False),
        restricted=bool(kind.restricted and value_of(row, kind.restricted)),
        undeletable=links.undeletable,
        several_people=special(kind.name).several_people,
    )
    return Finding(ref, facts, identifiers_of(kind, row))


def _opted_out_on(kind: RecordKind, row: Row, links: Links, own: bool, objected: bool) -> date | None:
    """The latest day an opt-out is known of; None where one of them has no day and so counts from today."""
    days: list[date | None] = []
    if own:
        days.append(_day(value_of(row, kind.opt_out_on)) if kind.opt_out_on else None)
    if objected:
        days.append(None)
    if links.consent is not None and links.consent.opted_out:
        days.append(links.consent.since.date() if links.consent.since else None)
    known = [day for day in days if day is not None]
    return max(known) if known and len(known) == len(days) else None


def _activities(kind: RecordKind, links: Links, young_from: datetime | None) -> Iterable[ClassFacts]:
    """What would go with the record and is younger than what was asked for: judged by its own date."""
    for data_class, newest in sorted(links.activities.items()):
        if young_from is None or newest >= young_from:
            basis = kind.field_sets[0].lawful_basis
            yield ClassFacts(data_class, basis, (), Dated(newest, f"{kind.name}.{data_class}"))


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


def _classes(kind: RecordKind, view: FieldView, row: Row, links: Links) -> Iterable[ClassFacts]:
    for field_set in kind.field_sets:
        names = tuple(name for name in field_set.fields if is_filled(value_of(row, name)))
        absent = (
            field_set.present_if
            and view.sees(field_set.present_if)
            and not is_filled(value_of(row, field_set.present_if))
        )
        if names and not absent:
            # What names several people is never emptied for one of them: it goes whole, or a person looks at it.
            names = () if special(kind.name).several_people else names
            yield ClassFacts(
                field_set.data_class, field_set.lawful_basis, names, _collected(kind, field_set, view, row, links)
            )


def _collected(kind: RecordKind, field_set: FieldSet, view: FieldView, row: Row, links: Links) -> Dated | None:
    for name in date_chain(kind, field_set, view):
        if name == CREATED and kind.undated_if and value_of(row, kind.undated_if):
            continue
        value = _moment(value_of(row, name))
        if name == CREATED and isinstance(value, datetime) and links.born is not None and links.born < value:
            return Dated(links.born, "Lead.CreatedDate")  # converted: the person was known earlier
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
