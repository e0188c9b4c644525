"""Is a policy file that cannot be read as it was meant refused, with the line that is to blame?"""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.policy_files import complaint, edit


@pytest.mark.parametrize(
    ("file", "old", "new", "says"),
    [
        ("schedule.yaml", "version: 1", "version: 1\nretention_years: 9", "retention_years: is said twice, first on"),
        ("systems.yaml", "    zone: Europe/London", "    zone: UTC\n    zone: Europe/London", "zone: is said twice"),
        ("schedule.yaml", "version: 1", "version: &one 1", "anchors and aliases are refused"),
        ("schedule.yaml", "guards:", "guards: *nothing\nguards2:", "anchors and aliases are refused"),
        ("schedule.yaml", "version: 1", "<<: {version: 1}", "merging by '<<' is refused"),
        ("schedule.yaml", "version: 1", "version: " + "[" * 40 + "]" * 40, "is nested deeper than 30"),
        ("schedule.yaml", "version: 1", "version: 2026-99-99", "a date or number that does not exist"),
        ("schedule.yaml", "version: 1", "version: 1\n---\nversion: 1", "not valid YAML"),
        ("schedule.yaml", "version: 1", "version: !!python/name:os.system", "not valid YAML"),
    ],
    ids=["key twice", "key twice below", "anchor", "alias", "merge", "depth", "no such date", "two documents", "tag"],
)
def test_what_yaml_would_let_pass_is_an_error_with_its_line(
    folder: Path, file: str, old: str, new: str, says: str
) -> None:
    edit(folder, file, old, new)
    text = complaint(folder)

    assert says in text
    assert text.startswith(f"{file}:")


def test_a_file_of_aliases_that_would_grow_without_end_is_refused_at_once(folder: Path) -> None:
    bomb = ["a: &a [x, x, x, x, x, x, x, x]"]
    bomb += [f"{b}: &{b} [{', '.join([f'*{a}'] * 8)}]" for a, b in zip("abcdefgh", "bcdefghi", strict=True)]
    (folder / "schedule.yaml").write_text("\n".join(bomb))

    assert complaint(folder) == "schedule.yaml:1: anchors and aliases are refused: write it out"


def test_a_file_too_large_to_be_a_policy_is_refused(folder: Path) -> None:
    (folder / "schedule.yaml").write_text("#" * 1_000_001)

    assert "is larger than 1000000 bytes" in complaint(folder)


def test_an_empty_file_is_refused(folder: Path) -> None:
    (folder / "schedule.yaml").write_text("")

    assert complaint(folder).startswith("schedule.yaml:1: the file: ")


def test_a_file_that_is_not_text_is_refused(folder: Path) -> None:
    (folder / "schedule.yaml").write_bytes(b"version: \xff\xfe")

    assert complaint(folder) == "schedule.yaml: is not UTF-8: save it as UTF-8"


def test_all_mistakes_of_a_file_are_told_at_once(folder: Path) -> None:
    edit(folder, "schedule.yaml", "run: {steps: 500", "run: {steps: 0")
    edit(folder, "schedule.yaml", "lanes: 8", "lanes: 9")

    assert len(complaint(folder).splitlines()) == 2


def test_a_missing_file_is_named(folder: Path) -> None:
    (folder / "systems.yaml").unlink()
    assert complaint(folder).startswith("systems.yaml: cannot be read")
