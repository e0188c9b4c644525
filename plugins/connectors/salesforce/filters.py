"""Which rows should the org send? Criteria as a SOQL filter that may let too much through, never too little."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from connectors.salesforce import soql
from connectors.salesforce.describe import CREATED, FieldView
from connectors.salesforce.facts import cutoff_day, date_chain, objections
from connectors.salesforce.standard import special
from retention.vocabulary import Criteria, FieldSet, Identifier, IdentifierKind, RecordKind


def by_facts(kind: RecordKind, view: FieldView, criteria: Criteria) -> str:
    """Filter for dates and opt-out; empty where nothing that was asked for can be read."""
    conditions: list[str] = []
    for field_set in kind.field_sets:
        if criteria.collected_before is not None:
            conditions += (
                _present(field_set, view, term) for term in _collected_before(kind, field_set, view, criteria)
            )
        if criteria.undated and (term := _undated(kind, field_set, view)):
            conditions.append(_present(field_set, view, term))
    if criteria.opted_out and kind.opt_out:
        flags = [kind.opt_out] if view.sees(kind.opt_out) else []
        conditions += (f"{soql.name(name)} = true" for name in (*flags, *objections(kind, view)))
    return soql.any_of(conditions)


def by_identifiers(kind: RecordKind, view: FieldView, identifiers: Sequence[Identifier]) -> str:
    """Filter for identifiers: equality only, in every field that holds their kind.

    A message names several addresses in one field; each has a row of its own in a related object.
    """
    parent, link, address = special(kind.name).addressed_by
    if parent:
        addresses = dict.fromkeys(one.value for one in identifiers if one.kind is IdentifierKind.EMAIL)
        return f"Id IN ({soql.select([link], parent, soql.within(address, addresses))})" if addresses else ""
    conditions = []
    for name, what in kind.identifiers:
        values = [identifier.value for identifier in identifiers if identifier.kind is what]
        if values and view.sees(name) and view.can_filter(name):
            conditions.append(soql.within(name, values))
    return soql.any_of(conditions)


def askable(kind: RecordKind, identifiers: Iterable[Identifier]) -> list[Identifier]:
    """Those this kind could know. What no stored value can be (empty, control characters) finds nobody anyway,
    and an empty one would match every row without an address."""
    known = {what for _, what in kind.identifiers}
    fitting: dict[Identifier, None] = {}
    for identifier in identifiers:
        if identifier.kind in known and identifier.value.strip():
            try:
                soql.literal(identifier.value)
            except soql.NotExpressible:
                continue
            fitting[identifier] = None
    return list(fitting)


def _collected_before(kind: RecordKind, field_set: FieldSet, view: FieldView, criteria: Criteria) -> Iterable[str]:
    """One condition per field that may decide: it is past the cut-off, and the preferred ones are empty."""
    day = cutoff_day(criteria)
    if criteria.collected_before is None or day is None:
        return
    undecided: list[str] = []
    for name in date_chain(kind, field_set, view):
        cut = soql.instant(criteria.collected_before) if view.holds_instants(name) else soql.day(day)
        decides = [*undecided, f"{soql.name(name)} < {cut}"]
        if name == CREATED and kind.undated_if:
            decides.append(f"{soql.name(kind.undated_if)} = false")
        yield soql.all_of(decides)
        undecided.append(_says_nothing(kind, name))


def _undated(kind: RecordKind, field_set: FieldSet, view: FieldView) -> str:
    """Condition for: no date can be proven though the set is filled; empty where that cannot be."""
    chain = date_chain(kind, field_set, view)
    if field_set.present_if in chain:
        return ""  # the set exists only where this date is filled
    nothing_known = [_says_nothing(kind, name) for name in chain]
    if "" in nothing_known:
        return ""
    names = [name for name in field_set.fields if view.sees(name)]
    holds_something = [f"{soql.name(name)} != null" for name in names]
    if all(view.can_filter(name) for name in names):
        nothing_known.append(soql.any_of(holds_something))
    return soql.all_of(term for term in nothing_known if term) or "Id != null"


def _says_nothing(kind: RecordKind, name: str) -> str:
    """Condition under which a date field leaves the question open; empty where it never does."""
    if name != CREATED:
        return f"{soql.name(name)} = null"
    return f"{soql.name(kind.undated_if)} = true" if kind.undated_if else ""


def _present(field_set: FieldSet, view: FieldView, term: str) -> str:
    presence = field_set.present_if
    if not presence or not view.sees(presence) or not view.can_filter(presence):
        return term
    return soql.all_of([f"{soql.name(presence)} != null", term])
