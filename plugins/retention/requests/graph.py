"""Which identifiers lead to the person who asks, and by which records? Strong edges only, and never through a crowd.

Two identifiers are strongly tied when a system itself keeps both in one record about one person. A shared telephone or
a like name ties nobody. Role mailboxes and addresses that several records of one kind are known by are never gone
through, and a person with too many identifiers is looked at by another person (law: section 6).
"""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from retention.spelling import exact
from retention.vocabulary import Identifier, IdentifierKind

STRONG = (IdentifierKind.EMAIL, IdentifierKind.CUSTOMER_NUMBER)
MOST_PEOPLE = 2
"""More customer numbers than this in one component are more people than one."""


@dataclass(frozen=True, slots=True)
class Met:
    """A record with the identifiers that stand in it."""

    system: str
    kind: str
    record_key: bytes
    identifiers: tuple[Identifier, ...] = field(repr=False)
    several_people: bool = False


@dataclass(frozen=True, slots=True)
class Hop:
    """One strong edge on the way to an identifier: the record that ties it to the one before."""

    system: str
    kind: str
    record_key: bytes


Path = tuple[Hop, ...]


@dataclass(frozen=True, slots=True)
class Person:
    """What belongs to whoever asks. Where that is not sure, nothing may be erased on their word."""

    reached: Mapping[Identifier, Path] = field(repr=False)
    surely: bool = True


class Graph:
    """The ties between identifiers that all systems together show."""

    def __init__(self, met: Iterable[Met], is_role: Callable[[Identifier], bool], most_identifiers: int) -> None:
        self._is_role = is_role
        self._most = most_identifiers
        self._records: dict[Identifier, list[Met]] = defaultdict(list)
        known_by: dict[tuple[str, str, Identifier], set[bytes]] = defaultdict(set)
        for record in met:
            if record.several_people:
                continue
            for identifier in strong(record.identifiers):
                self._records[identifier].append(record)
                known_by[record.system, record.kind, identifier].add(record.record_key)
        self._crowds = {identifier for (_, _, identifier), records in known_by.items() if len(records) > 1}

    def person(self, roots: Sequence[Identifier]) -> Person:
        """Everything that strong edges lead to from what the person showed to be theirs, each by the shortest way."""
        start = strong(roots)
        reached: dict[Identifier, Path] = dict.fromkeys(start, ())
        waiting = deque(root for root in start if not self.is_cut(root))
        while waiting:
            here = waiting.popleft()
            for record in self._records.get(here, ()):
                hop = Hop(record.system, record.kind, record.record_key)
                for identifier in strong(record.identifiers):
                    if identifier not in reached and not self.is_cut(identifier):
                        reached[identifier] = (*reached[here], hop)
                        waiting.append(identifier)
        numbers = sum(identifier.kind is IdentifierKind.CUSTOMER_NUMBER for identifier in reached)
        in_bounds = len(reached) <= self._most and numbers <= MOST_PEOPLE
        return Person(reached, in_bounds and not any(map(self._is_role, start)))

    def is_cut(self, identifier: Identifier) -> bool:
        """Whether an identifier stands for more than one person, so that no way leads through it."""
        return self._is_role(identifier) or identifier in self._crowds


def strong(identifiers: Iterable[Identifier]) -> tuple[Identifier, ...]:
    """Identifiers by which a person may be told apart, in the exact spelling, each once."""
    return tuple(dict.fromkeys(Identifier(i.kind, exact(i)) for i in identifiers if i.kind in STRONG))
