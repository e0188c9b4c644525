"""What waits for a person: does it keep its age, is it shown and reported, and does it end when nobody is needed?"""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path

import pytest

from retention.audit import SigningKey
from retention.seal import Report, seal
from retention.store import reports
from retention.store.database import rows
from retention.store.desk import Desk
from tests.memory_connector import MemorySystem
from tests.store.review.asking import (
    Ask,
    closed,
    later,
    night,
    queue,
)
from tests.sweeping import TODAY


def test_what_the_rules_cannot_settle_waits_with_its_reason_and_rule(desk: Desk, crm: MemorySystem) -> None:
    night(desk, crm)

    items = queue(desk)
    assert len(items) == 2
    assert {(i.system, i.kind, i.reasons, i.rules, i.first_seen, i.state) for i in items} == {
        ("crm", "person", ("RET_NO_START",), ("contact-data", "marketing-data"), TODAY, "waiting")
    }


def test_a_record_seen_again_keeps_its_age_and_is_not_listed_twice(desk: Desk, crm: MemorySystem) -> None:
    night(desk, crm)
    night(later(desk, 40), crm)

    assert [(i.first_seen, i.last_seen) for i in queue(desk)] == [(TODAY, TODAY + timedelta(days=40))] * 2
    with desk.transaction() as db:
        ages = reports.review_ages(db, TODAY + timedelta(days=40))
    assert ages == {"waiting": 2, "median_days": 40, "oldest_days": 40, "over_30_days": 2, "over_90_days": 0}


def test_planning_a_night_twice_changes_nothing_in_the_queue(desk: Desk, crm: MemorySystem) -> None:
    once = night(desk, crm)
    before = queue(desk)
    once.plan()
    assert queue(desk) == before


def test_a_record_that_needs_nobody_any_more_is_closed_and_its_place_forgotten(desk: Desk, crm: MemorySystem) -> None:
    night(desk, crm)
    crm.remove("ann-1")
    night(later(desk, 1), crm)

    assert len(queue(desk)) == 1
    assert closed(desk) == [("gone", True)]


def test_a_question_out_of_sight_for_a_night_goes_on_waiting_since_the_first(desk: Desk, crm: MemorySystem) -> None:
    night(desk, crm)
    hidden = crm.records.pop("ann-1")
    night(later(desk, 1), crm)
    crm.records["ann-1"] = hidden
    night(later(desk, 2), crm)

    assert [i.first_seen for i in queue(desk)] == [TODAY, TODAY]


def test_the_report_says_how_many_wait_and_since_when(desk: Desk, crm: MemorySystem, tmp_path: Path) -> None:
    def sealed(at: Desk) -> Report:
        made = night(at, crm)
        return seal(at, made.sweep, SigningKey("retention.example/audit", b"s" * 32), tmp_path)

    sealed(desk)
    report = sealed(later(desk, 12)).as_json()
    assert (report["review_waiting"], report["review_oldest_days"]) == (2, 12)
    assert report["systems"]["crm"]["review_waiting"] == 2


def test_the_list_names_records_by_pseudonym_and_says_how_long_they_wait(
    desk: Desk, crm: MemorySystem, ask: Ask, monkeypatch: pytest.MonkeyPatch
) -> None:
    night(desk, crm)
    monkeypatch.setenv("AS_OF", "2026-12-02")
    answer = json.loads(ask("review", "list", "--json").stdout)
    assert [(i["days"], i["reasons"], i["system"]) for i in answer["items"]] == [(10, ["RET_NO_START"], "crm")] * 2
    assert answer["ages"]["oldest_days"] == 10
    text = ask("review", "list").stdout
    assert "2 waiting in all: median 10 days, oldest 10 days" in text
    assert "ann" not in text

    counted = json.loads(ask("review", "list", "--by-rule", "--json").stdout)["items"]
    assert {"system": "crm", "rule": "contact-data", "reason": "RET_NO_START", "records": 2} in counted


def test_where_a_record_lies_is_shown_on_demand_and_written_down(desk: Desk, crm: MemorySystem, ask: Ask) -> None:
    night(desk, crm)
    item = queue(desk)[0].item_id
    shown = json.loads(ask("review", "reveal", item, "--by", "dpo", "--json").stdout)
    assert shown["vendor_id"] in {"ann-1", "bob-1"}
    with desk.transaction() as db:
        assert [(r.item_id, r.revealed_by) for r in rows(db, "SELECT * FROM review_reveals")] == [(item, "dpo")]
        entries = rows(db, "SELECT body FROM audit_entries")
    assert sum(b"review_revealed" in bytes(e.body) for e in entries) == 1

    unknown = ask("review", "reveal", "review-0000", "--by", "dpo")
    assert (unknown.exit_code, unknown.stderr) == (2, "Error: no open item review-0000 in the queue\n")
