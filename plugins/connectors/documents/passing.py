"""What changed on a part of the server since it was last read? All is listed, only what looks different is opened.

While the reading process works on one file, the next is fetched. The same bytes under several names are read once.
"""

from __future__ import annotations

import hashlib
from collections.abc import Generator, Iterator, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field, replace

from connectors.documents.dates import collection_date
from connectors.documents.dividing import Share
from connectors.documents.fetching import Fetched, Fetcher, one_ahead
from connectors.documents.folders import Folders, covering, names_in, parts_of
from connectors.documents.formats.kinds import ending_of
from connectors.documents.formats.reading import Content
from connectors.documents.identifiers import mentions, weakly
from connectors.documents.reader import Reader
from connectors.documents.stores.store import Entry, FileStore, Missing, TooLarge
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
class _New:
    """A file that is to be opened."""

    group: str
    file: File
    covered: _Covered
    look: bytes


@dataclass(frozen=True, slots=True)
class _Begun:
    """A file that is being read: its bytes' digest and number, and what they and its alternate streams say."""

    new: _New
    sha256: str
    size: int
    contents: tuple[Future[Content] | Content, ...]


class Pass:
    """One worker's pass over its part."""

    def __init__(
        self, store: FileStore, reader: Reader, folders: Folders, memory: Memory, *, page_size: int, largest: int
    ) -> None:
        self._store = store
        self._fetcher = Fetcher(store, largest)
        self._reader = reader
        self._folders = folders
        self._memory = memory
        self._page_size = page_size
        self._largest = largest
        self._twins: dict[tuple[str, str], Future[Content]] = {}

    def pages(self, share: Share) -> Iterator[Page]:
        """Page by page; the last one says whether everything of the part was named."""
        try:
            yield from one_ahead(self._pages(share))
        finally:
            self._fetcher.close()

    def _pages(self, share: Share) -> Generator[Page]:
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
        new: list[_New] = []
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
            else:
                new.append(_New(group, file, covered, look))
        fetched = self._fetcher.each(new, lambda one: one.file.at, lambda one: min(one.file.entry.size, self._largest))
        begun = [self._begin(one, given) for one, given in fetched if not isinstance(given.error, Missing)]
        for one in begun:
            self._take(one, draft)
        return draft

    def _keep(self, file: File, known: Known, draft: _Draft) -> None:
        ref = self._ref(file.path, known.version)
        draft.unchanged.append(ref)
        if known.gap is not None and not file.entry.caveat:
            draft.gaps.append(Gap(known.gap, FILE, "", ref))

    def _begin(self, new: _New, fetched: Fetched) -> _Begun:
        """Hand a file to the reading process."""
        if isinstance(fetched.error, TooLarge):
            return _Begun(new, "", new.file.entry.size, (Content(gap=GapCode.TOO_LARGE),))
        if fetched.error is not None:
            return _Begun(new, "", -1, (Content(gap=GapCode.NOT_REACHABLE, what="file"),))
        sha256 = hashlib.sha256(fetched.content).hexdigest()
        contents: list[Future[Content] | Content] = [self._content(new.file.path, sha256, fetched.content)]
        contents += [self._reader.begin(STREAM, stream) for stream in fetched.streams]
        contents += [Content(gap=GapCode.NOT_REACHABLE)] if fetched.stream_error else []
        return _Begun(new, sha256, len(fetched.content), tuple(contents))

    def _content(self, path: str, sha256: str, raw: bytes) -> Future[Content]:
        """What the bytes say; the same bytes under another name of the same kind were perhaps asked before."""
        twin = (sha256, ending_of(path))
        content = self._twins.pop(twin, None) or self._reader.begin(path, raw)
        self._twins[twin] = content
        if len(self._twins) > _TWINS:
            del self._twins[next(iter(self._twins))]
        return content

    def _take(self, begun: _Begun, draft: _Draft) -> None:
        file = begun.new.file
        content, *streams = [one if isinstance(one, Content) else one.result() for one in begun.contents]
        if len(content.identifiers) > _ADDRESSES:
            self._twins.pop((begun.sha256, ending_of(file.path)), None)
        content = _together(content, streams)
        # Written to between listing and reading: what was read is true, but the listed look is not its look.
        mark = begun.new.look if begun.size == file.entry.size else b""
        ref = self._ref(file.path, begun.sha256)
        facts = self._facts(file, begun.new.covered, content)
        draft.findings.append(Finding(ref, facts, self._identifiers(file, content), group=begun.new.group, mark=mark))
        if content.gap is not None:
            draft.gaps.append(Gap(content.gap, FILE, content.what, ref))

    def _facts(self, file: File, covered: _Covered, content: Content) -> Facts:
        """A file that was not read has no proven date: unread content may protect a file, never destroy it."""
        data_class, basis = covered
        read = content.gap is None
        seen = file.entry
        collected = collection_date(file.path, seen.modified_at, content.stamps, seen.created_at) if read else None
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


def _together(content: Content, streams: Sequence[Content]) -> Content:
    """A file with what its alternate streams say. One of them unread, the whole is."""
    if content.gap is not None:
        return content
    for more in streams:
        if more.gap is not None:
            return Content(gap=more.gap, what="alternate-stream")
        content = replace(content, identifiers=(*content.identifiers, *more.identifiers))
    return content


def look_of(entry: Entry, *, restricted: bool, facts: _Covered) -> bytes:
    """A digest of how a file looks from outside, of what the policy says of its place, and of who read it."""
    seen = f"{READER_VERSION} {entry.size} {entry.modified_ns} {entry.tag} {restricted} {' '.join(facts)}"
    return hashlib.blake2b(seen.encode(), digest_size=8).digest()
