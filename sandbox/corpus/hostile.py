"""Which files were made to hurt whoever opens them? Each with the reasons for which it may stay unread."""

from __future__ import annotations

import io
import struct
import zipfile
from collections.abc import Callable, Mapping

import pikepdf

from sandbox.corpus.packed import zipped
from sandbox.corpus.pages import pdf
from sandbox.population.office_files import encrypted_document

_DEEP = 200
_PARAGRAPHS = 6_000_000
_MEGABYTE = 2**20
_WORD = '<w:document xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"><w:body>'


def word(body: str, prolog: str = "") -> bytes:
    """A Word document of one part."""
    return zipped({"word/document.xml": f"{prolog}{_WORD}{body}</w:body></w:document>".encode()})


def bomb() -> bytes:
    """A gigabyte of zeros in a megabyte."""
    buffer = io.BytesIO()
    with (
        zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive,
        archive.open("zeros.txt", "w") as member,
    ):
        for _ in range(1024):
            member.write(bytes(_MEGABYTE))
    return buffer.getvalue()


def lying_zip() -> bytes:
    """A zip that says its member is of a hundred bytes, and is of a hundred million."""
    content = bytearray(zipped({"small.txt": bytes(100 * _MEGABYTE)}))
    for mark, offset in ((b"PK\x01\x02", 24), (b"PK\x03\x04", 22)):
        place = content.rindex(mark) + offset
        content[place : place + 4] = struct.pack("<I", 100)
    return bytes(content)


def entities() -> bytes:
    """Ten letters that unfold to ten thousand million."""
    names = "".join(f'<!ENTITY {chr(98 + n)} "{f"&{chr(97 + n)};" * 10}">' for n in range(9))
    return word("<w:p><w:r><w:t>&i;</w:t></w:r></w:p>", f'<!DOCTYPE w [<!ENTITY a "aaaaaaaaaa">{names}]>')


def deep_zip() -> bytes:
    """A zip in a zip in a zip."""
    content = zipped({"letter.txt": b"deep@x.example"})
    for _ in range(_DEEP):
        content = zipped({"inner.zip": content})
    return content


def locked_zip() -> bytes:
    """A zip whose one member is said to need a password."""
    content = bytearray(zipped({"letter.txt": b"nothing to see"}))
    for mark, offset in ((b"PK\x01\x02", 8), (b"PK\x03\x04", 6)):
        content[content.rindex(mark) + offset] |= 1
    return bytes(content)


def locked_pdf() -> bytes:
    """A PDF that opens with a password only."""
    with pikepdf.open(io.BytesIO(pdf(lambda canvas: None))) as file:
        buffer = io.BytesIO()
        file.save(buffer, encryption=pikepdf.Encryption(owner="owner", user="user"))
    return buffer.getvalue()


def scanned_pdf() -> bytes:
    """A page that shows a picture and says nothing."""
    with pikepdf.new() as file:
        picture = pikepdf.Stream(file, bytes(100))
        picture.stream_dict.update(
            {"/Type": pikepdf.Name.XObject, "/Subtype": pikepdf.Name.Image, "/Width": 10, "/Height": 10}
        )
        picture.stream_dict.update({"/ColorSpace": pikepdf.Name.DeviceGray, "/BitsPerComponent": 8})
        page = file.add_blank_page()
        page.Resources = pikepdf.Dictionary(XObject=pikepdf.Dictionary(P=picture))
        page.Contents = pikepdf.Stream(file, b"q 100 0 0 100 0 0 cm /P Do Q")
        buffer = io.BytesIO()
        file.save(buffer)
    return buffer.getvalue()


HOSTILE: Mapping[str, tuple[Callable[[], bytes], frozenset[str]]] = {
    "bomb.zip": (bomb, frozenset({"too_large"})),
    "lying.zip": (lying_zip, frozenset({"damaged", "too_large"})),
    "entities.docx": (entities, frozenset({"damaged"})),
    "paragraphs.docx": (lambda: word("<w:p/>" * _PARAGRAPHS), frozenset({"too_large"})),
    "deep.zip": (deep_zip, frozenset({"too_large"})),
    "truncated.docx": (lambda: word("<w:p/>" * 999)[:150], frozenset({"damaged"})),
    "truncated.pdf": (lambda: pdf(lambda canvas: None)[:200], frozenset({"damaged"})),
    "locked.docx": (lambda: encrypted_document(b"corpus"), frozenset({"encrypted"})),
    "locked.pdf": (locked_pdf, frozenset({"encrypted"})),
    "locked.zip": (locked_zip, frozenset({"encrypted"})),
    "scanned.pdf": (scanned_pdf, frozenset({"unknown_format"})),
    "picture.png": (lambda: b"\x89PNG\r\n\x1a\n" + bytes(64), frozenset({"unknown_format"})),
    "old.doc": (lambda: b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600), frozenset({"damaged", "unknown_format"})),
    "noise.dat": (lambda: bytes(range(256)) * 16, frozenset({"unknown_format"})),
    "not-a-word-document.docx": (lambda: b"plain words", frozenset({"damaged"})),
}
"""Name → how it is made, and the codes of the gaps it may be reported with."""
