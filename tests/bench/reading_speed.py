"""How fast is a corpus of all formats read, what does it cost to look for many people, and how much memory is needed?

The corpus lies in a folder and is read through the processes apart, two side by side. Against it stands extraction
alone: the same readers in two plain processes, without pipes, limits or somebody who may kill them.
"""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

from connectors.documents.formats import reading
from connectors.documents.reader import Reader
from retention.keyring import Keyring
from retention.vocabulary import Identifier, IdentifierKind
from sandbox.corpus import planted
from sandbox.corpus.hostile import HOSTILE
from sandbox.corpus.packed import zipped
from tests.bench.running import ROOT

SEED, ROUNDS, TRIES, PROCESSES = 1, 24, 2, 2
FEW, MANY = 1_000, 100_000
LARGEST = 32 * 1024 * 1024
LINE = "person-%d@example.com wrote about the meeting on friday \u2603 in the larger room\n"


def measure() -> Iterator[tuple[str, float, float]]:
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        paths = _written(Path(folder))
        alone = min(_seconds(lambda: _extract(paths)) for _ in range(TRIES))
        scanned = min(_seconds(lambda: _scan(paths)) for _ in range(TRIES))
        yield "reading.scan.files_per_s", len(paths) / scanned, len(paths) / alone
    few, many = _looked_up(FEW), _looked_up(MANY)
    yield "reading.match.seconds", many, few
    command = [sys.executable, "-m", __name__]
    answer = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True, env={**os.environ}).stdout
    yield "reading.memory_mb", json.loads(answer), 0


def _written(folder: Path) -> list[Path]:
    paths = []
    for one in planted(SEED, ROUNDS):
        path = folder / one.path
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(one.content)
        paths.append(path)
    return paths


def _scan(paths: Sequence[Path]) -> None:
    reader = Reader(processes=PROCESSES)
    try:
        begun = [reader.begin(path.name, path.read_bytes()) for path in paths]
        unread = [one for one in begun if one.result().gap is not None]
    finally:
        reader.close()
    if unread:
        raise RuntimeError(f"{len(unread)} files of the corpus were not read")


def _extract(paths: Sequence[Path]) -> None:
    with ProcessPoolExecutor(PROCESSES) as pool:
        list(pool.map(_read_one, paths, chunksize=20))


def _read_one(path: Path) -> int:
    return len(reading.read(path.name, path.read_bytes()).identifiers)


def _looked_up(people: int) -> float:
    """Looking through a text for so many people, once their keys are known."""
    keyring = Keyring.generate("k1")
    wanted = {keyring.exact_key(Identifier(IdentifierKind.EMAIL, f"person-{n}@example.com")) for n in range(people)}
    text = "".join(LINE % number for number in range(FEW)).encode() * 50
    hits = 0

    def look() -> None:
        nonlocal hits
        hits = sum(keyring.exact_key(one) in wanted for one in reading.read("a.txt", text).identifiers)

    took = min(_seconds(look) for _ in range(TRIES))
    if hits != FEW:
        raise RuntimeError(f"{hits} people were found in the text, not {FEW}")
    return took


def _seconds(work: Callable[[], object]) -> float:
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def peak_of_readers() -> float:
    """The most memory that a reading process ever had, in MB, on large and on hostile files."""
    lines = "".join(LINE % number for number in range(LARGEST // len(LINE))).encode()
    large = {
        "large.txt": lines,
        "large.csv": lines.replace(b" ", b","),
        "large.html": b"<p>" + lines.replace(b"\n", b"</p>\n<p>"),
        "large.json": json.dumps(lines.decode().splitlines()).encode(),
        "large.zip": zipped({f"{n}.txt": lines for n in range(8)}),
    }
    reader = Reader(processes=1)
    for name, content in large.items():
        reader.read(name, content)
    for name, (make, _) in HOSTILE.items():
        reader.read(name, make())
    reader.close()
    return resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024


if __name__ == "__main__":
    sys.stdout.write(json.dumps(peak_of_readers()))
