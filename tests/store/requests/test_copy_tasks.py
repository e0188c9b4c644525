"""Do the tasks of a run make, send and end copies, and does Airflow see nothing but counts and ids?"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from retention.clocks import Right
from retention.requests import copies
from retention.store import requests
from retention.store.desk import Desk
from sandbox.mail.server import MailServer
from tests.memory_connector import MemoryConnector, MemorySystem, person
from tests.requesting import KEY, NEW, Run, identified, mailer_to

PAGE = "https://privacy.example.com/copy"


@pytest.fixture
def tasks(desk: Desk, mail: MailServer, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """The tasks of the DAG on this test's ledger, mail server and folder; `in_run` says which run they are in."""
    monkeypatch.setenv("AIRFLOW_HOME", str(tmp_path / "airflow"))
    from orchestration import request_tasks, wiring

    monkeypatch.setattr(wiring, "desk", lambda: desk)
    monkeypatch.setattr(wiring, "mailer", lambda: mailer_to(mail))
    monkeypatch.setattr(wiring, "copy_page", lambda: PAGE)
    monkeypatch.setattr(wiring, "copies_folder", lambda: folder)
    monkeypatch.setattr(wiring, "signing_key", lambda: (KEY, tmp_path / "outside"))
    monkeypatch.setattr(wiring, "SYSTEMS", ("crm", "shop"))

    def in_run(run: Run) -> Any:
        monkeypatch.setattr(request_tasks, "here", lambda: (desk, run.sweep))
        monkeypatch.setattr(wiring, "connector", lambda system: run.connectors[system])
        return request_tasks

    return in_run


def begun(desk: Desk, crm: MemorySystem, shop: MemorySystem, asks_for: Right = Right.ACCESS) -> tuple[str, Run]:
    crm.add(person("ann@example.com", NEW))
    request_id = identified(desk, "ann@example.com", asks_for=asks_for)
    run = Run(desk, [MemoryConnector(crm), MemoryConnector(shop)], request_id)
    run.plan()
    return request_id, run


def test_a_run_makes_the_copy_sends_its_link_and_answers_once_the_passphrase_was_told(
    desk: Desk, crm: MemorySystem, shop: MemorySystem, tasks: Callable[[Run], Any], mail: MailServer, folder: Path
) -> None:
    request_id, run = begun(desk, crm, shop)
    ours = tasks(run)
    copies.tell_passphrase(desk, request_id, "website")

    made = ours.make_copies.function("sweep", [])
    sent = ours.send_links.function("sweep", made)
    told = ours.answer.function("sweep", sent)

    assert (made, sent, told) == (0, 0, {request_id: "answered"})
    assert [letter["Subject"].partition(" (")[0] for letter in mail.to("ann@example.com")] == [
        "Your data is ready",
        "Your request is done",
    ]
    assert len(list(folder.iterdir())) == 1


def test_a_request_whose_passphrase_nobody_told_stays_open_and_says_so(
    desk: Desk, crm: MemorySystem, shop: MemorySystem, tasks: Callable[[Run], Any]
) -> None:
    request_id, run = begun(desk, crm, shop)
    ours = tasks(run)
    ours.send_links.function("sweep", ours.make_copies.function("sweep", []))

    told = ours.answer.function("sweep", 0)

    assert "nobody told the passphrase" in told[request_id]
    with pytest.raises(Exception, match="nobody told the passphrase"):
        ours.conclude.function("sweep", told, [])


def test_a_failure_names_the_request_and_the_system_and_nobody_and_leaves_no_secret(
    desk: Desk,
    crm: MemorySystem,
    shop: MemorySystem,
    tasks: Callable[[Run], Any],
    mail: MailServer,
    capsys: pytest.CaptureFixture[str],
) -> None:
    request_id, run = begun(desk, crm, shop)
    ours = tasks(run)
    crm.is_down = True
    with pytest.raises(ours.NotAllCopies, match=f"{request_id}: crm") as not_made:
        ours.make_copies.function("sweep", [])
    crm.is_down = False
    ours.make_copies.function("sweep", [])
    mail.refuses.add("ann@example.com")
    with pytest.raises(ours.NotAllCopies, match=f"{request_id}: the mail server") as not_sent:
        ours.send_links.function("sweep", 0)

    seen = f"{not_made.value!r}{not_sent.value!r}{capsys.readouterr()}"
    with desk.transaction() as db:
        key = requests.key_of(db, desk.keyring, request_id)
    assert "ann" not in seen
    assert PAGE not in seen
    assert key.hex() not in seen
    mail.refuses.clear()
    assert ours.send_links.function("sweep", 0) == 0
    assert len(mail.to("ann@example.com")) == 1


def test_a_run_without_requests_for_copies_needs_no_folder(
    desk: Desk, crm: MemorySystem, shop: MemorySystem, tasks: Callable[[Run], Any], folder: Path
) -> None:
    _, run = begun(desk, crm, shop, Right.ERASURE)
    ours = tasks(run)

    assert ours.make_copies.function("sweep", []) == 0
    assert ours.send_links.function("sweep", 0) == 0

    assert not folder.exists()


def test_the_morning_run_destroys_what_is_over_though_nobody_fetched_it(
    desk: Desk,
    crm: MemorySystem,
    shop: MemorySystem,
    tasks: Callable[[Run], Any],
    folder: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    _, run = begun(desk, crm, shop)
    ours = tasks(run)
    ours.make_copies.function("sweep", [])
    from orchestration import wiring

    assert ours.destroy_copies.function() == 0
    moment = desk.now() + timedelta(days=14)
    monkeypatch.setattr(wiring, "desk", lambda: replace(desk, now=lambda: moment))
    assert ours.destroy_copies.function() == 1

    assert list(folder.iterdir()) == []
