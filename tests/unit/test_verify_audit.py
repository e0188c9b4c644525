"""Does the stand-alone checker find whatever is done to an exported log, and say what and where?"""

from __future__ import annotations

import importlib.util
import json
import random
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import ModuleType

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from retention.audit import (
    Chain,
    Checkpoint,
    Entry,
    Event,
    Link,
    Role,
    SigningKey,
    leaf_hash,
    root,
    sign,
    write_export,
)
from retention.vocabulary import DataClass, OutcomeStatus, Presence, Reason

TOOL = Path(__file__).parents[2] / "tools" / "verify_audit.py"
KEY = SigningKey("log.example/audit", bytes(range(32)))
THIEF = SigningKey("log.example/audit", bytes(range(1, 33)))
AT = datetime(2026, 11, 22, 2, 0, tzinfo=UTC)
SIZES = (4, 9, 14)  # what the checkpoints of `log` are signed for
Run = Callable[..., tuple[int, str]]


def load() -> ModuleType:
    spec = importlib.util.spec_from_file_location("verify_audit", TOOL)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


CHECKER = load()


def things(count: int, salt: str = "0") -> Iterator[Entry]:
    for number in range(count):
        yield Entry(
            AT + timedelta(seconds=number),
            Event.VERIFIED,
            run="sweep-2026-11-22",
            reference="hold-000017",
            plan_digest="a" * 64,
            item=f"plan-ab12:{number}",
            case_key=f"000000000000000{salt}",
            system="salesforce",
            record=f"{number:064x}",
            data_classes=(DataClass.MARKETING_PROFILE, DataClass.USAGE_DATA),
            decision="erase",
            reasons=("RET_EXPIRED",),
            articles=("5(1)(e)", "17(1)(a)"),
            policy_digest="b" * 64,
            code_version="0.1.0",
            actor="schedule",
            role=Role.EXECUTOR,
            approver="dpo",
            request_ids=(f"750xx{number:010}",),
            before=Presence.PRESENT,
            after=Presence.ABSENT,
            outcome=OutcomeStatus.DONE,
            outcome_reason=Reason.OK,
            count=number,
        )


def links(count: int, salt: str = "0") -> list[Link]:
    return list(Chain().append(things(count, salt)))


def note(leaves: Sequence[bytes], size: int, key: SigningKey = KEY) -> str:
    return sign(Checkpoint(key.name, size, root(leaves[:size])), key)


def export(folder: Path, log: Sequence[Link], sizes: Sequence[int] = SIZES, key: SigningKey = KEY) -> Path:
    leaves = [link.leaf for link in log]
    write_export(folder, [(link.body, link.leaf) for link in log], [(size, note(leaves, size, key)) for size in sizes])
    return folder


@pytest.fixture
def public_key(tmp_path: Path) -> Path:
    path = tmp_path / "key.txt"
    path.write_text(KEY.verify_key.text + "\n")
    return path


@pytest.fixture
def log(tmp_path: Path) -> Path:
    return export(tmp_path / "log", links(14))


@pytest.fixture
def verify(public_key: Path, capsys: pytest.CaptureFixture[str]) -> Run:
    def run(folder: Path, *outside: Path) -> tuple[int, str]:
        extra = [word for path in outside for word in ("--checkpoint", str(path))]
        code = CHECKER.main([str(folder), "--public-key", str(public_key), *extra])
        said = capsys.readouterr()
        assert (said.out + said.err).count("\n") == 1
        return code, said.out + said.err

    return run


