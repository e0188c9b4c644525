"""Does somebody who asks get everything of theirs and nothing of others, and only if all of it could be read?"""

from __future__ import annotations

import io
import json
from dataclasses import replace
from pathlib import Path

import pytest

from retention.clocks import Right
from retention.contract import Unavailable
from retention.requests import copies, copy_contents, finishing
from retention.requests.container import PIECE_BYTES, Encrypting
from retention.requests.finishing import Unfinished
from retention.store import request_copies
from retention.store.desk import Desk
from retention.vocabulary import Gap, GapCode, LawfulBasis
from sandbox.mail.server import MailServer
from tests.copying import by_name, read, unpacked
from tests.memory_connector import MemorySystem, person
from tests.requesting import NEW, asked, identified, mailer_to
from tools.open_copy import opened


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

    assert b"ann@example.com" not in (folder / f"{made.copy_id}.enc").read_bytes()
    archive = unpacked(desk, request_id, folder, made)
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


def test_an_item_about_other_people_too_is_withheld_and_said_to_be(desk: Desk, crm: MemorySystem, folder: Path) -> None:
    shared = replace(person("ann@example.com", NEW), several_people=True)
    shared.values["other_email"] = "ben@example.com"
    crm.add(shared)
    request_id = identified(desk, "ann@example.com", asks_for=Right.ACCESS)
    run, connectors = read(desk, request_id, crm)

    made = copies.make(desk, run.sweep, request_id, connectors, folder)

    archive = unpacked(desk, request_id, folder, made)
    assert archive.namelist() == ["index.html"]
    assert "Article 15(4)" in archive.read("index.html").decode()
    assert (made.records, made.withheld) == (0, 1)


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


def test_a_system_that_was_not_read_to_its_end_makes_no_copy(
    desk: Desk, crm: MemorySystem, shop: MemorySystem, folder: Path
) -> None:
    request_id = identified(desk, "ann@example.com", asks_for=Right.ACCESS)
    shop.is_down = True
    run, connectors = read(desk, request_id, crm, shop)

    left = copies.make_for_run(desk, run.sweep, ["crm", "shop"], by_name(connectors), folder)

    assert list(left) == [request_id]
    assert "shop was not read" in str(left[request_id])
    with desk.transaction() as db:
        assert request_copies.standing(db, request_id) == []


def test_a_portable_copy_leaves_out_what_rests_on_neither_consent_nor_contract_and_says_so(
    desk: Desk, crm: MemorySystem, folder: Path
) -> None:
    hers = person("ann@example.com", NEW)
    duty = tuple(replace(one, lawful_basis=LawfulBasis.LEGAL_OBLIGATION) for one in hers.classes)
    crm.add(replace(hers, classes=duty))
    portable = identified(desk, "ann@example.com", asks_for=Right.PORTABILITY)
    run, connectors = read(desk, portable, crm)

    made = copies.make(desk, run.sweep, portable, connectors, folder)

    archive = unpacked(desk, portable, folder, made)
    assert archive.namelist() == ["index.html"]
    assert "Article 20(1)" in archive.read("index.html").decode()


def test_nested_values_stand_in_the_table_by_their_way() -> None:
    content = json.dumps({"fields": {"Name": "Ann", "tags": ["a", {"b": None}]}}).encode()

    assert copy_contents._rows(content) == [("fields.Name", "Ann"), ("fields.tags.1", "a"), ("fields.tags.2.b", "")]


def test_what_could_not_be_read_is_said_on_the_page(desk: Desk, crm: MemorySystem, folder: Path) -> None:
    crm.gaps = (Gap(GapCode.ENCRYPTED, "person"),)
    request_id = identified(desk, "ann@example.com", asks_for=Right.ACCESS)
    run, connectors = read(desk, request_id, crm)

    made = copies.make(desk, run.sweep, request_id, connectors, folder)

    assert "1 items of this system" in unpacked(desk, request_id, folder, made).read("index.html").decode()


def test_nobody_gets_a_copy_who_did_not_show_who_they_are(desk: Desk, crm: MemorySystem, folder: Path) -> None:
    crm.add(person("ann@example.com", NEW))
    request_id = asked(desk, "ann@example.com", asks_for=Right.OBJECTION, to_marketing=True).request_id
    run, connectors = read(desk, request_id, crm)

    made = copies.make(desk, run.sweep, request_id, connectors, folder)

    assert made.records == 0


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
