"""Does the page of the audit log show what checks found, and start one only for whom it should?"""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from sqlalchemy import Engine

from retention.store import audit_check
from retention.store.audit_check import Checked
from retention.store.database import transaction
from tests.pages.conftest import Api, same_origin
from tests.pages.filling import Browse, token_in

pytestmark = pytest.mark.usefixtures("connected")
AT = datetime(2026, 11, 22, 5, 20, tzinfo=UTC)


def keep(ledger: Engine, asked_by: str, problem: str) -> None:
    with transaction(ledger) as db:
        audit_check.keep(db, asked_by, AT, AT, Checked(7, 2, "", problem))


def test_the_page_says_that_nobody_checked_the_log_yet_and_how_an_auditor_does(browse: Browse) -> None:
    shown = browse("onlooker").get("/audit").text

    assert "It was not checked yet" in shown
    assert "python -I tools/verify_audit.py" in shown
    assert "This server checks what it keeps itself" in shown


def test_the_newest_check_is_shown_with_its_result_its_time_and_who_asked(browse: Browse, ledger: Engine) -> None:
    keep(ledger, "schedule", "")
    keep(ledger, "dpo", "")
    onlooker = browse("onlooker")

    assert "Last checked 2026-11-22 05:20, asked by dpo: whole, in order, as signed" in onlooker.get("/").text
    assert "whole, in order, as signed" in onlooker.get("/audit").text


def test_a_log_that_is_not_all_right_is_on_the_first_page(browse: Browse, ledger: Engine) -> None:
    keep(ledger, "schedule", "entry 4 was changed")
    onlooker = browse("onlooker")

    assert "The audit log is not all right: entry 4 was changed." in onlooker.get("/").text
    assert "The newest check found something wrong" in onlooker.get("/audit").text


def test_the_button_starts_a_run_in_airflow_under_the_rights_of_whoever_pressed_it(browse: Browse, api: Api) -> None:
    operator = browse("operator")
    sent = {"form_token": token_in(operator.get("/audit"))}

    answer = operator.post("/audit/verify", data=sent, headers=same_origin(operator))

    assert answer.status_code == 201
    [started] = api.started
    assert (started["logical_date"], started["conf"]) == (None, {})


def test_while_the_dag_is_paused_nothing_is_started_and_the_answer_says_what_to_do(browse: Browse, api: Api) -> None:
    api.paused = True
    operator = browse("operator")
    sent = {"form_token": token_in(operator.get("/audit"))}

    answer = operator.post("/audit/verify", data=sent, headers=same_origin(operator))

    assert answer.status_code == 409
    assert "unpause it in Airflow" in answer.text
    assert api.started == []


def test_a_user_who_may_only_look_and_another_site_start_no_check(browse: Browse, api: Api) -> None:
    onlooker, operator = browse("onlooker"), browse("operator")
    sent = {"form_token": token_in(operator.get("/audit"))}

    assert onlooker.post("/audit/verify", data=sent, headers=same_origin(onlooker)).status_code == 403
    assert operator.post("/audit/verify", data=sent, headers={"origin": "https://elsewhere.example"}).status_code == 403
    assert api.started == []
