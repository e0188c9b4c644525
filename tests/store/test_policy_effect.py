"""Does `effect` say what a change of policy would do, and `explain` why one record is due, without writing anything?"""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime

import pytest
from sqlalchemy import Engine

from retention import audit
from retention.effect import Effect, effect
from retention.explain import Explanation, explain
from retention.policy import Policy
from retention.seal import seal
from retention.store import catalogue, database, findings, sweeps
from retention.store.desk import Desk
from retention.sweep import RunInfo, open_sweep
from retention.vocabulary import (
    ClassFacts,
    DataClass,
    Dated,
    Facts,
    Finding,
    Identifier,
    IdentifierKind,
    LawfulBasis,
    RecordRef,
    Transaction,
)
from tests.holding import hold_on
from tests.memory_connector import MemoryConnector, MemorySystem, person
from tests.sweeping import TODAY, Night, desk_for


@pytest.fixture
def desk(ledger: Engine) -> Desk:
    return desk_for(ledger, "crm", "shop")


def read(desk: Desk, *systems: MemorySystem) -> Night:
    night = Night(desk, [MemoryConnector(system) for system in systems])
    night.read()
    return night


def with_years(policy: Policy, years: int) -> Policy:
    schedule = policy.schedule.model_copy(update={"retention_years": years})
    return policy.model_copy(update={"schedule": schedule, "digest": "1" * 64})


def measured(desk: Desk, candidate: Policy) -> Effect:
    with desk.transaction() as db:
        return effect(db, desk.policy, candidate, desk.today)


def counts(found: Effect) -> dict[tuple[str, str, str], tuple[int, int]]:
    return {(line.system, line.rule, line.verdict): (line.before, line.after) for line in found.lines}


def test_a_longer_period_is_shown_by_rule_system_and_verdict_before_and_after(
    desk: Desk, crm: MemorySystem, shop: MemorySystem
) -> None:
    crm.add(person("old@example.com", date(2020, 6, 1)))
    crm.add(person("ancient@example.com", date(2010, 6, 1)))
    shop.add(person("old@example.org", date(2020, 6, 1)))
    read(desk, crm, shop)

    found = counts(measured(desk, with_years(desk.policy, 7)))

    assert found == {
        ("crm", "", "erase"): (2, 1),
        ("crm", "", "keep"): (0, 1),
        ("crm", "contact-data", "erase"): (2, 1),
        ("crm", "contact-data", "keep"): (0, 1),
        ("crm", "marketing-data", "erase"): (2, 1),
        ("crm", "marketing-data", "keep"): (0, 1),
        ("shop", "", "erase"): (1, 0),
        ("shop", "", "keep"): (0, 1),
        ("shop", "contact-data", "erase"): (1, 0),
        ("shop", "contact-data", "keep"): (0, 1),
        ("shop", "marketing-data", "erase"): (1, 0),
        ("shop", "marketing-data", "keep"): (0, 1),
    }


def test_the_same_policy_changes_nothing(desk: Desk, crm: MemorySystem, shop: MemorySystem) -> None:
    crm.add(person("old@example.com", date(2020, 6, 1)))
    read(desk, crm, shop)

    found = measured(desk, desk.policy)

    assert found.lines
    assert all(line.difference == 0 for line in found.lines)
    assert (found.unread, found.anew) == ((), ())


def test_a_milder_verb_of_a_system_shows_in_the_verdict_on_whole_records(
    desk: Desk, crm: MemorySystem, shop: MemorySystem
) -> None:
    crm.add(person("old@example.com", date(2020, 6, 1)))
    read(desk, crm, shop)
    milder = desk.policy.systems["crm"].model_copy(
        update={"verbs": desk.policy.systems["crm"].verbs.model_copy(update={"erase": "review"})}
    )
    candidate = desk.policy.model_copy(update={"systems": {**desk.policy.systems, "crm": milder}})

    found = counts(measured(desk, candidate))

    assert found["crm", "", "erase"] == (1, 0)
    assert found["crm", "", "review"] == (0, 1)
    assert found["crm", "contact-data", "erase"] == (1, 1)


