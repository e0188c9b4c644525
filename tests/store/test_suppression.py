"""Does an opt-out outlive everything but a newer consent that can be shown, and does nobody vanish from the list?"""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest
from sqlalchemy import Engine

from retention.audit import SigningKey
from retention.seal import Report, seal
from retention.store import findings, incidents, suppression
from retention.store.database import one, rows, run
from retention.store.desk import Desk
from retention.store.suppression import Ground, OptOut
from retention.vocabulary import Identifier, IdentifierKind, Transaction
from tests.memory_connector import MemoryConnector, MemorySystem, person
from tests.sweeping import Night, desk_for, rehearse

KEY = SigningKey("retention.example/audit", b"k" * 32)


def mail(value: str) -> Identifier:
    return Identifier(IdentifierKind.EMAIL, value)


@pytest.fixture
def desk(ledger: Engine) -> Desk:
    here = desk_for(ledger, "crm", "shop")
    rehearse(here)
    return here


def suppress(desk: Desk, *values: str, on: date = date(2025, 1, 1), ground: Ground = Ground.OPT_OUT) -> int:
    with desk.transaction() as db:
        return suppression.add(db, desk.keyring, [OptOut(mail(v), on) for v in values], ground)


def listed(desk: Desk, *values: str) -> list[bool]:
    with desk.transaction() as db:
        return suppression.listed(db, desk.keyring, [mail(v) for v in values])


def the_entry(desk: Desk) -> tuple[object, ...]:
    with desk.transaction() as db:
        row = one(
            db,
            "SELECT opted_out_on, reason, key_id, removed_for, consent_system, consent_field FROM suppressions",
        )
    return tuple(row)


def nights_of(desk: Desk, *systems: MemorySystem) -> Night:
    return Night(desk, [MemoryConnector(s) for s in systems])


def sealed(night: Night, folder: Path) -> Report:
    return seal(night.desk, night.sweep, KEY, folder)


def test_an_entry_says_day_ground_and_key_and_no_address(desk: Desk) -> None:
    assert suppress(desk, "ann@example.com", ground=Ground.OBJECTION) == 1
    assert the_entry(desk) == (date(2025, 1, 1), "objection", "k1", None, None, None)


@pytest.mark.parametrize(
    "asked", ["ann@example.com", "ANN@Example.com", "ann+news@example.com", "a.nn@example.com", "A.n.n+x@example.com"]
)
def test_somebody_on_the_list_is_found_in_every_spelling_delivered_alike(desk: Desk, asked: str) -> None:
    suppress(desk, "ann@example.com")
    assert listed(desk, asked, "ben@example.com") == [True, False]


def test_a_newer_opt_out_renews_the_entry_and_an_older_one_changes_nothing(desk: Desk) -> None:
    suppress(desk, "ann@example.com", on=date(2025, 1, 1))
    assert suppress(desk, "ann@example.com", on=date(2026, 1, 1)) == 1
    assert suppress(desk, "Ann@example.com", on=date(2024, 1, 1)) == 0
    assert the_entry(desk)[0] == date(2026, 1, 1)


def test_a_strictly_newer_consent_takes_somebody_off_and_leaves_its_proof(desk: Desk, crm: MemorySystem) -> None:
    suppress(desk, "ann@example.com", on=date(2025, 1, 1))
    back = person("ann@example.com", date(2020, 1, 1))
    back.consented_on = date(2025, 1, 2)
    crm.add(back)

    nights_of(desk, crm).read()

    assert the_entry(desk)[3:] == (date(2025, 1, 2), "crm", "person.consented_on")
    assert listed(desk, "ann@example.com") == [False]


@pytest.mark.parametrize(
    "consented_on", [date(2025, 1, 1), date(2024, 12, 31), date(2026, 11, 23)], ids=["same day", "older", "future"]
)
def test_a_consent_that_is_not_strictly_newer_takes_nobody_off(
    desk: Desk, crm: MemorySystem, consented_on: date
) -> None:
    suppress(desk, "ann@example.com", on=date(2025, 1, 1))
    back = person("ann@example.com", date(2020, 1, 1))
    back.consented_on = consented_on
    crm.add(back)

    nights_of(desk, crm).read()

    assert listed(desk, "ann@example.com") == [True]


