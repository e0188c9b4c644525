"""How is a CSV read strictly and written safely? Every complaint names row and column and repeats no content."""

from __future__ import annotations

import csv
import io
import re
import shutil
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import date, datetime
from enum import StrEnum
from typing import BinaryIO, TextIO, TypeVar

from retention.spreadsheet import harmless

E = TypeVar("E", bound=StrEnum)
T = TypeVar("T")

DAY = re.compile(r"\d{4}-\d{2}-\d{2}")
INSTANT = re.compile(r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}(:\d{2}(\.\d{1,6})?)?(Z|[+-]\d{2}:\d{2})")
IN_MEMORY = 4_000_000  # bytes of answers held before they go to a temporary file


class BadInput(Exception):
    """What is wrong with the input, in one line that names row and column."""


class Cells:
    """One row, read cell by cell."""

    def __init__(self, number: int, cells: Mapping[str, str]) -> None:
        self._number = number
        self._cells = cells

    def bad(self, column: str, why: str) -> BadInput:
        """Complain about a cell."""
        return BadInput(f"row {self._number}, column {column}: {why}")

    def text(self, column: str) -> str:
        """Give a cell as it stands, without surrounding blanks."""
        return self._cells[column].strip()

    def needed(self, column: str) -> str:
        """Give a cell that must not be empty."""
        text = self.text(column)
        if not text:
            raise self.bad(column, "must not be empty")
        return text

    def has(self, column: str) -> bool:
        """Say whether the table has that column at all."""
        return column in self._cells

    def one_of(self, column: str, kinds: type[E]) -> E:
        """Give a cell that holds one word of a closed set."""
        return self.named(column, {kind.value: kind for kind in kinds})

    def named(self, column: str, names: Mapping[str, T]) -> T:
        """Give what a cell's word stands for."""
        if self.text(column) not in names:
            raise self.bad(column, f"expected one of {', '.join(names)}")
        return names[self.text(column)]

    def day(self, column: str) -> date | None:
        """Give a calendar day, or None for an empty cell."""
        return self.parsed(column, parse_day) if self.text(column) else None

    def parsed(self, column: str, parse: Callable[[str], T]) -> T:
        """Give what `parse` makes of a cell; its ValueError says what was expected."""
        try:
            return parse(self.text(column))
        except ValueError as unreadable:
            raise self.bad(column, str(unreadable)) from unreadable


def parse_day(text: str) -> date:
    """Read YYYY-MM-DD and nothing else; the other ISO forms are more often slips than dates."""
    try:
        if DAY.fullmatch(text):
            return date.fromisoformat(text)
    except ValueError as no_such_day:
        raise ValueError("no such day in the calendar") from no_such_day
    raise ValueError("expected a day as YYYY-MM-DD")


def parse_moment(text: str) -> date | datetime:
    """Read a calendar day, or an instant with its offset."""
    if not INSTANT.fullmatch(text):
        return parse_day(text)
    try:
        return datetime.fromisoformat(text)
    except ValueError as no_such_instant:
        raise ValueError("no such instant in the calendar") from no_such_instant


def rows_of(stream: BinaryIO, columns: Sequence[str]) -> Iterator[Cells]:
    """Read the rows. A column that is missing is an error (an absent hold is not "no hold"); others are ignored."""
    text = io.TextIOWrapper(stream, encoding="utf-8-sig", newline="")
    reader = csv.reader(text, strict=True)
    number = 0
    try:
        header = [name.strip() for name in next(reader, [])]
        for column in columns:
            if header.count(column) != 1:
                problem = "is missing" if column not in header else "is there twice"
                raise BadInput(f"row 0 (the header), column {column}: {problem}")
        for number, cells in enumerate(filter(None, reader), start=1):
            if len(cells) != len(header):
                column = header[len(cells)] if len(cells) < len(header) else f"{len(header) + 1} (no such column)"
                raise BadInput(f"row {number}, column {column}: {len(cells)} cells where the header has {len(header)}")
            yield Cells(number, dict(zip(header, cells, strict=True)))
    except csv.Error as broken:
        raise BadInput(f"row {number + 1}, column unknown: not readable as CSV") from broken
    except UnicodeDecodeError as broken:
        raise BadInput(f"row {number + 1}, column unknown: not UTF-8") from broken


def write_rows(header: Sequence[str], rows: Iterable[Sequence[str]], out: TextIO) -> None:
    """Write all rows or, if one of them cannot be made, none. Memory stays flat however many there are."""
    with tempfile.SpooledTemporaryFile(IN_MEMORY, "w+", encoding="utf-8", newline="") as answers:
        writer = csv.writer(answers, lineterminator="\n")
        writer.writerow(header)
        writer.writerows([harmless(cell) for cell in row] for row in rows)
        answers.seek(0)
        shutil.copyfileobj(answers, out)
