"""Is a request written down so that only its key reads it, joined with its twin, and moved as its table says?"""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine, text
from sqlalchemy.exc import IntegrityError

from retention.clocks import DueStatus, Right
from retention.life_cycles import REQUEST, IllegalMove, after, states_with
from retention.requests import answers, identity
from retention.requests.answers import Because, RefusalReason
from retention.requests.case_file import CaseClosed, CaseFile, decrypted, encrypted, fresh_key
from retention.requests.due import clocks_of, raise_alarms
from retention.requests.intake import Intake, NotARequest
from retention.requests.mailer import NotSent
from retention.requests.moves import Moved, move
from retention.requests.notices import ByPost, NobodyToWriteTo, Template, letter
from retention.restriction import Ground
from retention.store import request_notices, requests, restrictions, suppression
from retention.store.database import one, rows
from retention.store.desk import Desk
from retention.store.requests import Channel
from sandbox.mail.server import MailServer
from tests.requesting import RECEIVED, asked, identified, mailer_to, standing, who
from tests.sweeping import TODAY

POSTED = ByPost("post-2026-17", TODAY)
NOTICE_OF = {"refuse": "refusal_notice_sent", "extend": "extension_notice_sent"}


def test_the_ledger_holds_nobody_by_name_until_the_case_is_opened_with_its_key(desk: Desk, ledger: Engine) -> None:
    opened = asked(desk, "ann@example.com", "4711")

    with desk.transaction() as db:
        whole = "".join(str(rows(db, f"SELECT t::text FROM {t} t")) for t in ("requests", "request_subjects"))
        whole += "".join(bytes(r.body).decode() for r in rows(db, "SELECT body FROM audit_entries"))
        file = requests.read_file(db, desk.keyring, opened.request_id)

    assert "ann@example.com" not in whole
    assert b"ann@example.com".hex() not in whole
    assert "4711" not in whole
    assert (file.identifiers, file.words) == (who("ann@example.com", "4711"), "please")
    assert "ann@example.com" not in repr(file)


def test_what_lies_in_a_case_file_opens_under_its_own_key_and_request_only() -> None:
    key = fresh_key()
    content = encrypted(b"secret", key, "request-1")

    assert decrypted(content, key, "request-1") == b"secret"
    for wrong in ((fresh_key(), "request-1"), (key, "request-2")):
        with pytest.raises(CaseClosed, match="does not open"):
            decrypted(content, *wrong)


def test_a_second_request_by_one_person_for_one_right_joins_the_first(desk: Desk) -> None:
    first = asked(desk, "ann@example.com")
    second = asked(desk, "ann@EXAMPLE.com", "other@example.com")
    another_right = asked(desk, "ann@example.com", asks_for=Right.ACCESS)
    another_person = asked(desk, "ben@example.com")

    assert (second.state, second.joined_to) == ("joined", first.request_id)
    assert (another_right.joined_to, another_person.joined_to) == (None, None)


def test_what_had_joined_a_request_that_is_withdrawn_stands_by_itself_again(desk: Desk) -> None:
    first, second = asked(desk, "ann@example.com"), asked(desk, "ann@example.com")

    assert answers.withdraw(desk, first.request_id, "clerk")

    assert standing(desk, first.request_id).state == "withdrawn"
    assert standing(desk, second.request_id).state == "received"


@pytest.mark.parametrize(
    ("asks_for", "to_marketing", "is_listed"),
    [
        (Right.ERASURE, False, True),
        (Right.CONSENT_WITHDRAWAL, False, True),
        (Right.OBJECTION, True, True),
        (Right.OBJECTION, False, False),
        (Right.ACCESS, False, False),
    ],
)
def test_who_speaks_against_marketing_is_on_the_list_before_anybody_asks_who_it_is(
    desk: Desk, asks_for: Right, to_marketing: bool, is_listed: bool
) -> None:
    opened = asked(desk, "ann@example.com", asks_for=asks_for, to_marketing=to_marketing)

    with desk.transaction() as db:
        assert suppression.listed(db, desk.keyring, who("ann@example.com")) == [is_listed]
    assert opened.state == ("in_progress" if to_marketing else "received")


