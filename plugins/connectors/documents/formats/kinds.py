"""Which kind of file is this? By its content first: a name may lie, and then the content is believed.

A name decides only where bytes say nothing, as between plain text and a table. Something that is called a Word document
and is none is damaged, whatever else it is.
"""

from __future__ import annotations

import io
import re
import zipfile
from enum import StrEnum
from pathlib import PurePosixPath

import olefile  # type: ignore[import-untyped]

from connectors.documents.formats.plain_text import refuse_unless_text
from connectors.documents.formats.unreadable import Unreadable
from retention.vocabulary import GapCode


class FileKind(StrEnum):
    """Kinds of file that can be read."""

    TEXT = "txt"
    TABLE = "csv"
    JSON = "json"
    WEB_PAGE = "html"
    RICH_TEXT = "rtf"
    WORD = "docx"
    SPREADSHEET = "xlsx"
    SLIDES = "pptx"
    OPEN_DOCUMENT = "odt"
    PDF = "pdf"
    MAIL = "eml"
    MAILBOX = "mbox"
    OUTLOOK = "msg"
    ZIP = "zip"
    TAR = "tar"
    COMPRESSED = "gz"


_ENDINGS = {
    **{kind.value: kind for kind in FileKind},
    **dict.fromkeys(("log", "md", "text", "ini", "xml", "vcf", "ics", "sql", "yaml", "yml"), FileKind.TEXT),
    **dict.fromkeys(("tsv", "tab"), FileKind.TABLE),
    **dict.fromkeys(("ndjson", "jsonl"), FileKind.JSON),
    **dict.fromkeys(("htm", "xhtml"), FileKind.WEB_PAGE),
    **dict.fromkeys(("mht", "mhtml"), FileKind.MAIL),
    **dict.fromkeys(("docm", "dotx"), FileKind.WORD),
    **dict.fromkeys(("xlsm", "xltx"), FileKind.SPREADSHEET),
    **dict.fromkeys(("pptm", "potx", "ppsx"), FileKind.SLIDES),
    **dict.fromkeys(("ods", "odp", "ott", "ots", "otp"), FileKind.OPEN_DOCUMENT),
    **dict.fromkeys(("tgz", "tbz2", "txz"), FileKind.TAR),
    **dict.fromkeys(("bz2", "xz"), FileKind.COMPRESSED),
}
_IN_WORDS = {FileKind.TEXT, FileKind.TABLE, FileKind.JSON, FileKind.WEB_PAGE, FileKind.MAIL, FileKind.MAILBOX}
_IN_A_PACKAGE = {FileKind.WORD, FileKind.SPREADSHEET, FileKind.SLIDES, FileKind.OPEN_DOCUMENT}
_PDF = b"%PDF-"
_COMPOUND_FILE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_ENCRYPTED_STREAM = "EncryptedPackage".encode("utf-16-le")
_COMPRESSED = (b"\x1f\x8b", b"BZh", b"\xfd7zXZ\x00")
_IMAGES = (b"\x89PNG", b"\xff\xd8\xff", b"GIF8", b"BM", b"II*\0", b"MM\0*")
_OTHER_ARCHIVES = (b"7z\xbc\xaf\x27\x1c", b"Rar!\x1a\x07")
_OFFICE = {"word/": FileKind.WORD, "xl/": FileKind.SPREADSHEET, "ppt/": FileKind.SLIDES}
_HEADER = re.compile(
    rb"(?:Return-Path|Received|Message-ID|Content-Type|From|To|Subject|Date|MIME-Version|Delivered-To):", re.I
)
_HEADER_LINE = re.compile(rb"[A-Za-z][A-Za-z0-9\-]*:[ \t]|[ \t]")
_MAILBOX = re.compile(rb"From \S+.*\r?\n[A-Za-z][A-Za-z0-9\-]*:")
_PAGE = re.compile(rb"\s*(?:<!doctype html|<html)", re.I)
_SAMPLE = 1024
_TAR_MAGIC = slice(257, 262)


def ending_of(name: str) -> str:
    """The end of a name that says the kind of file, without the dot."""
    return PurePosixPath(name).suffix.lower().lstrip(".")


