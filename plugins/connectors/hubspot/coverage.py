"""What of an account is not covered? Hidden properties, properties without a data class, data nobody can delete by API.

Each is a gap of the night's reading. Where a person must act, `BY_HAND` says what and within how many days.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from connectors.hubspot.definitions import Definition, without_data_class
from connectors.hubspot.facts import declared
from retention.vocabulary import Gap, GapCode, RecordKind

WITHIN_DAYS = 30


@dataclass(frozen=True, slots=True)
class ByHand:
    """What a person does about data for which there is no way to delete by API, after the reading that reported it."""

    what: str
    within_days: int = WITHIN_DAYS


BY_HAND: Mapping[str, ByHand] = {
    "form_submission": ByHand("delete the person's rows under Marketing > Forms > Submissions"),
    "event": ByHand("ask HubSpot's support to purge the events of purged contacts that are still shown"),
    "marketing_event": ByHand("take the attendee out of the event under Marketing > Events"),
    "list": ByHand("look for lists that name a person in their title or filter, and mend them under CRM > Segments"),
    "property_history": ByHand("purge and make anew a contact whose cleared values must not stay in its history"),
}
"""By kind. Who is purged leaves static lists and events by themselves, as far as HubSpot says; a person checks."""


def gaps_of(kind: RecordKind, definitions: Mapping[str, Definition]) -> Iterator[Gap]:
    """Properties that are not shown ("no such field" is not "nobody opted out") or stand in no data class.

    The one that marks a restriction is made when it is first needed.
    """
    for name in declared(kind):
        if name not in definitions and name != kind.restricted:
            yield Gap(GapCode.FIELD_HIDDEN, kind.name, name)
    for name in without_data_class(kind, definitions):
        yield Gap(GapCode.UNCLASSIFIED, kind.name, name)


def by_hand() -> Iterator[Gap]:
    """Kinds of data that are a person's task, with the days it has."""
    for kind, task in BY_HAND.items():
        yield Gap(GapCode.NO_DELETE_API, kind, f"by-hand-within-{task.within_days}-days")
