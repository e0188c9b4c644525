"""Is what a subject says is right pushed to each system that can take it, proven, and left to a person otherwise?"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, text

from retention import audit, carry_out
from retention.clocks import Right
from retention.requests import answers, finishing, identity
from retention.requests.case_file import Correction, NotACorrection, corrections_in, sealed
from retention.requests.finishing import Unfinished
from retention.requests.intake import NotARequest
from retention.requests.results import Result, of_request
from retention.store import case_keys, requests, tasks
from retention.store.database import rows
from retention.store.desk import Desk
from retention.vocabulary import Action, OutcomeStatus, Reason
from sandbox.mail.server import MailServer
from tests.holding import hold_on
from tests.memory_connector import MemoryConnector, MemorySystem, person
from tests.requesting import KEY, NEW, Run, asked, identified, mailer_to, standing, who

NAME = Correction("crm", "person", "name", "Anne Right")


@pytest.fixture
def outside(tmp_path: Path) -> Path:
    return tmp_path / "outside"


def correcting(desk: Desk, *corrections: Correction, address: str = "ann@example.com") -> str:
    return identified(desk, address, asks_for=Right.RECTIFICATION, corrections=corrections or (NAME,))


def finished(desk: Desk, outside: Path, made: Run, *connected: str) -> None:
    finishing.give_to_people(desk, made.sweep, connected)
    finishing.seal(desk, made.sweep, KEY, outside)


def result_in(desk: Desk, request_id: str, system: str) -> Result:
    with desk.transaction() as db:
        return next(one.result for one in of_request(db, desk, request_id) if one.system == system)


def audited(desk: Desk, *events: str) -> list[dict[str, Any]]:
    with desk.transaction() as db:
        found = rows(db, "SELECT body FROM audit_entries ORDER BY seq")
    every = [json.loads(bytes(row.body)) for row in found]
    return [entry for entry in every if entry["event"] in events]


def tasks_of(desk: Desk, request_id: str) -> list[tuple[str, str]]:
    with desk.transaction() as db:
        return [(task.system, task.what) for task in tasks.listed(db) if task.detail == request_id]


def test_a_corrected_value_is_approved_set_read_back_and_told(
    desk: Desk, crm: MemorySystem, shop: MemorySystem, outside: Path, mail: MailServer
) -> None:
    ref = crm.add(person("ann@example.com", NEW))
    ben = crm.add(person("ben@example.com", NEW))
    request_id = correcting(desk)
    made = Run(desk, [MemoryConnector(crm), MemoryConnector(shop)], request_id)

    assert made.go() == {"crm": {"done": 1, "verified": 1}, "shop": {}}

    assert crm.records[ref.key].values["name"] == "Anne Right"
    assert crm.records[ref.key].values["interests"] == "roses"
    assert crm.records[ben.key].values["name"] == "Ann Example"
    finished(desk, outside, made, "crm", "shop")
    assert tasks_of(desk, request_id) == []
    assert finishing.answer(desk, mailer_to(mail), request_id, "clerk") == "answered"
    assert "crm: 1 records corrected" in mail.to("ann@example.com")[-1].get_content()


def test_before_and_after_are_proven_by_digests_that_only_the_key_of_the_case_opens(
    desk: Desk, crm: MemorySystem
) -> None:
    crm.add(person("ann@example.com", NEW))
    made = Run(desk, [MemoryConnector(crm)], correcting(desk))
    made.go()

    before, after = audited(desk, "corrected_from", "corrected_to")
    with desk.transaction() as db:
        (step,) = rows(db, "SELECT record_key FROM steps WHERE action = 'rectify'")
        names = case_keys.Names(db, desk.keyring)
        key = bytes(step.record_key)
        assert before["reference"] == names.of_values(made.sweep.sweep_id, key, {"name": "Ann Example"})
        assert after["reference"] == names.of_values(made.sweep.sweep_id, key, {"name": "Anne Right"})
    assert before["record"] == after["record"] != ""


def test_the_values_stand_nowhere_in_clear(desk: Desk, crm: MemorySystem) -> None:
    crm.add(person("ann@example.com", NEW))
    made = Run(desk, [MemoryConnector(crm)], correcting(desk))
    made.go()

    public = (
        "SELECT table_name FROM information_schema.tables WHERE table_schema = 'public' AND table_type = 'BASE TABLE'"
    )
    with desk.transaction() as db:
        tables = [row.table_name for row in rows(db, public)]
        whole = "".join(str(rows(db, f"SELECT t::text FROM {table} t")) for table in tables)
    for value in ("Anne Right", "Ann Example"):
        assert value not in whole
        assert value.encode().hex() not in whole
    assert "Anne Right" not in repr(NAME)


def test_of_a_value_that_was_right_already_nothing_else_is_proven(desk: Desk, crm: MemorySystem) -> None:
    crm.add(person("ann@example.com", NEW))
    made = Run(desk, [MemoryConnector(crm)], correcting(desk, replace(NAME, value="Ann Example")))

    assert made.go()["crm"]["verified"] == 1
    assert len({entry["reference"] for entry in audited(desk, "corrected_from", "corrected_to")}) == 1


def test_a_plan_whose_values_were_edited_after_the_approval_does_not_run(
    desk: Desk, crm: MemorySystem, ledger: Engine
) -> None:
    ref = crm.add(person("ann@example.com", NEW))
    request_id = correcting(desk)
    made = Run(desk, [MemoryConnector(crm)], request_id)
    made.plan()
    made.approve()
    with desk.transaction() as db:
        file, key = requests.read_file(db, desk.keyring, request_id), requests.key_of(db, desk.keyring, request_id)
    forged = sealed(replace(file, corrections=(replace(NAME, value="Forged"),)), key, request_id)
    with ledger.begin() as db:
        db.execute(text("UPDATE requests SET case_file = :f WHERE request_id = :r"), {"f": forged, "r": request_id})

    with pytest.raises(carry_out.NotApproved, match="was edited"):
        made.carry_out("crm")

    assert crm.records[ref.key].values["name"] == "Ann Example"


def test_a_request_withdrawn_between_approval_and_call_corrects_nothing(desk: Desk, crm: MemorySystem) -> None:
    ref = crm.add(person("ann@example.com", NEW))
    request_id = correcting(desk)
    another = identified(desk, "ann@example.com", asks_for=Right.ACCESS)  # keeps the run's record asked for
    made = Run(desk, [MemoryConnector(crm)], request_id, another)
    made.plan()
    made.approve()
    answers.withdraw(desk, request_id, "clerk")

    assert made.carry_out("crm") == {"dropped": 1}

    assert crm.records[ref.key].values["name"] == "Ann Example"


def test_nothing_is_corrected_by_an_address_that_was_not_shown_to_be_theirs(desk: Desk, crm: MemorySystem) -> None:
    ref = crm.add(person("ann@example.com", NEW))
    mixed = asked(desk, "ann@example.com", "other@example.com", asks_for=Right.RECTIFICATION, corrections=(NAME,))
    (other,) = who("other@example.com")
    with desk.transaction() as db:
        requests.verify_subjects(db, mixed.request_id, [desk.keyring.exact_key(other)], desk.today)
        identity.settled(db, desk, standing(desk, mixed.request_id), by="dpo", role=audit.Role.DPO)

    made = Run(desk, [MemoryConnector(crm)], mixed.request_id)

    assert made.plan() is None
    assert crm.records[ref.key].values["name"] == "Ann Example"


def test_an_answer_that_was_lost_is_settled_by_reading_the_field(desk: Desk, crm: MemorySystem) -> None:
    ref = crm.add(person("ann@example.com", NEW))
    crm.loses_answers = True
    made = Run(desk, [MemoryConnector(crm)], correcting(desk))

    assert made.go()["crm"]["verified"] == 1

    assert crm.records[ref.key].values["name"] == "Anne Right"
    assert len(audited(desk, "corrected_from")) == 1


def test_a_worker_killed_after_the_effect_leaves_its_proof_behind(desk: Desk, crm: MemorySystem) -> None:
    crm.add(person("ann@example.com", NEW))

    class Killed(BaseException):
        pass

    def kill(_: object) -> None:
        raise Killed

    made = Run(desk, [MemoryConnector(crm, after_effect=kill)], correcting(desk))
    made.plan()
    made.approve()
    with pytest.raises(Killed):
        made.carry_out("crm")
    with desk.transaction() as db:
        db.execute(text("UPDATE steps SET lease_until = now() - interval '1 second'"))
    made.connectors["crm"] = MemoryConnector(crm)

    assert made.carry_out("crm")["verified"] == 1
    assert len(audited(desk, "corrected_from")) == len(audited(desk, "corrected_to")) == 1


@pytest.mark.parametrize("why", ["two-records", "about-others", "not-supported", "rejected", "lies"])
def test_what_the_pipeline_cannot_correct_is_a_persons_and_it_does_not_try_again(
    desk: Desk, crm: MemorySystem, outside: Path, mail: MailServer, why: str
) -> None:
    hers = person("ann@example.com", NEW)
    ref = crm.add(replace(hers, several_people=why == "about-others"))
    if why == "two-records":
        crm.add(person("ann@example.com", NEW))
    if why == "rejected":
        crm.answers[ref.key] = (OutcomeStatus.REFUSED, Reason.VALIDATION)
    crm.lies = why == "lies"
    supports = frozenset(Action) - ({Action.RECTIFY} if why == "not-supported" else set())
    request_id = correcting(desk)

    def work() -> None:
        made = Run(desk, [MemoryConnector(crm, supports=supports)], request_id)
        made.go()
        finished(desk, outside, made, "crm", "shop")

    work()
    assert tasks_of(desk, request_id) == [("crm", "rectify")]
    assert result_in(desk, request_id, "crm") is Result.WAITS_FOR_A_PERSON
    work()
    assert tasks_of(desk, request_id) == [("crm", "rectify")]
    with desk.transaction() as db:
        tried = rows(db, "SELECT 1 FROM steps WHERE action = 'rectify'")
    assert len(tried) == (1 if why in ("rejected", "lies") else 0)


def test_a_hold_freezes_a_record_also_for_its_subjects_correction(desk: Desk, crm: MemorySystem, outside: Path) -> None:
    ref = crm.add(person("ann@example.com", NEW))
    hold_on(desk, "ann@example.com")
    made = Run(desk, [MemoryConnector(crm)], correcting(desk))

    made.go()

    assert crm.records[ref.key].values["name"] == "Ann Example"


def test_what_is_corrected_is_not_corrected_again_while_another_system_is_unfinished(
    desk: Desk, crm: MemorySystem, shop: MemorySystem, outside: Path, mail: MailServer
) -> None:
    for system in (crm, shop):
        system.add(person("ann@example.com", NEW))
    request_id = correcting(desk, NAME, replace(NAME, system="shop"))
    shop.is_down = True
    first = Run(desk, [MemoryConnector(crm), MemoryConnector(shop)], request_id)
    first.go()
    finished(desk, outside, first, "crm", "shop")
    assert tasks_of(desk, request_id) == []  # the next run reads the shop again
    with pytest.raises(Unfinished, match="shop: failed"):
        finishing.answer(desk, mailer_to(mail), request_id, "clerk")

    shop.is_down = False
    second = Run(desk, [MemoryConnector(crm), MemoryConnector(shop)], request_id)

    assert second.go() == {"crm": {}, "shop": {"done": 1, "verified": 1}}
    finished(desk, outside, second, "crm", "shop")
    assert finishing.answer(desk, mailer_to(mail), request_id, "clerk") == "answered"


def test_a_second_request_with_other_values_does_not_join_the_first(desk: Desk) -> None:
    first = asked(desk, "ann@example.com", asks_for=Right.RECTIFICATION, corrections=(NAME,))
    second = asked(desk, "ann@example.com", asks_for=Right.RECTIFICATION, corrections=(replace(NAME, value="Anna"),))

    assert (first.joined_to, second.joined_to) == (None, None)


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        (Correction("nowhere", "person", "name", "Anne"), "no such system"),
        (Correction("crm", "ghost", "name", "Anne"), "no such kind"),
        (Correction("crm", "person", "shoe_size", "Anne"), "no such field"),
        (Correction("crm", "person", "collected_on", "2026-01-01"), "no such field"),
    ],
)
def test_only_what_the_policy_declares_is_corrected_and_nothing_typed_is_repeated(
    desk: Desk, wrong: Correction, says: str
) -> None:
    with pytest.raises(NotARequest, match=f"correction 1.*{says}") as refused:
        asked(desk, "ann@example.com", asks_for=Right.RECTIFICATION, corrections=(wrong,))
    assert not any(typed in str(refused.value) for typed in ("Anne", "shoe_size", "ghost", "nowhere"))


@pytest.mark.parametrize(
    ("lines", "read"),
    [
        (["crm person name Anne  Right "], [("crm", "person", "name", "Anne  Right")]),
        (["", "crm person name"], [("crm", "person", "name", "")]),
        ([], []),
    ],
)
def test_corrections_are_written_a_line_each(lines: Sequence[str], read: Sequence[tuple[str, ...]]) -> None:
    assert [(c.system, c.kind, c.name, c.value) for c in corrections_in(lines)] == list(read)


def test_a_line_that_is_no_correction_is_named_by_its_number_alone() -> None:
    with pytest.raises(NotACorrection, match="line 2") as refused:
        corrections_in(["crm person name Anne", "Anne Right"])
    assert "Anne" not in str(refused.value)