def test_a_restriction_begins_with_the_proof_of_who_asks(desk: Desk) -> None:
    opened = asked(desk, "ann@example.com", asks_for=Right.RESTRICTION, ground=Ground.ACCURACY)
    with desk.transaction() as db:
        assert restrictions.listed(db) == []

    identity.show_by_hand(desk, opened.request_id, "dpo")

    with desk.transaction() as db:
        (matter,) = restrictions.listed(db)
    assert (matter.ground, matter.state, matter.matter) == (Ground.ACCURACY, "in_force", opened.request_id)
    assert standing(desk, opened.request_id).restriction_id == matter.restriction_id


@pytest.mark.parametrize(
    "wrong",
    [
        {"asks_for": Right.RESTRICTION},
        {"asks_for": Right.ERASURE, "ground": Ground.CLAIMS},
        {"asks_for": Right.ACCESS, "to_marketing": True},
        {"received_at": RECEIVED.replace(tzinfo=None)},
    ],
)
def test_what_no_life_cycle_could_carry_is_not_written_down(desk: Desk, wrong: dict[str, object]) -> None:
    given = {
        "asks_for": Right.ERASURE,
        "channel": Channel.POST,
        "received_at": RECEIVED,
        "file": CaseFile(who("a@b.example")),
    }
    with pytest.raises(NotARequest):
        Intake(**given | wrong)  # type: ignore[arg-type]


def test_no_request_comes_from_the_future(desk: Desk) -> None:
    with pytest.raises(NotARequest, match="future"):
        asked(desk, "ann@example.com", received_at=desk.now() + timedelta(minutes=1))


# --- the table, and the ledger behind it ---


@given(st.lists(st.sampled_from(sorted({event for moves in REQUEST.values() for event in moves})), max_size=12))
def test_whatever_happens_nothing_is_refused_extended_or_answered_without_its_notice(events: list[str]) -> None:
    state, happened = next(iter(REQUEST)), list[str]()
    for event in events:
        try:
            state = after(REQUEST, state, event)
        except IllegalMove:
            continue
        happened.append(event)
    for outcome, notice in NOTICE_OF.items():
        assert all(notice in happened[: at + 1] for at, event in enumerate(happened) if event == outcome)
    assert ("outcome_notice_sent" in happened) >= (state in ("answered", "settling"))
    assert ("withdraw" in happened) >= (state == "withdrawn")


def test_every_event_of_the_table_has_a_name_in_the_audit_log() -> None:
    assert {moved.value for moved in Moved} == {event for moves in REQUEST.values() for event in moves}


def test_nothing_closes_that_is_still_owed_an_answer() -> None:
    assert set(states_with(REQUEST, "close")) == {"refused", "answered", "settling", "withdrawn", "joined"}


@pytest.mark.parametrize(
    ("state", "column"),
    [("refused", "refusal"), ("refusal_told", "refusal"), ("extended", "extension"), ("answered", "outcome")],
)
def test_the_ledger_itself_refuses_such_a_state_without_its_notice(
    desk: Desk, ledger: Engine, state: str, column: str
) -> None:
    request_id = identified(desk, "ann@example.com")
    with pytest.raises(IntegrityError), ledger.begin() as db:
        db.execute(text("UPDATE requests SET state = :s WHERE request_id = :r"), {"s": state, "r": request_id})
    with desk.transaction() as db:
        request_notices.record(
            db, "notice-1", request_id, template="identity", template_digest="", digest="", reference="", sent_on=TODAY
        )
    forged = f"UPDATE requests SET state = :s, {column}_notice = 'notice-1' WHERE request_id = :r"
    with pytest.raises(IntegrityError), ledger.begin() as db:  # a notice, but not of that kind
        db.execute(text(forged), {"s": state, "r": request_id})


