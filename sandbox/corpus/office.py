"""Where may an address hide in an office document?"""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Callable, Mapping

import openpyxl  # type: ignore[import-untyped]
import pptx
from docx.document import Document
from openpyxl.cell.rich_text import CellRichText, TextBlock  # type: ignore[import-untyped]
from openpyxl.cell.text import InlineFont  # type: ignore[import-untyped]
from openpyxl.comments import Comment  # type: ignore[import-untyped]
from openpyxl.workbook.defined_name import DefinedName  # type: ignore[import-untyped]
from pptx.presentation import Presentation
from pptx.util import Inches

from sandbox.corpus.person import MADE, Person
from sandbox.population.office_files import split_over_runs, word_document

Maker = Callable[[Person], bytes]
_TIME = (2020, 1, 1, 0, 0, 0)
_SAVED = re.compile(rb"(<dcterms:modified[^>]*>)[^<]*")
_OPEN = "application/vnd.oasis.opendocument."
_OPEN_NAMES = " ".join(
    f'xmlns:{short}="{long}"'
    for short, long in {
        "office": "urn:oasis:names:tc:opendocument:xmlns:office:1.0",
        "text": "urn:oasis:names:tc:opendocument:xmlns:text:1.0",
        "table": "urn:oasis:names:tc:opendocument:xmlns:table:1.0",
        "meta": "urn:oasis:names:tc:opendocument:xmlns:meta:1.0",
        "draw": "urn:oasis:names:tc:opendocument:xmlns:drawing:1.0",
        "dc": "http://purl.org/dc/elements/1.1/",
        "xlink": "http://www.w3.org/1999/xlink",
    }.items()
)


def _word(fill: Callable[[Document, Person], None]) -> Maker:
    return lambda person: word_document(MADE, lambda document: fill(document, person))


def _cell(document: Document, person: Person) -> None:
    document.add_table(1, 2).cell(0, 1).text = person.email


def _header(document: Document, person: Person) -> None:
    document.add_paragraph("Hello.")
    document.sections[0].header.paragraphs[0].text = person.email


def _comment(document: Document, person: Person) -> None:
    comment = document.add_comment(document.add_paragraph("x").runs, f"ask {person.email}", author="O", initials="O")
    comment._comment_elm.date = MADE


def _author(document: Document, person: Person) -> None:
    document.add_paragraph("Hello.")
    document.core_properties.author = person.email


def _hyperlink(document: Document, person: Person) -> None:
    document.part.relate_to(f"mailto:{person.email}", "http://example.org/hyperlink", is_external=True)


def _spreadsheet(fill: Callable[[openpyxl.Workbook, Person], object]) -> Maker:
    def write(person: Person) -> bytes:
        book = openpyxl.Workbook()
        book.properties.created = book.properties.modified = MADE.replace(tzinfo=None)
        book.active["A1"] = "name"
        fill(book, person)
        buffer = io.BytesIO()
        book.save(buffer)
        return repacked(buffer.getvalue())

    return write


def _hidden_sheet(book: openpyxl.Workbook, person: Person) -> None:
    sheet = book.create_sheet("Old")
    sheet.append([person.name, person.email])
    sheet.sheet_state = "veryHidden"


def _cell_comment(book: openpyxl.Workbook, person: Person) -> None:
    book.active["A1"].comment = Comment(f"ask {person.email}", "Office")


def _two_fonts(book: openpyxl.Workbook, person: Person) -> None:
    book.active["A2"] = CellRichText(person.local, TextBlock(InlineFont(b=True), "@"), person.domain)


def _formula(book: openpyxl.Workbook, person: Person) -> None:
    book.active["A2"] = f'=HYPERLINK("mailto:{person.email}","write")'


def _slides(fill: Callable[[Presentation, Person], object]) -> Maker:
    def write(person: Person) -> bytes:
        slides = pptx.Presentation()
        slides.core_properties.created = slides.core_properties.modified = MADE.replace(tzinfo=None)
        fill(slides, person)
        buffer = io.BytesIO()
        slides.save(buffer)
        return repacked(buffer.getvalue())

    return write


def _notes(slides: Presentation, person: Person) -> None:
    slide = slides.slides.add_slide(slides.slide_layouts[6])
    slide.notes_slide.notes_text_frame.text = f"ask {person.email}"


