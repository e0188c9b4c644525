"""Does the checker find a history that was rewritten, links and all, by whoever knows the format or holds a key?"""

from __future__ import annotations

from pathlib import Path

import pytest

from retention.audit import (
    leaf_hash,
    write_export,
)
from tests.unit.verify_audit.exported import (
    SIZES,
    THIEF,
    Run,
    altered,
    by_itself,
    drop,
    export,
    lines,
    links,
    note,
    put,
    relinked,
)


def test_a_relinked_history_under_the_old_checkpoints_is_found_entry_by_entry(log: Path, verify: Run) -> None:
    changed = lines(log)
    changed[6] = altered(changed[6], after="present")
    put(log, relinked(changed))
    assert verify(log)[1].startswith("edited: entry 6:")


def test_where_even_the_hash_list_was_adapted_the_checkpoints_bound_the_place(log: Path, verify: Run) -> None:
    changed = lines(log)
    changed[6] = altered(changed[6], after="present")
    put(log, relinked(changed), hashes_too=True)
    code, said = verify(log)
    assert (code, said.split(": ")[:2]) == (1, ["forked", "entry 4 or a later one before 9"])


@pytest.mark.parametrize("seq", [0, 6, 13])
def test_a_deletion_that_was_relinked_and_renumbered_is_found(seq: int, log: Path, verify: Run) -> None:
    put(log, relinked(drop(seq)(lines(log))), hashes_too=True)
    code, said = verify(log)
    assert code == 1
    assert said.startswith("truncated: entry 13:" if seq == 13 else ("forked: entry 0 ", "forked: entry 4 "))


def test_a_history_signed_with_another_key_is_found(tmp_path: Path, verify: Run) -> None:
    folder = export(tmp_path / "log", links(14, "1"), key=THIEF)
    assert verify(folder) == (1, "wrong key: checkpoint 4: it is not signed by the key that was given\n")


def test_a_history_rewritten_and_signed_with_the_right_key_is_found_by_an_outside_checkpoint(
    tmp_path: Path, public_key: Path, verify: Run
) -> None:
    outside = tmp_path / "kept.txt"
    outside.write_text(note([link.leaf for link in links(14)], 9), encoding="utf-8")
    folder = export(tmp_path / "rewritten", links(14, "1"))
    assert verify(folder)[0] == 0
    done = by_itself(folder, "--public-key", public_key, "--checkpoint", outside)
    assert (done.returncode, done.stderr) == (1, "")
    assert done.stdout.startswith("forked: entry 0 or a later one before 9: the log was rewritten; kept.txt")


def test_several_outside_checkpoints_narrow_the_place_down(tmp_path: Path, verify: Run) -> None:
    true = links(14)
    kept = []
    for size in (4, 6, 8, 9):
        kept.append(tmp_path / f"kept-{size}.txt")
        kept[-1].write_text(note([link.leaf for link in true], size), encoding="utf-8")
    changed = relinked([*(link.body + b"\n" for link in true[:6]), *(link.body + b"\n" for link in links(14, "1")[6:])])
    bodies = [line[:-1] for line in changed]
    leaves = [leaf_hash(body) for body in bodies]
    write_export(tmp_path / "log", zip(bodies, leaves, strict=True), [(size, note(leaves, size)) for size in SIZES])
    assert verify(tmp_path / "log", *reversed(kept))[1].startswith("forked: entry 6 or a later one before 8:")


def test_a_log_cut_short_with_its_checkpoints_is_found_by_an_outside_checkpoint(tmp_path: Path, verify: Run) -> None:
    outside = tmp_path / "kept.txt"
    outside.write_text(note([link.leaf for link in links(14)], 14), encoding="utf-8")
    folder = export(tmp_path / "short", links(9), (4, 9))
    assert verify(folder)[0] == 0
    assert verify(folder, outside) == (
        1,
        "truncated: entry 9: the log ends here; kept.txt was signed for 14 entries\n",
    )


