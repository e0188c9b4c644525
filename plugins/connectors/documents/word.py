"""What does a Word document say, in every part of its package, and when does it say it was written?

All runs of a paragraph are joined with nothing between, since Word splits an address where it likes. A paragraph with
tracked changes is read twice: as it is now and as it was. Budgets count while reading: size fields are only claims.
"""

from __future__ import annotations

import io
import zipfile
import zlib
from collections.abc import Callable
from dataclasses import dataclass, field

from lxml import etree  # type: ignore[import-untyped]

from connectors.documents.unreadable import Unreadable
from retention.vocabulary import GapCode

MOST_MEMBERS = 2_000
MOST_BYTES = 50 * 1024 * 1024
_CHUNK = 64 * 1024
_COMPOUND_FILE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_ENCRYPTED_STREAM = "EncryptedPackage".encode("utf-16-le")
_XML = (".xml", ".rels", ".vml", ".svg")
_WITHOUT_TEXT = (
    *(".png", ".jpg", ".jpeg", ".gif", ".bmp", ".tif", ".tiff", ".emf", ".wmf", ".wdp", ".ico"),
    *(".odttf", ".ttf", ".fntdata", ".bin"),
)
_CORE = "docprops/core.xml"
_STAMPS = {"created", "modified"}
_INSERTED = {"ins", "moveTo"}
_DELETED = {"del", "moveFrom"}
_SPACES = {"tab": "\t", "br": "\n", "cr": "\n", "noBreakHyphen": "-"}
_FIELDS = {"instrText", "delInstrText"}

Emit = Callable[[str], None]


@dataclass
class _Paragraph:
    now: list[str] = field(default_factory=list)
    before: list[str] = field(default_factory=list)
    fields: list[str] = field(default_factory=list)


def read(content: bytes, emit: Emit) -> dict[str, str]:
    """Give every block of text to `emit`; returns the times in the document's core properties."""
    if content.startswith(_COMPOUND_FILE):
        raise Unreadable(GapCode.ENCRYPTED if _ENCRYPTED_STREAM in content else GapCode.UNKNOWN_FORMAT)
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as package:
            return _package(package, emit)
    except etree.XMLSyntaxError as error:
        out_of_memory = error.code == etree.ErrorTypes.ERR_NO_MEMORY
        raise Unreadable(GapCode.TOO_LARGE if out_of_memory else GapCode.DAMAGED) from None
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, ValueError, OSError, KeyError):
        raise Unreadable(GapCode.DAMAGED) from None


def _package(package: zipfile.ZipFile, emit: Emit) -> dict[str, str]:
    members = package.infolist()
    if len(members) > MOST_MEMBERS:
        raise Unreadable(GapCode.TOO_LARGE, "members")
    if any(member.flag_bits & 1 for member in members):
        raise Unreadable(GapCode.ENCRYPTED)
    names = [member.filename.lower() for member in members]
    if not any(name.startswith("word/document") and name.endswith(".xml") for name in names):
        raise Unreadable(GapCode.DAMAGED, "no-document-part")
    stamps: dict[str, str] = {}
    left = MOST_BYTES
    unread = ""
    for member, name in zip(members, names, strict=True):
        if name.endswith(_XML):
            part = _Part(emit)
            left = _parse(package, member, part, left)
            if name == _CORE:
                stamps |= part.stamps
        elif not member.is_dir() and ("embeddings/" in name or not name.endswith(_WITHOUT_TEXT)):
            unread = "embedded-object"
    if unread:
        raise Unreadable(GapCode.UNKNOWN_FORMAT, unread)
    return stamps


def _parse(package: zipfile.ZipFile, member: zipfile.ZipInfo, part: _Part, left: int) -> int:
    """Feed one part through the parser, never more than what is left of the budget; returns what is left after."""
    parser = etree.XMLParser(target=part, resolve_entities=False, no_network=True, huge_tree=False, load_dtd=False)
    with package.open(member) as stream:
        while chunk := stream.read(_CHUNK):
            left -= len(chunk)
            if left < 0:
                raise Unreadable(GapCode.TOO_LARGE, "expanded")
            parser.feed(chunk)
    parser.close()
    return left


class _Part:
    """Turns one part's elements into blocks of text as they pass; nothing of the tree is kept."""

    def __init__(self, emit: Emit) -> None:
        self.stamps: dict[str, str] = {}
        self._emit = emit
        self._open: list[tuple[str, list[str]]] = []
        self._paragraphs: list[_Paragraph] = []
        self._inserted = 0
        self._deleted = 0

    def doctype(self, name: str, public: str | None, system: str | None) -> None:
        """No office program writes one: it is there to define entities."""
        raise Unreadable(GapCode.DAMAGED, "doctype")

    def start(self, tag: str, attributes: dict[str, str]) -> None:
        name = tag.rpartition("}")[2]
        self._open.append((name, []))
        for value in attributes.values():
            if "@" in value or "%40" in value or value.startswith("tel:"):
                self._emit(value)
        if name == "p":
            self._paragraphs.append(_Paragraph())
        elif name in _SPACES:
            self._add(_SPACES[name])
        self._inserted += name in _INSERTED
        self._deleted += name in _DELETED

    def end(self, tag: str) -> None:
        name, own = self._open.pop()
        self._inserted -= name in _INSERTED
        self._deleted -= name in _DELETED
        if name == "p":
            self._finish(self._paragraphs.pop())
        text = "".join(own)
        if name in _STAMPS:
            self.stamps[name] = text.strip()
        if text.strip():
            self._emit(text)

    def data(self, text: str) -> None:
        name, own = self._open[-1]
        if not self._paragraphs:
            own.append(text)
        elif name in ("t", "delText"):
            self._add(text, deleted=name == "delText")
        elif name in _FIELDS:
            self._paragraphs[-1].fields.append(text)
        else:
            own.append(text)

    def close(self) -> None:
        """Nothing is left over: elements are balanced, or the parser has complained."""

    def _add(self, text: str, *, deleted: bool = False) -> None:
        if not self._paragraphs:
            return
        if not (deleted or self._deleted):
            self._paragraphs[-1].now.append(text)
        if not self._inserted:
            self._paragraphs[-1].before.append(text)

    def _finish(self, paragraph: _Paragraph) -> None:
        now, before = "".join(paragraph.now), "".join(paragraph.before)
        for text in dict.fromkeys((now, before, "".join(paragraph.fields))):
            if text.strip():
                self._emit(text)