def test_a_lift_without_its_notice_is_refused_by_the_ledger(desk: Desk, ledger: Engine) -> None:
    request_id = identified(desk, "ann@example.com", asks_for=Right.RESTRICTION, ground=Ground.CLAIMS)
    with pytest.raises(IntegrityError), ledger.begin() as db:
        db.execute(text("UPDATE requests SET lifted_at = now() WHERE request_id = :r"), {"r": request_id})


# --- what persons decide ---


def test_an_extension_is_told_by_mail_before_it_counts(desk: Desk, mail: MailServer) -> None:
    request_id = identified(desk, "ann@example.com")

    due = answers.extend(desk, mailer_to(mail), request_id, Because.COMPLEXITY, "dpo")

    (told,) = mail.to("ann@example.com")
    assert due == date(2027, 2, 22)  # three months from 20 November is a Saturday
    assert "2027-02-22" in told.get_content()
    assert "ico.org.uk" in told.get_content()
    assert standing(desk, request_id).state == "extended"
    (clock,) = clocks_of(desk, [standing(desk, request_id)])
    assert (clock.due.status, clock.due.due) == (DueStatus.EXTENDED, due)


def test_an_extension_whose_letter_the_server_does_not_take_is_none(desk: Desk, mail: MailServer) -> None:
    request_id = identified(desk, "ann@example.com")
    mail.refuses.add("ann@example.com")

    with pytest.raises(NotSent) as refused:
        answers.extend(desk, mailer_to(mail), request_id, Because.NUMBER, "dpo")

    assert "ann" not in str(refused.value)
    assert standing(desk, request_id).state == "in_progress"
    with desk.transaction() as db:
        assert request_notices.of_request(db, request_id) == []


def test_an_extension_after_the_due_date_is_no_extension(desk: Desk) -> None:
    late = identified(desk, "ann@example.com", received_at=datetime(2026, 10, 1, tzinfo=UTC))

    with pytest.raises(answers.TooLate, match="first due date stands"):
        answers.extend(desk, None, late, Because.NUMBER, "dpo", POSTED)

    assert standing(desk, late).state == "in_progress"


def test_a_refusal_by_post_names_its_letter_and_one_for_a_time_is_put_off(desk: Desk) -> None:
    for_good, for_a_time = identified(desk, "ann@example.com"), identified(desk, "ben@example.com")

    assert answers.refuse(desk, None, for_good, [RefusalReason.NO_GROUND], "dpo", POSTED) == "refused"
    assert answers.refuse(desk, None, for_a_time, [RefusalReason.CLAIMS], "dpo", POSTED) == "deferred"

    with desk.transaction() as db:
        (notice,) = request_notices.of_request(db, for_good)
        kept = one(db, "SELECT refusal_notice, refusal_reasons FROM requests WHERE request_id = :r", r=for_good)
    assert (notice.template, notice.channel, notice.sent_on) == ("refusal", "post", TODAY)
    assert (kept.refusal_notice, kept.refusal_reasons) == (notice.notice_id, ["no-ground"])


def test_a_letter_that_nobody_can_send_stops_the_refusal(desk: Desk) -> None:
    request_id = identified(desk, "4711")
    with pytest.raises(NobodyToWriteTo, match="by post"):
        answers.refuse(desk, None, request_id, [RefusalReason.NO_GROUND], "dpo")
    assert standing(desk, request_id).state == "in_progress"


def test_a_restriction_is_lifted_after_its_subject_was_told(desk: Desk, mail: MailServer) -> None:
    request_id = identified(desk, "ann@example.com", asks_for=Right.RESTRICTION, ground=Ground.ACCURACY)

    answers.lift(desk, mailer_to(mail), request_id, "accuracy-settled", "dpo")

    assert "will end" in mail.to("ann@example.com")[0]["Subject"]
    with desk.transaction() as db:
        (matter,) = restrictions.listed(db)
    assert (matter.state, matter.notice_on) == ("lifted", TODAY)
    with pytest.raises(IllegalMove, match="no restriction in force"):
        answers.lift(desk, mailer_to(mail), request_id, "accuracy-settled", "dpo")


