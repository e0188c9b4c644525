"""Which files were read before, and as what? The token between two passes: digests only, no path, fixed width.

Digests do not compress, so they are not compressed. A token of another layout or of an earlier reader is no token:
everything is read again.
"""

from __future__ import annotations

import hashlib
import struct
from collections.abc import Iterable
from dataclasses import dataclass

from connectors.documents.stores.store import Entry
from retention.vocabulary import GapCode, Token

READER_VERSION = 2
"""To be raised whenever the readers find more than before, so that every file is read again."""

_HEAD = struct.Struct(">2sBB")
_LINE = struct.Struct(">12s8s32sB")
_LAYOUT = 1
_GAPS = (None, *GapCode)


@dataclass(frozen=True, slots=True)
class Known:
    """How a file looked when it was read, what its bytes were, and why they could not be read."""

    look: bytes
    sha256: bytes
    gap: GapCode | None

    @property
    def version(self) -> str:
        """The version of its record; empty where the bytes were never seen."""
        return self.sha256.hex() if any(self.sha256) else ""


class KnownFiles:
    """Path digest → what is known of the file."""

    def __init__(self) -> None:
        self._files: dict[bytes, Known] = {}

    @classmethod
    def parse(cls, token: Token | None) -> KnownFiles:
        """What an earlier pass knew."""
        known = cls()
        head = _HEAD.pack(b"KF", _LAYOUT, READER_VERSION)
        if not token or not token.startswith(head) or (len(token) - len(head)) % _LINE.size:
            return known
        for path, look, sha256, gap in _LINE.iter_unpack(token[len(head) :]):
            if gap < len(_GAPS):
                known._files[path] = Known(look, sha256, _GAPS[gap])
        return known

    def token(self) -> Token:
        """What the next pass shall know."""
        lines = (_LINE.pack(p, k.look, k.sha256, _GAPS.index(k.gap)) for p, k in sorted(self._files.items()))
        return Token(_HEAD.pack(b"KF", _LAYOUT, READER_VERSION) + b"".join(lines))

    def find(self, path: str, look: bytes) -> Known | None:
        """What is known of a file, if it still looks as it did."""
        known = self._files.get(_digest(path))
        return known if known is not None and known.look == look else None

    def add(self, path: str, known: Known) -> None:
        """Know a file."""
        self._files[_digest(path)] = known

    def keep(self, earlier: KnownFiles) -> None:
        """Go on knowing what an earlier pass knew and this one could not see."""
        self._files = earlier._files | self._files


def look_of(entry: Entry, *, restricted: bool, facts: Iterable[str]) -> bytes:
    """A digest of how a file looks from outside, and of what the policy says of its place."""
    seen = f"{entry.size} {entry.modified_ns} {entry.tag} {restricted} {' '.join(facts)}"
    return hashlib.blake2b(seen.encode(), digest_size=8).digest()


def _digest(path: str) -> bytes:
    return hashlib.blake2b(path.encode(), digest_size=12).digest()
