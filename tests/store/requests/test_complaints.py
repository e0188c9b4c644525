"""Is a complaint acknowledged and answered in time, and is nothing about it destroyed while it is open?"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy.exc import IntegrityError

from retention import audit
from retention.complaints import answering
from retention.complaints.due import Owed, clocks_of, raise_alarms
from retention.complaints.taking_in import ComplaintIntake, ComplaintOpened, NotAComplaint, take_in
from retention.impediment import Impediment
from retention.life_cycles import COMPLAINT, IllegalMove
from retention.requests.case_file import CaseClosed, CaseFile
from retention.requests.mailer import NotSent
from retention.requests.notices import ByPost, NobodyToWriteTo
from retention.store import complaints, database, holds
from retention.store.complaints import Complaint, Outcome
from retention.store.database import one, rows, run
from retention.store.desk import Desk
from retention.store.requests import Channel
from sandbox.mail.server import MailServer
from tests.memory_connector import MemoryConnector, MemorySystem, person
from tests.requesting import NEW, OLD, RECEIVED, Run, as_duty, identified, mailer_to, who
from tests.sweeping import TODAY, Night


def complained(desk: Desk, *addresses: str, received_at: datetime = RECEIVED, words: str = "why?") -> ComplaintOpened:
    return take_in(desk, ComplaintIntake(Channel.EMAIL, received_at, CaseFile(who(*addresses), words)), "clerk")


def standing(desk: Desk, complaint_id: str) -> Complaint:
    with desk.transaction() as db:
        return complaints.get(db, complaint_id)


def acknowledged(desk: Desk, *addresses: str, on: date = TODAY) -> str:
    complaint_id = complained(desk, *addresses).complaint_id
    answering.acknowledge(desk, None, complaint_id, "dpo", ByPost("post-2026-1", on))
    return complaint_id


def later(desk: Desk, days: int) -> Desk:
    return replace(desk, today=desk.today + timedelta(days=days))


def audited(desk: Desk, about: str) -> list[tuple[str, list[str]]]:
    with desk.transaction() as db:
        found = rows(db, "SELECT body FROM audit_entries ORDER BY seq")
    bodies = [json.loads(bytes(row.body)) for row in found]
    return [(body["event"], body["reasons"]) for body in bodies if body["run"] == about]


def test_nothing_about_who_complains_is_destroyed_while_it_is_open_and_everything_is_decided_afresh_after(
    desk: Desk, crm: MemorySystem
) -> None:
    ann, ben = crm.add(person("ann@example.com", OLD)), crm.add(person("ben@example.com", OLD))
    complaint_id = acknowledged(desk, "ann@example.com")

    Night(desk, [MemoryConnector(crm)]).run()
    assert (ann.key in crm.records, ben.key in crm.records) == (True, False)

    answering.answer(desk, None, complaint_id, Outcome.NOT_UPHELD, "All is well.", "dpo", ByPost("post-2026-2", TODAY))
    answering.close(desk, complaint_id, "dpo")
    Night(desk, [MemoryConnector(crm)]).run()
    assert ann.key not in crm.records


def test_an_approved_erasure_stops_at_a_complaint_that_arrives_before_its_call(desk: Desk, crm: MemorySystem) -> None:
    crm.add(person("ann@example.com", NEW))
    made = Run(desk, [MemoryConnector(crm)], identified(desk, "ann@example.com"))
    made.plan()
    made.approve()

    opened = complained(desk, "ann@example.com")

    assert opened.hold.nothing_runs
    assert made.carry_out("crm") == {"held": 1}
    assert len(crm.records) == 1


def test_it_is_owed_an_acknowledgement_within_thirty_days_then_a_word_within_thirty_of_the_last(desk: Desk) -> None:
    complaint_id = complained(desk, "ann@example.com").complaint_id
    (clock,) = clocks_of(desk, [standing(desk, complaint_id)])
    assert (clock.owed, clock.due) == (Owed.ACKNOWLEDGEMENT, date(2026, 12, 21))  # the thirtieth day is a Sunday

    answering.acknowledge(desk, None, complaint_id, "dpo", ByPost("post-2026-1", date(2026, 11, 21)))
    (clock,) = clocks_of(desk, [standing(desk, complaint_id)])
    assert (clock.owed, clock.due) == (Owed.WORD, date(2026, 12, 21))

    answering.tell_progress(later(desk, 10), None, complaint_id, "", "dpo", ByPost("post-2026-2", date(2026, 12, 2)))
    (clock,) = clocks_of(desk, [standing(desk, complaint_id)])
    assert (clock.owed, clock.due) == (Owed.WORD, date(2027, 1, 4))  # after the holidays


def test_each_mark_of_what_is_owed_is_an_alarm_once_and_none_is_owed_after_the_answer(desk: Desk) -> None:
    complaint_id = complained(desk, "ann@example.com").complaint_id
    assert raise_alarms(desk) == []

    raised = raise_alarms(later(desk, 40))
    assert {(a.complaint_id, a.owed) for a in raised} == {(complaint_id, Owed.ACKNOWLEDGEMENT)}
    assert [a.mark_on for a in raised] == [
        date(2026, 12, 5),  # half of the time
        date(2026, 12, 13),
        date(2026, 12, 16),  # three working days before, and 90 %
        date(2026, 12, 17),
    ]
    assert raise_alarms(later(desk, 40)) == []

    answering.acknowledge(desk, None, complaint_id, "dpo", ByPost("post-2026-1", TODAY))
    answering.answer(desk, None, complaint_id, Outcome.UPHELD, "Sorry.", "dpo", ByPost("post-2026-2", TODAY))
    assert raise_alarms(later(desk, 400)) == []


def test_the_letters_say_where_to_go_from_here_and_are_recorded_without_their_words(
    desk: Desk, mail: MailServer
) -> None:
    post = mailer_to(mail)
    complaint_id = complained(desk, "ann@example.com").complaint_id
    answering.acknowledge(desk, post, complaint_id, "dpo")
    answering.tell_progress(desk, post, complaint_id, "We asked the sales team.", "dpo")
    answering.answer(desk, post, complaint_id, Outcome.UPHELD_IN_PART, "The list was old.", "dpo")

    first, second, third = (letter.get_content() for letter in mail.to("ann@example.com"))
    assert "ico.org.uk" in first
    assert "We asked the sales team." in second
    assert "by 2026-12-22" in second
    for said in ("you are right in part", "The list was old.", "ico.org.uk", "court"):
        assert said in third
    with desk.transaction() as db:
        recorded = rows(db, "SELECT template FROM request_notices WHERE request_id = :id", id=complaint_id)
    assert [row.template for row in recorded] == [
        "complaint-acknowledgement",
        "complaint-progress",
        "complaint-answer",
    ]


def test_what_is_done_is_in_the_audit_log_from_the_hold_to_its_release(desk: Desk) -> None:
    complaint_id = acknowledged(desk, "ann@example.com")
    answering.answer(desk, None, complaint_id, Outcome.UPHELD, "Sorry.", "dpo", ByPost("post-2026-2", TODAY))
    hold_id = answering.close(desk, complaint_id, "dpo")

    assert audited(desk, complaint_id) == [
        ("complaint_opened", ["email"]),
        ("notice_sent", ["complaint-acknowledgement"]),
        ("complaint_moved", ["acknowledgement_sent"]),
        ("notice_sent", ["complaint-answer"]),
        ("complaint_moved", ["answer_sent", "upheld"]),
        ("complaint_closed", ["close"]),
        ("hold_released", ["close"]),
        ("key_destroyed", []),
    ]
    with desk.transaction() as db:
        (hold,) = holds.listed(db)
        closed = complaints.events(db, [complaint_id])[complaint_id][-1]
    assert (hold.hold_id, hold.state, hold.matter, hold.reason) == (hold_id, "released", complaint_id, "complaint")
    assert (closed.event, closed.what) == ("close", hold_id)


def test_nobody_can_read_whom_a_closed_complaint_was_about(desk: Desk) -> None:
    complaint_id = acknowledged(desk, "ann@example.com")
    with desk.transaction() as db:
        assert complaints.read_file(db, desk.keyring, complaint_id).words == "why?"
    answering.withdraw(desk, complaint_id, "dpo")
    answering.close(desk, complaint_id, "dpo")

    with desk.transaction() as db, pytest.raises(CaseClosed):
        complaints.read_file(db, desk.keyring, complaint_id)


@pytest.mark.parametrize(
    "act",
    [
        lambda desk, one: answering.acknowledge(desk, None, one, "dpo"),
        lambda desk, one: answering.answer(desk, None, one, Outcome.UPHELD, "Sorry.", "dpo"),
    ],
    ids=["acknowledge", "answer"],
)
def test_a_letter_that_did_not_go_out_moves_nothing(desk: Desk, act: Callable[[Desk, str], str]) -> None:
    complaint_id = complained(desk, "ann@example.com").complaint_id
    with pytest.raises((NobodyToWriteTo, IllegalMove)):
        act(desk, complaint_id)
    assert standing(desk, complaint_id).state == "received"


def test_a_mail_server_that_takes_no_letter_leaves_it_unacknowledged(desk: Desk, mail: MailServer) -> None:
    post = mailer_to(mail)
    mail.refuses.add("ann@example.com")
    complaint_id = complained(desk, "ann@example.com").complaint_id
    with pytest.raises(NotSent):
        answering.acknowledge(desk, post, complaint_id, "dpo")
    assert standing(desk, complaint_id).state == "received"


def test_an_answer_without_words_is_none(desk: Desk) -> None:
    complaint_id = acknowledged(desk, "ann@example.com")
    with pytest.raises(answering.NothingSaid):
        answering.answer(desk, None, complaint_id, Outcome.UPHELD, " \n", "dpo", ByPost("post-2026-2", TODAY))
    assert standing(desk, complaint_id).state == "acknowledged"


def test_the_ledger_itself_refuses_a_state_without_its_letter(desk: Desk) -> None:
    complaint_id = complained(desk, "ann@example.com").complaint_id
    for state, says in (("acknowledged", "acknowledged_with_notice"), ("answered", "with_notice")):
        with pytest.raises(IntegrityError, match=says), desk.transaction() as db:
            run(db, "UPDATE complaints SET state = :state WHERE complaint_id = :id", state=state, id=complaint_id)


def test_what_cannot_be_a_complaint_is_refused_and_nothing_is_held(desk: Desk) -> None:
    future = datetime.now(UTC) + timedelta(days=400)
    with pytest.raises(NotAComplaint, match="future"):
        complained(desk, "ann@example.com", received_at=future)
    with pytest.raises(NotAComplaint, match="names its person"):
        complained(desk)
    with pytest.raises(LookupError, match="no request request-0"):
        take_in(desk, ComplaintIntake(Channel.POST, RECEIVED, CaseFile(who("a@example.com")), "request-0"), "clerk")
    with desk.transaction() as db:
        assert one(db, "SELECT (SELECT count(*) FROM holds) + (SELECT count(*) FROM complaints) AS n").n == 0


MOVES = ["acknowledge", "progress", "answer", "withdraw", "close"]


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.sampled_from(MOVES), max_size=6))
def test_in_whatever_order_people_act_the_hold_stands_until_the_close_and_no_longer(
    desk: Desk, moves: list[str]
) -> None:
    opened = complained(desk, "ann@example.com")
    one_id, post = opened.complaint_id, ByPost("post-2026-1", TODAY)
    act = {
        "acknowledge": lambda: answering.acknowledge(desk, None, one_id, "dpo", post),
        "progress": lambda: answering.tell_progress(desk, None, one_id, "", "dpo", post),
        "answer": lambda: answering.answer(desk, None, one_id, Outcome.UPHELD, "Sorry.", "dpo", post),
        "withdraw": lambda: answering.withdraw(desk, one_id, "dpo"),
        "close": lambda: answering.close(desk, one_id, "dpo"),
    }
    for name in moves:
        before = standing(desk, one_id).state
        try:
            act[name]()
        except (IllegalMove, Impediment):
            assert standing(desk, one_id).state == before
        now = standing(desk, one_id).state
        assert now in COMPLAINT
        with desk.transaction() as db:
            (hold,) = [h for h in holds.listed(db) if h.hold_id == opened.hold.hold_id]
        assert (hold.state == "released") == (now == "closed")


def test_the_log_takes_the_events_of_complaints(desk: Desk) -> None:
    entry = desk.entry(audit.Event.COMPLAINT_CLOSED, run=complaints.new_id(), case_key=complaints.new_id())
    assert entry.run.startswith("complaint-")


def test_the_pipeline_may_open_a_complaint_and_only_the_approver_may_end_its_hold(desk: Desk, ledger_url: str) -> None:
    executor, approver = (as_duty(desk, ledger_url, duty) for duty in ("executor", "approver"))
    try:
        complaint_id = complained(executor, "ann@example.com").complaint_id
        answering.withdraw(executor, complaint_id, "clerk")
        with pytest.raises(database.NotYourDuty, match="holds"):
            answering.close(executor, complaint_id, "clerk")
        assert standing(desk, complaint_id).state == "withdrawn"

        answering.close(approver, complaint_id, "dpo")
        assert standing(desk, complaint_id).state == "closed"
    finally:
        executor.engine.dispose()
        approver.engine.dispose()
