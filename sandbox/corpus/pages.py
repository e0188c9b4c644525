"""Where may an address hide in a web page, a rich text or a PDF?"""

from __future__ import annotations

import io
from collections.abc import Callable, Mapping
from urllib.parse import quote

import pikepdf
from reportlab.pdfgen.canvas import Canvas  # type: ignore[import-untyped]

from sandbox.corpus.person import MADE, Person


def _page(body: str) -> bytes:
    return f"<!DOCTYPE html><html><head><title>Letter</title></head><body>{body}</body></html>".encode()


def _split_by_tags(person: Person) -> bytes:
    half = len(person.local) // 2
    address = f"{person.local[:half]}<b>{person.local[half:]}</b><span>@</span>{person.domain}"
    return _page(f"<p>Write to {address}<div>uk</div>")


def _entities(person: Person) -> bytes:
    return _page("<p>" + "".join(f"&#{ord(sign)};" for sign in person.email) + "</p>")


def _rich_text(inner: str) -> bytes:
    return f"{{\\rtf1\\ansi\\ansicpg1252{{\\fonttbl{{\\f0 Arial;}}}}\\f0 Dear reader,\\par {inner}\\par}}".encode(
        "ascii"
    )


def _rich_link(person: Person) -> bytes:
    return _rich_text(f'{{\\field{{\\*\\fldinst HYPERLINK "mailto:{person.email}"}}{{\\fldrslt here}}}}')


def _rich_codes(person: Person) -> bytes:
    codes = "".join(f"\\'{ord(sign):02x}" for sign in person.local)
    return _rich_text(f"{codes}{{\\b @}}\\u{ord(person.domain[0])}?{person.domain[1:]}")


def _rich_author(person: Person) -> bytes:
    made = f"\\yr{MADE.year}\\mo{MADE.month}\\dy{MADE.day}\\hr{MADE.hour}\\min{MADE.minute}"
    return _rich_text(f"{{\\info{{\\author {person.email}}}{{\\creatim{made}}}}}hello")


def pdf(draw: Callable[[Canvas], object]) -> bytes:
    """A PDF of one page; the same input gives the same bytes."""
    buffer = io.BytesIO()
    canvas = Canvas(buffer, invariant=True)
    canvas.drawString(72, 720, "Dear reader")
    draw(canvas)
    canvas.showPage()
    canvas.save()
    return buffer.getvalue()


def _pdf_text(person: Person) -> bytes:
    return pdf(lambda canvas: canvas.drawString(72, 700, f"Write to {person.email} soon"))


def _pdf_pieces(person: Person) -> bytes:
    def draw(canvas: Canvas) -> None:
        text = canvas.beginText(72, 700)
        for piece in (person.local, "@", person.domain):
            text.textOut(piece)
        canvas.drawText(text)

    return pdf(draw)


def _pdf_link(person: Person) -> bytes:
    return pdf(lambda canvas: canvas.linkURL(f"mailto:{quote(person.email)}", (72, 690, 200, 710)))


def _pdf_author(person: Person) -> bytes:
    return pdf(lambda canvas: canvas.setAuthor(person.email))


def _pdf_field(person: Person) -> bytes:
    return pdf(lambda canvas: canvas.acroForm.textfield(name="who", value=person.email, x=72, y=600))


def _with_pikepdf(change: Callable[[pikepdf.Pdf], object]) -> bytes:
    with pikepdf.open(io.BytesIO(pdf(lambda canvas: None))) as file:
        change(file)
        buffer = io.BytesIO()
        file.save(buffer, object_stream_mode=pikepdf.ObjectStreamMode.generate, deterministic_id=True)
    return buffer.getvalue()


def _pdf_note(person: Person) -> bytes:
    def change(file: pikepdf.Pdf) -> None:
        note = pikepdf.Dictionary(
            Type=pikepdf.Name.Annot,
            Subtype=pikepdf.Name.Text,
            Rect=[10, 10, 30, 30],
            Contents=pikepdf.String(f"ask {person.email}"),
        )
        file.pages[0].Annots = pikepdf.Array([file.make_indirect(note)])

    return _with_pikepdf(change)


def _pdf_attachment(person: Person) -> bytes:
    def change(file: pikepdf.Pdf) -> None:
        file.attachments["list.csv"] = f"name,email\n{person.name},{person.email}\n".encode()

    return _with_pikepdf(change)


MAKERS: Mapping[str, Callable[[Person], bytes]] = {
    "split-by-tags.html": _split_by_tags,
    "entities.html": _entities,
    "link.html": lambda p: _page(f'<a href="mailto:{quote(p.email, safe="")}">write</a>'),
    "comment.html": lambda p: _page(f"<!-- {p.email} --><p>hello</p>"),
    "script.html": lambda p: _page(f"<script>var who = '{p.email}'</script>"),
    "attribute.html": lambda p: _page(f'<p data-owner="{p.email}">hello</p><input value="x">'),
    "template.html": lambda p: _page(f"<template><p>{p.local}<i>@</i>{p.domain}</p></template>"),
    "plain.rtf": lambda p: _rich_text(f"Write to {p.local}{{\\b @}}{p.domain}"),
    "codes.rtf": _rich_codes,
    "link.rtf": _rich_link,
    "header.rtf": lambda p: _rich_text(f"{{\\header {p.email}}}hello"),
    "author.rtf": _rich_author,
    "text.pdf": _pdf_text,
    "behind-something-else.pdf": lambda p: b"a mail programme put this here\r\n" + _pdf_text(p),
    "pieces.pdf": _pdf_pieces,
    "link.pdf": _pdf_link,
    "author.pdf": _pdf_author,
    "field.pdf": _pdf_field,
    "note.pdf": _pdf_note,
    "attachment.pdf": _pdf_attachment,
}
