"""Where may a person hide in a file? Files of every kind with made-up people in awkward places, and who is in which.

Everything hangs on the seed: the same seed gives the same files. `twins` gives the same files about other people with
the same names, `hostile` what was made to hurt whoever opens it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from random import Random

from sandbox.corpus import letters, mailings, office, packed, pages
from sandbox.corpus.person import Person, people

Maker = Callable[[Person], bytes]
MAKERS: Mapping[str, Maker] = {
    **letters.MAKERS,
    **pages.MAKERS,
    **mailings.MAKERS,
    **office.MAKERS,
    **packed.MAKERS,
}
"""Name of a file with its ending → how it is made for one person."""


@dataclass(frozen=True)
class Planted:
    """A file and the one person who is in it."""

    path: str
    content: bytes = field(repr=False)
    person: Person


def planted(seed: int, rounds: int = 1) -> Iterator[Planted]:
    """Every kind of file in every spelling, each about somebody else."""
    chance = Random(seed)
    for number in range(rounds):
        folder = f"{number:04d}/" if rounds > 1 else ""
        for (name, make), person in zip(MAKERS.items(), people(chance), strict=False):
            yield Planted(folder + name, make(person), person)


def twins(seed: int) -> Iterator[tuple[Planted, Person]]:
    """The same files about people of the same names with other addresses, and whom each must not be taken for."""
    for one in planted(seed):
        twin = one.person.twin()
        yield Planted(one.path, MAKERS[one.path](twin), twin), one.person
