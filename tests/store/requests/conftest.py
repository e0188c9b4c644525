"""What do the tests of requests share? A desk under an approved policy, and a mail server that keeps letters."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from sqlalchemy import Engine

from retention.store.desk import Desk
from sandbox.mail.server import MailServer
from tests.memory_system import MemorySystem
from tests.sweeping import desk_for, rehearse


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