def test_a_newer_consent_of_another_spelling_is_another_persons(desk: Desk, crm: MemorySystem) -> None:
    suppress(desk, "ann@example.com", on=date(2025, 1, 1))
    back = person("Ann@example.com", date(2020, 1, 1))
    back.consented_on = date(2026, 1, 1)
    crm.add(back)

    nights_of(desk, crm).read()

    assert listed(desk, "ann@example.com") == [True]


def test_a_consent_without_a_declared_field_is_no_proof(desk: Desk, crm: MemorySystem) -> None:
    suppress(desk, "ann@example.com", on=date(2025, 1, 1))
    back = person("ann@example.com", date(2020, 1, 1))
    back.consented_on = date(2026, 1, 1)
    crm.add(back)
    night = nights_of(desk, crm)
    night.read()
    with desk.transaction() as db:
        run(db, "UPDATE suppressions SET removed_at = NULL, removed_for = NULL")
        assert suppression.settle_consents(db, night.sweep.sweep_id, desk.today, {}) == 0


def test_who_came_back_and_opts_out_again_is_listed_again_and_an_older_word_does_not_count(
    desk: Desk, crm: MemorySystem
) -> None:
    suppress(desk, "ann@example.com", on=date(2025, 1, 1))
    back = person("ann@example.com", date(2020, 1, 1))
    back.consented_on = date(2026, 1, 1)
    crm.add(back)
    nights_of(desk, crm).read()

    assert suppress(desk, "ann@example.com", on=date(2025, 12, 31), ground=Ground.PRIOR_LIST) == 0
    assert listed(desk, "ann@example.com") == [False]
    assert suppress(desk, "ann@example.com", on=date(2026, 1, 1)) == 1
    assert listed(desk, "ann@example.com") == [True]


def test_the_database_itself_refuses_to_end_an_entry_without_a_newer_consent(desk: Desk) -> None:
    suppress(desk, "ann@example.com")
    with pytest.raises(Exception, match="suppressions_end_by_newer_consent"), desk.transaction() as db:
        run(db, "UPDATE suppressions SET removed_at = now(), removed_for = opted_out_on")
    with pytest.raises(Exception, match="stays there"), desk.transaction() as db:
        run(db, "DELETE FROM suppressions")


def test_marketing_data_goes_only_after_every_address_of_the_person_is_on_the_list(
    desk: Desk, crm: MemorySystem, shop: MemorySystem
) -> None:
    crm.add(person("ann@example.com", opted_out=True))
    same = person("ann@example.com")
    same.values["other_email"] = "ann@home.example"
    gone = shop.add(same)
    on_the_list: list[bool] = []

    def look(_: object) -> None:
        on_the_list.extend(listed(desk, "ann@example.com", "ann@home.example"))

    night = Night(desk, [MemoryConnector(crm), MemoryConnector(shop, before_effect=look)])
    night.plan()
    on_the_list.clear()  # of stopping marketing, which needs no entry
    night.approve()
    night.carry_out("shop")

    assert gone.key not in shop.records
    assert on_the_list == [True, True]


def test_a_step_on_somebodys_word_is_dropped_where_the_list_knows_nothing_of_it(
    desk: Desk, crm: MemorySystem, shop: MemorySystem
) -> None:
    kept = crm.add(person("ann@example.com", opted_out=True))
    expired = crm.add(person("old@example.com", date(2020, 1, 1)))
    night = nights_of(desk, crm, shop)
    night.plan()
    night.approve()
    with desk.transaction() as db:
        run(
            db,
            "UPDATE suppressions SET removed_at = now(), removed_for = opted_out_on + 1, consent_system = 'shop',"
            " consent_field = 'person.consented_on'",
        )

    assert night.carry_out("crm") == {"dropped": 1, "done": 1}

    assert kept.key in crm.records
    assert expired.key not in crm.records
    with desk.transaction() as db:
        events = rows(db, "SELECT convert_from(body, 'UTF8')::json->>'event' AS event FROM audit_entries ORDER BY seq")
    assert [row.event for row in events].count("dropped") == 1


def test_a_suppressed_person_met_again_is_stopped_and_erased_though_no_system_knows_the_opt_out(
    desk: Desk, crm: MemorySystem, shop: MemorySystem
) -> None:
    crm.add(person("ann@example.com", opted_out=True))
    nights_of(desk, crm, shop).run()
    assert not crm.records
    order = Transaction("order", date(2026, 5, 1), live=True)
    again = shop.add(person("ann@example.com", date(2020, 1, 1), transactions=(order,)))

    nights_of(desk, crm, shop).run()

    assert shop.records[again.key].opted_out
    assert not shop.records[again.key].values["interests"]
    assert shop.records[again.key].values["email"] == "ann@example.com"


