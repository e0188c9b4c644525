"""In which encoding is a text file written, and what does it say? Bytes → text that turns back into the same bytes."""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterator

import charset_normalizer

from connectors.documents.formats.budget import Budget, Emit
from connectors.documents.formats.stamps import Stamps
from connectors.documents.formats.unreadable import Unreadable
from retention.vocabulary import GapCode

_MARKS = (
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_FOLDED = ("BEGIN:VCALENDAR", "BEGIN:VCARD")
_FOLD = re.compile(r"\r?\n[ \t]")
_CONTROL = re.compile(r"[\x00-\x08\x0e-\x1a\x1c\x1d\x1f\x7f]")
_SAMPLE = 64 * 1024


def read(content: bytes, emit: Emit, budget: Budget) -> Stamps:
    """The text as it stands."""
    for text in readings(content):
        emit(unfolded(text))
    return Stamps()


def unfolded(text: str) -> str:
    """A calendar or a card with its long lines whole: they are cut anywhere, and go on behind a space."""
    return _FOLD.sub("", text) if text.lstrip().startswith(_FOLDED) else text


def decoded(content: bytes) -> tuple[bytes, str, str]:
    """Byte order mark, encoding and text. Western one-byte encodings stand for all: they keep every ASCII byte."""
    for mark, encoding in _MARKS:
        if content.startswith(mark):
            try:
                return mark, encoding, content[len(mark) :].decode(encoding)
            except UnicodeDecodeError:
                raise Unreadable(GapCode.DAMAGED) from None
    for encoding in (_unmarked_utf16(content),) if b"\0" in content else ("utf-8", "cp1252", "latin-1"):
        try:
            return b"", encoding, content.decode(encoding)
        except UnicodeDecodeError:
            continue
    raise Unreadable(GapCode.DAMAGED)


def refuse_unless_text(content: bytes) -> None:
    """Bytes that nobody called text are text only without the signs that no text has."""
    _, _, text = decoded(content)
    if _CONTROL.search(text, 0, _SAMPLE):
        raise Unreadable(GapCode.UNKNOWN_FORMAT)


def readings(content: bytes) -> Iterator[str]:
    """Every text the bytes may stand for: the sure one, or the Western one and the likeliest other."""
    _, encoding, text = decoded(content)
    yield text
    if encoding in ("cp1252", "latin-1"):
        guess = charset_normalizer.from_bytes(content[:_SAMPLE]).best()
        if guess is not None:
            other = content.decode(guess.encoding, errors="replace")
            if other != text:
                yield other


def _unmarked_utf16(content: bytes) -> str:
    """Text with zero bytes in every other place; anything else with zero bytes is no text."""
    sample = content[:_SAMPLE]
    even, odd = sample[0::2].count(0), sample[1::2].count(0)
    if max(even, odd) > 4 * min(even, odd) and max(even, odd) * 4 > len(sample) // 2:
        return "utf-16-le" if odd > even else "utf-16-be"
    raise Unreadable(GapCode.UNKNOWN_FORMAT)
