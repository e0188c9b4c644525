"""Does somebody who asks get everything of theirs and nothing of others, and only while the copy's time runs?"""

from __future__ import annotations

import io
import json
import zipfile
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from retention.clocks import Right
from retention.contract import Unavailable
from retention.requests import copies, finishing
from retention.requests.container import PIECE_BYTES, Encrypting
from retention.requests.copies import NoSuchCopy
from retention.requests.finishing import Unfinished
from retention.store.database import one
from retention.store.desk import Desk
from sandbox.mail.server import MailServer
from tests.memory_connector import MemoryConnector, MemorySystem, person
from tests.requesting import KEY, NEW, Run, asked, identified, mailer_to, standing
from tools.open_copy import opened


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "copies"


def read(desk: Desk, request_id: str, *systems: MemorySystem) -> tuple[Run, list[MemoryConnector]]:
    connectors = [MemoryConnector(system) for system in systems]
    made = Run(desk, connectors, request_id)
    made.plan()
    return made, connectors


def test_the_copy_holds_every_record_of_the_person_as_json_and_csv_and_nobody_elses(
    desk: Desk, crm: MemorySystem, shop: MemorySystem, folder: Path
) -> None:
    hers = person("ann@example.com", NEW)
    hers.values["interests"] = '=HYPERLINK("evil")'
    crm.add(hers)
    crm.add(person("ben@example.com", NEW))
    shop.add(person("ann@example.com", NEW))
    request_id = identified(desk, "ann@example.com", asks_for=Right.ACCESS)
    run, connectors = read(desk, request_id, crm, shop)

    made = copies.make(desk, run.sweep, request_id, connectors, folder)

    content = copies.fetch(desk, made.token, folder).read_bytes()
    assert b"ann@example.com" not in content
    archive = zipfile.ZipFile(io.BytesIO(opened(content, made.passphrase)))
    assert sorted(archive.namelist()) == [
        "crm/person-1.csv",
        "crm/person-1.json",
        "index.html",
        "shop/person-1.csv",
        "shop/person-1.json",
    ]
    assert json.loads(archive.read("crm/person-1.json"))["email"] == "ann@example.com"
    assert b"\"'=HYPERLINK" in archive.read("crm/person-1.csv")
    index = archive.read("index.html").decode()
    assert '<a href="crm/person-1.json">' in index
    assert "five years" in index.lower()
    everything = b"".join(map(archive.read, archive.namelist()))
    assert b"ben@example.com" not in everything
    assert (made.records, made.withheld) == (2, 0)
    assert made.passphrase not in repr(made)


def test_an_item_about_other_people_too_is_withheld_and_said_to_be(desk: Desk, crm: MemorySystem, folder: Path) -> None:
    shared = replace(person("ann@example.com", NEW), several_people=True)
    shared.values["other_email"] = "ben@example.com"
    crm.add(shared)
    request_id = identified(desk, "ann@example.com", asks_for=Right.ACCESS)
    run, connectors = read(desk, request_id, crm)

    made = copies.make(desk, run.sweep, request_id, connectors, folder)

    archive = zipfile.ZipFile(io.BytesIO(opened(copies.fetch(desk, made.token, folder).read_bytes(), made.passphrase)))
    assert archive.namelist() == ["index.html"]
    assert "Article 15(4)" in archive.read("index.html").decode()
    assert (made.records, made.withheld) == (0, 1)