def test_only_an_objection_that_can_be_outweighed_is_weighed(desk: Desk) -> None:
    weighed = identified(desk, "ann@example.com", asks_for=Right.OBJECTION)
    answers.weigh(desk, weighed, upheld=True, by="dpo")
    assert standing(desk, weighed).weighed == "upheld"
    absolute = asked(desk, "ben@example.com", asks_for=Right.OBJECTION, to_marketing=True)
    with pytest.raises(IllegalMove, match="absolute"):
        answers.weigh(desk, absolute.request_id, upheld=False, by="dpo")


# --- the clock ---


def test_a_pause_stops_the_clock_of_an_access_request_and_of_no_other(desk: Desk) -> None:
    access = identified(desk, "ann@example.com", asks_for=Right.ACCESS)
    erasure = identified(desk, "ann@example.com")
    for request_id in (access, erasure):
        answers.pause(desk, request_id, "clerk")

    found = clocks_of(desk, [standing(desk, access), standing(desk, erasure)])

    assert [(c.due.status, c.due.due) for c in found] == [
        (DueStatus.WAITING_CLARIFICATION, None),
        (DueStatus.DUE, date(2026, 12, 21)),  # 20 December is a Sunday
    ]
    assert answers.resume(desk, access, "clerk") == "in_progress"
    (clock,) = clocks_of(desk, [standing(desk, access)])
    assert clock.due.due == date(2026, 12, 21)  # asked and answered on one day: nothing is excluded


def test_an_alarm_is_raised_once_at_each_mark_of_the_period(desk: Desk) -> None:
    old = identified(desk, "ann@example.com", received_at=datetime(2026, 11, 1, tzinfo=UTC))
    asked(desk, "ben@example.com")

    raised = raise_alarms(desk)

    assert [(a.request_id, a.mark_on, a.due) for a in raised] == [(old, date(2026, 11, 16), date(2026, 12, 1))]
    assert raise_alarms(desk) == []


def test_what_waits_for_its_subject_ages_visibly(desk: Desk, mail: MailServer) -> None:
    request_id = asked(desk, "ann@example.com", received_at=datetime(2026, 11, 1, tzinfo=UTC)).request_id
    with desk.transaction() as db:
        requests.move(db, request_id, Moved.IDENTITY_ASKED, on=date(2026, 11, 2), by="clerk")

    (alarm,) = raise_alarms(desk)

    assert (alarm.request_id, alarm.mark_on, alarm.status) == (request_id, date(2026, 11, 16), DueStatus.WAITING_ID)


# --- letters ---


@pytest.mark.parametrize("template", Template)
def test_a_letter_that_lacks_a_value_is_not_written(template: Template) -> None:
    with pytest.raises(Exception, match="is undefined"):
        letter(template, {"request_id": "request-1"})


def test_a_letter_is_known_by_its_digest_and_hides_its_words() -> None:
    values = {"request_id": "r", "received_on": "d", "asks_for": "x", "due_on": "", "contact": "c", "controller": "Us"}
    one_letter, same, other = (letter(Template.ACKNOWLEDGEMENT, values | {"due_on": due}) for due in ("", "", "2027"))

    assert one_letter.subject == "We received your request (r)"
    assert one_letter.digest == same.digest != other.digest
    assert "within one month" in one_letter.body
    assert "within one month" not in repr(one_letter)


@settings(max_examples=20, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(st.lists(st.sampled_from(list(Moved)), max_size=8))
def test_a_request_in_the_ledger_goes_where_its_table_leads(desk: Desk, moves: list[Moved]) -> None:
    request_id = asked(desk, f"{datetime.now(UTC).timestamp()}@example.com").request_id
    state = "received"
    for moved in moves:
        if moved in (Moved.EXTENSION_NOTICE_SENT, Moved.REFUSAL_NOTICE_SENT, Moved.OUTCOME_NOTICE_SENT, Moved.JOIN):
            continue  # these need a letter or another request, and have tests of their own
        with desk.transaction() as db:
            try:
                state = move(db, desk, request_id, moved, by="dpo")
            except IllegalMove:
                assert moved not in REQUEST[state]
    assert standing(desk, request_id).state == state
