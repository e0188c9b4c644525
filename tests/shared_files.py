"""Which files name two people, each in a place of their own? One for every kind that a person can be taken out of."""

from __future__ import annotations

import io
import json

import docx
import openpyxl
import pptx
from pptx.util import Inches

from sandbox.corpus.packed import zipped


def shared_file(ending: str, one: str, other: str) -> bytes:
    """A file of this kind about two addresses."""
    match ending:
        case "docx":
            document = docx.Document()
            document.add_paragraph(f"ask {one}")
            document.add_paragraph(f"ask {other}")
            return _saved(document)
        case "xlsx":
            book = openpyxl.Workbook()
            book.active.append(["one", one])
            book.active.append(["other", other])
            return _saved(book)
        case "pptx":
            slides = pptx.Presentation()
            for address in (one, other):
                slide = slides.slides.add_slide(slides.slide_layouts[6])
                slide.shapes.add_textbox(0, 0, Inches(4), Inches(1)).text_frame.text = address
            return _saved(slides)
        case "json":
            return json.dumps([{"email": one}, {"email": other}]).encode()
        case "zip":
            return zipped({"one.txt": one.encode(), "other.txt": other.encode()})
    raise ValueError(f"nobody is taken out of a file that ends in {ending}")


def _saved(document: object) -> bytes:
    buffer = io.BytesIO()
    document.save(buffer)  # type: ignore[attr-defined]
    return buffer.getvalue()
