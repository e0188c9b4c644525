"""Whom does a message saved by Outlook name? Every text, of recipients and attachments too."""

from __future__ import annotations

import io
import struct
from datetime import UTC, datetime, timedelta

import olefile  # type: ignore[import-untyped]

from connectors.documents.formats import plain_text, rich_text, web_page
from connectors.documents.formats.budget import Budget, Emit
from connectors.documents.formats.stamps import Stamps
from connectors.documents.formats.unreadable import Unreadable
from retention.vocabulary import GapCode

_PROPERTY = "__substg1.0_"
_ATTACHMENT = "__attach_version1.0_"
_WIDE, _NARROW, _BINARY = ("001F", "101F"), ("001E", "101E"), "0102"
"""Text, and lists of texts, in two widths."""

_HTML, _PACKED_RICH_TEXT, _ATTACHED, _FILE_NAME = "1013", "1009", "3701", "3707"
_TIMES = {0x0039: "mail: sent", 0x0E06: "mail: received"}
_TIME = 0x0040
_HEAD, _ENTRY = 32, 16
_EPOCH = datetime(1601, 1, 1, tzinfo=UTC)
_PACKED, _PLAIN = b"LZFu", b"MELA"
_DICTIONARY = (
    b"{\\rtf1\\ansi\\mac\\deff0\\deftab720{\\fonttbl;}{\\f0\\fnil \\froman \\fswiss \\fmodern \\fscript "
    b"\\fdecor MS Sans SerifSymbolArialTimes New RomanCourier{\\colortbl\\red0\\green0\\blue0\r\n\\par "
    b"\\pard\\plain\\f0\\fs20\\b\\i\\u\\tab\\tx"
)
_WINDOW = 4096


def read(content: bytes, emit: Emit, budget: Budget) -> Stamps:
    """Every text property, the body in each form it has, and the attachments as the files they are."""
    stamps = Stamps()
    try:
        with olefile.OleFileIO(io.BytesIO(content)) as file:
            for path in file.listdir():
                budget.member()
                if path[-1].startswith(_PROPERTY):
                    with file.openstream(path) as stream:
                        value = budget.unpacked(stream)
                    stamps.merge(_property(file, path, value, emit, budget))
                elif path[-1] == "__properties_version1.0" and len(path) == 1:
                    _times(file.openstream(path).read(), stamps)
    except (OSError, ValueError, IndexError, KeyError, TypeError, struct.error):
        raise Unreadable(GapCode.DAMAGED) from None
    return stamps


def _property(file: olefile.OleFileIO, path: list[str], value: bytes, emit: Emit, budget: Budget) -> Stamps:
    tag, form = path[-1][len(_PROPERTY) :][:4], path[-1][len(_PROPERTY) + 4 :][:4]
    if form in _WIDE:
        text = value.decode("utf-16-le", errors="replace")
        if tag == _HTML:
            return web_page.read_text(text, emit)
        emit(text)
    elif form in _NARROW:
        return plain_text.read(value.rstrip(b"\0"), emit, budget)
    elif form == _BINARY and tag == _HTML:
        return web_page.read(value.rstrip(b"\0"), emit, budget)
    elif form == _BINARY and tag == _PACKED_RICH_TEXT:
        return rich_text.read(unpacked(value, budget), emit, budget)
    elif form == _BINARY and tag == _ATTACHED and any(one.startswith(_ATTACHMENT) for one in path):
        return budget.nested(_name_of(file, path[:-1]), value, emit)
    return Stamps()


def _name_of(file: olefile.OleFileIO, storage: list[str]) -> str:
    path = [*storage, f"{_PROPERTY}{_FILE_NAME}{_WIDE[0]}"]
    if not file.exists("/".join(path)):
        return "attachment"
    return str(file.openstream(path).read().decode("utf-16-le", errors="replace"))


def _times(properties: bytes, stamps: Stamps) -> None:
    for start in range(_HEAD, len(properties) - _ENTRY + 1, _ENTRY):
        form, tag, _, ticks = struct.unpack_from("<HHIQ", properties, start)
        if form == _TIME and tag in _TIMES:
            try:
                stamps.add_moment(_TIMES[tag], _EPOCH + timedelta(microseconds=ticks // 10))
            except OverflowError:
                continue


def unpacked(value: bytes, budget: Budget) -> bytes:
    """The rich text of a body as Outlook packs it: literals, and references into a window of 4 KB."""
    _, size, form = struct.unpack_from("<II4s", value)
    if form == _PLAIN:
        return value[16 : 16 + size]
    if form != _PACKED:
        raise Unreadable(GapCode.DAMAGED)
    out = bytearray(_DICTIONARY)
    position = 16
    while position < len(value):
        control = value[position]
        position += 1
        for bit in range(8):
            if position >= len(value):
                break
            if not control >> bit & 1:
                out.append(value[position])
                position += 1
                continue
            if position + 1 >= len(value):
                return bytes(out[len(_DICTIONARY) :])
            reference = value[position] << 8 | value[position + 1]
            position += 2
            offset, length = reference >> 4, (reference & 15) + 2
            write = len(out) % _WINDOW
            if offset == write:
                return bytes(out[len(_DICTIONARY) :])
            start = len(out) - ((write - offset) % _WINDOW or _WINDOW)
            for step in range(length):
                out.append(out[start + step] if 0 <= start + step < len(out) else 0x20)
        budget.expand(8)
    return bytes(out[len(_DICTIONARY) :])
