"""Did anybody's data get where it must not be? Every seeded identifier, in every encoding, in every dump and log."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from urllib.parse import quote

ENCODINGS = ("raw", "lower case", "percent", "base64 (three alignments)", "JSON escapes", "UTF-16", "hex")
"""What is looked for, beside the identifier itself; PostgreSQL dumps binary columns as hex."""


def forms(identifier: str) -> set[bytes]:
    """All encodings of one identifier that a dump or log might hold."""
    found: set[bytes] = set()
    for text in {identifier, identifier.lower()}:
        raw = text.encode()
        found |= {raw, quote(text, safe="").encode(), quote(text).encode(), json.dumps(text)[1:-1].encode()}
        found |= {text.encode("utf-16-le"), text.encode("utf-16-be"), raw.hex().encode()}
        found |= set(_base64(raw))
    return found


def _base64(raw: bytes) -> Iterator[bytes]:
    """The part of the encoding that does not depend on what stands before and after, for each alignment."""
    for lead in range(3):
        whole = base64.b64encode(b"\0" * lead + raw)
        start = -(-lead * 8 // 6)
        end = (lead + len(raw)) * 8 // 6
        if end - start >= 12:
            yield whole[start:end]


def count(identifiers: Iterable[str], places: Mapping[str, bytes]) -> dict[str, int]:
    """How many identifiers are found in each place; only places with any are named, never what was found."""
    wanted = {identifier: forms(identifier) for identifier in identifiers}
    hits = {
        place: sum(any(form in content for form in encoded) for encoded in wanted.values())
        for place, content in places.items()
    }
    return {place: n for place, n in hits.items() if n}


def files_below(folder: Path, *patterns: str) -> dict[str, bytes]:
    """The content of every file below a folder, by relative name."""
    found = sorted({p for pattern in patterns or ("*",) for p in folder.rglob(pattern) if p.is_file()})
    return {str(p.relative_to(folder)): p.read_bytes() for p in found}
