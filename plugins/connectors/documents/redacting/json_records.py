"""What is left of a JSON file when one person's records are taken out of its arrays?

Records are cut where they stand in the text, so that what stays is written as it was.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from connectors.documents.formats.json_text import DECODER, strings_in, values_of
from connectors.documents.formats.plain_text import decoded
from connectors.documents.formats.unreadable import Unreadable
from connectors.documents.redacting.redacted import Cut, People, Refused
from connectors.documents.sought import SEPARATOR

_SPACE = re.compile(r"[ \t\r\n]*")


@dataclass(frozen=True, slots=True)
class _Span:
    """Where a value stands in the text, with the name of its field before it."""

    start: int
    end: int
    value: Any


def without(content: bytes, wanted: People) -> tuple[bytes, int]:
    """The file without the records that name these addresses and nobody else; how many went."""
    try:
        mark, encoding, text = decoded(content)
        left, count = _Cutting(text, wanted).all()
    except (ValueError, RecursionError, Unreadable):
        raise Refused(Cut.UNCLEAR) from None
    return mark + left.encode(encoding), count


class _Cutting:
    def __init__(self, text: str, wanted: People) -> None:
        self._text = text
        self._wanted = wanted
        self._cuts: list[tuple[int, int]] = []

    def all(self) -> tuple[str, int]:
        """The text without the records."""
        start = self._after_space(0)
        try:
            _, end = DECODER.raw_decode(self._text, start)
            is_one = self._after_space(end) == len(self._text)
        except ValueError:
            is_one = False
        if is_one:
            self._inside(start)
        else:
            self._lines()
        pieces: list[str] = []
        position = 0
        for begin, end in sorted(self._cuts):
            pieces.append(self._text[position:begin])
            position = end
        return "".join(pieces) + self._text[position:], len(self._cuts)

    def _lines(self) -> None:
        """One value a line."""
        list(values_of(self._text))  # refuses what is no such file
        position = 0
        for line in self._text.splitlines(keepends=True):
            end = position + len(line)
            if line.strip():
                match self._verdict(DECODER.decode(line)):
                    case Cut.DONE:
                        self._cuts.append((position, end))
                    case Cut.NOBODY:
                        pass
                    case other:
                        raise Refused(other)
            position = end

    def _inside(self, start: int) -> None:
        """Take records out of the arrays in the value that begins here."""
        sign = self._text[start]
        if sign not in "[{":
            raise Refused(Cut.SHARED_ROW)
        spans = list(self._members(start))
        cut: list[int] = []
        for number, span in enumerate(spans):
            found = self._verdict(span.value)
            if found is Cut.NOBODY:
                continue
            if sign == "[" and found is Cut.DONE:
                cut.append(number)
            else:
                self._inside(self._value_start(span) if sign == "{" else span.start)
        self._take(spans, cut)

    def _take(self, spans: list[_Span], cut: list[int]) -> None:
        """Cut records with the comma that goes with each: the one behind, or before where the last ones go."""
        kept = [number for number in range(len(spans)) if number not in set(cut)]
        for number in cut:
            if kept and number > kept[-1]:
                self._cuts.append((spans[number - 1].end, spans[number].end))
            elif number + 1 < len(spans):
                self._cuts.append((spans[number].start, spans[number + 1].start))
            else:
                self._cuts.append((spans[number].start, spans[number].end))

    def _members(self, start: int) -> Iterator[_Span]:
        """The elements of an array, or the fields of an object with their names."""
        is_object = self._text[start] == "{"
        position = self._after_space(start + 1)
        while self._text[position] not in "]}":
            begin = position
            name: Any = None
            if is_object:
                name, position = DECODER.raw_decode(self._text, position)
                position = self._after_space(self._after_space(position) + 1)
            value, position = DECODER.raw_decode(self._text, position)
            yield _Span(begin, position, [name, value] if is_object else value)
            position = self._after_space(position)
            if self._text[position] == ",":
                position = self._after_space(position + 1)

    def _value_start(self, span: _Span) -> int:
        if self._verdict(span.value[0]) is not Cut.NOBODY:
            raise Refused(Cut.SHARED_ROW)  # the name of a field is no record
        _, position = DECODER.raw_decode(self._text, span.start)
        return self._after_space(self._after_space(position) + 1)

    def _verdict(self, value: Any) -> Cut:
        return self._wanted.verdict_on(SEPARATOR.join(strings_in(value)))

    def _after_space(self, position: int) -> int:
        match = _SPACE.match(self._text, position)
        return match.end() if match else position
