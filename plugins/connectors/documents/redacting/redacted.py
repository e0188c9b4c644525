"""What came of taking people out of a file, and which place of it names whom?"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field
from enum import StrEnum

from connectors.documents.identifiers import Mentions, comparable, mentions
from connectors.documents.sought import Sought
from retention.vocabulary import Identifier, IdentifierKind

_SURE = (IdentifierKind.EMAIL, IdentifierKind.CUSTOMER_NUMBER)


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


@dataclass(frozen=True, slots=True)
class People:
    """Whom to take out: addresses and customer numbers in their comparable form, and how such numbers look."""

    keys: frozenset[tuple[IdentifierKind, str]]
    sought: Sought

    @classmethod
    def of(cls, people: Collection[Identifier], sought: Sought) -> People:
        """Of these, the ones that identify one person surely: a telephone may be another's too."""
        return cls(frozenset(comparable(one) for one in people if one.kind in _SURE), sought)

    def verdict_on(self, text: str) -> Cut:
        """Whether a place names these people and nobody else, them and others, or none of them."""
        return self.verdict(mentions(text, self.sought))

    def verdict(self, place: Mentions) -> Cut:
        """The same of what was found there. Others are told by their addresses: a number may belong to any of them."""
        named = {comparable(one): whole for one, whole in place.items()}
        if any(named.get(one) for one in self.keys):
            others = any(
                whole and one not in self.keys and one[0] is IdentifierKind.EMAIL for one, whole in named.items()
            )
            return Cut.SHARED_ROW if others else Cut.DONE
        return Cut.UNCLEAR if any(one in named for one in self.keys) else Cut.NOBODY
