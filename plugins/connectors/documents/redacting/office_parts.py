"""What is left of an office document when one person is taken out of every part of its package?

A table row that names only them goes; a paragraph, a cell's text, a comment, a property or a link that names only them
is emptied where it stands, so that nothing around it moves. What names somebody else too is for a person to decide.
"""

from __future__ import annotations

import io
import zipfile
import zlib
from collections.abc import Iterator

from lxml import etree  # type: ignore[import-untyped]

from connectors.documents.formats.package import OFFICE, XML_ENDINGS, Part, without_print_codes
from connectors.documents.redacting.redacted import Cut, People, Refused
from connectors.documents.sought import SEPARATOR

_ROWS = frozenset(("tr",))
_LEAVES = frozenset(("t", "delText", "instrText", "delInstrText"))
_NOWHERE = "about:blank"
_STRINGS = "xl/sharedstrings.xml"
_SHEETS = "xl/worksheets/"
_EMPTY_FORMULA = '""'


def without(content: bytes, wanted: People) -> tuple[bytes, int]:
    """The document without these people; how many places were emptied."""
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as package:
            parts = {member.filename: package.read(member) for member in package.infolist()}
            if len(parts) < len(package.infolist()):
                raise Refused(Cut.UNCLEAR)  # two parts of one name: which of them a program reads is its own affair
            changed, count = _Parts(parts, wanted).without()
            return rewritten(package, changed) if count else content, count
    except (etree.XMLSyntaxError, zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, ValueError, OSError):
        raise Refused(Cut.UNCLEAR) from None


