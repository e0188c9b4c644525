"""Can one person be taken out of this file, and is it proven that they are out and everybody else is still in?"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping

from connectors.documents.formats.kinds import FileKind, kind_of
from connectors.documents.formats.unreadable import Unreadable
from connectors.documents.redacting import table_rows
from connectors.documents.redacting.redacted import Cut, People, Redacted, Refused, wanted_of
from connectors.documents.sought import Sought
from retention.vocabulary import Identifier

Without = Callable[[bytes, People], tuple[bytes, int]]
FORMATS: Mapping[FileKind, Without] = {FileKind.TABLE: table_rows.without}


def redact(name: str, content: bytes, people: Collection[Identifier], sought: Sought) -> Redacted:
    """The file without these people, or why it stays as it is."""
    wanted = wanted_of(people)
    try:
        kind = kind_of(name, content)
        if kind not in FORMATS:
            return Redacted(Cut.NOT_FOR_THIS_KIND)
        left, places = FORMATS[kind](content, wanted)
    except Refused as refused:
        return Redacted(refused.cut)
    except Unreadable:
        return Redacted(Cut.UNCLEAR)
    if not wanted:
        return Redacted(Cut.UNCLEAR)
    if not places:
        return Redacted(Cut.NOBODY)
    return Redacted(Cut.DONE, left, places)
