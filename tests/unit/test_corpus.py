"""Is everybody found in a corpus that hides them, nobody in that of their twins, and does no hostile file end it?"""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import datetime

import pytest

from connectors.documents.formats.kinds import FileKind
from connectors.documents.formats.reading import read
from connectors.documents.formats.registry import READERS
from connectors.documents.reader import Reader
from retention.vocabulary import GapCode
from sandbox.corpus import MAKERS, planted, twins
from sandbox.corpus.hostile import HOSTILE
from sandbox.corpus.packed import zipped
from sandbox.corpus.person import MADE

SEED = 20260101
PLANTED = {one.path: one for one in planted(SEED)}
TWINS = {one.path: (one, other) for one, other in twins(SEED)}
MOST_SECONDS = 70
DATED = [
    name
    for name in MAKERS
    if name.endswith((".docx", ".xlsx", ".pptx", ".odt", ".ods", ".odp", ".eml", ".mbox", "author.rtf"))
]


@pytest.fixture(scope="module")
def reader() -> Iterator[Reader]:
    reader = Reader(processes=1)
    yield reader
    reader.close()


@pytest.mark.parametrize("name", MAKERS)
def test_whoever_hides_in_a_file_is_found(name: str) -> None:
    content = read(name, PLANTED[name].content)
    assert content.gap is None
    assert PLANTED[name].person.email in {one.value for one in content.identifiers}


@pytest.mark.parametrize("name", MAKERS)
def test_nobody_is_taken_for_somebody_of_the_same_name(name: str) -> None:
    twin, other = TWINS[name]
    found = {one.value for one in read(name, twin.content).identifiers}
    assert twin.person.email in found
    assert other.email not in found


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_file_is_reported_in_time_and_the_scan_goes_on(reader: Reader, name: str) -> None:
    make, codes = HOSTILE[name]
    content = make()
    begun = time.monotonic()
    answer = reader.read(name, content)
    assert time.monotonic() - begun < MOST_SECONDS
    assert answer.gap is not None
    assert answer.gap.value in codes
    assert not answer.identifiers
    assert reader.read("next.txt", b"bob@x.example").gap is None


@pytest.mark.parametrize("name", DATED)
def test_a_file_says_when_it_was_written(name: str) -> None:
    stamps = read(name, PLANTED[name].content).stamps
    assert max(datetime.fromisoformat(text) for _, text in stamps) == MADE


def test_the_same_seed_gives_the_same_files() -> None:
    assert [(one.path, one.content) for one in planted(SEED)] == [(one.path, one.content) for one in PLANTED.values()]
    assert [one.person for one in planted(SEED)] != [one.person for one in planted(SEED + 1)]


def test_every_kind_of_file_that_can_be_read_is_planted() -> None:
    endings = {name.rpartition(".")[2] for name in MAKERS}
    assert {kind.value for kind in READERS} <= endings
    assert set(READERS) == set(FileKind)


def test_a_part_that_cannot_be_read_leaves_the_others_read(reader: Reader) -> None:
    letter = PLANTED["plain.txt"]
    mixed = zipped({"letter.txt": letter.content, "scan.png": b"\x89PNG\r\n\x1a\n" + bytes(64)})
    answer = reader.read("mixed.zip", mixed)
    assert (answer.gap, answer.what, answer.partly) == (GapCode.UNKNOWN_FORMAT, "image", True)
    assert [one.value for one in answer.identifiers] == [letter.person.email]
