"""Is a request that asks too much charged for or refused only by a person, with its proof and its letter?"""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import Any

import pytest
from sqlalchemy.exc import IntegrityError

from retention.clocks import DueStatus
from retention.life_cycles import IllegalMove
from retention.requests import answers, charging
from retention.requests.answers import NotJudged, RefusalReason
from retention.requests.charging import NoAmount
from retention.requests.due import clocks_of
from retention.requests.notices import ByPost, NobodyToWriteTo
from retention.store.database import one, run
from retention.store.desk import Desk
from sandbox.mail.server import MailServer
from tests.memory_connector import MemoryConnector, MemorySystem, person
from tests.requesting import NEW, Ask, Run, identified, mailer_to, standing, told
from tests.sweeping import TODAY

POST = ByPost("post-2026-1", TODAY)


def excessive(desk: Desk) -> str:
    request_id = identified(desk, "ann@example.com")
    charging.judge(desk, request_id, RefusalReason.EXCESSIVE, "case-2026-17", "dpo")
    return request_id


def on(desk: Desk, day: date) -> Desk:
    return replace(desk, today=day)


def under_eu_law(desk: Desk) -> Desk:
    schedule = desk.policy.schedule.model_copy(update={"response_regime": "EU"})
    return replace(desk, policy=desk.policy.model_copy(update={"schedule": schedule}))


def stored(desk: Desk, request_id: str) -> Any:
    with desk.transaction() as db:
        return one(
            db,
            "SELECT is_excessive, excess_reason, excess_reference, fee FROM requests WHERE request_id = :id",
            id=request_id,
        )


def test_what_is_found_excessive_is_left_to_a_person_and_runs_once_the_fee_is_paid(
    desk: Desk, crm: MemorySystem
) -> None:
    crm.add(person("ann@example.com", NEW))
    request_id = excessive(desk)
    assert Run(desk, [MemoryConnector(crm)], request_id).plan() is None
    with desk.transaction() as db:
        assert one(db, "SELECT reasons FROM review_items").reasons == ["REQ_EXCESSIVE"]
        run(db, "UPDATE sweeps SET state = 'sealed', sealed_at = now()")

    assert charging.charge(desk, None, request_id, "10.00 GBP", "dpo", POST) == "paused"
    answers.resume(desk, request_id, "clerk")
    Run(desk, [MemoryConnector(crm)], request_id).go()

    assert crm.records == {}
    assert tuple(stored(desk, request_id)) == (False, "excessive", "case-2026-17", "10.00 GBP")


def test_in_the_uk_the_month_begins_on_the_day_the_fee_is_paid(desk: Desk) -> None:
    request_id = excessive(desk)
    charging.charge(desk, None, request_id, "10.00 GBP", "dpo", POST)
    (waiting,) = clocks_of(desk, [standing(desk, request_id)])
    assert (waiting.due.status, waiting.due.due) == (DueStatus.WAITING_FEE, None)

    answers.resume(on(desk, date(2026, 12, 3)), request_id, "clerk")
    (running,) = clocks_of(desk, [standing(desk, request_id)])
    assert (running.due.clock_start, running.due.due) == (date(2026, 12, 3), date(2027, 1, 4))


def test_in_the_eu_a_fee_stops_no_clock_and_the_letter_says_so(desk: Desk, mail: MailServer) -> None:
    eu = under_eu_law(desk)
    request_id = excessive(eu)
    (before,) = clocks_of(eu, [standing(eu, request_id)])
    charging.charge(eu, mailer_to(mail), request_id, "10.00 EUR", "dpo")
    (after,) = clocks_of(eu, [standing(eu, request_id)])

    assert (after.due.status, after.due.due) == (DueStatus.DUE, before.due.due)
    letter = mail.to("ann@example.com")[-1].get_content()
    assert f"goes on meanwhile, until {before.due.due}" in letter
    assert "supervisory authority" in letter


def test_the_letter_names_fee_reason_and_the_ways_to_complain(desk: Desk, mail: MailServer) -> None:
    request_id = excessive(desk)
    charging.charge(desk, mailer_to(mail), request_id, "10.00 GBP", "dpo")

    letter = mail.to("ann@example.com")[-1].get_content()
    for said in ("10.00 GBP", "Article 12(5)", "excessive", "section 164A", "ico.org.uk", "court", "begins on the day"):
        assert said in letter


