"""Which folder of the policy does a file lie in, which kind of file is it, and is its path one of ours at all?"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import PurePosixPath

from connectors.documents.reading import FileKind
from retention.vocabulary import DataClass, LawfulBasis

RESTRICTED = ".restricted"
Folders = Mapping[str, tuple[DataClass, LawfulBasis]]
MEDIA_TYPES = {
    ".txt": "text/plain",
    ".csv": "text/csv",
    ".docx": "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
}
UNKNOWN_MEDIA_TYPE = "application/octet-stream"
ROWS = ("row",)


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


def kind_of(path: str) -> FileKind | None:
    """The kind of a file, by its ending."""
    ending = PurePosixPath(path).suffix.lower().lstrip(".")
    return FileKind(ending) if ending in list(FileKind) else None


def names_in(path: str) -> str:
    """What the folders and the file are called, one a line, without the ending that says the kind of file."""
    *folders, name = path.split("/")
    return "\n".join((*folders, name if kind_of(path) is None else PurePosixPath(name).stem))


def media_type(path: str) -> str:
    """How a file is named to whom it is handed."""
    return MEDIA_TYPES.get(PurePosixPath(path).suffix.lower(), UNKNOWN_MEDIA_TYPE)


def parts_of(path: str) -> tuple[str, ...]:
    """What can be taken out of a file for one person alone."""
    return ROWS if kind_of(path) is FileKind.TABLE else ()
