"""What do other libraries than our readers see in a file? For a second look only: none of them sees everything."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import docx
import pptx
import python_calamine
from docx.document import Document
from lxml import etree  # type: ignore[import-untyped]

from connectors.documents.formats.kinds import FileKind, kind_of
from connectors.documents.formats.plain_text import readings


class CannotTell(Exception):
    """The other library does not open the file either."""


def _word(content: bytes) -> list[str]:
    document = docx.Document(io.BytesIO(content))
    return [*_document_texts(document), *_properties(document.core_properties)]


def _document_texts(document: Document) -> Iterator[str]:
    for section in document.sections:
        for around in (section.header, section.footer):
            yield from (paragraph.text for paragraph in around.paragraphs)
    yield from (paragraph.text for paragraph in document.paragraphs)
    for table in document.tables:
        for row in table.rows:
            yield from (cell.text for cell in row.cells)
    yield from (comment.text for comment in document.comments)


def _slides(content: bytes) -> list[str]:
    slides = pptx.Presentation(io.BytesIO(content))
    texts = _properties(slides.core_properties)
    for slide in slides.slides:
        if slide.has_notes_slide and slide.notes_slide.notes_text_frame is not None:
            texts.append(slide.notes_slide.notes_text_frame.text)
        for shape in slide.shapes:
            if shape.has_text_frame:
                texts.append(shape.text_frame.text)
            if shape.has_table:
                texts += [cell.text for row in shape.table.rows for cell in row.cells]
    return texts


def _properties(core: Any) -> list[str]:
    return [str(getattr(core, name) or "") for name in ("author", "last_modified_by", "title", "subject", "comments")]


def _spreadsheet(content: bytes) -> list[str]:
    book = python_calamine.CalamineWorkbook.from_filelike(io.BytesIO(content))
    return [str(cell) for name in book.sheet_names for row in book.get_sheet_by_name(name).to_python() for cell in row]


def _table(content: bytes) -> list[str]:
    """As plain text, which knows nothing of rows."""
    return list(readings(content))


def _json(content: bytes) -> list[str]:
    """As a program would load it."""
    texts = []
    for text in readings(content):
        lines = [text] if text.lstrip()[:1] in "[{" and _is_one(text) else text.splitlines()
        texts += [json.dumps(json.loads(line), ensure_ascii=False) for line in lines if line.strip()]
    return texts


def _is_one(text: str) -> bool:
    try:
        json.loads(text)
    except ValueError:
        return False
    return True


def _zip(content: bytes) -> list[str]:
    """Each member by the other library for its own kind, or as plain text."""
    texts: list[str] = []
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        for member in archive.infolist():
            texts.append(member.filename)
            inside = archive.read(member)
            kind = kind_of(member.filename, inside) if inside else FileKind.TEXT
            texts += OTHER_READERS[kind](inside) if kind in OTHER_READERS else readings(inside)
    return texts


def _told(read: Callable[[bytes], list[str]]) -> Callable[[bytes], list[str]]:
    """Whatever a library complains of: it cannot tell."""

    def reading(content: bytes) -> list[str]:
        try:
            return read(content)
        except (KeyError, AttributeError, TypeError, ValueError, OSError, etree.LxmlError) as error:
            raise CannotTell from error
        except python_calamine.CalamineError as error:
            raise CannotTell from error

    return reading


OTHER_READERS: Mapping[FileKind, Callable[[bytes], list[str]]] = {
    FileKind.TABLE: _table,
    FileKind.JSON: _told(_json),
    FileKind.WORD: _told(_word),
    FileKind.SLIDES: _told(_slides),
    FileKind.SPREADSHEET: _told(_spreadsheet),
    FileKind.ZIP: _told(_zip),
}
