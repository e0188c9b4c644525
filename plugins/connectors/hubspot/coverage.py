"""What of an account is not covered? Hidden properties, properties without a data class, data nobody can delete by API.

Each is a gap of the night's reading, of which the core makes a task with a due date; `BY_HAND` says what is to be done.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from connectors.hubspot.definitions import Definition, without_data_class
from connectors.hubspot.facts import declared
from retention.vocabulary import Gap, GapCode, RecordKind

BY_HAND: Mapping[str, str] = {
    "form_submission": "delete the rows of purged people under Marketing, Forms, Submissions",
    "event": "ask HubSpot to purge events of purged people that are still shown",
    "marketing_event": "take purged people out of the attendees under Marketing, Events",
    "list": "rename segments that have a person in their name or filter",
    "property_history": "purge and make anew whose cleared values must not stay in the history",
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
    """Kinds of data for which there is no way to delete, with what a person does about them."""
    for kind, what in BY_HAND.items():
        yield Gap(GapCode.NO_DELETE_API, kind, what)
