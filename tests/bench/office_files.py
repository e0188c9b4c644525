"""What lies on an office's share? Documents as long as people write them, each about somebody else, none like another.

The files of the corpus are as short as a test wants them; here what counts is the work of reading one.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator, Mapping
from email.message import EmailMessage

import docx
import openpyxl
import pptx
from reportlab.lib.pagesizes import A4
from reportlab.pdfgen.canvas import Canvas

LINE = "The meeting on friday was moved to the larger room, because more people than expected had replied to it."
PARAGRAPHS, PAGES, ROWS, SLIDES, LETTERS = 250, 12, 1_500, 25, 200


def office_files(rounds: int) -> Iterator[tuple[str, bytes]]:
    """So many of each kind, by path."""
    for number in range(rounds):
        for name, make in MAKERS.items():
            yield f"{number:04d}/{name}", make(f"person-{number}-{name.partition('.')[0]}@example.com")


def _word(person: str) -> bytes:
    document = docx.Document()
    for number in range(PARAGRAPHS):
        document.add_paragraph(f"{number}. {LINE}")
    document.add_table(1, 2).rows[0].cells[1].text = person
    return _saved(document.save)


def _spreadsheet(person: str) -> bytes:
    book = openpyxl.Workbook(write_only=True)
    sheet = book.create_sheet("Orders")
    for number in range(ROWS):
        sheet.append(
            [number, f"Order {number} of {person}" if number % 100 == 0 else f"Order {number}", LINE, number / 7]
        )
    return _saved(book.save)


def _slides(person: str) -> bytes:
    deck = pptx.Presentation()
    for number in range(SLIDES):
        slide = deck.slides.add_slide(deck.slide_layouts[1])
        slide.placeholders[1].text = f"{number}. {LINE} {person}"
    return _saved(deck.save)


def _pages(person: str) -> bytes:
    def draw(target: io.BytesIO) -> None:
        canvas = Canvas(target, pagesize=A4)
        for page in range(PAGES):
            for line in range(40):
                canvas.drawString(50, 800 - 18 * line, f"{page}.{line} {LINE[:90]}")
            canvas.drawString(50, 40, person)
            canvas.showPage()
        canvas.save()

    return _saved(draw)


def _mail(person: str) -> bytes:
    mail = EmailMessage()
    mail["From"], mail["To"], mail["Subject"] = person, "sales@example.com", "Friday"
    mail.set_content(f"{LINE}\n" * 40)
    mail.add_attachment(_pages(person), maintype="application", subtype="pdf", filename="offer.pdf")
    mail.add_attachment(_word(person), maintype="application", subtype="octet-stream", filename="letter.docx")
    return mail.as_bytes()


def _table(person: str) -> bytes:
    return (
        "".join(f"{number},customer-{number}@example.com,{LINE}\n" for number in range(LETTERS)).encode()
        + person.encode()
    )


def _saved(save: Callable[[io.BytesIO], object]) -> bytes:
    target = io.BytesIO()
    save(target)
    return target.getvalue()


MAKERS: Mapping[str, Callable[[str], bytes]] = {
    "letter.docx": _word,
    "report.docx": _word,
    "offer.pdf": _pages,
    "contract.pdf": _pages,
    "scan.pdf": _pages,
    "orders.xlsx": _spreadsheet,
    "deck.pptx": _slides,
    "mail.eml": _mail,
    "customers.csv": _table,
}
