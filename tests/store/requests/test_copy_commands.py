"""What do the commands about copies of people's data do, and what do they refuse?"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from retention.__main__ import main
from retention.clocks import Right
from retention.requests import copies, identity
from retention.requests.case_file import CaseFile
from retention.requests.intake import Intake, take_in
from retention.store import request_copies, requests
from retention.store.desk import Desk
from retention.store.requests import Channel
from sandbox.mail.server import MailServer
from tests.memory_connector import MemoryConnector, MemorySystem, person
from tests.requesting import NEW, RECEIVED, Run, who
from tests.sweeping import TODAY
from tools.open_copy import opened

Ask = Callable[..., Result]
PAGE = "https://privacy.example.com/copy"


@pytest.fixture
def ask(ledger_url: str, desk: Desk, folder: Path, mail: MailServer) -> Ask:
    keys = folder.parent / "keys.json"
    keys.write_text(desk.keyring.to_json())
    environment = {
        "RETENTION_LEDGER_URL": ledger_url,
        "RETENTION_KEYS": str(keys),
        "RETENTION_POLICY": None,
        "RETENTION_COPIES": str(folder),
        "RETENTION_SMTP_URL": f"smtp://127.0.0.1:{mail.port}?sender=privacy@example.com",
        "AS_OF": TODAY.isoformat(),
    }
    return lambda *words, stdin="": CliRunner().invoke(main, list(words), input=stdin, env=environment)


def copied(desk: Desk, folder: Path, *identifiers: str) -> str:
    """A request whose copy lies in the folder."""
    crm = MemorySystem("crm", tenant="crm-tenant")
    record = person("ann@example.com", NEW)
    record.values["customer_number"] = "4711-0815"
    crm.add(record)
    intake = Intake(Right.ACCESS, Channel.POST, RECEIVED, CaseFile(who(*identifiers)))
    (taken,) = take_in(desk, [intake], "clerk")
    identity.show_by_hand(desk, taken.request_id, "dpo")
    run = Run(desk, [MemoryConnector(crm)], taken.request_id)
    run.plan()
    copies.make(desk, run.sweep, taken.request_id, [MemoryConnector(crm)], folder)
    return taken.request_id


def told(result: Result) -> Any:
    assert result.exit_code in (0, 1), result.stderr
    return json.loads(result.stdout)


def test_a_link_that_was_not_sent_is_sent_by_hand_and_fetches_once(
    ask: Ask, desk: Desk, folder: Path, mail: MailServer, tmp_path: Path
) -> None:
    request_id, target = copied(desk, folder, "ann@example.com"), tmp_path / "copy.enc"

    assert told(ask("request", "send-copy", request_id, "--page", PAGE, "--json"))["links"] == 1
    (letter,) = mail.to("ann@example.com")
    token = re.findall(rf"{PAGE}/{request_id}/(\S+)", letter.get_content())[0]
    fetched = ask("request", "fetch-copy", request_id, str(target), stdin=token)
    again = ask("request", "fetch-copy", request_id, str(target), "--json", stdin=token)

    assert fetched.exit_code == 0
    assert (again.exit_code, told(again)["refused"]) == (1, "link-used-before")
    passphrase = told(ask("request", "passphrase", request_id, "--by", "dpo", "--json"))["passphrase"]
    assert opened(target.read_bytes(), passphrase).startswith(b"PK")


def test_only_somebody_who_may_approve_takes_a_passphrase(ask: Ask, desk: Desk, folder: Path) -> None:
    refused = ask("request", "passphrase", copied(desk, folder, "ann@example.com"), "--by", "clerk")
    assert (refused.exit_code, "approver" in refused.stderr, refused.stdout) == (2, True, "")


def test_a_person_without_an_address_gets_the_copy_by_post_and_its_letter_is_on_record(
    ask: Ask, desk: Desk, folder: Path, tmp_path: Path
) -> None:
    request_id, target = copied(desk, folder, "4711-0815"), tmp_path / "copy.enc"
    hand_over = ("request", "hand-over-copy", request_id, str(target), "--by", "dpo")

    assert "by post" in ask("request", "send-copy", request_id, "--page", PAGE).stderr
    assert ask(*hand_over).exit_code == 2
    assert not target.exists()
    posted = ask(*hand_over, "--told-on", TODAY.isoformat(), "--letter", "post-2026-17")

    assert posted.exit_code == 0
    assert opened(target.read_bytes(), copies.tell_passphrase(desk, request_id, "dpo")).startswith(b"PK")
    status = told(ask("request", "status", request_id, "--json"))
    assert [n["template"] for n in status["notices"]] == ["copy"]
    with desk.transaction() as db:
        assert request_copies.not_given_yet(db, request_id) == ""


def test_copies_of_a_request_are_destroyed_by_hand_whatever_their_time(ask: Ask, desk: Desk, folder: Path) -> None:
    request_id = copied(desk, folder, "ann@example.com")

    assert told(ask("request", "destroy-copies", "--json"))["destroyed"] == 0
    assert told(ask("request", "destroy-copies", "--request", request_id, "--json"))["destroyed"] == 1

    assert list(folder.iterdir()) == []


def test_a_third_party_for_a_portable_copy_is_named_by_standard_input(ask: Ask, desk: Desk, folder: Path) -> None:
    folder.mkdir()
    open_one = ("request", "open", "--channel", "post", "--received-at", "2026-11-20", "--by", "clerk")
    words = "ann@example.com\n---\nintake@other-provider.example\nPlease."

    opened_one = told(ask(*open_one, "--right", "portability", "--to-third-party", "--json", stdin=words))
    refused = ask(*open_one, "--right", "access", "--to-third-party", stdin=words)

    with desk.transaction() as db:
        file = requests.read_file(db, desk.keyring, opened_one["request"])
    assert (file.deliver_to, file.words) == ("intake@other-provider.example", "Please.")
    assert (refused.exit_code, "portable" in refused.stderr) == (2, True)