def test_an_outside_checkpoint_of_another_key_is_not_believed(tmp_path: Path, log: Path, verify: Run) -> None:
    outside = tmp_path / "kept.txt"
    outside.write_text(note([link.leaf for link in links(14)], 9, THIEF), encoding="utf-8")
    assert verify(log, outside) == (
        1,
        "wrong key: outside checkpoint kept.txt: it is not signed by the key that was given\n",
    )


def test_two_checkpoints_that_the_log_itself_signed_for_different_histories_are_a_fork(
    tmp_path: Path, verify: Run
) -> None:
    folder = export(tmp_path / "log", links(14))
    (folder / "checkpoints/9.txt").write_text(note([link.leaf for link in links(9, "1")], 9), encoding="utf-8")
    assert verify(folder)[1].startswith("forked: entry 4 or a later one before 9:")


def test_a_gap_in_the_numbers_is_found_even_if_all_is_linked_and_signed(tmp_path: Path, verify: Run) -> None:
    bodies: list[bytes] = []
    for seq in (0, 1, 2, 4, 5):
        previous = leaf_hash(bodies[-1]).hex() if bodies else "00" * 32
        bodies.append(altered(links(6)[seq].body, previous=previous)[:-1])
    leaves = [leaf_hash(body) for body in bodies]
    write_export(tmp_path / "log", zip(bodies, leaves, strict=True), [(5, note(leaves, 5))])
    code, said = verify(tmp_path / "log")
    assert (code, said) == (1, "gap in sequence: entry 3: the next number is 4, and the link is intact\n")


def test_an_entry_that_does_not_name_the_one_before_is_found_even_if_it_was_signed(tmp_path: Path, verify: Run) -> None:
    bodies = [link.body for link in links(5)]
    bodies[3] = altered(bodies[3], previous="f" * 64)[:-1]
    bodies[4] = altered(bodies[4], previous=leaf_hash(bodies[3]).hex())[:-1]
    leaves = [leaf_hash(body) for body in bodies]
    write_export(tmp_path / "log", zip(bodies, leaves, strict=True), [(5, note(leaves, 5))])
    assert verify(tmp_path / "log") == (1, "edited: entry 2: the next entry names another hash for it\n")


def test_a_checkpoint_in_another_spelling_of_base64_is_an_edit(log: Path, verify: Run) -> None:
    path = log / "checkpoints" / "9.txt"
    path.write_text(respelled(path.read_text(encoding="utf-8")), encoding="utf-8")
    assert verify(log) == (1, "edited: checkpoint 9: it is not a signed note any more\n")


def respelled(text: str) -> str:
    """The signature with a bit turned that decoders throw away."""
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
    assert text.endswith("=\n")
    return text[:-3] + alphabet[alphabet.index(text[-3]) ^ 1] + "=\n"


def test_bytes_that_are_signed_but_not_canonical_are_found(tmp_path: Path, verify: Run) -> None:
    true = links(3)
    bodies = [true[0].body, true[1].body, true[2].body.replace(b'"seq":2', b'"seq": 2')]
    leaves = [leaf_hash(body) for body in bodies]
    write_export(tmp_path / "log", zip(bodies, leaves, strict=True), [(3, note(leaves, 3))])
    assert verify(tmp_path / "log") == (1, "edited: entry 2: its bytes are not in canonical form\n")


def test_a_damaged_table_can_be_exported_and_the_checker_names_the_row(tmp_path: Path, verify: Run) -> None:
    rows = [(link.body, link.leaf) for link in links(14)]
    notes = [(size, note([leaf for _, leaf in rows], size)) for size in SIZES]
    rows[6] = (rows[6][0].replace(b"absent", b"present"), rows[6][1])
    assert write_export(tmp_path / "edited", rows, notes) == 14
    assert verify(tmp_path / "edited")[1].startswith("edited: entry 6:")
    assert write_export(tmp_path / "deleted", rows[:6] + rows[7:], notes) == 13
    assert verify(tmp_path / "deleted")[1].startswith("deleted: entry 6:")
    assert write_export(tmp_path / "split", [(b"{\n}", bytes(32)), *rows], notes) == 14
    assert verify(tmp_path / "split")[1].startswith(("edited: entry 0:", "inserted: entry 0:"))
