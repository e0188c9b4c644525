"""How is a server cut into parts of about the same work? Into sub-trees, by what lay below each when it was last read.

A part is a set of trees. A tree is a folder with everything below it, but for the folders right in it that are trees of
their own: what appears in between, a new folder too, belongs to the tree it appears in, so nothing falls between parts.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field

from connectors.documents.folders import RESTRICTED
from connectors.documents.stores.store import FileStore, StoreError
from retention.contract import Memory
from retention.listings import Extent, Part

OPENING = 64 * 1024
"""What opening a file costs, in bytes read."""
_TREES_PER_PART = 4
_MOST_LISTINGS = 100


@dataclass(frozen=True, slots=True)
class Tree:
    """A folder and what is below it, without the folders right in it that lie `apart`."""

    folder: str = field(repr=False)
    apart: frozenset[str] = field(default=frozenset(), repr=False)


@dataclass(frozen=True, slots=True)
class Share:
    """What one worker walks. `aside`: what lies in the restricted area, and what was begun to be written, too."""

    trees: tuple[Tree, ...]
    aside: bool

    def part(self) -> Part:
        """As the ledger keeps it."""
        told = {"trees": [[tree.folder, sorted(tree.apart)] for tree in self.trees], "aside": self.aside}
        return Part(json.dumps(told).encode())

    @classmethod
    def of(cls, part: Part) -> Share:
        """As it was kept."""
        told = json.loads(part)
        return cls(tuple(Tree(folder, frozenset(apart)) for folder, apart in told["trees"]), told["aside"])


def group_of(folder: str) -> str:
    """What a folder is called in the catalogue; the root has a name, too."""
    return f"/{folder}"


def divide(store: FileStore, memory: Memory, at_most: int) -> Sequence[Part]:
    """Parts by weight, the heaviest first. Where nothing is known yet, folders beside each other weigh the same."""
    whole = Tree("")
    if at_most == 1:
        return [Share((whole,), aside=True).part()]
    weights = _split(store, memory, {whole: _weight(memory.extents([group_of("")]).get(group_of(""))) or 1.0}, at_most)
    shares: list[list[Tree]] = [[] for _ in range(min(at_most, len(weights)))]
    loads = [0.0] * len(shares)
    for tree, weight in sorted(weights.items(), key=lambda one: (-one[1], one[0].folder)):
        lightest = loads.index(min(loads))
        shares[lightest].append(tree)
        loads[lightest] += weight
    return [Share(tuple(trees), aside=number == 0).part() for number, trees in enumerate(shares)]


def _split(store: FileStore, memory: Memory, weights: dict[Tree, float], at_most: int) -> dict[Tree, float]:
    """Take trees apart, the heaviest first, until none is too heavy to be dealt out evenly."""
    final: dict[Tree, float] = {}
    for _ in range(_MOST_LISTINGS):
        if not weights:
            break
        heaviest = max(weights, key=lambda tree: (weights[tree], tree.folder))
        if weights[heaviest] * at_most * _TREES_PER_PART <= sum(weights.values()) + sum(final.values()):
            break
        weight = weights.pop(heaviest)
        below, has_files = _inside(store, heaviest.folder)
        shares = _shared_out(memory, below, weight, has_files)
        weights |= {Tree(folder): share for folder, share in shares.items()}
        own = max(weight - sum(shares.values()), 0.0)
        final[Tree(heaviest.folder, frozenset(below))] = own
    return final | weights


def _shared_out(memory: Memory, folders: Sequence[str], weight: float, has_files: bool) -> dict[str, float]:
    """What each folder weighs: as it was; or as much as each other, and as the files beside, where nothing is known."""
    extents = memory.extents([group_of(folder) for folder in folders])
    if not extents:
        return {folder: weight / (len(folders) + has_files) for folder in folders}
    return {folder: _weight(extents.get(group_of(folder))) for folder in folders}


def _weight(extent: Extent | None) -> float:
    return float(extent.size + OPENING * extent.records) if extent else 0.0


def _inside(store: FileStore, folder: str) -> tuple[list[str], bool]:
    """The folders right in one, and whether files lie beside; of one that cannot be listed, its walk says so."""
    try:
        entries = store.list(folder)
    except StoreError:
        return [], False
    prefix = f"{folder}/" if folder else ""
    folders = [prefix + entry.name for entry in entries if entry.is_folder and prefix + entry.name != RESTRICTED]
    return folders, any(entry.is_file for entry in entries)