def kind_by_name(name: str) -> FileKind | None:
    """What a name promises."""
    return _ENDINGS.get(ending_of(name))


def kind_of(name: str, content: bytes) -> FileKind:
    """What a file is; `Unreadable` if it is nothing that can be read, or not what its name promises."""
    by_content = _by_marks(content)
    promised = kind_by_name(name)
    if by_content is FileKind.ZIP and promised in _IN_A_PACKAGE:
        raise Unreadable(GapCode.DAMAGED, "no-document-part")
    if by_content is not None:
        return by_content
    if promised is FileKind.PDF and _PDF in content[:_SAMPLE]:  # something may stand before it
        return promised
    if promised is not None and promised not in _IN_WORDS:
        raise Unreadable(GapCode.DAMAGED, "not-what-its-name-says")
    if promised is None:
        refuse_unless_text(content)
        return _by_words(content) or FileKind.TEXT
    return promised


def _by_marks(content: bytes) -> FileKind | None:
    """By the bytes that every file of a kind begins with."""
    head = content[:_SAMPLE]
    if head.startswith((b"PK\x03\x04", b"PK\x05\x06")):
        return _of_package(content)
    if head.lstrip(b"\xef\xbb\xbf \r\n\t\0").startswith(_PDF):
        return FileKind.PDF
    if head.startswith(b"{\\rtf"):
        return FileKind.RICH_TEXT
    if head.startswith(_COMPOUND_FILE):
        return _of_compound_file(content)
    if head[_TAR_MAGIC] == b"ustar":
        return FileKind.TAR
    if head.startswith(_COMPRESSED):
        return FileKind.COMPRESSED
    if (head.startswith(_IMAGES) and b"\0" in head) or (head[:4] == b"RIFF" and head[8:12] == b"WEBP"):
        raise Unreadable(GapCode.UNKNOWN_FORMAT, "image")
    if head[4:8] == b"ftyp" or head.startswith(_OTHER_ARCHIVES):
        raise Unreadable(GapCode.UNKNOWN_FORMAT, "image" if head[4:8] == b"ftyp" else "archive")
    return None


def _of_package(content: bytes) -> FileKind:
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as package:
            names = package.namelist()
    except (zipfile.BadZipFile, NotImplementedError, ValueError, OSError):
        raise Unreadable(GapCode.DAMAGED) from None
    if "xl/workbook.bin" in names:
        raise Unreadable(GapCode.UNKNOWN_FORMAT, "binary-workbook")
    if "mimetype" in names and "content.xml" in names:
        return FileKind.OPEN_DOCUMENT
    plain = [name.lower() for name in names]
    if any(name == "[content_types].xml" or name.startswith("word/document") for name in plain):
        for start, kind in _OFFICE.items():
            if any(name.startswith(start) for name in plain):
                return kind
    return FileKind.ZIP


def _of_compound_file(content: bytes) -> FileKind:
    """Only a message of Outlook: the old office formats have no reader that could be trusted."""
    if _ENCRYPTED_STREAM in content:
        raise Unreadable(GapCode.ENCRYPTED)
    try:
        with olefile.OleFileIO(io.BytesIO(content)) as file:
            if file.exists("__properties_version1.0"):
                return FileKind.OUTLOOK
    except (OSError, ValueError, IndexError, KeyError, TypeError):
        raise Unreadable(GapCode.DAMAGED) from None
    raise Unreadable(GapCode.UNKNOWN_FORMAT, "old-office-format")


def _by_words(content: bytes) -> FileKind | None:
    """Text with a name that says nothing: by how it begins."""
    head = content[: 4 * _SAMPLE]
    if _MAILBOX.match(head):
        return FileKind.MAILBOX
    if _PAGE.match(head):
        return FileKind.WEB_PAGE
    lines = re.split(rb"\r?\n\r?\n", head, maxsplit=1)[0].splitlines()
    known = sum(1 for line in lines if _HEADER.match(line))
    if known > 1 and all(_HEADER_LINE.match(line) for line in lines):
        return FileKind.MAIL
    return None
