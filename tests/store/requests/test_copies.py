"""Does somebody who asks get everything of theirs and nothing of others, and only while the copy's time runs?"""

from __future__ import annotations

import io
import json
import re
import zipfile
from collections.abc import Callable, Generator, Iterator, Sequence
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine

from retention.clocks import Right
from retention.contract import Unavailable
from retention.requests import answers, copies, copy_contents, finishing, identity
from retention.requests.case_file import CaseFile
from retention.requests.container import PIECE_BYTES, Encrypting
from retention.requests.copies import Made, NoSuchCopy, NotMade
from retention.requests.copy_links import Reader, token_of
from retention.requests.finishing import Unfinished
from retention.requests.intake import Intake, NotARequest, take_in
from retention.store import request_copies, requests
from retention.store.database import one, rows
from retention.store.desk import Desk
from retention.store.requests import Channel
from retention.vocabulary import Document, Gap, GapCode, LawfulBasis, RecordRef
from sandbox.mail.server import MailServer
from tests.memory_connector import MemoryConnector, MemorySystem, person
from tests.requesting import KEY, NEW, RECEIVED, Run, asked, identified, mailer_to, standing, who
from tools.open_copy import opened

COPY_PAGE = "https://privacy.example.com/copy"


class Killed(BaseException):
    """What ends a process: nothing of ours catches it."""


class KilledWhileExporting(MemoryConnector):
    def export(self, batch: Sequence[RecordRef]) -> Iterator[Document]:
        raise Killed


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "copies"


def read(desk: Desk, request_id: str, *systems: MemorySystem) -> tuple[Run, list[MemoryConnector]]:
    connectors = [MemoryConnector(system) for system in systems]
    made = Run(desk, connectors, request_id)
    made.plan()
    return made, connectors


def by_name(connectors: Sequence[MemoryConnector]) -> Callable[[str], MemoryConnector]:
    return {connector.system: connector for connector in connectors}.__getitem__


def later(desk: Desk, days: int) -> Desk:
    moment = desk.now() + timedelta(days=days)
    return replace(desk, now=lambda: moment)


def link_token(desk: Desk, request_id: str, made: Made) -> str:
    with desk.transaction() as db:
        return token_of(requests.key_of(db, desk.keyring, request_id), made.copy_id, Reader.SUBJECT)


def iterate(desk: Desk, request_id: str, token: str, folder: Path) -> Generator[bytes]:
    fetched = copies.fetch(desk, request_id, token, folder)
    yield from copies.pieces(desk, request_id, fetched, fetched.path.open("rb"))


def unpacked(desk: Desk, request_id: str, folder: Path, made: Made) -> zipfile.ZipFile:
    passphrase = copies.tell_passphrase(desk, request_id, "dpo")
    return zipfile.ZipFile(io.BytesIO(opened((folder / f"{made.copy_id}.enc").read_bytes(), passphrase)))


def audited(desk: Desk) -> list[dict[str, Any]]:
    with desk.transaction() as db:
        return [json.loads(bytes(row.body)) for row in rows(db, "SELECT body FROM audit_entries ORDER BY seq")]


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


def test_a_link_leads_to_the_copy_for_its_time_and_the_copy_is_destroyed_after_it(
    desk: Desk, crm: MemorySystem, folder: Path
) -> None:
    crm.add(person("ann@example.com", NEW))
    request_id = identified(desk, "ann@example.com", asks_for=Right.PORTABILITY)
    run, connectors = read(desk, request_id, crm)
    made = copies.make(desk, run.sweep, request_id, connectors, folder)
    token = link_token(desk, request_id, made)
    last, after = later(desk, days=13), later(desk, days=14)

    assert copies.destroy_expired(last, folder) == 0
    assert copies.fetch(last, request_id, token, folder).path.exists()
    with pytest.raises(NoSuchCopy, match="link-expired"):
        copies.fetch(after, request_id, token, folder)
    assert copies.destroy_expired(after, folder) == 1
    assert copies.destroy_expired(after, folder) == 0

    assert list(folder.iterdir()) == []
    with desk.transaction() as db:
        row = one(db, "SELECT destroyed_at IS NOT NULL AS gone FROM request_copies")
    assert row.gone
    with pytest.raises(NoSuchCopy, match="link-expired"):
        copies.fetch(desk, request_id, token, folder)


