"""Is a request answered only when every system is done, and is nothing left of its person once it is closed?"""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path

import pytest
from sqlalchemy import Engine

from retention import audit, carry_out, verify
from retention.clocks import Right
from retention.life_cycles import IllegalMove
from retention.requests import answers, certificate, finishing, recipients
from retention.requests.case_file import CaseClosed, Correction
from retention.requests.finishing import Unfinished
from retention.requests.results import Result, of_request
from retention.restriction import Ground
from retention.store import request_certificates, request_runs, requests, tasks
from retention.store.database import one, rows
from retention.store.desk import Desk
from retention.vocabulary import OutcomeStatus, Reason, Transaction
from sandbox.mail.server import MailServer
from tests.holding import hold_on, release
from tests.memory_connector import MemoryConnector, MemorySystem, person
from tests.requesting import KEY, NEW, Run, asked, identified, mailer_to, standing
from tests.sweeping import TODAY


@pytest.fixture
def outside(tmp_path: Path) -> Path:
    return tmp_path / "outside"


def worked_on(desk: Desk, outside: Path, request_id: str, *systems: MemorySystem) -> Run:
    made = Run(desk, [MemoryConnector(system) for system in systems], request_id)
    made.go()
    finishing.give_to_people(desk, made.sweep, [system.name for system in systems])
    finishing.seal(desk, made.sweep, KEY, outside)
    return made


def results(desk: Desk, request_id: str) -> dict[str, Result]:
    with desk.transaction() as db:
        return {found.system: found.result for found in of_request(db, desk, request_id)}


def recipients_told(desk: Desk, request_id: str) -> None:
    with desk.transaction() as db:
        for task in tasks.listed(db):
            if task.detail == request_id:
                tasks.close(db, task, "done", "OPS-1", "clerk", desk.today)


def test_an_erasure_is_answered_certified_and_closed(
    desk: Desk, crm: MemorySystem, shop: MemorySystem, outside: Path, mail: MailServer, ledger: Engine
) -> None:
    crm.add(person("ann@example.com", NEW))
    request_id, twin = identified(desk, "ann@example.com"), asked(desk, "ann@example.com").request_id
    made = worked_on(desk, outside, request_id, crm, shop)

    assert results(desk, request_id) == {"crm": Result.DONE, "shop": Result.NOT_FOUND}
    assert finishing.answer(desk, mailer_to(mail), request_id, "clerk") == "answered"
    told = mail.to("ann@example.com")[-1].get_content()
    assert "crm: 1 records erased" in told
    assert "shop: nothing found" in told
    assert "2026-12-27" in told  # the day by which backups are gone

    issued = certificate.issue(desk, request_id, KEY, outside)
    with pytest.raises(Unfinished, match="1 tasks for people"):  # those the data was passed to
        finishing.close(desk, request_id, "clerk")
    recipients_told(desk, request_id)
    assert finishing.close(desk, request_id, "clerk") == [request_id, twin]

    assert issued["certificate"]["complete"] is True
    assert {s["system"]: s["result"] for s in issued["certificate"]["systems"]} == {"crm": "done", "shop": "not-found"}
    with desk.transaction() as db:
        assert request_certificates.newest(db, request_id) == issued
        for closed in (request_id, twin):
            with pytest.raises(CaseClosed, match="key was destroyed"):
                requests.read_file(db, desk.keyring, closed)
        left = one(
            db,
            "SELECT (SELECT count(*) FROM requests WHERE case_file IS NOT NULL) AS files,"
            " (SELECT count(*) FROM request_keys WHERE sealed IS NOT NULL) AS keys,"
            " (SELECT count(*) FROM request_people WHERE identifier IS NOT NULL) AS people,"
            " (SELECT count(*) FROM steps WHERE locator IS NOT NULL OR subjects IS NOT NULL) AS located,"
            " (SELECT count(*) FROM findings WHERE locator IS NOT NULL OR addresses IS NOT NULL) AS found",
        )
        assert request_runs.people_of(db, desk.keyring, made.sweep.sweep_id, request_id) == []
    assert tuple(left) == (0, 0, 0, 0, 0)


