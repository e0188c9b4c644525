"""Does a link lead to a copy once, for its reader and for its time, and does nothing of the copy stay behind?"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest
from sqlalchemy import Engine

from retention.clocks import Right
from retention.requests import answers, copies, finishing, identity
from retention.requests.case_file import CaseFile
from retention.requests.copies import Made, NoSuchCopy, NotMade
from retention.requests.finishing import Unfinished
from retention.requests.intake import Intake, NotARequest, take_in
from retention.store.database import one, rows
from retention.store.desk import Desk
from retention.store.requests import Channel
from retention.vocabulary import Document, RecordRef
from sandbox.mail.server import MailServer
from tests.copying import audited, by_name, iterate, later, link_token, read, unpacked
from tests.memory_connector import MemoryConnector, MemorySystem, person
from tests.requesting import KEY, NEW, RECEIVED, identified, mailer_to, standing, who

COPY_PAGE = "https://privacy.example.com/copy"


class Killed(BaseException):
    """What ends a process: nothing of ours catches it."""


class KilledWhileExporting(MemoryConnector):
    def export(self, batch: Sequence[RecordRef]) -> Iterator[Document]:
        raise Killed


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
