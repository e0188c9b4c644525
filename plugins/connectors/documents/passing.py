"""What changed on the server since the last pass? Everything is listed, only what looks different is read."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, field, replace

from connectors.documents import restricted
from connectors.documents.dates import collection_date
from connectors.documents.folders import RESTRICTED, Folders, covering, names_in, parts_of
from connectors.documents.formats.reading import Content
from connectors.documents.identifiers import mentions, weakly
from connectors.documents.known_files import Known, KnownFiles, look_of
from connectors.documents.reader import Reader
from connectors.documents.restricted import Remains, Restricted, content_at
from connectors.documents.stores.store import Entry, Failed, FileStore, Forbidden, Missing, TooLarge
from retention.vocabulary import (
    ClassFacts,
    DataClass,
    Facts,
    Finding,
    Gap,
    GapCode,
    Identifier,
    LawfulBasis,
    Page,
    RecordRef,
    Token,
)

FILE = "file"
FOLDER = "folder"
STREAM = "stream.txt"
"""An alternate stream has no name of a kind: what is no text in one is unread."""
_NO_BYTES = bytes(32)


@dataclass
class _Draft:
    """A page as it fills."""

    findings: list[Finding] = field(default_factory=list)
    unchanged: list[RecordRef] = field(default_factory=list)
    gaps: list[Gap] = field(default_factory=list)
    read: int = 0

    def page(self, token: Token | None = None, *, whole: bool = False) -> Page:
        return Page(
            tuple(self.findings), tuple(self.gaps), self.read, token, unchanged=tuple(self.unchanged), whole=whole
        )


@dataclass(frozen=True, slots=True)
class _File:
    """A file met on the way: its path is where it belongs, `at` where its bytes are."""

    path: str
    at: str
    entry: Entry
    restricted: bool = False


class Pass:
    """One walk over the whole server."""

    def __init__(
        self, store: FileStore, reader: Reader, folders: Folders, *, page_size: int, largest: int, since: Token | None
    ) -> None:
        self._store = store
        self._reader = reader
        self._folders = folders
        self._page_size = page_size
        self._largest = largest
        self._before = KnownFiles.parse(since)
        self._now = KnownFiles()
        self._whole = True

    def pages(self, root: list[Entry]) -> Iterator[Page]:
        """Page by page; the last carries the token, and says whether everything there is was named."""
        draft = _Draft()
        for met in self._met(root):
            if draft.read >= self._page_size:
                yield draft.page()
                draft = _Draft()
            if isinstance(met, Gap):
                draft.gaps.append(met)
            else:
                self._take(met, draft)
            draft.read += 1
        if not self._whole:
            self._now.keep(self._before)
        yield draft.page(self._now.token(), whole=self._whole)

    def _met(self, root: list[Entry]) -> Iterator[_File | Gap]:
        aside = list(restricted.listed(self._store)) if any(entry.name == RESTRICTED for entry in root) else []
        wanted = {one.path for one in aside}
        live: set[str] = set()
        folders = [""]
        while folders:
            folder = folders.pop()
            inside = self._inside(folder) if folder else root
            if isinstance(inside, Gap):
                yield inside
                continue
            prefix = f"{folder}/" if folder else ""
            for entry in inside:
                path = prefix + entry.name
                if path in wanted:
                    live.add(path)
                if entry.is_file:
                    yield _File(path, path, entry)
                elif not entry.is_folder:
                    yield self._no_file(path, entry)
            below = (prefix + entry.name for entry in reversed(inside) if entry.is_folder)
            folders += [path for path in below if path != RESTRICTED]
        yield from self._aside(aside, live)
        for path in self._store.unfinished():
            yield Gap(GapCode.NOT_REACHABLE, FILE, "unfinished-upload", self._ref(path))

    def _no_file(self, path: str, entry: Entry) -> Gap:
        """What cannot be opened by its name. Behind one that stands for several, files may lie that were not named."""
        if entry.is_link:
            return Gap(GapCode.LINK_NOT_FOLLOWED, FILE, "", self._ref(path))
        self._whole = self._whole and not entry.caveat
        return Gap(GapCode.NOT_REACHABLE, FILE, entry.caveat or "special-file", self._ref(path))

    def _inside(self, folder: str) -> list[Entry] | Gap:
        """What lies in a folder. One that we may not list is a gap, and then not everything was named."""
        try:
            return self._store.list(folder)
        except Missing:
            return []
        except (Forbidden, Failed):
            self._whole = False
            return Gap(GapCode.NOT_REACHABLE, FOLDER, "folder", RecordRef(self._store.system, FOLDER, folder))

    def _aside(self, aside: list[Restricted | Remains], live: set[str]) -> Iterator[_File | Gap]:
        """Restricted files under their first path; what cannot be told apart from a live file is a gap."""
        for one in aside:
            if isinstance(one, Restricted) and one.path not in live:
                yield _File(one.path, content_at(one.path), one.entry, restricted=True)
            elif isinstance(one, Restricted):
                yield Gap(GapCode.NOT_REACHABLE, FILE, "restricted-twin", self._ref(one.path))
            elif one.path not in live:  # beside a live file it is what a broken restriction left: nothing is hidden
                yield Gap(GapCode.NOT_REACHABLE, FILE, one.what, self._ref(one.path))

    def _take(self, file: _File, draft: _Draft) -> None:
        covered = covering(self._folders, file.path)
        if covered is None:
            draft.gaps.append(Gap(GapCode.NOT_REACHABLE, FILE, "outside-folders", self._ref(file.path)))
            return
        if file.entry.caveat:
            draft.gaps.append(Gap(GapCode.NOT_REACHABLE, FILE, file.entry.caveat, self._ref(file.path)))
        look = look_of(file.entry, restricted=file.restricted, facts=covered)
        known = self._before.find(file.path, look)
        if known is not None:
            self._now.add(file.path, known)
            draft.unchanged.append(self._ref(file.path, known.version))
            if known.gap is not None:
                draft.gaps.append(Gap(known.gap, FILE, "", self._ref(file.path, known.version)))
            return
        self._read(file, covered, look, draft)

    def _read(self, file: _File, covered: tuple[DataClass, LawfulBasis], look: bytes, draft: _Draft) -> None:
        sha256 = _NO_BYTES
        may_be_known = True
        try:
            raw = self._store.read(file.at, self._largest)
            sha256 = hashlib.sha256(raw).digest()
            content = self._with_parts(file.at, self._reader.read(file.path, raw))
            # Written to between listing and reading: what was read is true, but the listed look is not its look.
            may_be_known = len(raw) == file.entry.size
        except Missing:
            return
        except TooLarge:
            content = Content(gap=GapCode.TOO_LARGE)
        except (Forbidden, Failed):
            content = Content(gap=GapCode.NOT_REACHABLE, what="file")
            may_be_known = False
        known = Known(look, sha256, content.gap)
        if may_be_known:
            self._now.add(file.path, known)
        ref = self._ref(file.path, known.version)
        draft.findings.append(Finding(ref, self._facts(file, covered, content), self._identifiers(file, content)))
        if content.gap is not None:
            draft.gaps.append(Gap(content.gap, FILE, content.what, ref))

    def _with_parts(self, at: str, content: Content) -> Content:
        """A file with what its alternate streams say. One of them unread, the whole is."""
        if content.gap is not None:
            return content
        for part in self._store.parts(at):
            try:
                more = self._reader.read(STREAM, self._store.read(part, self._largest))
            except (Missing, TooLarge, Forbidden, Failed):
                return Content(gap=GapCode.NOT_REACHABLE, what="alternate-stream")
            if more.gap is not None:
                return Content(gap=more.gap, what="alternate-stream")
            content = replace(content, identifiers=(*content.identifiers, *more.identifiers))
        return content

    def _facts(self, file: _File, covered: tuple[DataClass, LawfulBasis], content: Content) -> Facts:
        """A file that was not read has no proven date: unread content may protect a file, never destroy it."""
        data_class, basis = covered
        read = content.gap is None
        collected = collection_date(file.path, file.entry.modified_at, content.stamps) if read else None
        fields = parts_of(file.path) if read else ()
        return Facts(
            (ClassFacts(data_class, basis, fields, collected),), restricted=file.restricted, several_people=True
        )

    def _identifiers(self, file: _File, content: Content) -> tuple[Identifier, ...]:
        """Whom the file names, by its path too. Of one read in part they are weak evidence only."""
        if content.gap is not None:
            return tuple(dict.fromkeys(map(weakly, content.identifiers)))
        return tuple(dict.fromkeys((*content.identifiers, *mentions(names_in(file.path)))))

    def _ref(self, path: str, version: str = "") -> RecordRef:
        return RecordRef(self._store.system, FILE, path, version)
