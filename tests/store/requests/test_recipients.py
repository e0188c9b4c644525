"""Does everybody to whom the data was passed learn what was done with it, and does its subject learn who they are?"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from retention.clocks import Right
from retention.policy.recipients import RecipientPolicy
from retention.requests import answers, certificate, finishing, recipients
from retention.requests.finishing import Unfinished
from retention.restriction import Ground
from retention.store import request_recipients, tasks
from retention.store.desk import Desk
from sandbox.mail.server import MailServer
from tests.memory_connector import MemoryConnector, MemorySystem, person
from tests.requesting import KEY, NEW, Ask, Run, as_duty, identified, mailer_to, told
from tests.sweeping import TODAY

MAILING = RecipientPolicy(name="Mailing House Ltd", role="processor", address="privacy@mailing.example")
PARTNER = RecipientPolicy(name="Partner plc", role="controller", address="dpo@partner.example")
PRINTER = RecipientPolicy(name="Printer and Sons", role="processor")
Working = Callable[..., str]


def passing_on(desk: Desk, **by_system: dict[str, RecipientPolicy] | None) -> Desk:
    systems = {
        name: system.model_copy(update={"recipients": by_system.get(name, {})})
        for name, system in desk.policy.systems.items()
    }
    return replace(desk, policy=desk.policy.model_copy(update={"systems": systems}))


@pytest.fixture
def worked_on(crm: MemorySystem, shop: MemorySystem, tmp_path: Path) -> Working:
    """A request of Ann's that both systems are done with; she is in the first one."""

    def work(desk: Desk, asks_for: Right = Right.ERASURE, ground: Ground | None = None) -> str:
        crm.add(person("ann@example.com", NEW))
        request_id = identified(desk, "ann@example.com", asks_for=asks_for, ground=ground)
        made = Run(desk, [MemoryConnector(crm), MemoryConnector(shop)], request_id)
        made.go()
        finishing.seal(desk, made.sweep, KEY, tmp_path / "outside")
        return request_id

    return work


def states(desk: Desk, request_id: str) -> dict[tuple[str, str], tuple[str, str]]:
    with desk.transaction() as db:
        found = request_recipients.of_request(db, request_id)
    return {(one.system, one.recipient): (one.what.value, one.state) for one in found}


def open_tasks(desk: Desk, request_id: str) -> list[tuple[str, str, str]]:
    with desk.transaction() as db:
        return [(t.system, t.kind, t.owner) for t in tasks.listed(db) if t.detail == request_id]


def closed_task(desk: Desk, request_id: str, state: str, proof: str) -> None:
    with desk.transaction() as db:
        (task,) = [t for t in tasks.listed(db) if t.detail == request_id]
        tasks.close(db, task, state, proof, "clerk", desk.today)


def test_a_recipient_with_an_address_is_written_to_by_its_role_and_the_letter_names_nobody(
    desk: Desk, worked_on: Working, mail: MailServer
) -> None:
    passing = passing_on(desk, crm={"mailing": MAILING, "partner": PARTNER}, shop={"printer": PRINTER})
    request_id = worked_on(passing)
    assert finishing.answer(passing, mailer_to(mail), request_id, "clerk") == "answered"

    (instruction,) = mail.to("privacy@mailing.example")
    (notice,) = mail.to("dpo@partner.example")
    assert "our instruction" in instruction.get_content()
    assert "unless a law obliges you" in notice.get_content()
    for letter in (instruction, notice):
        assert "we erased it on 2026-11-22" in letter.get_content()
        assert request_id in letter.as_string()
        assert "ann" not in letter.get_content().lower().replace("planned", "")
    # Nothing was found in the shop, so that its recipients have nothing to do.
    assert states(passing, request_id) == {
        ("crm", "mailing"): ("erased", "told"),
        ("crm", "partner"): ("erased", "told"),
    }
    assert open_tasks(passing, request_id) == []
    assert finishing.close(passing, request_id, "clerk") == [request_id]


def test_a_recipient_without_an_address_is_told_by_a_person_with_owner_and_proof(
    desk: Desk, worked_on: Working, mail: MailServer, tmp_path: Path
) -> None:
    passing = passing_on(desk, crm={"printer": PRINTER})
    request_id = worked_on(passing)
    finishing.answer(passing, mailer_to(mail), request_id, "clerk")

    assert open_tasks(passing, request_id) == [("crm", "printer", "dpo")]
    with pytest.raises(Unfinished, match="1 tasks for people"):
        finishing.close(passing, request_id, "clerk")
    closed_task(passing, request_id, "done", "OPS-7")
    finishing.close(passing, request_id, "clerk")

    issued = certificate.issue(passing, request_id, KEY, tmp_path / "outside")
    assert issued["certificate"]["recipients"] == [
        {
            "recipient": "Printer and Sons",
            "system": "crm",
            "what": "erased",
            "state": "told",
            "told_on": None,
            "by": "person",
            "proof": "OPS-7",
        }
    ]
    assert "Printer and Sons (crm): erased, told, OPS-7" in certificate.page(issued)
    assert certificate.is_authentic(issued, KEY.verify_key)


def test_that_telling_is_impossible_or_disproportionate_is_a_persons_word_and_on_record(
    desk: Desk, worked_on: Working, mail: MailServer
) -> None:
    passing = passing_on(desk, crm={"printer": PRINTER})
    request_id = worked_on(passing)
    finishing.answer(passing, mailer_to(mail), request_id, "clerk")
    closed_task(passing, request_id, "dropped", "impossible-or-disproportionate")

    assert states(passing, request_id) == {("crm", "printer"): ("erased", "not-told")}
    recipients.name_to_subject(passing, mailer_to(mail), request_id)
    assert "impossible or disproportionate" in mail.to("ann@example.com")[-1].get_content()


