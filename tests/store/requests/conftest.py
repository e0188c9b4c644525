"""What do the tests of requests share? A desk under an approved policy, and a mail server that keeps letters."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from sqlalchemy import Engine

from retention.store.desk import Desk
from sandbox.mail.server import MailServer
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
