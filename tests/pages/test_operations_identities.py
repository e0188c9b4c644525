"""Is nobody shown who is behind something but the DPO, with a reason, and with the look on record before?"""

from __future__ import annotations

import json
from datetime import date
from typing import Any

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import Engine

from orchestration import wiring
from retention.clocks import Right
from retention.store import requests
from retention.store.database import run, transaction
from tests.memory_connector import MemoryConnector, MemorySystem, person
from tests.pages.conftest import same_origin
from tests.pages.filling import Browse, ask, audited, confirm, send, send_twice, token_in
from tests.requesting import asked
from tests.sweeping import Night, desk_for, rehearse

pytestmark = pytest.mark.usefixtures("connected")

ANN = "ann.secretname@example.com"
WORDS = "She telephoned and asks for her own copy"
WHY = {"purpose": "answer-subject", "words": WORDS}


@pytest.fixture
def request_id(ledger: Engine) -> str:
    """An open request of somebody."""
    return asked(wiring.desk(), ANN, asks_for=Right.ACCESS).request_id


def test_the_dpo_sees_whom_a_request_is_about_after_saying_why_and_confirming_it(
    browse: Browse, ledger: Engine, request_id: str
) -> None:
    dpo, path = browse("dpo"), f"/identities/request/{request_id}"
    assert path in dpo.get("/requests").text
    before = audited(ledger)
    first = send(dpo, path, **WHY)
    assert ANN not in dpo.get("/requests").text + dpo.get(path).text + first.text
    assert audited(ledger) == before

    shown = confirm(dpo, first)

    assert shown.status_code == 200
    assert ANN in shown.text
    assert shown.headers["cache-control"] == "no-store"
    assert audited(ledger) == [*before, ("identity_shown", "dpo")]
    assert ask(ledger, "SELECT shown, reference, purpose, looked_by FROM identity_views") == [
        ("request", request_id, "answer-subject", "dpo")
    ]


def test_the_audit_entry_says_who_saw_what_and_why_without_the_words_that_were_typed(
    browse: Browse, ledger: Engine, request_id: str
) -> None:
    send_twice(browse("dpo"), f"/identities/request/{request_id}", **WHY)

    entry = newest_entry(ledger)
    assert (entry["run"], entry["reasons"], entry["role"]) == (request_id, ["answer-subject"], "dpo")
    assert len(entry["reference"]) == 32
    [(words,)] = ask(ledger, "SELECT words FROM identity_views")
    assert wiring.desk().keyring.open(bytes(words)) == WORDS
    kept = ask(ledger, "SELECT convert_from(body, 'UTF8') FROM audit_entries")
    assert WORDS not in str(kept)
    assert ANN not in str(kept)


def test_nothing_is_shown_where_the_look_cannot_be_written_down(
    browse: Browse, ledger: Engine, request_id: str
) -> None:
    dpo = browse("dpo")
    first = send(dpo, f"/identities/request/{request_id}", **WHY)
    with transaction(ledger) as db:
        run(db, "ALTER TABLE audit_entries RENAME TO audit_entries_away")

    answer = confirm(dpo, first)

    assert answer.status_code == 500
    assert ANN not in answer.text
    assert ask(ledger, "SELECT count(*) FROM identity_views") == [(0,)]


@pytest.mark.parametrize(
    ("typed", "why"),
    [
        ({"words": ""}, "say in 10 to 500 characters"),
        ({"words": " . . . . . "}, "say in 10 to 500 characters"),
        ({"words": "x" * 501}, "say in 10 to 500 characters"),
        ({"purpose": "curiosity"}, "choose what you have to see it for"),
    ],
)
def test_without_a_reason_nothing_is_shown_or_written(
    browse: Browse, ledger: Engine, request_id: str, typed: dict[str, str], why: str
) -> None:
    before = audited(ledger)
    refused = send(browse("dpo"), f"/identities/request/{request_id}", confirmed="yes", **WHY | typed)

    assert refused.status_code == 422
    assert why in refused.text
    assert ANN not in refused.text
    assert audited(ledger) == before


def test_an_operator_is_not_shown_whom_a_request_is_about(browse: Browse, ledger: Engine, request_id: str) -> None:
    operator, path = browse("operator"), f"/identities/request/{request_id}"
    sent = {**WHY, "confirmed": "yes", "form_token": token_in(operator.get("/brake"))}
    before = audited(ledger)

    assert operator.get(path).status_code == 403
    assert operator.post(path, data=sent, headers=same_origin(operator)).status_code == 403
    assert audited(ledger) == before