def test_a_spelling_of_a_suppressed_address_protects_and_never_erases(desk: Desk, crm: MemorySystem) -> None:
    suppress(desk, "ann@example.com")
    near = person("ann+news@example.com", None)
    ref = crm.add(near)

    night = nights_of(desk, crm)

    assert night.plan() is None
    assert ref.key in crm.records
    assert crm.records[ref.key].opted_out
    with desk.transaction() as db:
        assert [set(r.reasons) for r in rows(db, "SELECT reasons FROM findings")] == [{"ID_AMBIGUOUS"}]


def test_who_is_on_the_list_is_forgotten_with_the_night(desk: Desk, crm: MemorySystem, tmp_path: Path) -> None:
    suppress(desk, "ann@example.com")
    crm.add(person("ann@example.com", date(2020, 1, 1)))
    night = nights_of(desk, crm)
    night.run()
    with desk.transaction() as db:
        assert one(db, "SELECT count(*) AS n FROM listed_subjects").n == 1
    sealed(night, tmp_path)
    with desk.transaction() as db:
        assert one(db, "SELECT count(*) AS n FROM listed_subjects").n == 0


def test_a_list_that_grows_or_shrinks_by_consent_raises_nothing(desk: Desk, crm: MemorySystem, tmp_path: Path) -> None:
    suppress(desk, "ann@example.com", "ben@example.com")
    assert sealed(nights_of(desk, crm), tmp_path).incidents == {}
    back = person("ann@example.com", date(2020, 1, 1))
    back.consented_on = date(2026, 1, 1)
    crm.add(back)
    suppress(desk, "cat@example.com")
    second = nights_of(desk, crm)
    second.read()

    assert sealed(second, tmp_path).incidents == {}
    with desk.transaction() as db:
        counts = rows(db, "SELECT entries, live FROM suppression_counts ORDER BY at")
    assert [tuple(row) for row in counts] == [(2, 2), (3, 2)]


@pytest.mark.parametrize(
    "harm",
    [
        "DELETE FROM suppressions WHERE entry_no = 1",
        "UPDATE suppressions SET removed_at = now() WHERE entry_no = 1",
        (
            "UPDATE suppressions SET removed_at = now(), removed_for = opted_out_on, consent_system = 'crm',"
            " consent_field = 'person.consented_on' WHERE entry_no = 1"
        ),
        "UPDATE suppressions SET folded_key = sha256(folded_key) WHERE entry_no = 1",
    ],
    ids=["deleted", "ended without consent", "ended by a consent of the same day", "exchanged"],
)
def test_an_entry_lost_by_other_ways_is_an_incident_even_if_another_came(
    desk: Desk, crm: MemorySystem, tmp_path: Path, harm: str
) -> None:
    suppress(desk, "ann@example.com", "ben@example.com")
    sealed(nights_of(desk, crm), tmp_path)
    with desk.transaction() as db:  # as only the owner of the tables can
        run(db, "ALTER TABLE suppressions DISABLE TRIGGER suppressions_stay")
        run(db, "ALTER TABLE suppressions DROP CONSTRAINT suppressions_end_by_newer_consent")
        run(db, harm)
    suppress(desk, "cat@example.com")

    assert sealed(nights_of(desk, crm), tmp_path).incidents == {"suppression-shrank": 1}
    with desk.transaction() as db:
        [incident] = incidents.listed(db)
    assert (incident.records, incident.system, incident.state) == (1, "", "open")


def test_findings_of_a_night_show_no_key_of_the_list(desk: Desk, crm: MemorySystem) -> None:
    suppress(desk, "ann@example.com")
    crm.add(person("ann@example.com", date(2020, 1, 1)))
    nights_of(desk, crm).read()
    with desk.transaction() as db:
        found = one(db, "SELECT exact_keys || folded_keys AS keys FROM findings").keys
        entry = one(db, "SELECT folded_key, exact_key FROM suppressions")
        assert findings.keys_of(desk.keyring, [mail("ann@example.com")])[0][0] in map(bytes, found)
    assert {bytes(entry.folded_key), bytes(entry.exact_key)}.isdisjoint(map(bytes, found))
