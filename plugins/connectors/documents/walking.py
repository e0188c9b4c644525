"""What lies on a part of a server? Every folder listed once, file by file; links are never followed.

The number of a listing is drawn before the server is asked, so that of two workers who listed the same folder the later
one is believed.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from connectors.documents import restricted
from connectors.documents.dividing import Share, Tree, group_of
from connectors.documents.folders import RESTRICTED
from connectors.documents.restricted import Restricted, content_at
from connectors.documents.stores.store import Entry, Failed, FileStore, Forbidden, Missing
from retention.contract import Memory
from retention.listings import Extent, Listing
from retention.vocabulary import Gap, GapCode, RecordRef

FILE = "file"
FOLDER = "folder"


@dataclass(frozen=True, slots=True)
class File:
    """A file met on the way: its path is where it belongs, `at` where its bytes are."""

    path: str = field(repr=False)
    at: str = field(repr=False)
    entry: Entry
    restricted: bool = False


@dataclass(frozen=True, slots=True)
class Folder:
    """A folder that is being named: everything met from here to the next one lies in it."""

    group: str = field(repr=False)
    listing: Listing


@dataclass(frozen=True, slots=True)
class Named:
    """A folder was named to its end."""

    group: str = field(repr=False)


class Walk:
    """One walk over a part. `whole` once it is over: whether nothing was left out."""

    def __init__(self, store: FileStore, memory: Memory) -> None:
        self._store = store
        self._memory = memory
        self.whole = True

    def over(self, share: Share) -> Iterator[File | Gap | Folder | Named]:
        """Everything of a part, folder by folder."""
        for tree in share.trees:
            yield from self._tree(tree)
        if share.aside:
            yield from self._aside()
            for path in self._store.unfinished():
                yield self._gap("unfinished-upload", path)

    def _tree(self, tree: Tree) -> Iterator[File | Gap | Folder | Named]:
        folders = [tree.folder]
        while folders:
            folder = folders.pop()
            number = self._memory.listing()
            try:
                inside = self._store.list(folder)
            except Missing:
                inside = []
            except (Forbidden, Failed):
                yield self._unlisted(folder)
                continue
            prefix = f"{folder}/" if folder else ""
            yield Folder(group_of(folder), _listing(number, folder, inside))
            for entry in inside:
                if entry.is_file:
                    yield File(prefix + entry.name, prefix + entry.name, entry)
                elif not entry.is_folder:
                    yield self._no_file(prefix + entry.name, entry)
            yield Named(group_of(folder))
            below = [prefix + entry.name for entry in reversed(inside) if entry.is_folder]
            apart = tree.apart if folder == tree.folder else frozenset()
            folders += [path for path in below if path != RESTRICTED and path not in apart]

    def _aside(self) -> Iterator[File | Gap | Folder | Named]:
        """Restricted files under their first path; what cannot be told apart from a live file is a gap."""
        number = self._memory.listing()
        try:
            aside = list(restricted.listed(self._store))
        except (Forbidden, Failed):
            yield self._unlisted(RESTRICTED)
            return
        live = _Live(self._store)
        yield Folder(group_of(RESTRICTED), Listing(number))
        for one in aside:
            if isinstance(one, Restricted):
                if not live.has(one.path):
                    yield File(one.path, content_at(one.path), one.entry, restricted=True)
                else:
                    yield self._gap("restricted-twin", one.path)
            elif not live.has(one.path):  # beside a live file it is what a broken restriction left: nothing is hidden
                yield self._gap(one.what, one.path)
        yield Named(group_of(RESTRICTED))

    def _no_file(self, path: str, entry: Entry) -> Gap:
        """What cannot be opened by its name. Behind one that stands for several, files may lie that were not named."""
        if entry.is_link:
            return Gap(GapCode.LINK_NOT_FOLLOWED, FILE, "", RecordRef(self._store.system, FILE, path))
        self.whole = self.whole and not entry.caveat
        return self._gap(entry.caveat or "special-file", path)

    def _unlisted(self, folder: str) -> Gap:
        """A folder that we may not list is a gap, and then not everything was named."""
        self.whole = False
        return Gap(GapCode.NOT_REACHABLE, FOLDER, "folder", RecordRef(self._store.system, FOLDER, folder))

    def _gap(self, what: str, path: str) -> Gap:
        return Gap(GapCode.NOT_REACHABLE, FILE, what, RecordRef(self._store.system, FILE, path))


class _Live:
    """Which paths have a file where it belongs, each folder listed once."""

    def __init__(self, store: FileStore) -> None:
        self._store = store
        self._names: dict[str, frozenset[str]] = {}

    def has(self, path: str) -> bool:
        if path.startswith(f"{RESTRICTED}/"):
            return False
        folder, _, name = path.rpartition("/")
        if folder not in self._names:
            try:
                self._names[folder] = frozenset(entry.name for entry in self._store.list(folder))
            except (Missing, Forbidden, Failed):
                self._names[folder] = frozenset()
        return name in self._names[folder]


def _listing(number: int, folder: str, inside: list[Entry]) -> Listing:
    files = [entry.size for entry in inside if entry.is_file]
    within = group_of(folder.rpartition("/")[0]) if folder else ""
    return Listing(number, within, Extent(len(files), sum(files)))