def test_a_link_works_once_for_its_own_request_and_every_other_try_is_on_record(
    desk: Desk, crm: MemorySystem, folder: Path
) -> None:
    crm.add(person("ann@example.com", NEW))
    request_id = identified(desk, "ann@example.com", asks_for=Right.ACCESS)
    other = identified(desk, "ben@example.com", asks_for=Right.ACCESS)
    run, connectors = read(desk, request_id, crm)
    token = link_token(desk, request_id, copies.make(desk, run.sweep, request_id, connectors, folder))

    with pytest.raises(NoSuchCopy, match="link-of-another-request"):
        copies.fetch(desk, other, token, folder)
    with pytest.raises(NoSuchCopy, match="unknown-link"):
        copies.fetch(desk, request_id, "made-up", folder)
    broken_download = iterate(desk, request_id, token, folder)
    next(broken_download)
    broken_download.close()
    assert b"".join(iterate(desk, request_id, token, folder)).startswith(b"RETENTION-COPY/1")
    with pytest.raises(NoSuchCopy, match="link-used-before"):
        copies.fetch(desk, request_id, token, folder)

    refused = [e for e in audited(desk) if e["event"] == "copy_refused"]
    assert [e["reasons"] for e in refused] == [["link-of-another-request"], ["unknown-link"], ["link-used-before"]]
    assert [e["event"] for e in audited(desk)].count("copy_fetched") == 1


def test_a_link_ends_with_its_request(desk: Desk, crm: MemorySystem, folder: Path) -> None:
    crm.add(person("ann@example.com", NEW))
    request_id = identified(desk, "ann@example.com", asks_for=Right.ACCESS)
    run, connectors = read(desk, request_id, crm)
    token = link_token(desk, request_id, copies.make(desk, run.sweep, request_id, connectors, folder))
    answers.withdraw(desk, request_id, "clerk")

    with pytest.raises(NoSuchCopy, match="request-is-over"):
        copies.fetch(desk, request_id, token, folder)


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


def test_a_mail_server_that_is_down_loses_no_link(
    desk: Desk, crm: MemorySystem, folder: Path, mail: MailServer
) -> None:
    crm.add(person("ann@example.com", NEW))
    request_id = identified(desk, "ann@example.com", asks_for=Right.ACCESS)
    run, connectors = read(desk, request_id, crm)
    assert copies.make_for_run(desk, run.sweep, ["crm"], by_name(connectors), folder) == {}
    mail.refuses.add("ann@example.com")

    left = copies.deliver_all(desk, mailer_to(mail), run.sweep, COPY_PAGE)
    assert "took no letter" in str(left[request_id])
    assert "ann" not in str(left[request_id])
    mail.refuses.clear()
    assert copies.deliver_all(desk, mailer_to(mail), run.sweep, COPY_PAGE) == {}

    (letter,) = mail.to("ann@example.com")
    token = re.findall(rf"{COPY_PAGE}/{request_id}/(\S+)", letter.get_content())[0]
    assert b"".join(iterate(desk, request_id, token, folder)).startswith(b"RETENTION-COPY/1")
    assert len(list(folder.iterdir())) == 1  # sent again, not made again


def test_a_kill_between_writing_and_finishing_leaves_nothing_that_the_next_try_does_not_end(
    desk: Desk, crm: MemorySystem, folder: Path
) -> None:
    crm.add(person("ann@example.com", NEW))
    request_id = identified(desk, "ann@example.com", asks_for=Right.ACCESS)
    run, connectors = read(desk, request_id, crm)
    killed = KilledWhileExporting(crm)

    with pytest.raises(Killed):
        copies.make(desk, run.sweep, request_id, [killed], folder)
    (left_over,) = folder.iterdir()
    assert copies.make_for_run(desk, run.sweep, ["crm"], by_name(connectors), folder) == {}

    (whole,) = folder.iterdir()
    assert whole != left_over
    assert copies.make_for_run(desk, run.sweep, ["crm"], by_name(connectors), folder) == {}  # made once
    assert list(folder.iterdir()) == [whole]


def test_what_a_kill_left_over_ends_by_its_date_where_nobody_tries_again(
    desk: Desk, crm: MemorySystem, folder: Path
) -> None:
    crm.add(person("ann@example.com", NEW))
    request_id = identified(desk, "ann@example.com", asks_for=Right.ACCESS)
    run, _ = read(desk, request_id, crm)
    with pytest.raises(Killed):
        copies.make(desk, run.sweep, request_id, [KilledWhileExporting(crm)], folder)

    assert copies.destroy_expired(later(desk, days=14), folder) == 1
    assert list(folder.iterdir()) == []


