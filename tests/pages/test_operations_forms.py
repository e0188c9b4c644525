"""Do the forms of the operations page do what the command line does, asked twice, on record, for whom they should?"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
from fastapi import FastAPI
from fastapi.routing import APIRoute
from fastapi.testclient import TestClient
from sqlalchemy import Engine

from tests.memory_connector import MemoryConnector, MemorySystem, person
from tests.pages.conftest import same_origin
from tests.pages.filling import Browse, ask, audited, confirm, send, send_twice, token_in
from tests.sweeping import Night, desk_for, rehearse

pytestmark = pytest.mark.usefixtures("connected")

ANN = "ann.secretname@example.com"
HOLD = {"matter": "case-2026-17", "reason": "complaint", "identifiers": f"{ANN}\ncustomer_number:K-1\n"}
FORMS = ("/holds/new", "/brake")


def test_a_hold_is_shown_before_it_is_placed_and_then_it_counts_under_the_name_of_who_placed_it(
    browse: Browse, ledger: Engine
) -> None:
    dpo = browse("dpo")
    asked = send(dpo, "/holds/new", **HOLD)
    assert "over 2 people by name" in asked.text
    assert ask(ledger, "SELECT count(*) FROM holds") == [(0,)]

    placed = send_twice(dpo, "/holds/new", **HOLD, systems=["salesforce", "hubspot"])

    assert placed.status_code == 201
    assert ask(ledger, "SELECT matter, reason, owner, placed_by, state, systems FROM holds") == [
        ("case-2026-17", "complaint", "dpo", "dpo", "in_force", ["hubspot", "salesforce"])
    ]
    assert audited(ledger) == [("hold_placed", "dpo")]
    assert ANN not in placed.text + dpo.get("/holds").text


@pytest.mark.parametrize(
    ("typed", "why"),
    [
        ({"matter": "Ann against us"}, "no free text and no names"),
        ({"reason": "because"}, "the reason is one of"),
        ({"identifiers": "020 7946 0000"}, "line 1 is no e-mail address"),
        ({"identifiers": ""}, "give identifiers of people"),
        ({"identifiers": "", "everyone": "true"}, "names the systems or the data classes"),
        ({"systems": ["abacus"]}, "no system"),
        ({"classes": ["secrets"]}, "is not a valid"),
        ({"review_on": "2001-01-01"}, "must lie in the future"),
        ({"review_on": "soon"}, "YYYY-MM-DD"),
    ],
)
def test_what_cannot_be_a_hold_is_refused_with_the_reason_and_nothing_is_placed(
    browse: Browse, ledger: Engine, typed: dict[str, Any], why: str
) -> None:
    refused = send(browse("dpo"), "/holds/new", confirmed="yes", **HOLD | typed)

    assert refused.status_code == 422
    assert why in refused.text
    assert ask(ledger, "SELECT count(*) FROM holds") == [(0,)]


def test_a_confirmation_that_is_sent_twice_places_one_hold_and_is_answered_alike(
    browse: Browse, ledger: Engine
) -> None:
    dpo = browse("dpo")
    asked = send(dpo, "/holds/new", **HOLD)

    first, second = confirm(dpo, asked), confirm(dpo, asked)

    assert (first.status_code, second.status_code) == (201, 201)
    assert first.text == second.text
    assert ask(ledger, "SELECT count(*) FROM holds") == [(1,)]
    assert ask(ledger, "SELECT count(*) FROM hold_subjects") == [(2,)]
    assert audited(ledger) == [("hold_placed", "dpo")]


def test_a_hold_cannot_be_placed_under_the_name_of_another(browse: Browse, ledger: Engine) -> None:
    dpo = browse("dpo")
    send_twice(dpo, "/holds/new", **HOLD)
    [(taken,)] = ask(ledger, "SELECT hold_id FROM holds")
    asked = send(dpo, "/holds/new", **HOLD | {"matter": "case-2026-18"})

    assert "another hold" in confirm(dpo, asked, hold_id=taken).text
    assert confirm(dpo, asked, hold_id="hold-of-mine").status_code == 422
    assert ask(ledger, "SELECT matter FROM holds") == [("case-2026-17",)]


def test_a_hold_is_released_by_confirming_it_and_only_once(browse: Browse, ledger: Engine) -> None:
    dpo = browse("dpo")
    send_twice(dpo, "/holds/new", **HOLD)
    [(hold_id,)] = ask(ledger, "SELECT hold_id FROM holds")
    path = f"/holds/{hold_id}/release"

    assert f"{path}" in dpo.get("/holds").text
    assert send(dpo, path).status_code == 200
    assert ask(ledger, "SELECT state FROM holds") == [("in_force",)]
    token = token_in(dpo.get(path))
    sent = {"form_token": token, "confirmed": "yes"}
    assert dpo.post(path, data=sent, headers=same_origin(dpo)).status_code == 201

    assert ask(ledger, "SELECT state FROM holds") == [("released",)]
    assert audited(ledger) == [("hold_placed", "dpo"), ("hold_released", "dpo")]
    assert dpo.get(path).status_code == 404
    assert dpo.post(path, data=sent, headers=same_origin(dpo)).status_code == 404


def test_an_operator_throws_the_kill_switch_and_only_an_approver_lifts_it(browse: Browse, ledger: Engine) -> None:
    operator, dpo = browse("operator"), browse("dpo")
    assert send(operator, "/brake", act="throw", system="").status_code == 200
    assert stopped(ledger) == "off"

    assert send_twice(operator, "/brake", act="throw", system="").status_code == 201
    assert stopped(ledger) == "on"
    assert send(operator, "/brake", act="lift", system="", confirmed="yes").status_code == 403
    assert stopped(ledger) == "on"
    assert "on: nothing is done" in dpo.get("/brake").text
    assert send_twice(dpo, "/brake", act="lift", system="").status_code == 201

    assert stopped(ledger) == "off"
    assert audited(ledger) == [("kill_switch", "operator"), ("kill_switch", "dpo")]


def test_the_kill_switch_of_one_system_leaves_the_others_alone(browse: Browse, ledger: Engine) -> None:
    assert send_twice(browse("operator"), "/brake", act="throw", system="hubspot").status_code == 201

    assert ask(ledger, "SELECT name, value FROM switches WHERE name LIKE 'stop%' ORDER BY name") == [
        ("stop", "off"),
        ("stop:hubspot", "on"),
    ]


@pytest.mark.parametrize("typed", [{"act": "paint"}, {"act": "throw", "system": "abacus"}])
def test_a_switch_that_is_not_there_is_not_turned(browse: Browse, ledger: Engine, typed: dict[str, str]) -> None:
    before = ask(ledger, "SELECT name, value FROM switches ORDER BY name")

    assert send(browse("dpo"), "/brake", confirmed="yes", **typed).status_code == 422
    assert ask(ledger, "SELECT name, value FROM switches ORDER BY name") == before


@pytest.fixture
def waiting(ledger: Engine) -> str:
    """A record that waits for a person, since nobody knows when it was collected."""
    crm = MemorySystem("crm")
    crm.add(person(ANN, None), "ann-1")
    desk = desk_for(ledger, "crm")
    rehearse(desk)
    Night(desk, [MemoryConnector(crm)]).plan()
    [(item_id,)] = ask(ledger, "SELECT item_id FROM review_items")
    return str(item_id)


def test_a_record_of_the_review_queue_is_decided_on_what_was_shown(
    browse: Browse, ledger: Engine, waiting: str
) -> None:
    dpo = browse("dpo")
    path = f"/review/{waiting}/decide"
    assert path in dpo.get("/review").text

    assert send_twice(dpo, path, decision="keep", until="2099-01-01").status_code == 201

    assert ask(ledger, "SELECT decision, until::text, decided_by FROM review_decisions") == [
        ("keep", "2099-01-01", "dpo")
    ]
    assert audited(ledger)[-1] == ("review_decided", "dpo")
    assert dpo.get(path).status_code == 404


@pytest.mark.parametrize(
    ("typed", "why"),
    [
        ({"decision": "not-the-person"}, "is no answer to RET_NO_START"),
        ({"decision": "collected-on"}, "goes with collected-on"),
        ({"decision": "keep", "until": "2001-01-01"}, "must lie in the future"),
        ({"decision": "burn"}, "choose one of the decisions"),
        ({"decision": "keep", "shown": "0" * 64}, "not as it was listed"),
    ],
)
def test_a_decision_that_makes_no_sense_or_is_on_something_else_is_not_written(
    browse: Browse, ledger: Engine, waiting: str, typed: dict[str, str], why: str
) -> None:
    refused = send(browse("dpo"), f"/review/{waiting}/decide", confirmed="yes", **typed)

    assert refused.status_code == 422
    assert why in refused.text
    assert ask(ledger, "SELECT count(*) FROM review_decisions") == [(0,)]


def routes() -> list[tuple[str, str]]:
    """Every route of the forms with every method it takes, the parts in its path filled with something."""
    from operations.forms import router

    table = [route for route in router.routes if isinstance(route, APIRoute)]
    return sorted((m, re.sub(r"{.*?}", "x-1", route.path)) for route in table for m in route.methods)


def test_every_form_is_shown_by_get_and_sent_by_post_and_by_nothing_else() -> None:
    assert {method for method, _ in routes()} == {"GET", "POST"}
    assert len(routes()) == 10


def test_nobody_gets_into_a_form_without_signing_in(
    operations: FastAPI, visit: Callable[[FastAPI], TestClient]
) -> None:
    client = visit(operations)

    assert {one: client.request(*one).status_code for one in routes()} == dict.fromkeys(routes(), 401)


def test_a_user_who_may_only_look_gets_into_no_form(browse: Browse, ledger: Engine) -> None:
    onlooker = browse("onlooker")
    found = {one: onlooker.request(*one, headers=same_origin(onlooker)).status_code for one in routes()}

    assert found == dict.fromkeys(routes(), 403)
    assert audited(ledger) == []


def test_a_user_who_may_run_nights_but_is_no_approver_of_the_policy_gets_into_the_kill_switch_only(
    browse: Browse, ledger: Engine
) -> None:
    operator = browse("operator")
    found = {one: operator.request(*one, headers=same_origin(operator)).status_code for one in routes()}

    assert {one for one, status in found.items() if status != 403} == {("GET", "/brake")}
    assert audited(ledger) == []


@pytest.mark.parametrize("path", FORMS)
def test_a_form_from_elsewhere_or_of_another_session_changes_nothing(browse: Browse, ledger: Engine, path: str) -> None:
    dpo, operator = browse("dpo"), browse("operator")
    typed = {**HOLD, "act": "throw", "system": "", "confirmed": "yes"}
    own, others = token_in(dpo.get(path)), token_in(operator.get("/brake"))
    sent = [
        dpo.post(path, data={**typed, "form_token": own}, headers={"origin": "https://elsewhere.example"}),
        dpo.post(path, data={**typed, "form_token": own}),
        dpo.post(path, data={**typed, "form_token": others}, headers=same_origin(dpo)),
        dpo.post(path, data=typed, headers=same_origin(dpo)),
    ]

    assert [answer.status_code for answer in sent] == [403, 403, 403, 403]
    assert audited(ledger) == []


def stopped(ledger: Engine) -> str:
    [(value,)] = ask(ledger, "SELECT value FROM switches WHERE name = 'stop'")
    return str(value)
