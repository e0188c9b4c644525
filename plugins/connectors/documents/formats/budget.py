"""How much may one file cost to read, with everything that lies inside it, and what of it stayed unread?

Counted while reading: sizes that a file gives of itself are only claims. A part that cannot be read is noted and the
rest goes on; a budget that is spent ends the whole file.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import IO

from connectors.documents.formats.stamps import Stamps
from connectors.documents.formats.unreadable import Unreadable
from retention.vocabulary import GapCode

MOST_MEMBERS = 30_000
MOST_DEPTH = 8
LEAST_EXPANDED = 50 * 1024 * 1024
EXPANSION = 20
"""Bytes that a byte of the file may unfold to, once it is more than the least."""
LEAST_TAGS = 5_000_000
"""Tags of XML that a file may have in any case; a large one may have one more for each of its bytes."""

LARGEST_MEMBER = 64 * 1024 * 1024
_CHUNK = 64 * 1024

Emit = Callable[[str], None]
ReadMember = Callable[[str, bytes, Emit, "Budget"], Stamps]


class Spent(Unreadable):
    """The budget of the whole file is spent: no part of it is read any further."""


@dataclass
class Budget:
    """What is left for a file. One for it and all its members, however deep."""

    expanded: int
    read_member: ReadMember = field(repr=False)
    tags: int = LEAST_TAGS
    members: int = MOST_MEMBERS
    depth: int = 0
    gap: tuple[GapCode, str] | None = None

    @classmethod
    def of(cls, size: int, read_member: ReadMember) -> Budget:
        """The budget of a file of this size."""
        return cls(max(LEAST_EXPANDED, EXPANSION * size), read_member, LEAST_TAGS + size)

    def expand(self, count: int) -> None:
        """So many bytes came out of something compressed."""
        self.expanded -= count
        if self.expanded < 0:
            raise Spent(GapCode.TOO_LARGE, "expanded")

    def parse(self, chunk: bytes) -> None:
        """A piece of XML that came out of something compressed."""
        self.expand(len(chunk))
        self.tags -= chunk.count(b"<")
        if self.tags < 0:
            raise Spent(GapCode.TOO_LARGE, "tags")

    def member(self, count: int = 1) -> None:
        """So many members were met."""
        self.members -= count
        if self.members < 0:
            raise Spent(GapCode.TOO_LARGE, "members")

    def unread(self, code: GapCode, what: str) -> None:
        """A part stays unread; the first reason is told."""
        if self.gap is None:
            self.gap = code, what

    def nested(self, name: str, content: bytes, emit: Emit) -> Stamps:
        """Read a file inside the file; one that cannot be read is a part unread."""
        if self.depth >= MOST_DEPTH:
            self.unread(GapCode.TOO_LARGE, "depth")
            return Stamps()
        self.depth += 1
        try:
            return self.read_member(name, content, emit, self)
        except Spent:
            raise
        except Unreadable as unreadable:
            self.unread(unreadable.code, unreadable.what or "member")
            return Stamps()
        finally:
            self.depth -= 1

    def unpacked(self, stream: IO[bytes]) -> bytes:
        """All of a compressed stream, counted as it comes."""
        chunks: list[bytes] = []
        size = 0
        while chunk := stream.read(_CHUNK):
            self.expand(len(chunk))
            size += len(chunk)
            if size > LARGEST_MEMBER:
                raise Spent(GapCode.TOO_LARGE, "expanded")
            chunks.append(chunk)
        return b"".join(chunks)
