"""What do the unit tests share? The shipped policy, copied to where it may be changed."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.policy_files import SHIPPED


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in ("schedule.yaml", "systems.yaml"):
        (tmp_path / name).write_text((SHIPPED / name).read_text())
    return tmp_path
