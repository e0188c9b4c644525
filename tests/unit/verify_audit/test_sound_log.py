"""Does the stand-alone checker pass a sound log, and refuse to judge what it cannot use?"""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from retention.audit import (
    SigningKey,
    root,
    write_export,
)
from tests.unit.verify_audit.exported import (
    KEY,
    THIEF,
    TOOL,
    Run,
    by_itself,
    export,
    links,
    note,
)


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
