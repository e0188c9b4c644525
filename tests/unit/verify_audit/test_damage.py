"""Does the checker find every field altered, every entry dropped, swapped, inserted or cut off, and say where?"""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from retention.audit import (
    leaf_hash,
)
from tests.unit.verify_audit.exported import (
    CHECKER,
    KEY,
    Run,
    altered,
    drop,
    export,
    lines,
    links,
    put,
)

FIELDS = sorted(json.loads(links(1)[0].body))
OTHER_VALUES: dict[str, object] = {
    "seq": 77,
    "count": None,
    "previous": "f" * 64,
    "data_classes": ["document"],
    "reasons": [],
    "articles": ["17(1)(a)"],
    "request_ids": ["750xx9999999999"],
    "type": "retention-audit-entry/v2",
}


@pytest.mark.parametrize("hashes_too", [False, True], ids=["hash list kept", "hash list adapted"])
@pytest.mark.parametrize("seq", [0, 6, 12])
@pytest.mark.parametrize("field", FIELDS)
def test_every_field_of_an_entry_is_guarded(field: str, seq: int, hashes_too: bool, log: Path, verify: Run) -> None:
    changed = lines(log)
    changed[seq] = altered(changed[seq], **{field: OTHER_VALUES.get(field, "other")})
    put(log, changed, hashes_too=hashes_too)
    code, said = verify(log)
    assert (code, said.split(": ")[:2]) == (1, ["edited", f"entry {seq}"])


@pytest.mark.parametrize("field", FIELDS)
def test_the_last_entry_is_guarded_as_well(field: str, log: Path, verify: Run) -> None:
    changed = lines(log)
    changed[13] = altered(changed[13], **{field: OTHER_VALUES.get(field, "other")})
    put(log, changed)
    code, said = verify(log)
    assert (code, said.split(": ")[:2]) == (1, ["edited", "entry 13"])


def swap(one: int, other: int) -> Callable[[list[bytes]], list[bytes]]:
    def swapped(old: list[bytes]) -> list[bytes]:
        new = list(old)
        new[one], new[other] = old[other], old[one]
        return new

    return swapped


def insert(seq: int, what: Callable[[list[bytes]], bytes]) -> Callable[[list[bytes]], list[bytes]]:
    return lambda old: [*old[:seq], what(old), *old[seq:]]


def forged(seq: int) -> Callable[[list[bytes]], bytes]:
    """An entry that was never written, made to follow from the one before."""
    return lambda old: altered(old[seq], previous=leaf_hash(old[seq - 1][:-1]).hex(), seq=seq, actor="other")


@pytest.mark.parametrize("hashes_too", [False, True], ids=["hash list kept", "hash list adapted"])
@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (drop(0), "deleted: entry 0:"),
        (drop(6), "deleted: entry 6:"),
        (drop(12), "deleted: entry 12:"),
        (lambda old: old[:5] + old[8:], "deleted: entry 5:"),
        (swap(0, 1), "swapped: entry 0:"),
        (swap(6, 7), "swapped: entry 6:"),
        (swap(3, 11), "swapped: entry 3:"),
        (swap(12, 13), "swapped: entry 12:"),
        (insert(7, lambda old: old[6]), "inserted: entry 7:"),
        (insert(7, lambda old: old[2]), "inserted: entry 7:"),
        (insert(3, lambda old: old[8]), "inserted: entry 3:"),
        (insert(7, forged(7)), "inserted: entry 7:"),
        (insert(0, lambda _: b"{}\n"), "inserted: entry 0:"),
        (insert(5, lambda _: b"\n"), "inserted: entry 5:"),
        (drop(13), "truncated: entry 13:"),
        (lambda old: old[:10], "truncated: entry 10:"),
        (lambda old: old[:9], "truncated: entry 9:"),
        (lambda _: [], "truncated: entry 0:"),
        (lambda old: [*old[:6], old[2], *old[7:]], "edited: entry 6:"),
        (lambda old: [*old[:6], old[9], *old[7:]], "edited: entry 6:"),
        (lambda old: [*old[:6], b"not json\n", *old[7:]], "edited: entry 6:"),
    ],
)
def test_dropped_swapped_inserted_and_missing_entries_are_named(
    change: Callable[[list[bytes]], list[bytes]], expected: str, hashes_too: bool, log: Path, verify: Run
) -> None:
    put(log, change(lines(log)), hashes_too=hashes_too)
    code, said = verify(log)
    assert code == 1
    assert said.startswith(expected)


