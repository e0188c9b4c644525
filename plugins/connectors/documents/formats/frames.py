"""How do we and the reading process talk? A length, a JSON header, and as many bytes as the header says."""

from __future__ import annotations

import json
from collections.abc import Mapping
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


def receive(stream: IO[bytes]) -> tuple[dict[str, Any], bytes] | None:
    """Read one frame; None if the other side has closed in between two."""
    length = stream.read(_LENGTH)
    if not length:
        return None
    header: dict[str, Any] = json.loads(_exactly(stream, int.from_bytes(length, "big")))
    return header, _exactly(stream, header["size"])


def _exactly(stream: IO[bytes], size: int) -> bytes:
    content = stream.read(size)
    if len(content) != size:
        raise Broken
    return content
