"""What does an office document say, in every part of its package, and when does it say it was written?

One pass for all of them: Word, spreadsheets, slides and OpenDocument are XML parts in a zip. The runs of a block are
joined with nothing between, since the programs split an address where they like. A paragraph with tracked changes is
read twice: as it is now and as it was.
"""

from __future__ import annotations

import io
import re
import zipfile
import zlib
from collections.abc import Mapping
from dataclasses import dataclass, field

from lxml import etree  # type: ignore[import-untyped]

from connectors.documents.formats.budget import Budget, Emit
from connectors.documents.formats.stamps import Stamps
from connectors.documents.formats.unreadable import Unreadable
from retention.vocabulary import GapCode

_CHUNK = 64 * 1024
XML_ENDINGS = (".xml", ".rels", ".vml", ".svg", ".rdf")
_WITHOUT_TEXT = (
    *(".png", ".jpg", ".jpeg", ".gif", ".bmp", ".tif", ".tiff", ".emf", ".wmf", ".wdp", ".ico"),
    *(".odttf", ".ttf", ".fntdata", ".bin", "mimetype"),
)
_MANIFEST = "META-INF/manifest.xml"
_MAIN_PARTS = ("word/document", "xl/workbook.xml", "ppt/presentation.xml", "content.xml")


@dataclass(frozen=True)
class Dialect:
    """Where the text of a family of formats stands: in which elements a block, in which of them its characters."""

    blocks: frozenset[str]
    characters: frozenset[str]
    dates: Mapping[str, frozenset[str]]
    """Part → elements that hold times."""


OFFICE = Dialect(
    frozenset({"p", "si", "is", "text", "rPh"}),
    frozenset({"t", "delText"}),
    {"docprops/core.xml": frozenset({"created", "modified"})},
)
OPEN_DOCUMENT = Dialect(
    frozenset({"p", "h"}),
    frozenset({"p", "h", "span", "a", "ruby", "ruby-base", "meta"}),
    {"meta.xml": frozenset({"creation-date", "date"})},
)
_SPOKEN = {"descr", "title", "alt", "tooltip", "display", "Target", "href", "string-value", "author", "initials"}
_LARGEST_SILENT = 1024 * 1024
_OFTEN_SILENT = ("styles", "theme", "fonttable", "settings", "numbering")
_TEXT_BETWEEN_TAGS = re.compile(rb">\s*[^<\s]")
_SIGNS_OF_WORDS = (
    *(b"@", b"&", b"%", b"\0", b"tel:", b"<!DOCTYPE", b" =", b"= ", b"='"),
    *(f'{one}="'.encode() for one in _SPOKEN),
)
_INSERTED = {"ins", "moveTo"}
_DELETED = {"del", "moveFrom"}
_SPACES = {"tab": "\t", "br": "\n", "cr": "\n", "noBreakHyphen": "-", "line-break": "\n", "s": " "}
_MARKS = _INSERTED | _DELETED | _SPACES.keys()
_NAMES: dict[str, str] = {}
_MOST_NAMES = 10_000
_FIELDS = {"instrText", "delInstrText"}
_PRINTED_AROUND = {f"{which}{place}" for which in ("odd", "even", "first") for place in ("Header", "Footer")}
_PRINT_CODE = re.compile(r'&(?:"[^"]*"|K[0-9A-Fa-f]{6}|K\d\d[+-]\d{3}|\d{1,3}|[A-Z])')
"""How a spreadsheet sets what it prints around a page: &L at the left, &12 in twelve points."""


def without_print_codes(name: str, text: str) -> str:
    """What an element of this name says once such codes are out."""
    return _PRINT_CODE.sub(" ", text) if name in _PRINTED_AROUND else text


@dataclass
class _Block:
    now: list[str] = field(default_factory=list)
    before: list[str] = field(default_factory=list)
    fields: list[str] = field(default_factory=list)


def read_office(content: bytes, emit: Emit, budget: Budget) -> Stamps:
    """A document of Word, a spreadsheet or slides."""
    return _read(content, emit, budget, OFFICE)


def read_open_document(content: bytes, emit: Emit, budget: Budget) -> Stamps:
    """A text, spreadsheet or presentation in the OpenDocument format."""
    return _read(content, emit, budget, OPEN_DOCUMENT)


def _read(content: bytes, emit: Emit, budget: Budget, dialect: Dialect) -> Stamps:
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as package:
            return _package(package, emit, budget, dialect)
    except etree.XMLSyntaxError as error:
        out_of_memory = error.code == etree.ErrorTypes.ERR_NO_MEMORY
        raise Unreadable(GapCode.TOO_LARGE if out_of_memory else GapCode.DAMAGED) from None
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, ValueError, OSError, KeyError):
        raise Unreadable(GapCode.DAMAGED) from None


