"""How do we and the reading process talk? A length, a JSON header, and as many bytes as the header says."""

from __future__ import annotations

import json
from collections.abc import Mapping
from io import RawIOBase
from typing import IO, Any

_LENGTH = 4


class Broken(Exception):
    """The other side is gone, or what it says is no frame."""


def send(stream: IO[bytes], header: Mapping[str, Any], body: bytes = b"") -> None:
    """Write one frame."""
    head = json.dumps({**header, "size": len(body)}).encode()
    stream.write(len(head).to_bytes(_LENGTH, "big") + head)
    stream.write(body)
    stream.flush()


def receive(stream: IO[bytes] | RawIOBase) -> tuple[dict[str, Any], bytes] | None:
    """Read one frame; None if the other side has closed in between two."""
    first = stream.read(1)
    if not first:
        return None
    length = first + _exactly(stream, _LENGTH - 1)
    header: dict[str, Any] = json.loads(_exactly(stream, int.from_bytes(length, "big")))
    return header, _exactly(stream, header["size"])


def _exactly(stream: IO[bytes] | RawIOBase, size: int) -> bytes:
    chunks: list[bytes] = []
    while size:
        chunk = stream.read(size)
        if not chunk:
            raise Broken
        chunks.append(chunk)
        size -= len(chunk)
    return b"".join(chunks)