def test_an_older_worker_that_lives_on_cannot_finish_a_copy_that_was_begun_anew(
    desk: Desk, crm: MemorySystem, folder: Path
) -> None:
    crm.add(person("ann@example.com", NEW))
    request_id = identified(desk, "ann@example.com", asks_for=Right.ACCESS)
    run, connectors = read(desk, request_id, crm)
    newer: list[Made] = []

    class Overtaken(MemoryConnector):
        def export(self, batch: Sequence[RecordRef]) -> Iterator[Document]:
            newer.append(copies.make(desk, run.sweep, request_id, connectors, folder))
            yield from super().export(batch)

    with pytest.raises((NotMade, OSError)):
        copies.make(desk, run.sweep, request_id, [Overtaken(crm)], folder)

    assert [path.stem for path in folder.iterdir()] == [newer[0].copy_id]
    assert len(unpacked(desk, request_id, folder, newer[0]).namelist()) == 3


def test_a_portable_copy_goes_to_the_third_party_the_subject_named_without_the_passphrase(
    desk: Desk, crm: MemorySystem, folder: Path, mail: MailServer
) -> None:
    crm.add(person("ann@example.com", NEW))
    file = CaseFile(who("ann@example.com"), deliver_to="intake@other-provider.example")
    (taken,) = take_in(desk, [Intake(Right.PORTABILITY, Channel.FORM, RECEIVED, file)], "clerk")
    request_id = taken.request_id
    identity.show_by_hand(desk, request_id, "dpo")
    run, connectors = read(desk, request_id, crm)
    made = copies.make(desk, run.sweep, request_id, connectors, folder)

    assert copies.deliver(desk, mailer_to(mail), request_id, COPY_PAGE) == 2

    (hers,), (theirs,) = mail.to("ann@example.com"), mail.to("intake@other-provider.example")
    tokens = [re.findall(rf"{COPY_PAGE}/{request_id}/(\S+)", one.get_content())[0] for one in (hers, theirs)]
    assert tokens[0] != tokens[1]
    for token in tokens:  # each link works once, whoever else used theirs
        assert b"".join(iterate(desk, request_id, token, folder)).startswith(b"RETENTION-COPY/1")
    assert "ann@" not in theirs.get_content()
    assert copies.tell_passphrase(desk, request_id, "dpo") not in hers.as_string() + theirs.as_string()
    assert unpacked(desk, request_id, folder, made).namelist()


@pytest.mark.parametrize("wrong", ["-", "no address", "a@b.example,c@d.example"])
def test_a_third_party_is_one_address_and_only_a_portable_copy_goes_there(wrong: str) -> None:
    with pytest.raises(NotARequest, match="third party"):
        Intake(Right.PORTABILITY, Channel.FORM, RECEIVED, CaseFile(who("a@b.example"), deliver_to=wrong))
    with pytest.raises(NotARequest, match="third party"):
        Intake(Right.ACCESS, Channel.FORM, RECEIVED, CaseFile(who("a@b.example"), deliver_to="c@d.example"))


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


def test_neither_link_nor_passphrase_can_be_read_in_the_ledger(
    desk: Desk, ledger: Engine, crm: MemorySystem, folder: Path
) -> None:
    crm.add(person("ann@example.com", NEW))
    request_id = identified(desk, "ann@example.com", asks_for=Right.ACCESS)
    run, connectors = read(desk, request_id, crm)
    made = copies.make(desk, run.sweep, request_id, connectors, folder)
    secret = (link_token(desk, request_id, made), copies.tell_passphrase(desk, request_id, "dpo"))

    with desk.transaction() as db:
        tables = ("request_copies", "request_copy_links", "requests", "request_events", "audit_entries")
        whole = "".join(str(rows(db, f"SELECT t::text FROM {table} t")) for table in tables)

    for one_secret in secret:
        assert one_secret not in whole
        assert one_secret.encode().hex() not in whole
        assert one_secret not in repr(made)


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

    assert copies.deliver(desk, mailer_to(mail), request_id, COPY_PAGE) == 1
    assert copies.deliver(desk, mailer_to(mail), request_id, COPY_PAGE) == 0
    (letter,) = mail.to("ann@example.com")
    assert f"{COPY_PAGE}/{request_id}/{link_token(desk, request_id, made)}" in letter.get_content()
    with pytest.raises(Unfinished, match="nobody told the passphrase"):
        finishing.answer(desk, mailer_to(mail), request_id, "clerk")
    assert copies.tell_passphrase(desk, request_id, "dpo") not in letter.as_string()
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
