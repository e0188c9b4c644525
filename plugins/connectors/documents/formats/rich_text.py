"""What does an RTF file say? Its control words taken out, each group that stands apart from the text read by itself."""

from __future__ import annotations

import codecs
import re

from connectors.documents.formats.budget import Budget, Emit
from connectors.documents.formats.stamps import Stamps
from connectors.documents.formats.unreadable import Unreadable
from retention.vocabulary import GapCode

_TOKEN = re.compile(
    rb"\\bin(\d{1,9}) ?|\\([a-zA-Z]{1,32})(-?\d{1,10})? ?|\\'([0-9a-fA-F]{2})|\\([^a-zA-Z'])"
    rb"|([{}])|([^\\{}\r\n]+)|[\r\n]+|\\"
)
_SPACES = {
    **dict.fromkeys(("par", "line", "sect", "page", "softline"), "\n"),
    **dict.fromkeys(("cell", "row", "nestcell", "nestrow", "tab"), "\x1e"),
    "emdash": "\u2014",
    "endash": "\u2013",
    "lquote": "'",
    "rquote": "'",
    "ldblquote": '"',
    "rdblquote": '"',
}
_SYMBOLS = {"~": "\u00a0", "-": "\u00ad", "_": "-", "\n": "\n", "\r": "\n"}
_APART = frozenset(
    (
        *("header", "headerl", "headerr", "headerf", "footer", "footerl", "footerr", "footerf", "footnote"),
        *("annotation", "atnauthor", "atnid", "info", "title", "subject", "author", "operator", "company", "manager"),
        *("category", "keywords", "doccomm", "hlinkbase", "fldinst", "shptxt", "shpinst", "sv", "sn", "bkmkstart"),
        *("bkmkend", "creatim", "revtim", "printim", "userprops", "propname", "staticval", "xe", "tc", "listtext"),
    )
)
_WITHOUT_TEXT = frozenset(
    (
        *("fonttbl", "colortbl", "stylesheet", "themedata", "colorschememapping", "datastore"),
        *("pict", "rsidtbl", "latentstyles"),
    )
)
_TIMES = {"creatim": "document properties: created", "revtim": "document properties: modified"}
_DEEPEST = 2_000


class _Group:
    """What one group of braces has changed for what stands in it."""

    __slots__ = ("encoding", "kept", "skip", "text", "times")

    def __init__(self, above: _Group | None) -> None:
        self.text: list[str] = above.text if above else []
        self.encoding: str = above.encoding if above else "cp1252"
        self.skip: int = above.skip if above else 1
        self.kept: bool = above.kept if above else True
        self.times: dict[str, int] | None = above.times if above else None


def read(content: bytes, emit: Emit, budget: Budget) -> Stamps:
    """Every text of the file; an embedded object stays unread."""
    if not content.startswith(b"{\\rtf"):
        raise Unreadable(GapCode.DAMAGED)
    reading = _Reading(emit, budget)
    reading.all_of(content)
    return reading.stamps


class _Reading:
    def __init__(self, emit: Emit, budget: Budget) -> None:
        self.stamps = Stamps()
        self._emit = emit
        self._budget = budget
        self._groups = [_Group(None)]
        self._to_skip = 0
        self._pending = bytearray()

    def all_of(self, content: bytes) -> None:
        position = 0
        while match := _TOKEN.match(content, position):
            position = match.end()
            binary, word, number, code, symbol, brace, text = match.groups()
            if code:
                self._byte(int(code, 16))
                continue
            if text is not None:
                self._text(text)
                continue
            self._flush()
            if binary:
                position += int(binary)
            elif word:
                self._word(word.decode().lower() if word != b"u" else "u", number)
            elif symbol and symbol != b"*":
                self._put(_SYMBOLS.get(symbol.decode("latin-1"), symbol.decode("latin-1")))
            elif brace == b"{":
                self._begin()
            elif brace == b"}":
                self._end()
        self._flush()
        while len(self._groups) > 1:
            self._end()
            self._budget.unread(GapCode.DAMAGED, "group-never-closed")
        self._say(self._groups[0].text)

    def _begin(self) -> None:
        if len(self._groups) > _DEEPEST:
            raise Unreadable(GapCode.TOO_LARGE, "depth")
        self._groups.append(_Group(self._groups[-1]))

    def _end(self) -> None:
        if len(self._groups) == 1:
            return
        group = self._groups.pop()
        if group.text is not self._groups[-1].text:
            self._say(group.text)

    def _say(self, text: list[str]) -> None:
        said = "".join(text)
        if said.strip():
            self._emit(said)

    def _word(self, word: str, number: bytes | None) -> None:
        group, value = self._groups[-1], int(number) if number else 0
        if word == "u":
            self._put(chr(value % 0x10000) if not 0xD800 <= value % 0x10000 < 0xE000 else "\ufffd")
            self._to_skip = group.skip
        elif word == "uc":
            group.skip = value
        elif word == "ansicpg":
            group.encoding = _known(f"cp{value}")
        elif word in _SPACES:
            self._put(_SPACES[word])
        elif word in _WITHOUT_TEXT:
            group.kept = False
        elif word == "objdata":
            group.kept = False
            self._budget.unread(GapCode.UNKNOWN_FORMAT, "embedded-object")
        elif word in _APART:
            group.text = []
            self._time(group, word)
        elif group.times is not None and word in ("yr", "mo", "dy", "hr", "min"):
            group.times[word] = value
            self._note(group)

    def _time(self, group: _Group, word: str) -> None:
        group.times = {"": list(_TIMES).index(word)} if word in _TIMES else None

    def _note(self, group: _Group) -> None:
        times = group.times or {}
        if {"yr", "mo", "dy"} <= times.keys():
            where = list(_TIMES.values())[times[""]]
            clock = f"{times.get('hr', 0):02}:{times.get('min', 0):02}"
            self.stamps.add(where, f"{times['yr']:04}-{times['mo']:02}-{times['dy']:02}T{clock}")

    def _byte(self, value: int) -> None:
        if self._to_skip:
            self._to_skip -= 1
        elif self._groups[-1].kept:
            self._pending.append(value)

    def _text(self, text: bytes) -> None:
        skipped, self._to_skip = text[self._to_skip :], max(0, self._to_skip - len(text))
        if self._groups[-1].kept:
            self._pending += skipped

    def _flush(self) -> None:
        """Bytes in the code page of the file, which may need more than one for a letter."""
        if self._pending:
            group = self._groups[-1]
            group.text.append(self._pending.decode(group.encoding, errors="replace"))
            self._pending.clear()

    def _put(self, text: str) -> None:
        if self._groups[-1].kept:
            self._groups[-1].text.append(text)


def _known(encoding: str) -> str:
    try:
        return codecs.lookup(encoding).name
    except LookupError:
        return "cp1252"
