"""Does every entry get its place, can a log be gone on with, and what leaves the database for an auditor?"""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path

import pytest

from retention.audit import (
    Chain,
    Entry,
    Event,
    Head,
    chain,
    key_id,
    leaf_hash,
    record_pseudonym,
    root,
    write_export,
)

AT = datetime(2026, 11, 22, 2, 0, tzinfo=UTC)


def things(count: int, first: int = 0) -> Iterator[Entry]:
    for number in range(first, first + count):
        yield Entry(AT + timedelta(seconds=number), Event.INTENT, item=f"plan-ab12:{number}", system="salesforce")


def test_entries_are_numbered_from_zero_and_each_names_the_hash_of_the_one_before() -> None:
    links = list(chain(things(5)))
    bodies = [json.loads(link.body) for link in links]
    assert [body["seq"] for body in bodies] == [link.seq for link in links] == [0, 1, 2, 3, 4]
    assert [body["previous"] for body in bodies] == ["00" * 32, *(link.leaf.hex() for link in links[:-1])]
    assert [link.leaf for link in links] == [sha256(b"\x00" + link.body).digest() for link in links]
    assert bodies[3]["item"] == "plan-ab12:3"


@pytest.mark.parametrize("first", [0, 1, 5, 8, 13])
def test_a_log_goes_on_from_its_stored_head_as_if_it_had_never_stopped(first: int) -> None:
    whole = list(chain(things(13)))
    begun = Chain()
    list(begun.append(things(first)))
    for head in (Head.unpack(begun.head.pack()), Head.of(link.leaf for link in whole[:first])):
        resumed = Chain(head)
        assert list(resumed.append(things(13 - first, first))) == whole[first:]
        assert resumed.head.root() == root([link.leaf for link in whole])
        assert resumed.head.size == 13


def test_the_head_counts_only_links_that_were_taken() -> None:
    begun = Chain()
    links = begun.append(things(5))
    next(links)
    second = next(links)
    assert (begun.head.size, begun.head.last_leaf) == (2, second.leaf)


@pytest.mark.parametrize("packed", [b"", bytes(8), bytes(39), bytes(72), (1).to_bytes(8, "big") + bytes(32)])
def test_bytes_that_are_no_head_are_refused(packed: bytes) -> None:
    with pytest.raises(ValueError, match="not the head"):
        Head.unpack(packed)


def test_an_export_holds_what_is_stored_up_to_the_newest_checkpoint(tmp_path: Path) -> None:
    links = list(chain(things(7)))
    rows = [(link.body, link.leaf) for link in links]
    assert write_export(tmp_path / "export", iter(rows), [(3, "first\n"), (5, "second \u2014\n")]) == 5
    assert (tmp_path / "export/entries.jsonl").read_bytes().split(b"\n") == [*(body for body, _ in rows[:5]), b""]
    assert (tmp_path / "export/leaves.txt").read_text().split() == [leaf.hex() for _, leaf in rows[:5]]
    assert (tmp_path / "export/checkpoints/5.txt").read_bytes().decode() == "second \u2014\n"
    assert sorted(path.name for path in (tmp_path / "export").rglob("*") if path.is_file()) == [
        "3.txt",
        "5.txt",
        "entries.jsonl",
        "leaves.txt",
    ]


def test_an_export_never_mixes_with_what_is_already_there(tmp_path: Path) -> None:
    (tmp_path / "old.txt").write_text("kept")
    with pytest.raises(FileExistsError, match="not empty"):
        write_export(tmp_path, [], [])
    assert [path.name for path in tmp_path.iterdir()] == ["old.txt"]


def test_a_pseudonym_depends_on_key_purpose_and_value_and_on_where_one_ends() -> None:
    key, other = bytes(32), bytes(31) + b"\x01"
    names = {
        record_pseudonym(key, "record", "003x"),
        record_pseudonym(other, "record", "003x"),
        record_pseudonym(key, "subject", "003x"),
        record_pseudonym(key, "record", "003y"),
        record_pseudonym(key, "record0", "03x"),
    }
    assert len(names) == 5
    assert record_pseudonym(key, "record", "003x") in names
    assert all(len(bytes.fromhex(name)) == 32 for name in names)


def test_a_pseudonym_is_the_keyed_hash_that_the_document_describes() -> None:
    import hmac

    message = b"\x00\x00\x00\x06record\x00\x00\x00\x0bcaf\xc3\xa9 003xx"
    assert record_pseudonym(b"k" * 32, "record", "café 003xx") == hmac.new(b"k" * 32, message, sha256).hexdigest()


def test_a_key_is_named_without_being_shown_and_a_short_one_is_refused() -> None:
    key = bytes(range(32))
    assert len(bytes.fromhex(key_id(key))) == 8
    assert key_id(key) != key_id(bytes(32))
    assert key_id(key) not in key.hex()
    with pytest.raises(ValueError, match="32 bytes"):
        record_pseudonym(b"short", "record", "003x")


def test_pseudonyms_and_key_ids_fit_into_an_entry() -> None:
    name = record_pseudonym(bytes(32), "record", "003x")
    entry = Entry(AT, Event.VERIFIED, record=name, item=name, case_key=key_id(bytes(32)))
    assert next(chain([entry])).leaf == leaf_hash(next(chain([entry])).body)
