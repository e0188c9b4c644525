"""How does the log leave the database, so that others can check it? Three kinds of plain files in one directory.

    entries.jsonl            one entry a line, its canonical bytes as stored
    leaves.txt               one leaf hash a line in hex, as stored: with it a checker can name the very entry
    checkpoints/<size>.txt   signed tree heads

Nothing is checked here: what is stored is what is written, so that a damaged log can be exported and shown to be so.
"""

from __future__ import annotations

from collections.abc import Iterable
from itertools import islice
from pathlib import Path


def write_export(directory: Path, rows: Iterable[tuple[bytes, bytes]], checkpoints: Iterable[tuple[int, str]]) -> int:
    """Write rows of (canonical bytes, leaf hash) in order and (size, signed note) pairs; say how many entries it were.

    Ends with the newest checkpoint: what was written after it is not sealed yet and nobody vouches for it.
    """
    directory.mkdir(parents=True, exist_ok=True)
    if any(directory.iterdir()):
        raise FileExistsError("the directory for the audit export is not empty: name a new one")
    folder = directory / "checkpoints"
    folder.mkdir()
    sealed = 0
    for size, note in checkpoints:
        (folder / f"{size}.txt").write_text(note, encoding="utf-8", newline="")
        sealed = max(sealed, size)
    written = 0
    with (directory / "entries.jsonl").open("wb") as entries, (directory / "leaves.txt").open("wb") as leaves:
        for body, leaf in islice(rows, sealed):
            entries.write(body + b"\n")
            leaves.write(leaf.hex().encode() + b"\n")
            written += 1
    return written