def test_a_copy_can_be_fetched_for_its_time_and_is_destroyed_after_it(
    desk: Desk, crm: MemorySystem, folder: Path
) -> None:
    crm.add(person("ann@example.com", NEW))
    request_id = identified(desk, "ann@example.com", asks_for=Right.PORTABILITY)
    run, connectors = read(desk, request_id, crm)
    made = copies.make(desk, run.sweep, request_id, connectors, folder)
    last, after = (replace(desk, now=lambda d=d: desk.now() + d) for d in (timedelta(days=13), timedelta(days=14)))  # type: ignore[misc]

    assert copies.destroy_expired(last, folder) == 0
    assert copies.fetch(last, made.token, folder).exists()
    with pytest.raises(NoSuchCopy):
        copies.fetch(after, made.token, folder)
    assert copies.destroy_expired(after, folder) == 1

    assert list(folder.iterdir()) == []
    with desk.transaction() as db:
        row = one(db, "SELECT fetched_at IS NOT NULL AS fetched, destroyed_at IS NOT NULL AS gone FROM request_copies")
    assert (row.fetched, row.gone) == (True, True)
    with pytest.raises(NoSuchCopy):
        copies.fetch(desk, made.token, folder)
    with pytest.raises(NoSuchCopy):
        copies.fetch(desk, "made-up", folder)


def test_a_system_that_fails_makes_no_smaller_copy(
    desk: Desk, crm: MemorySystem, shop: MemorySystem, folder: Path, mail: MailServer
) -> None:
    for system in (crm, shop):
        system.add(person("ann@example.com", NEW))
    request_id = identified(desk, "ann@example.com", asks_for=Right.ACCESS)
    run, connectors = read(desk, request_id, crm, shop)
    shop.is_down = True

    with pytest.raises(Unavailable):
        copies.make(desk, run.sweep, request_id, connectors, folder)

    assert list(folder.iterdir()) == []
    with pytest.raises(Unfinished, match="no copy"):
        finishing.answer(desk, mailer_to(mail), request_id, "clerk")


def test_nobody_gets_a_copy_who_did_not_show_who_they_are(desk: Desk, crm: MemorySystem, folder: Path) -> None:
    crm.add(person("ann@example.com", NEW))
    request_id = asked(desk, "ann@example.com", asks_for=Right.OBJECTION, to_marketing=True).request_id
    run, connectors = read(desk, request_id, crm)

    made = copies.make(desk, run.sweep, request_id, connectors, folder)

    assert made.records == 0


def test_an_access_request_ends_once_its_copy_is_delivered_and_destroyed(
    desk: Desk, crm: MemorySystem, shop: MemorySystem, folder: Path, mail: MailServer, tmp_path: Path
) -> None:
    crm.add(person("ann@example.com", NEW))
    request_id = identified(desk, "ann@example.com", asks_for=Right.ACCESS)
    run, connectors = read(desk, request_id, crm, shop)
    made = copies.make(desk, run.sweep, request_id, connectors, folder)
    finishing.seal(desk, run.sweep, KEY, tmp_path / "outside")

    copies.deliver(desk, mailer_to(mail), request_id, made, "https://privacy.example.com/copy")
    letter = mail.to("ann@example.com")[-1].get_content()
    assert made.token in letter
    assert made.passphrase not in letter
    finishing.answer(desk, mailer_to(mail), request_id, "clerk")
    with pytest.raises(Unfinished, match="not destroyed yet"):
        finishing.close(desk, request_id, "clerk")
    assert copies.destroy_of(desk, request_id, folder) == 1
    finishing.close(desk, request_id, "clerk")

    assert standing(desk, request_id).state == "closed"
    assert len(crm.records) == 1  # nothing is erased because somebody asks for a copy


@pytest.mark.parametrize("size", [0, 1, PIECE_BYTES - 1, PIECE_BYTES, PIECE_BYTES + 1, 3 * PIECE_BYTES])
def test_what_is_encrypted_opens_again_and_any_change_is_found(size: int) -> None:
    target, plain = io.BytesIO(), bytes(range(256)) * (size // 256) + b"x" * (size % 256)
    with Encrypting(target, "right") as encrypting:
        encrypting.write(plain)
    content = target.getvalue()

    assert opened(content, "right") == plain
    cut = content[: -(PIECE_BYTES + 16)] if size > PIECE_BYTES else content[:-1]
    flipped = content[:-1] + bytes([content[-1] ^ 1])
    for spoilt, passphrase in ((content, "wrong"), (cut, "right"), (flipped, "right"), (b"other", "right")):
        with pytest.raises(ValueError, match=r"passphrase|no such copy|cut short"):
            opened(spoilt, passphrase)