def test_a_certificate_is_checked_by_its_signature_and_its_place_in_the_log(
    desk: Desk, crm: MemorySystem, shop: MemorySystem, outside: Path
) -> None:
    crm.add(person("ann@example.com", NEW))
    request_id = identified(desk, "ann@example.com")
    worked_on(desk, outside, request_id, crm, shop)

    issued = certificate.issue(desk, request_id, KEY, outside)

    assert certificate.is_authentic(issued, KEY.verify_key)
    assert not certificate.is_authentic(issued, audit.SigningKey(KEY.name, b"x" * 32).verify_key)
    for edit in ("complete", "request", "due_on"):
        forged = json.loads(json.dumps(issued))
        forged["certificate"][edit] = "other"
        assert not certificate.is_authentic(forged, KEY.verify_key)
    shown = certificate.page(issued)
    assert "<strong>Complete.</strong>" in shown
    assert request_id in shown
    assert "ann@" not in shown + json.dumps(issued)


def test_a_system_that_was_not_reached_keeps_the_request_open_and_says_so(
    desk: Desk, crm: MemorySystem, outside: Path, mail: MailServer
) -> None:
    crm.add(person("ann@example.com", NEW))
    request_id = identified(desk, "ann@example.com")
    worked_on(desk, outside, request_id, crm)  # the shop has no connector

    assert results(desk, request_id) == {"crm": Result.DONE, "shop": Result.NOT_COVERED}
    with pytest.raises(Unfinished, match="shop: not-covered"):
        finishing.answer(desk, mailer_to(mail), request_id, "clerk")
    issued = certificate.issue(desk, request_id, KEY, outside)["certificate"]
    assert (issued["complete"], issued["systems"][1]["result"]) == (False, "not-covered")

    recipients_told(desk, request_id)  # the person does it by hand, with a proof
    assert results(desk, request_id)["shop"] is Result.BY_HAND
    worked_on(desk, outside, request_id, crm)  # a later run does not ask for it again
    assert results(desk, request_id)["shop"] is Result.BY_HAND
    assert finishing.answer(desk, mailer_to(mail), request_id, "clerk") == "answered"


@pytest.mark.parametrize("trouble", ["down", "refuses", "lies"])
def test_what_failed_is_said_and_done_by_the_next_run(
    desk: Desk, crm: MemorySystem, shop: MemorySystem, outside: Path, trouble: str
) -> None:
    crm.add(person("ann@example.com", NEW))
    ref = shop.add(person("ann@example.com", NEW))
    request_id = identified(desk, "ann@example.com")
    shop.is_down, shop.lies = trouble == "down", trouble == "lies"
    if trouble == "refuses":
        shop.answers[ref.key] = (OutcomeStatus.REFUSED, Reason.LOCKED)
    worked_on(desk, outside, request_id, crm, shop)
    assert results(desk, request_id) == {"crm": Result.DONE, "shop": Result.FAILED}

    shop.is_down = shop.lies = False
    shop.answers.clear()
    worked_on(desk, outside, request_id, crm, shop)

    assert results(desk, request_id) == {"crm": Result.DONE, "shop": Result.DONE}
    assert shop.records == {}


def test_what_a_system_deletes_in_two_steps_settles_before_the_case_is_closed(
    desk: Desk, crm: MemorySystem, shop: MemorySystem, outside: Path, mail: MailServer
) -> None:
    crm.add(person("ann@example.com", NEW))
    crm.bin_until = date(2026, 12, 7)
    request_id = identified(desk, "ann@example.com")
    worked_on(desk, outside, request_id, crm, shop)

    assert finishing.answer(desk, mailer_to(mail), request_id, "clerk") == "settling"
    assert "2026-12-07" in mail.to("ann@example.com")[-1].get_content()
    assert certificate.issue(desk, request_id, KEY, outside)["certificate"]["complete"] is False
    recipients_told(desk, request_id)
    with pytest.raises(Unfinished, match="still settles"):
        finishing.close(desk, request_id, "clerk")

    crm.empty_bin()
    connector = MemoryConnector(crm)
    carry_out.settle(desk, connector, accepted=True)
    verify.verify_earlier(desk, "", connector)
    finishing.close(desk, request_id, "clerk")
    assert standing(desk, request_id).state == "closed"


