"""What came of taking people out of a file, and which place of it names whom?"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field
from enum import StrEnum

from connectors.documents.identifiers import Mentions, addresses, comparable
from retention.vocabulary import Identifier, IdentifierKind

People = Collection[tuple[IdentifierKind, str]]
"""Addresses in their comparable form."""


class Cut(StrEnum):
    """What came of it."""

    DONE = "done"
    NOBODY = "nobody"  # no place names these people
    SHARED_ROW = "shared-row"  # a row, paragraph or record names somebody else too
    UNCLEAR = "unclear"  # an address may be one of theirs, or places cannot be told apart for sure
    NOT_FOR_THIS_KIND = "not-for-this-kind"  # nothing can be taken out of such a file: a person decides
    UNPROVEN = "unproven"  # it was tried, and a second look still saw them, or missed somebody else


class Refused(Exception):
    """Nothing is taken out of this file."""

    def __init__(self, cut: Cut) -> None:
        super().__init__(cut.value)
        self.cut = cut


@dataclass(frozen=True, slots=True)
class Redacted:
    """The file without the people; `content` is empty unless something was taken out."""

    cut: Cut
    content: bytes = field(default=b"", repr=False)
    rows: int = 0


def wanted_of(people: Collection[Identifier]) -> People:
    """Whom to take out: by address, since a telephone may be another's too."""
    return {comparable(one) for one in people if one.kind is IdentifierKind.EMAIL}


def verdict_on(text: str, wanted: People) -> Cut:
    """Whether a place names these people and nobody else, them and others, or none of them."""
    return verdict(addresses(text), wanted)


def verdict(place: Mentions, wanted: People) -> Cut:
    """The same of what was found there."""
    named = {comparable(one): whole for one, whole in place.items()}
    if any(named.get(one) for one in wanted):
        others = any(whole and one not in wanted for one, whole in named.items())
        return Cut.SHARED_ROW if others else Cut.DONE
    return Cut.UNCLEAR if any(one in named for one in wanted) else Cut.NOBODY
