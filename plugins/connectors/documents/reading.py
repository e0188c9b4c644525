"""What does one file say about whom, and when? Bytes of a known kind → identifiers and times, or why not.

Runs inside the reading process (`reader_process`), where a hostile file can do no more than end that process.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

from connectors.documents import plain_text, table, word
from connectors.documents.identifiers import Mentions, mentions
from connectors.documents.unreadable import Unreadable
from retention.vocabulary import GapCode, Identifier

MOST_IDENTIFIERS = 200_000


class FileKind(StrEnum):
    """Kinds of file that can be read."""

    TEXT = "txt"
    TABLE = "csv"
    WORD = "docx"


@dataclass(frozen=True, slots=True)
class Content:
    """What was read. With a `gap` the rest is empty: half of the people of a file are not its people."""

    identifiers: tuple[Identifier, ...] = field(default=(), repr=False)
    stamps: tuple[tuple[str, str], ...] = ()
    gap: GapCode | None = None
    what: str = ""


def read(kind: FileKind, content: bytes) -> Content:
    """Read a whole file."""
    found: Mentions = {}

    def collect(text: str) -> None:
        found.update(mentions(text))
        if len(found) > MOST_IDENTIFIERS:
            raise Unreadable(GapCode.TOO_LARGE, "identifiers")

    stamps: dict[str, str] = {}
    try:
        match kind:
            case FileKind.TEXT:
                for text in plain_text.readings(content):
                    collect(text)
            case FileKind.TABLE:
                for row in table.cells_of(content):
                    collect(row)
            case FileKind.WORD:
                stamps = word.read(content, collect)
    except Unreadable as unreadable:
        return Content(gap=unreadable.code, what=unreadable.what)
    return Content(tuple(found), tuple(sorted(stamps.items())))
