"""What is left of a csv file when one person's rows are taken out?

Rows are cut where they stand in the file, so that every row that stays is the same bytes as before: delimiter, quotes,
byte order mark, encoding and line ends are never written anew.
"""

from __future__ import annotations

import csv

from connectors.documents.formats.plain_text import decoded
from connectors.documents.formats.table import records
from connectors.documents.formats.unreadable import Unreadable
from connectors.documents.redacting.redacted import Cut, People, Refused
from connectors.documents.sought import SEPARATOR


def without(content: bytes, wanted: People) -> tuple[bytes, int]:
    """The file without the rows in which these addresses, and nobody else's, stand as a whole; how many went."""
    try:
        mark, encoding, text = decoded(content)
        rows = list(records(text))
    except (csv.Error, Unreadable):
        raise Refused(Cut.UNCLEAR) from None
    if mark + "".join(raw for raw, _ in rows).encode(encoding) != content:
        raise Refused(Cut.UNCLEAR)
    kept: list[str] = []
    for raw, cells in rows:
        cut = wanted.verdict_on(SEPARATOR.join(cells))
        if cut in (Cut.SHARED_ROW, Cut.UNCLEAR):
            raise Refused(cut)
        if cut is Cut.NOBODY:
            kept.append(raw)
    return mark + "".join(kept).encode(encoding), len(rows) - len(kept)
