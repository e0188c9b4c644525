"""What stands in the rows of a csv file? Cells cut from each other, whatever sign cuts them."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator

from connectors.documents.formats.budget import Budget, Emit
from connectors.documents.formats.plain_text import readings
from connectors.documents.formats.stamps import Stamps
from connectors.documents.sought import SEPARATOR

_LINE = re.compile(r"[^\r\n]*(?:\r\n|\n|\r)|[^\r\n]+")
_DELIMITERS = (",", ";", "\t", "|")
_HEAD_LINES = 20
csv.field_size_limit(2**31 - 1)


def read(content: bytes, emit: Emit, budget: Budget) -> Stamps:
    """Every row, cell by cell."""
    for row in cells_of(content):
        emit(row)
    return Stamps()


def cells_of(content: bytes) -> Iterator[str]:
    """Row by row, its cells kept apart. What cannot be cut into rows is given as it stands."""
    for text in readings(content):
        try:
            yield from (SEPARATOR.join(cells) for _, cells in records(text))
        except csv.Error:
            yield text


def records(text: str) -> Iterator[tuple[str, list[str]]]:
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