def rewritten(package: zipfile.ZipFile, changed: dict[str, bytes | None]) -> bytes:
    """The same zip with some members other than they were, or gone (None)."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as new:
        new.comment = package.comment
        for member in package.infolist():
            content = changed.get(member.filename, b"")
            if content is None:
                continue
            entry = zipfile.ZipInfo(member.filename, member.date_time)
            entry.compress_type, entry.external_attr = member.compress_type, member.external_attr
            entry.comment = member.comment
            new.writestr(entry, content if member.filename in changed else package.read(member))
    return buffer.getvalue()


class _Parts:
    """The parts of one package, as trees once they have to be changed."""

    def __init__(self, parts: dict[str, bytes], wanted: People) -> None:
        self._parts = {name: content for name, content in parts.items() if name.lower().endswith(XML_ENDINGS)}
        self._wanted = wanted
        self._strings: list[str] = []
        self._cleared: set[str] = set()
        self._count = 0

    def without(self) -> tuple[dict[str, bytes | None], int]:
        """The parts that are other than they were."""
        changed: dict[str, bytes | None] = {}
        strings = next((name for name in self._parts if name.lower() == _STRINGS), None)
        if strings is not None:
            self._strings = [SEPARATOR.join(texts_in(item)) for item in _parsed(self._parts[strings])]
        sheets = {name for name in self._parts if name.lower().startswith(_SHEETS)}
        # Sheets first: which shared strings nobody needs any more shows only when all rows are gone.
        for name in sorted(self._parts, key=lambda one: (one not in sheets, one)):
            root = _parsed(self._parts[name])
            before = self._count
            if name in sheets:
                self._clear_cells(root)
            if self._verdict(texts_in(root)) is not Cut.NOBODY:
                self._empty(root)
            if name.lower() == "xl/calcchain.xml":
                self._forget_formulas(root)
            if self._count > before or name.lower() == "xl/calcchain.xml":
                changed[name] = etree.tostring(root, xml_declaration=True, encoding="UTF-8", standalone=True)
        return changed, self._count

    # --- Spreadsheets ---

    def _clear_cells(self, root: etree._Element) -> None:
        """Empty the rows that name only these people. The row stays, so that no formula points elsewhere."""
        for row in _named(root, frozenset(("row",))):
            found = self._verdict([*texts_in(row), *self._shared_in(row)])
            if found is Cut.NOBODY:
                continue
            if found is not Cut.DONE:
                raise Refused(found)
            gone = {str(cell.get("r")) for cell in row}
            for cell in list(row):
                row.remove(cell)
            self._unlink(root, gone)
            self._cleared |= gone
            self._count += 1

    def _unlink(self, root: etree._Element, cells: set[str]) -> None:
        for link in _named(root, frozenset(("hyperlink",))):
            holder = link.getparent()
            if link.get("ref") in cells and holder is not None:
                holder.remove(link)
                if len(holder) == 0:  # a list of links without one is no valid part
                    holder.getparent().remove(holder)

    def _shared_in(self, row: etree._Element) -> Iterator[str]:
        for cell in row:
            value = cell.find("{*}v")
            if cell.get("t") == "s" and value is not None and str(value.text).isdigit():
                number = int(value.text)
                if number < len(self._strings):
                    yield self._strings[number]

    def _forget_formulas(self, root: etree._Element) -> None:
        for cell in list(root):
            if cell.get("r") in self._cleared:
                root.remove(cell)

    # --- Every part ---

    def _empty(self, root: etree._Element) -> None:
        """Rows, then blocks of text, then what is left: other texts and attributes."""
        for row in _named(root, _ROWS):
            if self._verdict(texts_in(row)) is Cut.DONE:
                self._take_row(row)
        for block in _named(root, OFFICE.blocks):
            if self._is_to_go("\x1e".join(_own_texts(block))):
                for leaf in _leaves_of(block):
                    leaf.text = ""
        for element in root.iter(etree.Element):
            if element.text and self._is_to_go(without_print_codes(_name(element), element.text)):
                element.text = _EMPTY_FORMULA if _name(element) == "definedName" else ""
            for key, value in element.attrib.items():
                if self._is_to_go(value):
                    element.set(key, _NOWHERE if key == "Target" else "")

    def _take_row(self, row: etree._Element) -> None:
        table = row.getparent()
        if table is not None and sum(1 for one in table if _name(one) in _ROWS) > 1:
            table.remove(row)
        else:  # a table without rows is none
            for leaf in _named(row, _LEAVES):
                leaf.text = ""
        self._count += 1

    def _is_to_go(self, text: str) -> bool:
        found = self._wanted.verdict_on(text)
        if found in (Cut.SHARED_ROW, Cut.UNCLEAR):
            raise Refused(found)
        self._count += found is Cut.DONE
        return found is Cut.DONE

    def _verdict(self, texts: list[str]) -> Cut:
        return self._wanted.verdict_on(SEPARATOR.join(texts))


def texts_in(element: etree._Element) -> list[str]:
    """What the reader reads in a part of a document."""
    texts: list[str] = []
    parser = etree.XMLParser(target=Part(texts.append, OFFICE, frozenset()), resolve_entities=False, no_network=True)
    parser.feed(etree.tostring(element, with_tail=False))
    parser.close()
    return texts


def _own_texts(block: etree._Element) -> list[str]:
    """The readings of a block without those of blocks inside it, which are emptied for themselves."""
    inside = {text for inner in _named(block, OFFICE.blocks) if inner is not block for text in texts_in(inner)}
    return [text for text in texts_in(block) if text not in inside]


def _leaves_of(block: etree._Element) -> Iterator[etree._Element]:
    for leaf in _named(block, _LEAVES):
        holder = next(one for one in leaf.iterancestors() if _name(one) in OFFICE.blocks)
        if holder is block:
            yield leaf


def _named(root: etree._Element, names: frozenset[str]) -> list[etree._Element]:
    return [element for element in root.iter(etree.Element) if _name(element) in names]


def _name(element: etree._Element) -> str:
    return str(etree.QName(element).localname)


def _parsed(content: bytes) -> etree._Element:
    parser = etree.XMLParser(resolve_entities=False, no_network=True, huge_tree=False, load_dtd=False)
    return etree.fromstring(content, parser)