def test_a_look_that_another_site_asks_for_shows_nothing(browse: Browse, ledger: Engine, request_id: str) -> None:
    dpo, path = browse("dpo"), f"/identities/request/{request_id}"
    sent = {**WHY, "confirmed": "yes", "form_token": token_in(dpo.get(path))}
    before = audited(ledger)

    answer = dpo.post(path, data=sent, headers={"origin": "https://elsewhere.example"})

    assert answer.status_code == 403
    assert ANN not in answer.text
    assert audited(ledger) == before


def test_after_the_key_of_a_case_is_destroyed_the_page_says_so_and_writes_nothing(
    browse: Browse, ledger: Engine, request_id: str
) -> None:
    dpo, path = browse("dpo"), f"/identities/request/{request_id}"
    first = send(dpo, path, **WHY)
    desk = wiring.desk()
    with desk.transaction() as db:
        requests.destroy_key(db, request_id, desk.now())
    before = audited(ledger)

    for answer in (dpo.get(path), confirm(dpo, first)):
        assert answer.status_code == 410
        assert f"key of {request_id} was destroyed on {desk.now().date()}" in answer.text
    assert audited(ledger) == before


@pytest.fixture
def planned(ledger: Engine, monkeypatch: pytest.MonkeyPatch) -> Night:
    """A plan to erase Ann's record, and a record of Bob that waits for a person; under the keys the page has."""
    crm = MemorySystem("crm")
    crm.add(person(ANN, date(2019, 1, 1)), "ann-1")
    crm.add(person("bob@example.com", None), "bob-1")
    desk = desk_for(ledger, "crm")
    rehearse(desk)
    keys = json.dumps({"conn_type": "generic", "password": desk.keyring.to_json()})
    monkeypatch.setenv("AIRFLOW_CONN_RETENTION_KEYS", keys)
    tonight = Night(desk, [MemoryConnector(crm)])
    tonight.plan()
    return tonight


@pytest.mark.parametrize(
    ("of", "found_by", "vendor_key"),
    [
        ("step", "SELECT step_id FROM steps", "ann-1"),
        ("review", "SELECT item_id FROM review_items", "bob-1"),
    ],
)
def test_the_dpo_sees_where_the_record_of_a_step_or_of_the_review_queue_lies(
    browse: Browse, ledger: Engine, planned: Night, of: str, found_by: str, vendor_key: str
) -> None:
    [(reference,)] = ask(ledger, found_by)
    listed = "/review" if of == "review" else f"/sweeps/{planned.sweep.sweep_id}/steps/crm"
    dpo, path = browse("dpo"), f"/identities/{of}/{reference}"
    assert path in dpo.get(listed).text

    shown = send_twice(dpo, path, purpose="check-record", words="It looks like a shared mailbox")

    assert vendor_key in shown.text
    entry = newest_entry(ledger)
    assert (entry["event"], entry["item"], entry["system"], entry["actor"]) == (
        "identity_shown",
        reference,
        "crm",
        "dpo",
    )


@pytest.mark.parametrize(("of", "table"), [("step", "steps"), ("review", "review_items")])
def test_what_was_wiped_from_the_ledger_cannot_be_shown_any_more(
    browse: Browse, ledger: Engine, planned: Night, of: str, table: str
) -> None:
    [(reference,)] = ask(ledger, f"SELECT {'item_id' if of == 'review' else 'step_id'} FROM {table}")
    with transaction(ledger) as db:
        run(db, f"UPDATE {table} SET locator = NULL")

    gone = browse("dpo").get(f"/identities/{of}/{reference}")

    assert gone.status_code == 410
    assert "was wiped from the ledger" in gone.text


@pytest.mark.parametrize("path", ["request/request-0000000000000000", "step/step-1", "review/review-1"])
def test_an_id_that_the_ledger_does_not_know_is_not_found(browse: Browse, path: str) -> None:
    dpo: TestClient = browse("dpo")

    assert dpo.get(f"/identities/{path}").status_code == 404


def newest_entry(ledger: Engine) -> dict[str, Any]:
    [(body,)] = ask(ledger, "SELECT convert_from(body, 'UTF8') FROM audit_entries ORDER BY seq DESC LIMIT 1")
    entry: dict[str, Any] = json.loads(body)
    return entry
