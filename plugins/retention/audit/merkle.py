"""Which tree of hashes commits to a list of entries, and how is it shown that a list holds or extends another?

RFC 9162 section 2.1 (the same tree as RFC 6962), SHA-256. `leaves` below are always leaf hashes, not entries.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from hashlib import sha256

HASH_BYTES = 32
EMPTY_ROOT = sha256(b"").digest()


def leaf_hash(body: bytes) -> bytes:
    """The hash of one entry; the prefix keeps it from ever being taken for an inner node."""
    return sha256(b"\x00" + body).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """The hash of an inner node."""
    return sha256(b"\x01" + left + right).digest()


class Tree:
    """A tree that only grows, in O(log n) memory: it keeps the roots of its perfect subtrees, left to right.

    `size` and `frontier` are all there is to store; `Tree(size, frontier)` goes on from there.
    """

    __slots__ = ("_nodes", "size")

    def __init__(self, size: int = 0, frontier: Iterable[bytes] = ()) -> None:
        self.size = size
        self._nodes = list(frontier)
        if size < 0 or len(self._nodes) != size.bit_count() or any(len(node) != HASH_BYTES for node in self._nodes):
            raise ValueError("this frontier is not that of a tree of this size")

    @property
    def frontier(self) -> tuple[bytes, ...]:
        """The roots of the perfect subtrees, left to right: one per set bit of the size."""
        return tuple(self._nodes)

    def append(self, leaf: bytes) -> None:
        """Add one leaf hash on the right."""
        nodes, size = self._nodes, self.size
        self.size = size + 1
        while size & 1:
            leaf = sha256(b"\x01" + nodes.pop() + leaf).digest()
            size >>= 1
        nodes.append(leaf)

    def root(self) -> bytes:
        """The hash that commits to every leaf so far."""
        if not self._nodes:
            return EMPTY_ROOT
        *left, result = self._nodes
        for node in reversed(left):
            result = node_hash(node, result)
        return result


def root(leaves: Iterable[bytes]) -> bytes:
    """The root over a list of leaf hashes."""
    tree = Tree()
    for leaf in leaves:
        tree.append(leaf)
    return tree.root()


def inclusion_proof(leaves: Sequence[bytes], index: int) -> list[bytes]:
    """What a reader who has only the root needs to see that this leaf is in it (RFC 9162, 2.1.3.1)."""
    if not 0 <= index < len(leaves):
        raise ValueError("there is no such leaf in this tree")
    proof: list[bytes] = []
    low, high = 0, len(leaves)
    while high - low > 1:
        middle = low + _split(high - low)
        if index < middle:
            proof.append(root(leaves[middle:high]))
            high = middle
        else:
            proof.append(root(leaves[low:middle]))
            low = middle
    return proof[::-1]


def verify_inclusion(leaf: bytes, index: int, size: int, proof: Sequence[bytes], expected: bytes) -> bool:
    """Whether the proof shows this leaf at this place of the tree with that root (RFC 9162, 2.1.3.2)."""
    if not 0 <= index < size:
        return False
    place, last, result = index, size - 1, leaf
    for node in proof:
        if last == 0:
            return False
        if place & 1 or place == last:
            result = node_hash(node, result)
            while not place & 1 and place:
                place, last = place >> 1, last >> 1
        else:
            result = node_hash(result, node)
        place, last = place >> 1, last >> 1
    return last == 0 and result == expected


def consistency_proof(leaves: Sequence[bytes], first: int) -> list[bytes]:
    """What shows that the tree over `leaves` only added to its first `first` leaves (RFC 9162, 2.1.4.1)."""
    if not 0 <= first <= len(leaves):
        raise ValueError("a tree is not consistent with a larger one")
    if first in (0, len(leaves)):
        return []
    proof: list[bytes] = []
    low, high, known = 0, len(leaves), True
    while high != first:
        middle = low + _split(high - low)
        if first <= middle:
            proof.append(root(leaves[middle:high]))
            high = middle
        else:
            proof.append(root(leaves[low:middle]))
            low, known = middle, False
    if not known:
        proof.append(root(leaves[low:high]))
    return proof[::-1]


def verify_consistency(first: int, second: int, first_root: bytes, second_root: bytes, proof: Sequence[bytes]) -> bool:
    """Whether the proof shows that the second tree only added to the first (RFC 9162, 2.1.4.2).

    The RFC leaves the empty tree out; every tree extends it, without any proof.
    """
    if not 0 <= first <= second:
        return False
    if first == second:
        return not proof and first_root == second_root and (first > 0 or first_root == EMPTY_ROOT)
    if first == 0:
        return not proof and first_root == EMPTY_ROOT
    path = list(proof)
    if first & (first - 1) == 0:
        path.insert(0, first_root)
    if not path:
        return False
    place, last = first - 1, second - 1
    while place & 1:
        place, last = place >> 1, last >> 1
    older = newer = path[0]
    for node in path[1:]:
        if last == 0:
            return False
        if place & 1 or place == last:
            older, newer = node_hash(node, older), node_hash(node, newer)
            while not place & 1 and place:
                place, last = place >> 1, last >> 1
        else:
            newer = node_hash(newer, node)
        place, last = place >> 1, last >> 1
    return last == 0 and older == first_root and newer == second_root


def _split(size: int) -> int:
    """The largest power of two smaller than `size`: where the left subtree ends."""
    return 1 << ((size - 1).bit_length() - 1)
