"""Which queries does a search consist of? Per kind one for what its fields say, and more for what others say of it.

Identifiers are cut into statements; what an earlier query of the search reports, a later one leaves out.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from connectors.salesforce import filters, soql
from connectors.salesforce.describe import CREATED, FieldView, FieldViews
from connectors.salesforce.standard import PEOPLE, special
from retention.vocabulary import Criteria, Cursor, Identifier, RecordKind

FACTS = "facts"
CONSENTS = "consents"
SUBSCRIPTIONS = "subscriptions"
CONVERTED = "converted"


@dataclass(frozen=True)
class Run:
    """One query of a search: a kind by its facts, by what other objects say, or by some of the identifiers."""

    kind: RecordKind
    label: str
    identifiers: tuple[Identifier, ...] = ()
    earlier: frozenset[bytes] = frozenset()  # identifiers asked by earlier runs of the kind: found there already

    @property
    def cursor_start(self) -> Cursor:
        return self.cursor("")

    def cursor(self, last_id: str) -> Cursor:
        return Cursor(f"{self.kind.name}/{self.label}/{last_id}")

    def where(self, criteria: Criteria, view: FieldView) -> str:
        """The condition to send; empty where nothing that was asked for can be read."""
        condition = self._condition(criteria, view)
        only = special(self.kind.name)
        if condition and only.only and view.knows(only.only_where):
            return soql.all_of([only.only, condition])
        return condition

    def _condition(self, criteria: Criteria, view: FieldView) -> str:
        way = special(self.kind.name).individual
        if self.label == FACTS:
            return filters.by_facts(self.kind, view, criteria)
        if self.label == CONSENTS:
            return _those("PartyId", "ContactPointTypeConsent", f"{way}Id")
        if self.label == SUBSCRIPTIONS:
            return _those("ConsentGiverId", "CommSubscriptionConsent", "Id")
        if self.label == CONVERTED and criteria.collected_before is not None:
            old = f"IsConverted = true AND CreatedDate < {soql.instant(criteria.collected_before)}"
            return f"Id IN ({soql.select(['ConvertedContactId'], 'Lead', old)})"
        return filters.by_identifiers(self.kind, view, self.identifiers)


def _those(link: str, name: str, field: str) -> str:
    out = soql.select([link], name, "PrivacyConsentStatus = 'OptOut'")
    return f"{soql.name(field)} IN ({out})"


def by_facts(kinds: Sequence[RecordKind], views: FieldViews, criteria: Criteria, absent: frozenset[str]) -> list[Run]:
    if criteria.collected_before is None and not criteria.opted_out and not criteria.undated:
        return []
    runs: list[Run] = []
    for kind in kinds:
        runs.append(Run(kind, FACTS))
        runs += (Run(kind, label) for label in _others_say(kind, views, criteria, absent))
    return runs


def _others_say(kind: RecordKind, views: FieldViews, criteria: Criteria, absent: frozenset[str]) -> Iterator[str]:
    """What other objects may say of a person: opted out in a consent object, or known earlier as a lead."""
    view, way = views.of(kind.name), special(kind.name).individual
    if kind.name not in PEOPLE or not view.asked or view.hidden:
        return
    pointing = {(child.name, child.field) for child in view.children}
    if criteria.opted_out and kind.opt_out:
        if view.knows(f"{way}Id") and views.of("ContactPointTypeConsent").fields is not None:
            yield CONSENTS
        if ("CommSubscriptionConsent", "ConsentGiverId") in pointing and "CommSubscriptionConsent" not in absent:
            yield SUBSCRIPTIONS
    dated = any(CREATED in field_set.collected_from for field_set in kind.field_sets)
    if criteria.collected_before is not None and dated and ("Lead", "ConvertedContactId") in pointing:
        yield CONVERTED


def by_identifiers(kinds: Iterable[RecordKind], criteria: Criteria, longest: int) -> list[Run]:
    runs: list[Run] = []
    for kind in kinds:
        by_value: dict[str, list[Identifier]] = {}
        for identifier in filters.askable(kind, criteria.identifiers):
            by_value.setdefault(identifier.value, []).append(identifier)
        earlier: frozenset[bytes] = frozenset()
        for number, values in enumerate(soql.chunks(list(by_value), longest, times=_fields_per_value(kind))):
            some = tuple(identifier for value in values for identifier in by_value[value])
            runs.append(Run(kind, f"identifiers-{longest}-{number}", some, earlier))
            earlier |= {folded(value) for value in values}
    return runs


def longest_of(cursor: Cursor | None, otherwise: int) -> int:
    """How long the statements of the search were that a cursor comes from: they have to be cut alike."""
    label = cursor.split("/")[1] if cursor and cursor.count("/") == 2 else ""
    parts = label.split("-")
    return int(parts[1]) if len(parts) == 3 and parts[1].isdigit() else otherwise


def _fields_per_value(kind: RecordKind) -> int:
    """In how many fields one value is looked for at most."""
    kinds = [what for _, what in kind.identifiers]
    return max(kinds.count(what) for what in kinds) if kinds else 1


def folded(value: str) -> bytes:
    """Equality for "an earlier run found it": narrower than the service's, so that nothing is lost by it."""
    return value.encode().lower()
