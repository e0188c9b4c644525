"""How are real office files made? Word documents with awkward corners, and files that nobody can or should open."""

from __future__ import annotations

import functools
import io
import struct
import zipfile
import zlib
from collections.abc import Callable
from datetime import datetime

import docx
from docx.document import Document

# Zip entries carry a time; the day a population is built must not show in its bytes.
_ZIP_TIME = (2020, 1, 1, 0, 0, 0)
_BOMB_BYTES = 100 * 1024 * 1024


def word_document(created: datetime, fill: Callable[[Document], None], author: str = "Office") -> bytes:
    """A Word document whose core properties say when it was created. Same input, same bytes."""
    document = docx.Document()
    document.core_properties.author = author
    document.core_properties.last_modified_by = author
    document.core_properties.title = "Document"
    # The properties hold UTC without saying so.
    document.core_properties.created = document.core_properties.modified = created.replace(tzinfo=None)
    fill(document)
    buffer = io.BytesIO()
    document.save(buffer)
    return _with_fixed_times(buffer.getvalue())


def split_over_runs(document: Document, before: str, text: str, after: str = "") -> None:
    """A paragraph whose `text` is spread over three runs, as Word leaves it after a spelling check."""
    third = max(1, len(text) // 3)
    paragraph = document.add_paragraph(before)
    paragraph.add_run(text[:third])
    paragraph.add_run(text[third : 2 * third]).bold = True
    paragraph.add_run(text[2 * third :])
    paragraph.add_run(after)


def damaged(content: bytes) -> bytes:
    """The first half of a file: a transfer that broke off."""
    return content[: len(content) // 2]


@functools.cache
def zip_bomb() -> bytes:
    """A Word document of some hundred kilobytes that unfolds to a hundred megabytes, all of it blank paragraphs."""
    buffer = io.BytesIO()
    block = b"<w:p><w:r><w:t xml:space='preserve'>" + b" " * 965 + b"</w:t></w:r></w:p>"
    block *= 1024 * 1024 // len(block)
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as package:
        package.writestr(_entry("[Content_Types].xml"), _CONTENT_TYPES)
        package.writestr(_entry("_rels/.rels"), _RELATIONS)
        with package.open(_entry("word/document.xml"), "w") as body:
            body.write(_BODY_START)
            for _ in range(_BOMB_BYTES // len(block)):
                body.write(block)
            body.write(b"</w:body></w:document>")
    return buffer.getvalue()


def encrypted_document(key: bytes) -> bytes:
    """What Word writes for a document with a password: not a zip but a compound file with two streams."""
    noise = b"".join(zlib.crc32(key + struct.pack("<I", n)).to_bytes(4, "little") for n in range(2048))
    description = b'<?xml version="1.0" encoding="UTF-8" standalone="yes"?><encryption/>'
    info = struct.pack("<HHI", 4, 4, 0x40) + description
    return compound_file({"EncryptionInfo": info.ljust(4096), "EncryptedPackage": struct.pack("<Q", 8000) + noise})


def compound_file(streams: dict[str, bytes]) -> bytes:
    """The smallest compound file (version 3) for streams of 4096 bytes or more: one table and one folder sector."""
    end, free, table_sector, none = 0xFFFFFFFE, 0xFFFFFFFF, 0xFFFFFFFD, 0xFFFFFFFF
    table = [table_sector, end]
    data, entries = b"", []
    for name, content in streams.items():
        start, count = len(table), -(-len(content) // 512)
        table += [*range(start + 1, start + count), end]
        data += content.ljust(count * 512, b"\0")
        entries.append((name, 2, start, len(content)))
    if len(table) > 128:
        raise ValueError("one table sector holds 128 sectors")
    header = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(16)
    header += struct.pack("<HHHHH6xIIIIIIIII", 0x3E, 3, 0xFFFE, 9, 6, 0, 1, 1, 0, 4096, end, 0, end, 0)
    header += struct.pack("<I", 0) + struct.pack("<I", free) * 108
    folder = _folder_entry("Root Entry", 5, end, 0, child=1, right=none)
    for position, (name, kind, start, size) in enumerate(entries, 1):
        right = position + 1 if position < len(entries) else none
        folder += _folder_entry(name, kind, start, size, child=none, right=right)
    folder += _folder_entry("", 0, 0, 0, child=none, right=none)
    return header + struct.pack("<128I", *table, *[free] * (128 - len(table))) + folder + data


def _folder_entry(name: str, kind: int, start: int, size: int, *, child: int, right: int) -> bytes:
    text = (name + "\0").encode("utf-16-le") if name else b""
    fixed = struct.pack("<HBBIII", len(text), kind, 1, 0xFFFFFFFF, right, child)
    return text.ljust(64, b"\0") + fixed + bytes(36) + struct.pack("<IQ", start, size)


def _entry(name: str) -> zipfile.ZipInfo:
    entry = zipfile.ZipInfo(name, _ZIP_TIME)
    entry.compress_type = zipfile.ZIP_DEFLATED
    return entry


def _with_fixed_times(package: bytes) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(package)) as old, zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as new:
        for name in old.namelist():
            new.writestr(_entry(name), old.read(name))
    return buffer.getvalue()


_MAIN = "application/vnd.openxmlformats-officedocument.wordprocessingml.document.main+xml"
_CONTENT_TYPES = (
    '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>'
    '<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types">'
    '<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
    f'<Override PartName="/word/document.xml" ContentType="{_MAIN}"/></Types>'
)
_RELATIONS = (
    '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>'
    '<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships"><Relationship Id="rId1" '
    'Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/officeDocument" '
    'Target="word/document.xml"/></Relationships>'
)
_BODY_START = (
    b'<?xml version="1.0" encoding="UTF-8" standalone="yes"?>'
    b'<w:document xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"><w:body>'
)
