"""Is it proven that these people are out of a file, and that everybody else is still in?

Three looks, of which each would see what another misses: our reader again, another library, and a search for every
spelling of the address in all bytes, unpacked. What one of them cannot tell is not proven.
"""

from __future__ import annotations

import io
import re
import zipfile
import zlib
from collections.abc import Iterator
from urllib.parse import quote

import idna

from connectors.documents.formats.kinds import FileKind
from connectors.documents.formats.reading import mentioned_in
from connectors.documents.formats.unreadable import Unreadable
from connectors.documents.identifiers import Mentions, comparable, mentions
from connectors.documents.redacting.other_readers import OTHER_READERS, CannotTell
from connectors.documents.redacting.redacted import People
from connectors.documents.sought import SEPARATOR
from retention.vocabulary import IdentifierKind

_DEEPEST = 8
# What stands on neither side of an address that is not part of a longer one.
_BOUNDS = {
    "utf-8": (rb"(?<![a-z0-9._+\-])", rb"(?![a-z0-9\-]|\.[a-z0-9])"),
    "utf-16-le": (rb"(?<![a-z0-9._+\-]\0)", rb"(?![a-z0-9\-]\0|\.\0[a-z0-9])"),
    "utf-16-be": (rb"(?<!\0[a-z0-9._+\-])", rb"(?!\0[a-z0-9\-]|\0\.\0[a-z0-9])"),
}


def is_proven(name: str, kind: FileKind, before: bytes, after: bytes, wanted: People) -> bool:
    """Whether nobody of these is left and nobody else is lost."""
    spellings = list(_spellings(wanted))
    try:
        return (
            _holds(mentioned_in(name, before, wanted.sought), mentioned_in(name, after, wanted.sought), wanted)
            and _holds(_otherwise(kind, before, wanted), _otherwise(kind, after, wanted), wanted)
            and not any(spelling.search(part) for part in map(bytes.lower, unpacked(after)) for spelling in spellings)
        )
    except (Unreadable, CannotTell, zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, ValueError, OSError):
        return False


def _holds(before: Mentions, after: Mentions, wanted: People) -> bool:
    """Nobody who was to go is left, not even as a guess, and every other address is."""
    left = {comparable(one) for one in after}
    others = {comparable(one) for one, whole in before.items() if whole} - wanted.keys
    return not left & wanted.keys and {one for one in others if one[0] is IdentifierKind.EMAIL} <= left


def _otherwise(kind: FileKind, content: bytes, wanted: People) -> Mentions:
    return mentions(SEPARATOR.join(OTHER_READERS[kind](content)), wanted.sought)


def unpacked(content: bytes, depth: int = 0) -> Iterator[bytes]:
    """The bytes themselves, and those of everything packed in them."""
    yield content
    if content.startswith(b"PK\x03\x04"):
        if depth == _DEEPEST:
            raise CannotTell
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            for member in archive.infolist():
                yield member.filename.encode()
                yield from unpacked(archive.read(member), depth + 1)


def _spellings(wanted: People) -> Iterator[re.Pattern[bytes]]:
    """Every way in which the bytes of an address may be written, in lower case."""
    for kind, value in wanted.keys:
        if kind is not IdentifierKind.EMAIL:
            yield from (_bounded(value, encoding) for encoding in _BOUNDS)
            continue
        local, _, domain = value.rpartition("@")
        for spelled in {domain, _in_letters(domain)}:
            for at in ("@", "%40", "&#64;", "&#x40;", "=40", "\\u0040", "＠"):
                for one in {local, quote(local, safe=""), quote(local)}:
                    yield _bounded(f"{one}{at}{spelled}", "utf-8")
            for encoding in ("utf-16-le", "utf-16-be"):
                yield _bounded(f"{local}@{spelled}", encoding)


def _bounded(text: str, encoding: str) -> re.Pattern[bytes]:
    before, after = _BOUNDS[encoding]
    return re.compile(before + re.escape(text.lower().encode(encoding)) + after)


def _in_letters(domain: str) -> str:
    try:
        return idna.decode(domain)
    except idna.IDNAError:
        return domain