def test_a_catalogued_system_is_counted_whole_and_not_only_what_the_sweep_met(desk: Desk, crm: MemorySystem) -> None:
    night = read(desk, crm, MemorySystem("shop"))
    facts = Facts((ClassFacts(DataClass.DOCUMENT, LawfulBasis.CONSENT, (), Dated(date(2023, 1, 1), "mtime")),))
    item = Finding(RecordRef("crm", "txt", "a/letter.txt", "1"), facts)
    with desk.transaction() as db:
        catalogue.save(db, desk.keyring, night.sweep.sweep_id, "crm", [item], [], lambda moment: moment.date(), ())

    found = counts(measured(desk, with_years(desk.policy, 3)))

    assert found["crm", "contact-data", "keep"] == (1, 0)
    assert found["crm", "contact-data", "erase"] == (0, 1)


def test_what_cannot_be_known_yet_is_named(desk: Desk, crm: MemorySystem) -> None:
    read(desk_for(desk.engine, "crm"), crm)
    shorter = measured(desk, with_years(desk.policy, 3))
    changed = desk.policy.systems["crm"].records["person"].model_copy(update={"opt_out": ""})
    other = desk.policy.systems["crm"].model_copy(update={"records": {"person": changed}})
    moved = measured(desk, desk.policy.model_copy(update={"systems": {**desk.policy.systems, "crm": other}}))

    assert shorter.unread == ("shop",)
    assert shorter.anew == ("crm", "shop")
    assert moved.anew == ("crm",)


def test_the_newest_whole_reading_counts(desk: Desk, crm: MemorySystem, shop: MemorySystem) -> None:
    ref = crm.add(person("old@example.com", date(2020, 6, 1)))
    read(desk, crm, shop)
    crm.remove(ref.key)
    newer = read(desk, crm, shop)
    crm.add(person("late@example.com", date(2020, 6, 1)))
    crm.is_down = True
    read(desk, crm, shop)

    found = measured(desk, desk.policy)

    assert found.seen_in["crm"] == newer.sweep.sweep_id
    assert not [line for line in found.lines if line.system == "crm"]


def test_whoever_may_write_nothing_but_approvals_can_ask(desk: Desk, crm: MemorySystem, shop: MemorySystem) -> None:
    crm.add(person("old@example.com", date(2020, 6, 1)))
    read(desk, crm, shop)
    with desk.transaction() as db:
        database.run(db, "SET LOCAL ROLE retention_approver")
        found = effect(db, desk.policy, desk.policy, desk.today)

    assert counts(found)["crm", "", "erase"] == (1, 1)


def test_the_findings_of_several_systems_are_known_in_one_transaction(
    desk: Desk, crm: MemorySystem, shop: MemorySystem
) -> None:
    for system in (crm, shop):
        system.add(person("old@example.com", date(2020, 6, 1)))
    night = read(desk, crm, shop)
    with desk.transaction() as db:
        seen = [len(list(findings.known(db, night.sweep.sweep_id, name))) for name in ("crm", "shop", "crm")]

    assert seen == [1, 1, 1]


def explained(desk: Desk, ref: RecordRef) -> Explanation:
    found = explain(desk, ref)
    assert found is not None
    return found


def test_a_due_record_is_explained_by_rule_article_and_provenance(
    desk: Desk, crm: MemorySystem, shop: MemorySystem
) -> None:
    ref = crm.add(person("old@example.com", date(2020, 6, 1)))
    read(desk, crm, shop)

    told = explained(desk, ref).as_json()

    assert (told["verdict"], told["reasons"], told["on_hold"]) == ("erase", ["RET_EXPIRED"], False)
    identity = next(part for part in told["classes"] if part["data_class"] == "contact_identity")
    assert identity["rule"] == "contact-data"
    assert identity["because"].startswith("Privacy policy: five years")
    assert (identity["collected_on"], identity["collected_from"]) == ("2020-06-01", "collected_on")
    assert identity["law"][0] == "5(1)(e): data is kept no longer than its purpose needs"
    assert identity["fields"] == ["email", "name"]


def test_what_keeps_a_record_is_told_as_yes_or_no(desk: Desk, crm: MemorySystem, shop: MemorySystem) -> None:
    record = person("kept@example.com", date(2019, 1, 1), opted_out=True)
    record.transactions = (Transaction("order", date(2025, 5, 1), False),)
    ref = crm.add(record)
    address = Identifier(IdentifierKind.EMAIL, "kept@example.com")
    hold_on(desk, address.value)
    read(desk, crm, shop)

    told = explained(desk, ref).as_json()

    assert (told["verdict"], told["on_hold"], told["suppressed"]) == ("held", True, True)
    assert told["opted_out_here"] is True
    assert told["transactions"] == [{"kind": "order", "on": "2025-05-01", "live": False}]


