"""Which sound log do the tests of the stand-alone checker begin with, and how is the checker asked?"""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.unit.verify_audit.exported import (
    CHECKER,
    KEY,
    Run,
    export,
    links,
)


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
