"""What do the `retention complaint` commands answer, and how do they refuse?"""

from __future__ import annotations

from sandbox.mail.server import MailServer
from tests.requesting import Ask, told

OPEN = ("complaint", "open", "--channel", "email", "--received-at", "2026-11-20", "--by", "clerk", "--json")
ANSWER = ("--outcome", "not-upheld", "--json")


def opened(ask: Ask) -> str:
    return str(told(ask(*OPEN, stdin="ann@example.com\n---\nYou keep writing to me."))["complaint"])


def test_a_complaint_is_held_acknowledged_answered_and_closed_from_the_command_line(ask: Ask, mail: MailServer) -> None:
    first = told(ask(*OPEN, stdin="ann@example.com\n---\nYou keep writing to me."))
    complaint_id = first["complaint"]
    assert (first["acknowledged"], first["nothing_runs"], first["calls"]) == (True, True, [])
    (hold,) = told(ask("holds", "list", "--json"))
    assert (hold["hold"], hold["matter"], hold["reason"], hold["state"]) == (
        first["hold"],
        complaint_id,
        "complaint",
        "in_force",
    )
    (line,) = told(ask("complaint", "list", "--json"))
    assert (line["state"], line["owed"], line["due"]) == ("acknowledged", "word", "2026-12-22")

    told(ask("complaint", "progress", complaint_id, "--by", "dpo", "--json", stdin="Still asking."))
    answer = ask("complaint", "answer", complaint_id, *ANSWER, "--by", "dpo", stdin="You had agreed.")
    assert told(answer) == {"complaint": complaint_id, "state": "answered"}
    assert told(ask("complaint", "close", complaint_id, "--by", "dpo", "--json"))["released"] == first["hold"]

    assert told(ask("holds", "list", "--json"))[0]["state"] == "released"
    status = told(ask("complaint", "status", complaint_id, "--json"))
    assert (status["state"], status["outcome"], status["owed"]) == ("closed", "not-upheld", None)
    assert len(mail.to("ann@example.com")) == 3
    for shown in (ask("complaint", "list", "--state", "closed"), ask("complaint", "status", complaint_id)):
        assert "ann@" not in shown.output


def test_only_who_may_approve_answers_and_closes(ask: Ask) -> None:
    complaint_id = opened(ask)

    assert ask("complaint", "answer", complaint_id, *ANSWER, "--by", "clerk", stdin="no").exit_code == 2
    assert ask("complaint", "close", complaint_id, "--by", "clerk").exit_code == 2


def test_an_open_complaint_cannot_be_closed_over_the_complainants_head(ask: Ask) -> None:
    complaint_id = opened(ask)

    refused = ask("complaint", "close", complaint_id, "--by", "dpo")

    assert (refused.exit_code, "no move 'close'" in refused.stderr) == (2, True)
    assert told(ask("holds", "list", "--json"))[0]["state"] == "in_force"


def test_alarms_of_complaints_are_mailed_with_ids_only(ask: Ask, mail: MailServer) -> None:
    old = told(ask(*OPEN[:5], "2026-10-30", *OPEN[6:], stdin="post-only@example.com"))
    assert ask("complaint", "alarms", "--json").exit_code == 0  # it was acknowledged when it was opened

    mail.refuses.add("ann@example.com")
    unheard = told(ask(*OPEN[:5], "2026-10-30", *OPEN[6:], stdin="ann@example.com"))["complaint"]
    raised = ask("complaint", "alarms", "--json")

    assert raised.exit_code == 1
    assert {a["complaint"] for a in told(raised)} == {unheard}
    assert unheard != old["complaint"]
    (alarm,) = mail.to("privacy@example.com")
    assert f"{unheard}: acknowledgement by 2026-11-30" in alarm.get_content()
    assert "ann@" not in alarm.as_string()


def test_an_unknown_complaint_is_a_wrong_question(ask: Ask) -> None:
    for words in (("status",), ("withdraw", "--by", "clerk"), ("close", "--by", "dpo")):
        answer = ask("complaint", words[0], "complaint-0", *words[1:])
        assert (answer.exit_code, "no complaint complaint-0" in answer.stderr) == (2, True)