def test_an_entry_added_after_the_last_seal_is_named(log: Path, verify: Run) -> None:
    put(log, [link.body + b"\n" for link in links(15)], hashes_too=True)
    assert verify(log) == (1, "inserted: entry 14: only 14 entries were signed\n")


@pytest.mark.parametrize(
    "spelling",
    [
        lambda line: line.replace(b'"actor":', b'"actor": '),
        lambda line: line.replace(b"schedule", b"sch\\u0065dule"),
        lambda line: line.replace(b'{"actor":"schedule",', b'{"actor":"dpo","actor":"schedule",'),
        lambda line: line.replace(b'"count":6', b'"count":6.0'),
        lambda line: line.replace(b"\n", b"\r\n"),
        lambda line: (
            b'{"type":"retention-audit-entry/v1",' + line[1:].replace(b',"type":"retention-audit-entry/v1"', b"")
        ),
    ],
    ids=["space", "escape", "twice the same member", "float", "line end", "order"],
)
def test_the_same_content_in_other_bytes_is_an_edit(spelling: Callable[[bytes], bytes], log: Path, verify: Run) -> None:
    changed = lines(log)
    assert spelling(changed[6]) != changed[6]
    changed[6] = spelling(changed[6])
    put(log, changed)
    assert verify(log)[1].startswith("edited: entry 6:")
    put(log, changed, hashes_too=True)
    assert verify(log)[1].startswith("edited: entry 6:")


def test_every_byte_of_an_entry_is_guarded(log: Path, verify: Run) -> None:
    path = log / "entries.jsonl"
    original = path.read_bytes()
    start, end = (sum(map(len, lines(log)[:count])) for count in (6, 7))
    for place in range(start, end - 1):
        path.write_bytes(original[:place] + bytes([original[place] ^ 1]) + original[place + 1 :])
        code, said = verify(log)
        assert code == 1
        assert said.startswith(("edited: entry 6:", "inserted: entry 6:")), place


def test_every_byte_of_the_hash_list_and_of_a_checkpoint_is_guarded(log: Path, verify: Run) -> None:
    for path in (log / "leaves.txt", log / "checkpoints" / "9.txt"):
        original = path.read_bytes()
        for place in range(0, len(original), 1 if len(original) < 400 else 7):
            path.write_bytes(original[:place] + bytes([original[place] ^ 1]) + original[place + 1 :])
            code, said = verify(log)
            assert code == 1
            assert said.startswith(
                f"edited: entry {place // 65}:" if path.name == "leaves.txt" else ("edited", "wrong key")
            )
        path.write_bytes(original)
    assert verify(log)[0] == 0


def test_a_checkpoint_under_another_ones_name_is_found(log: Path, verify: Run) -> None:
    folder = log / "checkpoints"
    (folder / "10.txt").write_bytes((folder / "9.txt").read_bytes())
    assert verify(log) == (1, "edited: checkpoint 10: it speaks of 9 entries\n")


@given(st.randoms(use_true_random=False), st.integers(1, 20))
@settings(max_examples=60, deadline=None)
def test_no_random_damage_to_the_lines_goes_unseen(
    tmp_path_factory: pytest.TempPathFactory, chance: random.Random, count: int
) -> None:
    folder = export(tmp_path_factory.mktemp("random") / "log", links(count), [count])
    key = folder.parent / "key.txt"
    key.write_text(KEY.verify_key.text)
    before = lines(folder)
    after = list(before)
    for _ in range(chance.randint(1, 3)):
        act = chance.choice(["drop", "repeat", "move", "edit"])
        at = chance.randrange(len(after)) if after else 0
        if act == "repeat" and after:
            after.insert(chance.randrange(len(after) + 1), after[at])
        elif act == "move" and after:
            after.insert(chance.randrange(len(after)), after.pop(at))
        elif act == "edit" and after:
            after[at] = altered(after[at], count=chance.randrange(100, 200))
        elif after:
            after.pop(at)
    first = next((n for n in range(max(len(before), len(after))) if before[n : n + 1] != after[n : n + 1]), None)
    for hashes_too in (False, True):
        put(folder, after, hashes_too=hashes_too)
        if first is None:
            assert CHECKER.verify(folder, key, [])
            continue
        with pytest.raises(CHECKER.Wrong) as caught:
            CHECKER.verify(folder, key, [])
        if not hashes_too:
            assert str(caught.value).split(": ")[1] == f"entry {first}"