def test_an_opt_out_elsewhere_explains_a_record_that_says_nothing_itself(
    desk: Desk, crm: MemorySystem, shop: MemorySystem
) -> None:
    crm.add(person("left@example.com", date(2026, 1, 1), opted_out=True))
    ref = shop.add(person("left@example.com", date(2026, 1, 1)))
    read(desk, crm, shop)

    told = explained(desk, ref).as_json()

    assert (told["opted_out_here"], told["opted_out_anywhere"]) == (False, True)
    assert {part["reason"] for part in told["classes"]} == {"CONSENT_WITHDRAWN", "UNSUB_MARKETING"}


def test_no_personal_data_is_told(desk: Desk, crm: MemorySystem, shop: MemorySystem) -> None:
    ref = crm.add(person("old@example.com", date(2020, 6, 1)), key="old@example.com")
    read(desk, crm, shop)
    found = explained(desk, ref)

    told = "\n".join(found.lines()) + str(found.as_json())
    assert "legal hold    no" in told
    assert not [text for text in ("old@example.com", "Ann", "roses") if text in told]


def test_after_the_sweep_is_sealed_it_is_not_known_any_more_who_is_suppressed(
    desk: Desk, crm: MemorySystem, shop: MemorySystem, tmp_path_factory: pytest.TempPathFactory
) -> None:
    ref = crm.add(person("old@example.com", date(2020, 6, 1)))
    night = read(desk, crm, shop)
    key = audit.SigningKey("retention.example/audit", b"k" * 32)
    seal(desk, night.sweep, key, tmp_path_factory.mktemp("outside"))

    found = explained(desk, ref)
    assert found.suppressed is None
    assert "suppressed    not known any more" in "\n".join(found.lines())


def test_a_record_no_sweep_met_is_not_explained(desk: Desk, crm: MemorySystem, shop: MemorySystem) -> None:
    ref = crm.add(person("new@example.com", date(2026, 1, 1)))
    read(desk, crm, shop)

    assert explain(desk, ref) is None


def test_an_item_of_the_catalogue_is_explained_though_it_is_not_due(desk: Desk, crm: MemorySystem) -> None:
    night = read(desk, crm, MemorySystem("shop"))
    collected = Dated(datetime(2024, 1, 1, 12, tzinfo=UTC), "core.created")
    facts = Facts((ClassFacts(DataClass.DOCUMENT, LawfulBasis.CONSENT, (), collected),), several_people=True)
    people_in_it = tuple(Identifier(IdentifierKind.EMAIL, f"{name}@example.com") for name in ("ann", "ben"))
    item = Finding(RecordRef("crm", "txt", "a/letter to ann.txt", "1"), facts, people_in_it)
    with desk.transaction() as db:
        catalogue.save(db, desk.keyring, night.sweep.sweep_id, "crm", [item], [], lambda moment: moment.date(), ())

    told = explained(desk, item.ref).as_json()

    assert (told["verdict"], told["people"]) == ("keep", 2)
    assert [part["person"] for part in told["classes"]] == [1, 2]
    assert told["suppressed"] is False


def test_facts_are_those_of_the_newest_sweep_and_the_day_is_today(
    desk: Desk, crm: MemorySystem, shop: MemorySystem
) -> None:
    ref = crm.add(person("old@example.com", date(2020, 6, 1)))
    read(desk, crm, shop)
    newer = read(desk, crm, shop)

    found = explained(replace(desk, today=date(2027, 1, 1)), ref)

    assert found.seen.sweep_id == newer.sweep.sweep_id
    assert (found.seen.as_of, found.today) == (TODAY, date(2027, 1, 1))


def test_a_sweep_that_read_nothing_knows_nothing(desk: Desk) -> None:
    open_sweep(desk, RunInfo("nightly_retention", "run-1", "scheduled", "schedule"))
    with desk.transaction() as db:
        assert sweeps.of_run(db, "nightly_retention", "run-1") is not None

    assert measured(desk, desk.policy).unread == ("crm", "shop")