def test_without_its_letter_no_fee_is_asked_and_nothing_waits(desk: Desk) -> None:
    request_id = excessive(desk)
    with pytest.raises(NobodyToWriteTo):
        charging.charge(desk, None, request_id, "10.00 GBP", "dpo")
    assert standing(desk, request_id).state == "in_progress"
    assert stored(desk, request_id).fee is None
    with pytest.raises(IntegrityError, match="charged_with_notice"), desk.transaction() as db:
        run(db, "UPDATE requests SET fee = '10.00 GBP' WHERE request_id = :id", id=request_id)


@pytest.mark.parametrize("reason", charging.TOO_MUCH)
def test_neither_fee_nor_refusal_for_asking_too_much_before_a_person_said_so(
    desk: Desk, mail: MailServer, reason: RefusalReason
) -> None:
    request_id = identified(desk, "ann@example.com")
    with pytest.raises(NotJudged):
        charging.charge(desk, mailer_to(mail), request_id, "10.00 GBP", "dpo")
    with pytest.raises(NotJudged):
        answers.refuse(desk, mailer_to(mail), request_id, [reason], "dpo")
    assert (mail.letters, standing(desk, request_id).state) == ([], "in_progress")

    charging.judge(desk, request_id, reason, "case-2026-17", "dpo")
    assert answers.refuse(desk, mailer_to(mail), request_id, [reason], "dpo") == "refused"
    assert "12(5)" in mail.letters[-1].get_content()


def test_an_unpaid_fee_ends_in_a_refusal_with_its_letter(desk: Desk, mail: MailServer) -> None:
    request_id = excessive(desk)
    charging.charge(desk, mailer_to(mail), request_id, "10.00 GBP", "dpo")
    assert answers.refuse(desk, mailer_to(mail), request_id, [RefusalReason.EXCESSIVE], "dpo") == "refused"


def test_what_is_found_in_order_after_all_is_carried_out(desk: Desk, crm: MemorySystem) -> None:
    crm.add(person("ann@example.com", NEW))
    request_id = excessive(desk)
    charging.judge(desk, request_id, None, "", "dpo")

    Run(desk, [MemoryConnector(crm)], request_id).go()

    assert crm.records == {}
    assert tuple(stored(desk, request_id)) == (False, None, None, None)


def test_other_reasons_wrong_amounts_and_requests_that_are_over_are_refused(desk: Desk) -> None:
    request_id = excessive(desk)
    with pytest.raises(NotJudged, match="no reason of Art"):
        charging.judge(desk, request_id, RefusalReason.CLAIMS, "case-2026-17", "dpo")
    for amount in ("10", "0.00 GBP", "10,00 GBP", "ten pounds"):
        with pytest.raises(NoAmount):
            charging.charge(desk, None, request_id, amount, "dpo", POST)
    answers.withdraw(desk, request_id, "clerk")
    with pytest.raises(IllegalMove):
        charging.judge(desk, request_id, RefusalReason.EXCESSIVE, "case-2026-17", "dpo")


def test_on_the_command_line_only_an_approver_judges_with_a_reference_and_charges(ask: Ask, mail: MailServer) -> None:
    opening = ("request", "open", "--channel", "email", "--right", "erasure", "--by", "clerk", "--json")
    request_id = told(ask(*opening, "--received-at", "2026-11-20", stdin="ann@example.com"))["request"]
    ask("request", "identity", request_id, "--shown-otherwise", "--by", "dpo")
    judge = ("request", "judge", request_id, "--as", "excessive", "--json")
    assert ask(*judge, "--file", "case-2026-17", "--by", "clerk").exit_code == 2
    assert "reference" in ask(*judge, "--file", "too many letters", "--by", "dpo").stderr
    assert told(ask(*judge, "--file", "case-2026-17", "--by", "dpo"))["found"] == "excessive"

    charge = ("request", "charge", request_id, "--fee", "10.00 GBP", "--json")
    assert ask(*charge, "--by", "clerk").exit_code == 2
    assert told(ask(*charge, "--by", "dpo")) == {"request": request_id, "state": "paused"}
    (line,) = told(ask("request", "list", "--json"))
    assert (line["clock"], line["due"]) == ("WAITING_FEE", None)
    assert told(ask("request", "resume", request_id, "--by", "clerk", "--json"))["state"] == "in_progress"
