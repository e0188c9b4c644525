"""Where does an entry stand in the log? Numbered from 0, each holding the hash of the one before, all in one tree."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import NamedTuple

from retention.audit.canonical import canonical
from retention.audit.entry import Entry
from retention.audit.merkle import HASH_BYTES, Tree, leaf_hash

NO_ENTRY = bytes(HASH_BYTES)
"""What the first entry names as the hash before it."""


class Link(NamedTuple):
    """An entry at its place, with what is stored of it: the canonical bytes and their leaf hash."""

    seq: int
    entry: Entry
    body: bytes
    leaf: bytes


@dataclass(frozen=True, slots=True)
class Head:
    """Where a log stands: all that is needed to go on, in a few hundred bytes at most."""

    size: int = 0
    last_leaf: bytes = NO_ENTRY
    frontier: tuple[bytes, ...] = ()

    @classmethod
    def of(cls, leaves: Iterable[bytes]) -> Head:
        """The head of a stored log, from its leaf hashes in order."""
        tree, last = Tree(), NO_ENTRY
        for leaf in leaves:
            tree.append(leaf)
            last = leaf
        return cls(tree.size, last, tree.frontier)

    def root(self) -> bytes:
        """The root over all entries so far: what a checkpoint signs."""
        return Tree(self.size, self.frontier).root()

    def pack(self) -> bytes:
        """For storage; `unpack` refuses what is not a head."""
        return self.size.to_bytes(8, "big") + self.last_leaf + b"".join(self.frontier)

    @classmethod
    def unpack(cls, packed: bytes) -> Head:
        """The opposite of `pack`."""
        size, hashes = int.from_bytes(packed[:8], "big"), packed[8:]
        if len(hashes) != HASH_BYTES * (1 + size.bit_count()):
            raise ValueError("these bytes are not the head of an audit log")
        last, *frontier = (hashes[i : i + HASH_BYTES] for i in range(0, len(hashes), HASH_BYTES))
        return cls(size, last, tuple(frontier))


class Chain:
    """Gives entries their places after a head. One writer at a time: two chains from one head are a fork."""

    def __init__(self, start: Head | None = None) -> None:
        start = start or Head()
        self._tree = Tree(start.size, start.frontier)
        self._last_leaf = start.last_leaf

    @property
    def head(self) -> Head:
        """The head after the last link that was taken from `append`."""
        return Head(self._tree.size, self._last_leaf, self._tree.frontier)

    def append(self, entries: Iterable[Entry]) -> Iterator[Link]:
        """Yield each entry with its place; memory does not grow with their number."""
        tree = self._tree
        for entry in entries:
            seq = tree.size
            body = canonical(entry, seq, self._last_leaf)
            leaf = leaf_hash(body)
            tree.append(leaf)
            self._last_leaf = leaf
            yield Link(seq, entry, body, leaf)


def chain(entries: Iterable[Entry], start: Head | None = None) -> Iterator[Link]:
    """`Chain.append` for who does not need the head afterwards."""
    return Chain(start).append(entries)
