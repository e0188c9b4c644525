"""Two people nobody can date, a ledger, and the command line over it."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner
from sqlalchemy import Engine

from retention.__main__ import main
from retention.store.desk import Desk
from tests.memory_connector import MemorySystem, person
from tests.store.review.asking import Ask
from tests.sweeping import TODAY, desk_for, rehearse


@pytest.fixture
def crm() -> MemorySystem:
    """Two people of whom nobody can say when their data was collected."""
    system = MemorySystem("crm")
    system.add(person("ann@example.com", None), "ann-1")
    system.add(person("bob@example.com", None), "bob-1")
    return system


@pytest.fixture
def desk(ledger: Engine) -> Desk:
    made = desk_for(ledger, "crm")
    rehearse(made)
    return made


@pytest.fixture
def ask(desk: Desk, ledger_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Ask:
    """The command line, over the same ledger and keys."""
    (tmp_path / "keys.json").write_text(desk.keyring.to_json())
    monkeypatch.setenv("RETENTION_LEDGER_URL", ledger_url)
    monkeypatch.setenv("RETENTION_KEYS", str(tmp_path / "keys.json"))
    monkeypatch.setenv("AS_OF", TODAY.isoformat())
    return lambda *words, typed="": CliRunner().invoke(main, words, input=typed)
