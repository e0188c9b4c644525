"""What do the `retention request` commands answer, and how do they refuse?"""

from __future__ import annotations

from sandbox.mail.server import MailServer
from tests.requesting import PAGE, Ask, token_in, told

OPEN = ("request", "open", "--channel", "email", "--received-at", "2026-11-20", "--by", "clerk")


def test_a_request_is_opened_acknowledged_identified_and_listed_with_its_due_date(ask: Ask, mail: MailServer) -> None:
    opened = told(ask(*OPEN, "--right", "erasure", "--json", stdin="ann@example.com\n---\nPlease\nforget me."))
    request_id = opened["request"]
    assert (opened["state"], opened["acknowledged"]) == ("received", True)
    assert "2026-12-21" in mail.to("ann@example.com")[0].get_content()

    told(ask("request", "identity", request_id, "--page", PAGE, "--by", "clerk", "--json"))
    token = token_in(mail, "ann@example.com")
    confirm = ("request", "identity", request_id, "--confirm", "--by", "clerk", "--json")
    assert told(ask(*confirm, stdin=token)) == {"request": request_id, "state": "in_progress"}

    again = ask(*confirm, stdin=token)
    assert (again.exit_code, told(again)) == (1, {"request": request_id, "refused": "link-used-before"})
    (line,) = told(ask("request", "list", "--json"))
    assert (line["request"], line["state"], line["right"], line["due"]) == (
        request_id,
        "in_progress",
        "erasure",
        "2026-12-22",  # the clock starts anew on the day identity was shown
    )
    status = told(ask("request", "status", request_id, "--json"))
    assert [n["template"] for n in status["notices"]] == ["acknowledgement", "identity"]
    assert [e["event"] for e in status["events"]] == ["received", "identity_asked", "identity_settled"]
    for shown in (ask("request", "list"), ask("request", "status", request_id)):
        assert "ann@" not in shown.output


def test_many_requests_come_as_a_csv_and_all_or_none_are_taken(ask: Ask) -> None:
    header = "identifiers,right,channel,received_at,ground\n"
    ann = "ann@example.com;4711@example.com,erasure,post,2026-11-20,\n"
    good = f"{header}{ann}ben@example.com,restriction,form,2026-11-20,claims\n"
    bad = good + "cy@example.com,restriction,form,2026-11-20,\n"

    refused = ask("request", "open", "--many", "--by", "clerk", stdin=bad)
    assert (refused.exit_code, "row 3, column right" in refused.stderr) == (2, True)
    assert "cy@" not in refused.output
    assert told(ask("request", "list", "--json")) == []

    opened = told(ask("request", "open", "--many", "--by", "clerk", "--json", stdin=good))
    assert [o["state"] for o in opened] == ["received", "received"]


def test_a_refusal_by_post_needs_its_reference_and_somebody_who_may(ask: Ask) -> None:
    request_id = told(ask(*OPEN, "--right", "erasure", "--json", stdin="ann@example.com"))["request"]
    refuse = ("request", "refuse", request_id, "--reason", "no-ground", "--told-on", "2026-11-21")

    assert ask(*refuse, "--letter", "post-2026-17", "--by", "clerk").exit_code == 2
    assert "reference" in ask(*refuse, "--letter", "to Ann", "--by", "dpo").stderr
    assert told(ask(*refuse, "--letter", "post-2026-17", "--by", "dpo", "--json"))["state"] == "refused"
    over = ask("request", "withdraw", request_id, "--by", "clerk")
    assert (over.exit_code, "no move 'withdraw'" in over.stderr) == (2, True)


def test_alarms_are_mailed_with_ids_only(ask: Ask, mail: MailServer) -> None:
    old = (*OPEN[:4], "--received-at", "2026-11-01", "--by", "clerk", "--right", "access", "--json")
    request_id = told(ask(*old, stdin="ann@example.com"))["request"]

    raised = ask("request", "alarms", "--json")

    assert raised.exit_code == 1
    assert [a["request"] for a in told(raised)] == [request_id]
    (alarm,) = mail.to("privacy@example.com")
    assert request_id in alarm.get_content()
    assert "ann@" not in alarm.as_string()
    assert ask("request", "alarms").exit_code == 0


def test_an_unknown_request_is_a_wrong_question(ask: Ask) -> None:
    for words in (("status",), ("withdraw", "--by", "clerk"), ("resume", "--by", "clerk")):
        answer = ask("request", words[0], "request-0", *words[1:])
        assert (answer.exit_code, "no request request-0" in answer.stderr) == (2, True)


def test_a_case_is_closed_by_hand_only_once_it_is_over(ask: Ask) -> None:
    request_id = told(ask(*OPEN, "--right", "erasure", "--json", stdin="ann@example.com"))["request"]

    too_early = ask("request", "close", request_id, "--by", "clerk")
    assert (too_early.exit_code, "no move 'close' from state 'received'" in too_early.stderr) == (2, True)
    unfinished = ask("request", "answer", request_id, "--by", "clerk")
    assert (unfinished.exit_code, "not-covered" in unfinished.stderr) == (2, True)
    ask("request", "withdraw", request_id, "--by", "clerk")
    assert told(ask("request", "close", request_id, "--by", "clerk", "--json")) == {"closed": [request_id]}

    assert told(ask("request", "list", "--json")) == []
    assert "no certificate" in ask("request", "certificate", request_id).stderr
