"""What do the tests of requests share? A desk under an approved policy, and a mail server that keeps letters."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from sqlalchemy import Engine

from retention.__main__ import main
from retention.keyring import Keyring
from retention.store.desk import Desk
from sandbox.mail.server import MailServer
from tests.memory_system import MemorySystem
from tests.requesting import Ask
from tests.sweeping import TODAY, desk_for, rehearse


@pytest.fixture
def desk(ledger: Engine) -> Desk:
    made = desk_for(ledger, "crm", "shop")
    rehearse(made)
    return made


@pytest.fixture
def mail() -> Iterator[MailServer]:
    server = MailServer().start()
    yield server
    server.stop()


@pytest.fixture
def crm() -> MemorySystem:
    return MemorySystem("crm", tenant="crm-tenant")


@pytest.fixture
def shop() -> MemorySystem:
    return MemorySystem("shop", tenant="shop-tenant")


@pytest.fixture
def ask(ledger_url: str, tmp_path: Path, mail: MailServer) -> Ask:
    keys = tmp_path / "keys.json"
    keys.write_text(Keyring.generate("k1").to_json())
    environment = {
        "RETENTION_LEDGER_URL": ledger_url,
        "RETENTION_KEYS": str(keys),
        "RETENTION_POLICY": None,
        "RETENTION_SMTP_URL": f"smtp://127.0.0.1:{mail.port}?sender=privacy@example.com",
        "AS_OF": TODAY.isoformat(),
    }

    def run(*arguments: str, stdin: str = "") -> Result:
        return CliRunner().invoke(main, list(arguments), input=stdin, env=environment)

    return run


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "copies"
