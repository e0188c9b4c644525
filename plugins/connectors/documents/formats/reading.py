"""What does one file say about whom, and when? Bytes and a name → identifiers and times, or why not.

Runs inside the reading process (`reader_process`), where a hostile file can do no more than end that process.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from connectors.documents.formats.budget import Budget
from connectors.documents.formats.registry import read_file
from connectors.documents.formats.unreadable import Unreadable
from connectors.documents.identifiers import Gathered, Mentions
from connectors.documents.sought import SEPARATOR, Sought
from retention.vocabulary import GapCode, Identifier

MOST_IDENTIFIERS = 200_000
_AT_ONCE = 256 * 1024
"""Characters looked through at a time: many small blocks together, a large one in pieces."""

_OVERLAP = 1024


@dataclass(frozen=True, slots=True)
class Content:
    """What was read. Three ends: read, partly read (`gap` and `partly`), and not read at all (`gap`, all else empty).

    Whom a partly read file names is not all it names: that may protect it, and never destroys it.
    """

    identifiers: tuple[Identifier, ...] = field(default=(), repr=False)
    stamps: tuple[tuple[str, str], ...] = ()
    gap: GapCode | None = None
    what: str = ""
    partly: bool = False


class Collector:
    """Gathers blocks of text until there are enough of them to be looked through together."""

    def __init__(self, sought: Sought) -> None:
        self.found = Gathered(sought)
        self._blocks: list[str] = []
        self._size = 0

    def emit(self, text: str) -> None:
        """Take a block of text: nothing that stands in two blocks belongs together."""
        if len(text) > _AT_ONCE:
            for piece in _pieces(text):
                self._look_through(piece)
            return
        self._blocks.append(text)
        self._size += len(text)
        if self._size > _AT_ONCE:
            self.finish()

    def finish(self) -> None:
        """Look through what is left."""
        self._look_through(SEPARATOR.join(self._blocks))
        self._blocks.clear()
        self._size = 0

    def _look_through(self, text: str) -> None:
        self.found.look_through(text)
        if len(self.found) > MOST_IDENTIFIERS:
            raise Unreadable(GapCode.TOO_LARGE, "identifiers")


def read(name: str, content: bytes, sought: Sought | None = None) -> Content:
    """Read a whole file."""
    collector = Collector(sought or Sought())
    budget = Budget.of(len(content), read_file)
    try:
        stamps = read_file(name, content, collector.emit, budget)
        collector.finish()
    except Unreadable as unreadable:
        return Content(gap=unreadable.code, what=unreadable.what)
    found = collector.found.identifiers()
    if budget.gap is not None:
        code, what = budget.gap
        return Content(found, tuple(sorted(stamps.items())), code, what, partly=True)
    return Content(found, tuple(sorted(stamps.items())))


def mentioned_in(name: str, content: bytes, sought: Sought) -> Mentions:
    """Every identifier of a file and whether it stands there as a whole; `Unreadable` if any part cannot be read."""
    collector = Collector(sought)
    budget = Budget.of(len(content), read_file)
    read_file(name, content, collector.emit, budget)
    collector.finish()
    if budget.gap is not None:
        raise Unreadable(*budget.gap)
    return collector.found.mentions()


def _pieces(text: str) -> Iterator[str]:
    """A long text cut between words, where lines end if they do; a piece begins a little before the last one's end."""
    start = 0
    while len(text) - start > _AT_ONCE:
        latest = start + _AT_ONCE
        end = _last_space(text, latest - _AT_ONCE // 2, latest) or latest
        yield text[start:end]
        start = _first_space(text, end - _OVERLAP, end) or end
    yield text[start:]


def _last_space(text: str, start: int, end: int) -> int:
    return max(text.rfind("\n", start, end), 0) or max(text.rfind(" ", start, end), 0)


def _first_space(text: str, start: int, end: int) -> int:
    return max(text.find("\n", start, end), 0) or max(text.find(" ", start, end), 0)
