"""How is one person taken out of an activity that is about others too? Their address, number and name go from the text,
and the link to their contact goes. A text that names them in other words is not understood here: a person reads it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence

from connectors.hubspot.activities import OBJECT_TYPES, known_by
from connectors.hubspot.facts import OF_CONTACT, Row, is_filled, properties_of
from connectors.hubspot.links import CONTACTS, Links, ends
from retention.vocabulary import Identifier, RecordKind, Step

ERASED = "[erased]"
NAMES = ("firstname", "lastname")


class Mentions:
    """Whom the activities of a batch are about, as far as its steps ask."""

    def __init__(self, links: Links, kind: RecordKind, keys: Sequence[str]) -> None:
        self._kind = kind
        self._linked = links.of(OBJECT_TYPES[kind.name], CONTACTS, keys)
        names = [name.removeprefix(OF_CONTACT) for name, _ in kind.identifiers]
        self._contacts = links.rows(CONTACTS, ends(self._linked), [*names, *NAMES])

    def contacts(self, step: Step) -> list[str]:
        """Ids of the linked contacts that the step's identifiers name."""
        return [
            contact
            for contact in self._linked.get(step.ref.key, ())
            if contact in self._contacts and self._is_named(self._contacts[contact], step.identifiers)
        ]

    def without(self, step: Step, row: Row) -> dict[str, str]:
        """The texts of the step's fields without the person."""
        words = self._words(step)
        texts = {name: str(properties_of(row).get(name) or "") for name in step.fields}
        return {name: new for name, text in texts.items() if (new := _without(text, words)) != text}

    def are_in(self, step: Step, row: Row) -> bool:
        """Whether any of the step's identifiers is still in the texts, or the person still linked."""
        texts = [str(value) for value in properties_of(row).values() if is_filled(value)]
        words = [one.value for one in step.identifiers]
        return bool(self.contacts(step)) or any(_without(text, words) != text for text in texts)

    def _words(self, step: Step) -> list[str]:
        """What to take out: the longest first, so that no name is left of an address."""
        words = {one.value for one in step.identifiers}
        for contact in self.contacts(step):
            properties = properties_of(self._contacts[contact])
            words |= {one.value for one in known_by(self._kind, properties)}
            names = [str(properties.get(name) or "").strip() for name in NAMES]
            words |= {" ".join(filter(None, names)), *filter(_is_telling, names)}
        return sorted(filter(None, words), key=len, reverse=True)

    def _is_named(self, contact: Row, identifiers: Iterable[Identifier]) -> bool:
        asked = {(one.kind, one.value.lower()) for one in identifiers}
        known = known_by(self._kind, _values(contact))
        return any((one.kind, one.value.lower()) in asked for one in known)


def _values(row: Row) -> Mapping[str, object]:
    return properties_of(row)


def _is_telling(name: str) -> bool:
    """A name of one or two letters would take half a text along."""
    return len(name) > 2


def _without(text: str, words: Sequence[str]) -> str:
    for word in words:
        text = re.sub(rf"(?<!\w){re.escape(word)}(?!\w)", ERASED, text, flags=re.IGNORECASE)
    return text