def by_itself(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-I", str(TOOL), *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False, cwd="/")


def lines(folder: Path) -> list[bytes]:
    return (folder / "entries.jsonl").read_bytes().splitlines(keepends=True)


def put(folder: Path, changed: Sequence[bytes], *, hashes_too: bool = False) -> None:
    (folder / "entries.jsonl").write_bytes(b"".join(changed))
    if hashes_too:
        hashes = b"".join(leaf_hash(line[:-1]).hex().encode() + b"\n" for line in changed)
        (folder / "leaves.txt").write_bytes(hashes)


def altered(line: bytes, **changes: object) -> bytes:
    text = json.dumps(json.loads(line) | changes, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return text.encode() + b"\n"


def relinked(changed: Sequence[bytes]) -> list[bytes]:
    """Numbers and links made right again, as somebody would who knows the format."""
    result: list[bytes] = []
    for seq, line in enumerate(changed):
        previous = leaf_hash(result[-1][:-1]).hex() if result else "00" * 32
        result.append(altered(line, seq=seq, previous=previous))
    return result


# --- Sound logs ---


def test_a_sound_log_is_verified_by_the_program_alone_in_one_line(log: Path, public_key: Path) -> None:
    done = by_itself(log, "--public-key", public_key, "--checkpoint", log / "checkpoints" / "9.txt")
    head = root([link.leaf for link in links(14)]).hex()
    assert (done.returncode, done.stderr) == (0, "")
    counts = "checkpoints of log.example/audit: 3, from outside: 1"
    assert done.stdout == f"entries 14 root {head} verified ({counts})\n"


@pytest.mark.parametrize("size", [0, 1, 2, 3, 8])
def test_logs_of_every_size_are_verified_and_an_empty_one_too(size: int, tmp_path: Path, verify: Run) -> None:
    sizes = sorted({0, size})
    code, said = verify(export(tmp_path / "log", links(size), sizes), *[])
    assert (code, said.split()[:2]) == (0, ["entries", str(size)])


def test_the_tool_imports_nothing_of_ours() -> None:
    source = TOOL.read_text()
    assert not [line for line in source.splitlines() if "import" in line and ("retention" in line or "plugins" in line)]


def test_a_change_of_the_signing_key_is_followed_when_both_are_given(
    tmp_path: Path, public_key: Path, verify: Run
) -> None:
    folder = export(tmp_path / "log", links(14), (4, 9))
    successor = note([link.leaf for link in links(14)], 14, THIEF)
    write_export(tmp_path / "both", [(link.body, link.leaf) for link in links(14)], [(14, successor)])
    (tmp_path / "both/checkpoints/9.txt").write_bytes((folder / "checkpoints/9.txt").read_bytes())
    assert verify(tmp_path / "both")[1].startswith("wrong key: checkpoint 14")
    public_key.write_text(f"{KEY.verify_key.text}\n{THIEF.verify_key.text}\n")
    assert verify(tmp_path / "both")[0] == 0


# --- What is done to an export ---

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


def drop(seq: int) -> Callable[[list[bytes]], list[bytes]]:
    return lambda old: old[:seq] + old[seq + 1 :]


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


# --- History rewritten by somebody who knows the format ---


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


# --- What cannot be used ---


@pytest.mark.parametrize("missing", ["entries.jsonl", "leaves.txt", "checkpoints", "."])
def test_a_missing_part_of_the_export_is_not_a_verdict(missing: str, log: Path, verify: Run) -> None:
    (log / missing).rename(log.parent / "elsewhere")
    code, said = verify(log)
    assert code == 2
    assert said.startswith("cannot verify: ")
    assert "No such file or directory" in said


def test_an_export_without_any_checkpoint_is_not_sound(log: Path, verify: Run) -> None:
    for path in (log / "checkpoints").iterdir():
        path.unlink()
    assert verify(log) == (1, "truncated: checkpoints: there is no signed checkpoint in the export\n")


@pytest.mark.parametrize(
    "text",
    ["", "log.example/audit", "log.example/audit+00000000+" + "A" * 44, "-----BEGIN PUBLIC KEY-----", "\udcff"],
    ids=["empty", "name only", "no key", "PEM", "not text"],
)
def test_a_public_key_file_that_is_none_is_refused(text: str, log: Path, public_key: Path, verify: Run) -> None:
    public_key.write_bytes(text.encode("utf-8", errors="surrogateescape"))
    code, said = verify(log)
    assert code == 2
    assert said.startswith(f"cannot verify: {public_key}")


def test_keys_of_two_logs_cannot_be_mixed(log: Path, public_key: Path, verify: Run) -> None:
    public_key.write_text(f"{KEY.verify_key.text}\n{SigningKey('other.example/audit', bytes(32)).verify_key.text}\n")
    assert verify(log) == (2, f"cannot verify: {public_key}: keys of several logs in it\n")


@pytest.mark.parametrize("content", [b"", b"something else\n", b"\xff\xfe"])
def test_an_outside_checkpoint_that_is_none_is_refused(content: bytes, tmp_path: Path, log: Path, verify: Run) -> None:
    outside = tmp_path / "kept.txt"
    outside.write_bytes(content)
    assert verify(log, outside) == (2, f"cannot verify: {outside}: not a signed checkpoint\n")


def test_missing_arguments_end_with_2_and_a_usage_line(log: Path) -> None:
    done = by_itself(log)
    assert done.returncode == 2
    assert "--public-key" in done.stderr


def test_the_check_by_hand_in_the_document_works(log: Path) -> None:
    document = (TOOL.parents[1] / "docs" / "audit.md").read_text(encoding="utf-8")
    commands = document.split("```sh\n")[1].split("```")[0]
    done = subprocess.run(["/bin/sh", "-c", commands], cwd=log, capture_output=True, text=True, timeout=30, check=True)
    assert done.stdout.split() == [links(1)[0].leaf.hex()] * 2
