"""Which folder of the policy does a file lie in, which kind of file is it, and is its path one of ours at all?"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import PurePosixPath

from connectors.documents.formats.kinds import FileKind, kind_by_name
from retention.vocabulary import DataClass, LawfulBasis

RESTRICTED = ".restricted"
Folders = Mapping[str, tuple[DataClass, LawfulBasis]]
_OFFICE = "application/vnd.openxmlformats-officedocument"
_OPEN = "application/vnd.oasis.opendocument"
MEDIA_TYPES = {
    ".txt": "text/plain",
    ".csv": "text/csv",
    ".tsv": "text/tab-separated-values",
    ".json": "application/json",
    ".html": "text/html",
    ".htm": "text/html",
    ".rtf": "application/rtf",
    ".pdf": "application/pdf",
    ".eml": "message/rfc822",
    ".mbox": "application/mbox",
    ".msg": "application/vnd.ms-outlook",
    ".docx": f"{_OFFICE}.wordprocessingml.document",
    ".xlsx": f"{_OFFICE}.spreadsheetml.sheet",
    ".pptx": f"{_OFFICE}.presentationml.presentation",
    ".odt": f"{_OPEN}.text",
    ".ods": f"{_OPEN}.spreadsheet",
    ".odp": f"{_OPEN}.presentation",
    ".zip": "application/zip",
    ".tar": "application/x-tar",
    ".gz": "application/gzip",
}
UNKNOWN_MEDIA_TYPE = "application/octet-stream"
ROWS = ("row",)
_REDACTED = {FileKind.TABLE, FileKind.JSON, FileKind.SPREADSHEET, FileKind.WORD, FileKind.SLIDES, FileKind.ZIP}


def is_path(key: str) -> bool:
    """Whether a record's key can be the path of a file we serve: relative, plain, and not in the restricted area."""
    parts = key.split("/")
    return (
        not any(part in ("", ".", "..") for part in parts)
        and parts[0] != RESTRICTED
        and not any(ord(character) < 32 for character in key)
    )


def covering(folders: Folders, path: str) -> tuple[DataClass, LawfulBasis] | None:
    """What the policy says of the longest folder that holds a path."""
    for parent in PurePosixPath(path).parents:
        if (found := folders.get(str(parent))) is not None:
            return found
    return None


def names_in(path: str) -> str:
    """What the folders and the file are called, one a line, without the ending that says the kind of file."""
    *folders, name = path.split("/")
    return "\n".join((*folders, name if kind_by_name(path) is None else PurePosixPath(name).stem))


def media_type(path: str) -> str:
    """How a file is named to whom it is handed."""
    return MEDIA_TYPES.get(PurePosixPath(path).suffix.lower(), UNKNOWN_MEDIA_TYPE)


def parts_of(path: str) -> tuple[str, ...]:
    """What can be taken out of a file for one person alone."""
    return ROWS if kind_by_name(path) in _REDACTED else ()
