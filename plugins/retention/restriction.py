"""On which ground may a subject have data restricted (Art. 18), and what does that say about a record? Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from retention.item import Objection, Restriction


class Ground(StrEnum):
    """The four grounds of Art. 18(1), in the order in which they are cited."""

    ACCURACY = "accuracy"
    UNLAWFUL = "unlawful"
    CLAIMS = "claims"
    OBJECTION = "objection"


STANDS_AS = {
    Ground.ACCURACY: Restriction.ACCURACY,
    Ground.UNLAWFUL: Restriction.UNLAWFUL,
    Ground.CLAIMS: Restriction.CLAIMS,
}


@dataclass(frozen=True, slots=True)
class Restricting:
    """A restriction as far as it concerns one record. Lifted ones were preceded by their notice (Art. 18(3))."""

    ground: Ground
    lifted: bool
    surely: bool  # known by the exact form of an address; the folded form alone protects, and changes nothing


def restriction_of(concerning: Iterable[Restricting]) -> Restriction:
    """The ground of Art. 18(1)(a) to (c) that stands, the first in order; lifted only if none does."""
    of_grounds = [r for r in concerning if r.ground in STANDS_AS]
    standing = {r.ground for r in of_grounds if not r.lifted}
    for ground, stands_as in STANDS_AS.items():
        if ground in standing:
            return stands_as
    return Restriction.ENDED_TOLD if of_grounds else Restriction.NONE


def objection_of(concerning: Iterable[Restricting]) -> Objection:
    """Whether an objection is being weighed, or was outweighed and the subject told so."""
    objections = [r for r in concerning if r.ground is Ground.OBJECTION]
    if any(not r.lifted for r in objections):
        return Objection.PENDING
    return Objection.OVERRIDDEN if objections else Objection.NONE
