"""What changed on a part of the server since it was last read? All is listed, only what looks different is opened.

While the reading process works on one file, the next is fetched. The same bytes under several names are read once.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from concurrent.futures import Future
from dataclasses import dataclass, field, replace
from pathlib import PurePosixPath

from connectors.documents.dates import collection_date
from connectors.documents.dividing import Share
from connectors.documents.folders import Folders, covering, names_in, parts_of
from connectors.documents.formats.reading import Content
from connectors.documents.identifiers import mentions, weakly
from connectors.documents.reader import Reader
from connectors.documents.stores.store import Entry, Failed, FileStore, Forbidden, Missing, TooLarge
from connectors.documents.walking import FILE, File, Folder, Named, Walk
from retention.contract import Known, Memory
from retention.listings import Listing
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
)

READER_VERSION = 3
"""To be raised whenever the readers find more than before, so that every file is read again."""
STREAM = "stream.txt"
"""An alternate stream has no name of a kind: what is no text in one is unread."""
_TWINS = 4_096
"""How many contents are remembered for their next name, and how many addresses at most each of them names."""
_ADDRESSES = 100
_Covered = tuple[DataClass, LawfulBasis]


@dataclass
class _Draft:
    """A page as it fills."""

    files: list[tuple[str, File]] = field(default_factory=list)
    gaps: list[Gap] = field(default_factory=list)
    listings: dict[str, Listing] = field(default_factory=dict)
    named: list[str] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)
    unchanged: list[RecordRef] = field(default_factory=list)
    met: int = 0

    def page(self, *, whole: bool) -> Page:
        return Page(
            tuple(self.findings),
            tuple(self.gaps),
            self.met,
            unchanged=tuple(self.unchanged),
            whole=whole,
            whole_groups=tuple(self.named),
            listings=dict(self.listings),
        )


@dataclass(frozen=True, slots=True)
class _Begun:
    """A file that is being read."""

    group: str
    file: File
    covered: _Covered
    look: bytes
    sha256: str
    size: int
    content: Future[Content] | Content


class Pass:
    """One worker's pass over its part."""

    def __init__(
        self, store: FileStore, reader: Reader, folders: Folders, memory: Memory, *, page_size: int, largest: int
    ) -> None:
        self._store = store
        self._reader = reader
        self._folders = folders
        self._memory = memory
        self._page_size = page_size
        self._largest = largest
        self._twins: dict[tuple[str, str], Future[Content]] = {}

    def pages(self, share: Share) -> Iterator[Page]:
        """Page by page; the last one says whether everything of the part was named."""
        walk = Walk(self._store, self._memory)
        draft = _Draft()
        folder = None
        for met in walk.over(share):
            match met:
                case Folder():
                    folder = met
                    draft.listings[met.group] = met.listing
                case Named():
                    draft.named.append(met.group)
                case Gap():
                    draft.gaps.append(met)
                    draft.met += 1
                case File() if folder is not None:
                    if max(draft.met, len(draft.listings)) >= self._page_size:
                        yield self._read(draft).page(whole=False)
                        draft = _Draft(listings={folder.group: folder.listing})
                    draft.files.append((folder.group, met))
                    draft.met += 1
        yield self._read(draft).page(whole=walk.whole)

    def _read(self, draft: _Draft) -> _Draft:
        known = self._memory.known(FILE, [file.path for _, file in draft.files])
        begun: list[_Begun] = []
        for group, file in draft.files:
            if file.entry.caveat:
                draft.gaps.append(self._gap(file, file.entry.caveat))
            covered = covering(self._folders, file.path)
            if covered is None:
                draft.gaps.append(self._gap(file, "outside-folders"))
                continue
            look = look_of(file.entry, restricted=file.restricted, facts=covered)
            before = known.get(file.path)
            if before is not None and before.mark == look:
                self._keep(file, before, draft)
            elif (one := self._begin(group, file, covered, look)) is not None:
                begun.append(one)
        for one in begun:
            self._take(one, draft)
        return draft

    def _keep(self, file: File, known: Known, draft: _Draft) -> None:
        ref = self._ref(file.path, known.version)
        draft.unchanged.append(ref)
        if known.gap is not None and not file.entry.caveat:
            draft.gaps.append(Gap(known.gap, FILE, "", ref))

    def _begin(self, group: str, file: File, covered: _Covered, look: bytes) -> _Begun | None:
        """Fetch a file and hand it to the reading process; None if it is gone."""
        try:
            raw = self._store.read(file.at, self._largest)
        except Missing:
            return None
        except TooLarge:
            return _Begun(group, file, covered, look, "", file.entry.size, Content(gap=GapCode.TOO_LARGE))
        except (Forbidden, Failed):
            return _Begun(group, file, covered, look, "", -1, Content(gap=GapCode.NOT_REACHABLE, what="file"))
        sha256 = hashlib.sha256(raw).hexdigest()
        twin = (sha256, PurePosixPath(file.path).suffix.casefold())
        content = self._twins.pop(twin, None) or self._reader.begin(file.path, raw)
        self._twins[twin] = content
        if len(self._twins) > _TWINS:
            del self._twins[next(iter(self._twins))]
        return _Begun(group, file, covered, look, sha256, len(raw), content)

    def _take(self, begun: _Begun, draft: _Draft) -> None:
        file = begun.file
        content = begun.content if isinstance(begun.content, Content) else begun.content.result()
        if len(content.identifiers) > _ADDRESSES:
            self._twins.pop((begun.sha256, PurePosixPath(file.path).suffix.casefold()), None)
        content = self._with_parts(file.at, content)
        # Written to between listing and reading: what was read is true, but the listed look is not its look.
        mark = begun.look if begun.size == file.entry.size else b""
        ref = self._ref(file.path, begun.sha256)
        draft.findings.append(
            Finding(
                ref,
                self._facts(file, begun.covered, content),
                self._identifiers(file, content),
                group=begun.group,
                mark=mark,
            )
        )
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

    def _facts(self, file: File, covered: _Covered, content: Content) -> Facts:
        """A file that was not read has no proven date: unread content may protect a file, never destroy it."""
        data_class, basis = covered
        read = content.gap is None
        collected = collection_date(file.path, file.entry.modified_at, content.stamps) if read else None
        fields = parts_of(file.path) if read else ()
        return Facts(
            (ClassFacts(data_class, basis, fields, collected),), restricted=file.restricted, several_people=True
        )

    def _identifiers(self, file: File, content: Content) -> tuple[Identifier, ...]:
        """Whom the file names, by its path too. Of one read in part they are weak evidence only."""
        if content.gap is not None:
            return tuple(dict.fromkeys(map(weakly, content.identifiers)))
        return tuple(dict.fromkeys((*content.identifiers, *mentions(names_in(file.path)))))

    def _gap(self, file: File, what: str) -> Gap:
        return Gap(GapCode.NOT_REACHABLE, FILE, what, self._ref(file.path))

    def _ref(self, path: str, version: str = "") -> RecordRef:
        return RecordRef(self._store.system, FILE, path, version)


def look_of(entry: Entry, *, restricted: bool, facts: _Covered) -> bytes:
    """A digest of how a file looks from outside, of what the policy says of its place, and of who read it."""
    seen = f"{READER_VERSION} {entry.size} {entry.modified_ns} {entry.tag} {restricted} {' '.join(facts)}"
    return hashlib.blake2b(seen.encode(), digest_size=8).digest()