def test_a_hold_puts_the_request_off_and_its_end_brings_it_back(
    desk: Desk, crm: MemorySystem, shop: MemorySystem, outside: Path, mail: MailServer
) -> None:
    crm.add(person("ann@example.com", NEW))
    hold_id = hold_on(desk, "ann@example.com")
    request_id = identified(desk, "ann@example.com")
    worked_on(desk, outside, request_id, crm, shop)

    assert finishing.answer(desk, mailer_to(mail), request_id, "clerk") == "deferred"
    assert "legal hold" in mail.to("ann@example.com")[-1].get_content()
    with pytest.raises(IllegalMove), desk.transaction():  # its case is kept until then
        finishing.close(desk, request_id, "clerk")
    with desk.transaction() as db:
        assert requests.read_file(db, desk.keyring, request_id).addresses == ("ann@example.com",)

    release(desk, hold_id)
    finishing.reopen(desk, request_id, "dpo")
    worked_on(desk, outside, request_id, crm, shop)

    assert crm.records == {}
    with desk.transaction() as db:
        reasons = {tuple(r.reasons) for r in rows(db, "SELECT reasons FROM steps WHERE action = 'erase'")}
    assert ("DEFERRED_REQUEST",) in reasons


def test_what_a_statute_keeps_is_told_with_its_reason(
    desk: Desk, crm: MemorySystem, shop: MemorySystem, outside: Path, mail: MailServer
) -> None:
    crm.add(person("ann@example.com", NEW, transactions=(Transaction("order", date(2025, 5, 1), live=True),)))
    request_id = identified(desk, "ann@example.com")
    worked_on(desk, outside, request_id, crm, shop)

    finishing.answer(desk, mailer_to(mail), request_id, "clerk")

    told = mail.to("ann@example.com")[-1].get_content()
    assert "complain" in told or "not content" in told
    assert certificate.issue(desk, request_id, KEY, outside)["certificate"]["complete"] is True


def test_a_restriction_settles_until_it_is_lifted(
    desk: Desk, crm: MemorySystem, shop: MemorySystem, outside: Path, mail: MailServer
) -> None:
    crm.add(person("ann@example.com", NEW))
    request_id = identified(desk, "ann@example.com", asks_for=Right.RESTRICTION, ground=Ground.ACCURACY)
    worked_on(desk, outside, request_id, crm, shop)

    assert finishing.answer(desk, mailer_to(mail), request_id, "clerk") == "settling"
    recipients_told(desk, request_id)
    with pytest.raises(Unfinished, match="restriction is in force"):
        finishing.close(desk, request_id, "clerk")
    answers.lift(desk, mailer_to(mail), request_id, "accuracy-settled", "dpo")
    recipients.tell(desk, mailer_to(mail))
    recipients_told(desk, request_id)  # those who restricted it, too, hear of the end
    finishing.close(desk, request_id, "clerk")

    assert standing(desk, request_id).state == "closed"


def test_a_correction_that_is_a_persons_is_answered_only_after_they_made_it(
    desk: Desk, crm: MemorySystem, shop: MemorySystem, outside: Path, mail: MailServer
) -> None:
    for _ in range(2):  # which of two records is wrong, no rule can tell
        crm.add(person("ann@example.com", NEW))
    right = (Correction("crm", "person", "name", "Ann New"),)
    request_id = identified(desk, "ann@example.com", asks_for=Right.RECTIFICATION, corrections=right)
    worked_on(desk, outside, request_id, crm, shop)

    assert results(desk, request_id) == {"crm": Result.WAITS_FOR_A_PERSON, "shop": Result.NOT_FOUND}
    with pytest.raises(Unfinished, match="crm: waits-for-a-person"):
        finishing.answer(desk, mailer_to(mail), request_id, "clerk")
    recipients_told(desk, request_id)  # with a proof

    assert results(desk, request_id)["crm"] is Result.BY_HAND
    assert finishing.answer(desk, mailer_to(mail), request_id, "clerk") == "answered"


def test_a_case_is_not_closed_under_a_run(desk: Desk, crm: MemorySystem) -> None:
    request_id = identified(desk, "ann@example.com")
    Run(desk, [MemoryConnector(crm)], request_id)
    answers.withdraw(desk, request_id, "clerk")
    with pytest.raises(Unfinished, match="let that run be sealed"):
        finishing.close(desk, request_id, "clerk")


def test_the_day_of_the_answer_decides_whether_the_deadline_was_met(
    desk: Desk, crm: MemorySystem, shop: MemorySystem, outside: Path, mail: MailServer
) -> None:
    request_id = identified(desk, "ann@example.com")
    worked_on(desk, outside, request_id, crm, shop)
    finishing.answer(desk, mailer_to(mail), request_id, "clerk")

    issued = certificate.issue(desk, request_id, KEY, outside)["certificate"]

    assert (issued["due_on"], issued["answered_on"], issued["deadline_met"]) == ("2026-12-21", TODAY.isoformat(), True)