def _slide_runs(slides: Presentation, person: Person) -> None:
    slide = slides.slides.add_slide(slides.slide_layouts[6])
    paragraph = slide.shapes.add_textbox(0, 0, Inches(4), Inches(1)).text_frame.paragraphs[0]
    for piece in (person.local, "@", person.domain):
        paragraph.add_run().text = piece


def _slide_table(slides: Presentation, person: Person) -> None:
    slide = slides.slides.add_slide(slides.slide_layouts[6])
    table = slide.shapes.add_table(2, 2, 0, 0, Inches(4), Inches(1)).table
    table.cell(0, 0).text, table.cell(1, 1).text = "uk", person.email


def _described(slides: Presentation, person: Person) -> None:
    slide = slides.slides.add_slide(slides.slide_layouts[6])
    box = slide.shapes.add_textbox(0, 0, Inches(4), Inches(1))
    box._element.nvSpPr.cNvPr.set("descr", f"portrait of {person.email}")


def _open(kind: str, body: Callable[[Person], str], meta: Callable[[Person], str] = lambda p: "") -> Maker:
    def write(person: Person) -> bytes:
        said = f"<office:{kind}>{body(person)}</office:{kind}>"
        times = f"<meta:creation-date>{MADE:%Y-%m-%dT%H:%M:%S}</meta:creation-date>"
        parts = {
            "content": f"<office:body>{said}</office:body>",
            "meta": f"<office:meta>{times}{meta(person)}</office:meta>",
        }
        buffer = io.BytesIO()
        with zipfile.ZipFile(buffer, "w") as package:
            package.writestr(zipfile.ZipInfo("mimetype", _TIME), _OPEN + kind)
            for name, content in parts.items():
                root = f"office:document-{name}"
                package.writestr(zipfile.ZipInfo(f"{name}.xml", _TIME), f"<{root} {_OPEN_NAMES}>{content}</{root}>")
        return buffer.getvalue()

    return write


def _open_cell(person: Person) -> str:
    cell = f"<table:table-cell><text:p>{person.email}</text:p></table:table-cell>"
    return f"<table:table><table:table-row>{cell}</table:table-row></table:table>"


def repacked(package: bytes) -> bytes:
    """The same package with fixed times, whenever it was saved."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(package)) as old, zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as new:
        for name in old.namelist():
            entry = zipfile.ZipInfo(name, _TIME)
            entry.compress_type = zipfile.ZIP_DEFLATED
            new.writestr(entry, _SAVED.sub(rf"\g<1>{MADE:%Y-%m-%dT%H:%M:%SZ}".encode(), old.read(name)))
    return buffer.getvalue()


MAKERS: Mapping[str, Maker] = {
    "split-over-runs.docx": _word(lambda d, p: split_over_runs(d, "to ", p.email, " soon")),
    "cell.docx": _word(_cell),
    "header.docx": _word(_header),
    "comment.docx": _word(_comment),
    "author.docx": _word(_author),
    "hyperlink.docx": _word(_hyperlink),
    "cell.xlsx": _spreadsheet(lambda b, p: b.active.append([p.name, p.email])),
    "hidden-sheet.xlsx": _spreadsheet(_hidden_sheet),
    "comment.xlsx": _spreadsheet(_cell_comment),
    "two-fonts.xlsx": _spreadsheet(_two_fonts),
    "formula.xlsx": _spreadsheet(_formula),
    "header.xlsx": _spreadsheet(lambda b, p: setattr(b.active.oddHeader.left, "text", p.email)),
    "name.xlsx": _spreadsheet(lambda b, p: b.defined_names.add(DefinedName("who", attr_text=f'"{p.email}"'))),
    "author.xlsx": _spreadsheet(lambda b, p: setattr(b.properties, "creator", p.email)),
    "notes.pptx": _slides(_notes),
    "runs.pptx": _slides(_slide_runs),
    "table.pptx": _slides(_slide_table),
    "description.pptx": _slides(_described),
    "span.odt": _open("text", lambda p: f"<text:p>{p.local}<text:span>@</text:span>{p.domain}<text:s/>soon</text:p>"),
    "link.odt": _open("text", lambda p: f'<text:p><text:a xlink:href="mailto:{p.email}">x</text:a></text:p>'),
    "creator.odt": _open("text", lambda p: "<text:p>x</text:p>", lambda p: f"<dc:creator>{p.email}</dc:creator>"),
    "cell.ods": _open("spreadsheet", _open_cell),
    "page.odp": _open("presentation", lambda p: f"<draw:page><text:p>{p.email}</text:p></draw:page>"),
}