def _package(package: zipfile.ZipFile, emit: Emit, budget: Budget, dialect: Dialect) -> Stamps:
    members = package.infolist()
    budget.member(len(members))
    names = [member.filename.lower() for member in members]
    if any(member.flag_bits & 1 for member in members) or _has_locked_parts(package, budget):
        raise Unreadable(GapCode.ENCRYPTED)
    if not any(name.startswith(_MAIN_PARTS) for name in names):
        raise Unreadable(GapCode.DAMAGED, "no-document-part")
    stamps = Stamps()
    for member, name in zip(members, names, strict=True):
        if name.endswith(XML_ENDINGS):
            part = Part(emit, dialect, dialect.dates.get(name, frozenset()))
            _parse(package, member, part, budget)
            stamps.merge(part.stamps)
        elif not member.is_dir() and ("embeddings/" in name or not name.endswith(_WITHOUT_TEXT)):
            with package.open(member) as stream:
                embedded = budget.unpacked(stream)
            stamps.merge(budget.nested(member.filename, embedded, emit))
    return stamps


def _has_locked_parts(package: zipfile.ZipFile, budget: Budget) -> bool:
    """OpenDocument encrypts part by part and says so in its manifest."""
    if _MANIFEST not in package.namelist():
        return False
    with package.open(_MANIFEST) as stream:
        return b"encryption-data" in budget.unpacked(stream)


def _parse(package: zipfile.ZipFile, member: zipfile.ZipInfo, part: Part, budget: Budget) -> None:
    """Feed one part through the parser, never more than what is left of the budget."""
    with package.open(member) as stream:
        first = stream.read(_LARGEST_SILENT)
        budget.parse(first)
        if any(name in member.filename.lower() for name in _OFTEN_SILENT) and _is_silent(first):
            return
        parser = etree.XMLParser(target=part, resolve_entities=False, no_network=True, huge_tree=False, load_dtd=False)
        parser.feed(first)
        while chunk := stream.read(_CHUNK):
            budget.parse(chunk)
            parser.feed(chunk)
    parser.close()


def _is_silent(content: bytes) -> bool:
    """Whether a part of styles or fonts says nothing, so that it needs no parser: no text, no attribute of words."""
    body = content.partition(b"?>")[2] if content.startswith(b"<?xml ") else content
    if len(content) == _LARGEST_SILENT or any(sign in body for sign in _SIGNS_OF_WORDS):
        return False
    return _TEXT_BETWEEN_TAGS.search(body) is None


def _learnt(tag: str) -> str:
    """The name of a tag without its namespace: computed once for each, up to as many as documents have."""
    name = tag.rpartition("}")[2]
    if len(_NAMES) < _MOST_NAMES:
        _NAMES[tag] = name
    return name


class Part:
    """Turns one part's elements into blocks of text as they pass; nothing of the tree is kept."""

    def __init__(self, emit: Emit, dialect: Dialect, dates: frozenset[str]) -> None:
        self.stamps = Stamps()
        self._emit = emit
        self._dialect = dialect
        self._dates = dates
        self._blocks_of_dialect = dialect.blocks
        self._open: list[str] = []
        self._own: list[list[str] | None] = []
        self._blocks: list[_Block] = []
        self._inserted = 0
        self._deleted = 0

    def doctype(self, name: str, public: str | None, system: str | None) -> None:
        """No office program writes one: it is there to define entities."""
        raise Unreadable(GapCode.DAMAGED, "doctype")

    def start(self, tag: str, attributes: dict[str, str]) -> None:
        name = _NAMES.get(tag) or _learnt(tag)
        self._open.append(name)
        self._own.append(None)
        if attributes:
            for key, value in attributes.items():
                if "@" in value or "%40" in value or "tel:" in value or key.rpartition("}")[2] in _SPOKEN:
                    self._emit(value)
        if name in self._blocks_of_dialect:
            self._blocks.append(_Block())
        elif name in _MARKS:
            if name in _SPACES:
                self._add(_SPACES[name])
            self._inserted += name in _INSERTED
            self._deleted += name in _DELETED

    def end(self, tag: str) -> None:
        name, own = self._open.pop(), self._own.pop()
        if name in self._blocks_of_dialect:
            self._finish(self._blocks.pop())
        elif name in _MARKS:
            self._inserted -= name in _INSERTED
            self._deleted -= name in _DELETED
        if own is None:
            return
        text = "".join(own)
        if name in self._dates:
            self.stamps.add(f"document properties: {name}", text)
        text = without_print_codes(name, text)
        if text.strip():
            self._emit(text)

    def data(self, text: str) -> None:
        name = self._open[-1]
        if self._blocks and name in self._dialect.characters:
            self._add(text, deleted=name == "delText")
        elif self._blocks and name in _FIELDS:
            self._blocks[-1].fields.append(text)
        else:
            own = self._own[-1]
            if own is None:
                self._own[-1] = [text]
            else:
                own.append(text)

    def comment(self, text: str) -> None:
        self._emit(text)

    def pi(self, target: str, data: str | None) -> None:
        self._emit(data or "")

    def close(self) -> None:
        """Nothing is left over: elements are balanced, or the parser has complained."""

    def _add(self, text: str, *, deleted: bool = False) -> None:
        if not self._blocks:
            return
        if not (deleted or self._deleted):
            self._blocks[-1].now.append(text)
        if not self._inserted:
            self._blocks[-1].before.append(text)

    def _finish(self, block: _Block) -> None:
        now, before = "".join(block.now), "".join(block.before)
        for text in dict.fromkeys((now, before, "".join(block.fields))):
            if text.strip():
                self._emit(text)
