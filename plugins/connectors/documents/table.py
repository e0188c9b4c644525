"""What stands in the rows of a csv file, and what is left when one person's rows are taken out?

Rows are cut where they stand in the file, so that every row that stays is the same bytes as before: delimiter, quotes,
byte order mark, encoding and line ends are never written anew.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from enum import StrEnum

from connectors.documents.identifiers import Mentions, addresses, comparable
from connectors.documents.plain_text import decoded, readings
from connectors.documents.unreadable import Unreadable
from retention.vocabulary import Identifier, IdentifierKind

_LINE = re.compile(r"[^\r\n]*(?:\r\n|\n|\r)|[^\r\n]+")
_DELIMITERS = (",", ";", "\t", "|")
_HEAD_LINES = 20
csv.field_size_limit(2**31 - 1)


class Cut(StrEnum):
    """What came of taking rows out."""

    DONE = "done"
    NOBODY = "nobody"  # no row names these people
    SHARED_ROW = "shared-row"  # a row names somebody else too
    UNCLEAR = "unclear"  # an address may be one of theirs, or rows cannot be told apart for sure


@dataclass(frozen=True, slots=True)
class Redacted:
    """The file without the rows; `content` is empty unless rows were taken out."""

    cut: Cut
    content: bytes = field(default=b"", repr=False)
    rows: int = 0


def cells_of(content: bytes) -> Iterator[str]:
    """Row by row, one cell a line. What cannot be cut into rows is given as it stands."""
    for text in readings(content):
        try:
            yield from ("\n".join(cells) for _, cells in _records(text))
        except csv.Error:
            yield text


def without_rows_of(content: bytes, people: Collection[Identifier]) -> Redacted:
    """Take out the rows in which these addresses, and nobody else's, stand as a whole."""
    wanted = {comparable(one) for one in people if one.kind is IdentifierKind.EMAIL}
    try:
        mark, encoding, text = decoded(content)
        records = list(_records(text))
    except (csv.Error, Unreadable):
        return Redacted(Cut.UNCLEAR)
    if not wanted or mark + "".join(raw for raw, _ in records).encode(encoding) != content:
        return Redacted(Cut.UNCLEAR)
    kept: list[str] = []
    for raw, cells in records:
        verdict = _verdict(addresses("\n".join(cells)), wanted)
        if verdict in (Cut.SHARED_ROW, Cut.UNCLEAR):
            return Redacted(verdict)
        if verdict is Cut.NOBODY:
            kept.append(raw)
    if len(kept) == len(records):
        return Redacted(Cut.NOBODY)
    left = mark + "".join(kept).encode(encoding)
    return Redacted(Cut.DONE if _names_none(left, wanted) else Cut.UNCLEAR, left, len(records) - len(kept))


def _verdict(row: Mentions, wanted: Collection[tuple[IdentifierKind, str]]) -> Cut:
    named = {comparable(one): whole for one, whole in row.items()}
    if any(named.get(one) for one in wanted):
        others = any(whole and one not in wanted for one, whole in named.items())
        return Cut.SHARED_ROW if others else Cut.DONE
    return Cut.UNCLEAR if any(one in named for one in wanted) else Cut.NOBODY


def _names_none(content: bytes, wanted: Collection[tuple[IdentifierKind, str]]) -> bool:
    """A second look at what is left, with rows and as plain text, which knows nothing of rows."""
    texts = [*cells_of(content), *readings(content)]
    return not any(comparable(one) in wanted for text in texts for one in addresses(text))


def _records(text: str) -> Iterator[tuple[str, list[str]]]:
    """Each row as it stands in the file, line end included, and its cells."""
    lines = _LINE.findall(text)
    reader = csv.reader(lines, delimiter=_delimiter(lines[:_HEAD_LINES]))
    start = 0
    for cells in reader:
        yield "".join(lines[start : reader.line_num]), cells
        start = reader.line_num


def _delimiter(head: list[str]) -> str:
    """The sign that cuts the first rows into the most equal number of cells."""

    def evenness(delimiter: str) -> tuple[int, int]:
        counts = [len(row) for row in csv.reader(head, delimiter=delimiter) if row]
        usual = max(set(counts), key=lambda n: (n > 1, counts.count(n), n)) if counts else 1
        return (counts.count(usual) if usual > 1 else 0), usual

    return max(_DELIMITERS, key=evenness)
