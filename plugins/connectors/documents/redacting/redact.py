"""Can one person be taken out of this file, and is it proven that they are out and everybody else is still in?"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from connectors.documents.formats.kinds import FileKind, kind_of
from connectors.documents.formats.unreadable import Unreadable
from connectors.documents.redacting import archive_members, json_records, office_parts, table_rows
from connectors.documents.redacting.proof import is_proven
from connectors.documents.redacting.redacted import Cut, People, Redacted, Refused

Without = Callable[[bytes, People], tuple[bytes, int]]


def redact(name: str, content: bytes, wanted: People) -> Redacted:
    """The file without these people, or why it stays as it is."""
    if not wanted.keys:
        return Redacted(Cut.UNCLEAR)
    try:
        left, places = _without(name, content, wanted)
        if not places:
            return Redacted(Cut.NOBODY)
        if not is_proven(name, kind_of(name, content), content, left, wanted):
            return Redacted(Cut.UNPROVEN)
    except Refused as refused:
        return Redacted(refused.cut)
    except Unreadable:
        return Redacted(Cut.UNCLEAR)
    return Redacted(Cut.DONE, left, places)


def _without(name: str, content: bytes, wanted: People) -> tuple[bytes, int]:
    kind = kind_of(name, content)
    if kind not in FORMATS:
        raise Refused(Cut.NOT_FOR_THIS_KIND)
    return FORMATS[kind](content, wanted)


def _without_in_members(content: bytes, wanted: People) -> tuple[bytes, int]:
    return archive_members.without(content, wanted, _without)


FORMATS: Mapping[FileKind, Without] = {
    FileKind.TABLE: table_rows.without,
    FileKind.JSON: json_records.without,
    FileKind.WORD: office_parts.without,
    FileKind.SLIDES: office_parts.without,
    FileKind.SPREADSHEET: office_parts.without,
    FileKind.ZIP: _without_in_members,
}
"""Kinds in which one person can be taken out. Mailboxes, messages and PDF are put to a person."""
