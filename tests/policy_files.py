"""How does a test write a policy with one thing changed, and what is said of it?"""

from __future__ import annotations

from pathlib import Path

import pytest

from retention.policy import PolicyError, load
from tests.conftest import ROOT

SHIPPED = ROOT / "include" / "policy"


def edit(folder: Path, file: str, old: str, new: str) -> None:
    text = (folder / file).read_text()
    assert old in text
    (folder / file).write_text(text.replace(old, new, 1))


def complaint(folder: Path) -> str:
    with pytest.raises(PolicyError) as caught:
        load(folder)
    return str(caught.value)


def line_of(folder: Path, file: str, text: str) -> str:
    """Where a text stands for the first time, as an error says it."""
    lines = (folder / file).read_text().splitlines()
    return f"{file}:{next(n for n, line in enumerate(lines, 1) if text in line)}:"
