"""Which module reads which kind of file? The one table of them, and the way into it for a file inside a file."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from importlib import import_module

from connectors.documents.formats.budget import Budget, Emit
from connectors.documents.formats.kinds import FileKind, kind_of
from connectors.documents.formats.stamps import Stamps

Read = Callable[[bytes, Emit, Budget], Stamps]
_FORMATS = f"{__package__}."
READERS: Mapping[FileKind, tuple[str, str]] = {
    FileKind.TEXT: ("plain_text", "read"),
    FileKind.TABLE: ("table", "read"),
    FileKind.JSON: ("json_text", "read"),
    FileKind.WEB_PAGE: ("web_page", "read"),
    FileKind.RICH_TEXT: ("rich_text", "read"),
    FileKind.WORD: ("package", "read_office"),
    FileKind.SPREADSHEET: ("package", "read_office"),
    FileKind.SLIDES: ("package", "read_office"),
    FileKind.OPEN_DOCUMENT: ("package", "read_open_document"),
    FileKind.PDF: ("pdf", "read"),
    FileKind.MAIL: ("mail", "read"),
    FileKind.MAILBOX: ("mail", "read_mailbox"),
    FileKind.OUTLOOK: ("outlook", "read"),
    FileKind.ZIP: ("archive", "read_zip"),
    FileKind.TAR: ("archive", "read_tar"),
    FileKind.COMPRESSED: ("archive", "read_compressed"),
}
"""Kind → module and function. A module is imported with the first file of its kind: each brings its library."""


def reader_of(kind: FileKind) -> Read:
    """What reads a kind of file."""
    module, name = READERS[kind]
    read: Read = getattr(import_module(_FORMATS + module), name)
    return read


def read_file(name: str, content: bytes, emit: Emit, budget: Budget) -> Stamps:
    """Read a file as what it is."""
    return reader_of(kind_of(name, content))(content, emit, budget)
