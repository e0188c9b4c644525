"""Does every duty get a login of its own, which can do that duty and no other?"""

from __future__ import annotations

import json
from collections.abc import Iterator

import psycopg
import pytest
from click.testing import CliRunner
from sqlalchemy import Engine, make_url

from retention.__main__ import main
from retention.store import database, logins
from retention.store.logins import Duty


@pytest.fixture
def owner(ledger: Engine, ledger_url: str) -> Iterator[Engine]:
    yield ledger
    with psycopg.connect(ledger_url, autocommit=True) as admin:
        for duty in Duty:
            admin.execute(f"DROP ROLE IF EXISTS ledger_{duty}".encode())


def under(url: str, duty: Duty, password: str) -> Engine:
    made = make_url(url).set(username=f"ledger_{duty}", password=password)
    return database.connect(made.render_as_string(hide_password=False))


@pytest.mark.parametrize("duty", list(Duty))
def test_a_login_has_its_own_duty_and_no_other(owner: Engine, ledger_url: str, duty: Duty) -> None:
    logins.make(owner, duty, "first-password-of-it")
    assert logins.duties(under(ledger_url, duty, "first-password-of-it")) == {duty}


def test_making_a_login_again_changes_its_password(owner: Engine, ledger_url: str) -> None:
    logins.make(owner, Duty.AUDITOR, "first-password-of-it")
    logins.make(owner, Duty.AUDITOR, "second-password-of-it")

    assert logins.duties(under(ledger_url, Duty.AUDITOR, "second-password-of-it")) == {Duty.AUDITOR}
    with pytest.raises(database.LedgerUnreachable):
        logins.duties(under(ledger_url, Duty.AUDITOR, "first-password-of-it"))


def test_the_command_takes_the_password_from_standard_input_and_never_shows_it(
    owner: Engine, ledger_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RETENTION_LEDGER_URL", ledger_url)
    done = CliRunner().invoke(main, ["ledger", "login", "executor", "--json"], input="password-of-executor\n")

    assert json.loads(done.output) == {"login": "ledger_executor", "role": "retention_executor"}
    assert logins.duties(under(ledger_url, Duty.EXECUTOR, "password-of-executor")) == {Duty.EXECUTOR}


def test_a_short_password_is_refused(owner: Engine, ledger_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RETENTION_LEDGER_URL", ledger_url)
    done = CliRunner().invoke(main, ["ledger", "login", "executor"], input="short\n")
    assert done.exit_code == 2
    assert "16 characters" in done.output