def test_where_the_policy_does_not_say_to_whom_a_person_finds_out(
    desk: Desk, worked_on: Working, mail: MailServer
) -> None:
    passing = passing_on(desk, crm=None)
    request_id = worked_on(passing)
    finishing.answer(passing, mailer_to(mail), request_id, "clerk")

    assert open_tasks(passing, request_id) == [("crm", "", "dpo")]


def test_a_letter_that_is_not_taken_keeps_the_case_open_and_goes_out_another_morning(
    desk: Desk, worked_on: Working, mail: MailServer
) -> None:
    passing = passing_on(desk, crm={"mailing": MAILING})
    request_id = worked_on(passing)
    mail.refuses.add("privacy@mailing.example")
    assert finishing.answer(passing, mailer_to(mail), request_id, "clerk") == "answered"  # the subject was told
    with pytest.raises(Unfinished, match="1 recipients could not be written to"):
        finishing.close(passing, request_id, "clerk")

    mail.refuses.clear()
    assert recipients.tell(passing, mailer_to(mail)) == []
    assert recipients.tell(passing, mailer_to(mail)) == []
    assert len(mail.to("privacy@mailing.example")) == 1
    assert finishing.close(passing, request_id, "clerk") == [request_id]


def test_who_lost_their_address_in_the_policy_meanwhile_is_told_by_a_person(
    desk: Desk, worked_on: Working, mail: MailServer
) -> None:
    passing = passing_on(desk, crm={"mailing": MAILING})
    request_id = worked_on(passing)
    mail.refuses.add("privacy@mailing.example")
    finishing.answer(passing, mailer_to(mail), request_id, "clerk")

    assert recipients.tell(passing_on(desk, crm={}), mailer_to(mail)) == []
    assert open_tasks(passing, request_id) == [("crm", "mailing", "dpo")]


def test_the_subject_learns_who_they_are_on_request_and_nobody_else_does(
    desk: Desk, worked_on: Working, mail: MailServer
) -> None:
    passing = passing_on(desk, crm={"mailing": MAILING})
    request_id = worked_on(passing)
    finishing.answer(passing, mailer_to(mail), request_id, "clerk")
    recipients.name_to_subject(passing, mailer_to(mail), request_id)

    letter = mail.to("ann@example.com")[-1].get_content()
    assert "Mailing House Ltd (data of our system crm): told on 2026-11-22" in letter


def test_who_was_told_of_a_restriction_is_told_of_its_end(desk: Desk, worked_on: Working, mail: MailServer) -> None:
    passing = passing_on(desk, crm={"mailing": MAILING})
    request_id = worked_on(passing, Right.RESTRICTION, Ground.CLAIMS)
    finishing.answer(passing, mailer_to(mail), request_id, "clerk")
    answers.lift(passing, mailer_to(mail), request_id, "claim-ended", "dpo")
    recipients.tell(passing, mailer_to(mail))

    first, second = (letter.get_content() for letter in mail.to("privacy@mailing.example"))
    assert "restricted the use of" in first
    assert "ended the restriction of" in second
    with passing.transaction() as db:
        found = request_recipients.of_request(db, request_id)
    assert {(one.what.value, one.told_on) for one in found} == {("released", TODAY), ("restricted", TODAY)}


def test_the_pipeline_asks_and_the_approver_who_lifts_does_too_each_under_their_own_role(
    desk: Desk, worked_on: Working, mail: MailServer, ledger_url: str
) -> None:
    passing = passing_on(desk, crm={"mailing": MAILING, "printer": PRINTER})
    request_id = worked_on(passing, Right.RESTRICTION, Ground.CLAIMS)
    executor, approver = (as_duty(passing, ledger_url, duty) for duty in ("executor", "approver"))
    try:
        assert finishing.answer(executor, mailer_to(mail), request_id, "clerk") == "settling"
        closed_task(approver, request_id, "done", "OPS-7")
        answers.lift(approver, mailer_to(mail), request_id, "claim-ended", "dpo")
        recipients.tell(executor, mailer_to(mail))  # the next morning
    finally:
        executor.engine.dispose()
        approver.engine.dispose()

    assert len(mail.to("privacy@mailing.example")) == 2
    assert open_tasks(passing, request_id) == [("crm", "printer", "dpo")]


def test_on_the_command_line_recipients_are_listed_by_their_names(ask: Ask) -> None:
    opening = ("request", "open", "--channel", "email", "--right", "erasure", "--by", "clerk", "--json")
    request_id = told(ask(*opening, "--received-at", "2026-11-20", stdin="ann@example.com"))["request"]

    assert told(ask("request", "recipients", request_id, "--json")) == []
    assert ask("request", "recipients", request_id).output == "nobody is to be told\n"
    assert ask("request", "recipients", "request-0").exit_code == 2


def test_recipients_do_what_was_done_in_the_system_their_data_came_from() -> None:
    assert recipients.what_they_do(Right.ERASURE, {"erase": 1, "restrict": 2}) == "erased"
    assert recipients.what_they_do(Right.RESTRICTION, {"restrict": 2, "suppress": 1}) == "restricted"
    assert recipients.what_they_do(Right.RECTIFICATION, {}) == "corrected"
