"""Is everybody still found after the keys were changed: the suppressed, the held, the restricted and the erased?"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import pytest
from sqlalchemy import Engine

from retention.audit import SigningKey
from retention.carry_out import carry_out
from retention.keyring import Keyring, KeysUnusable
from retention.seal import seal
from retention.store import catalogue, database, generations, incidents, restrictions, review, suppression
from retention.store.database import one, rows
from retention.store.desk import Desk
from retention.store.review import Wanted
from retention.store.suppression import Ground, OptOut
from retention.vocabulary import Identifier, IdentifierKind, Page, Token, Transaction
from tests.holding import hold_on
from tests.memory_connector import MemoryConnector, MemorySystem, person
from tests.sweeping import Night, desk_for, rehearse

EVERY_STATE = ("waiting", "decided", "settled", "gone")


def mail(value: str) -> Identifier:
    return Identifier(IdentifierKind.EMAIL, value)


@pytest.fixture
def before(ledger: Engine) -> Desk:
    """A desk under keys k1."""
    here = desk_for(ledger, "crm")
    rehearse(here)
    return here


def rotated(desk: Desk) -> Desk:
    """The same desk under k2, with k1 for look-up, some nights later (the test's clock is the database's)."""
    return replace(desk, keyring=desk.keyring.rotated("k2"))


def night(desk: Desk, *systems: MemorySystem, **options: object) -> Night:
    return Night(desk, [MemoryConnector(s, **options) for s in systems])  # type: ignore[arg-type]


def hold(desk: Desk, value: str) -> None:
    hold_on(desk, value)


def test_a_story_that_spans_a_rotation_forgets_nobody(before: Desk, crm: MemorySystem) -> None:
    erased = crm.add(person("old@example.com", date(2020, 1, 1)))
    backup = crm.records[erased.key]
    with before.transaction() as db:
        suppression.add(db, before.keyring, [OptOut(mail("ann@example.com"), date(2025, 1, 1))], Ground.OPT_OUT)
    night(before, crm).run()
    assert not crm.records
    hold(before, "held@example.com")

    after = rotated(before)
    crm.records[erased.key] = replace(backup, opted_out=False)
    suppressed = crm.add(person("ann@example.com", date(2020, 1, 1)))
    held = crm.add(person("HELD@example.com", date(2019, 1, 1)))
    second = night(after, crm)
    assert second.run() == {"crm": {"done": 2, "verified": 2}}

    assert set(crm.records) == {held.key}
    with after.transaction() as db:
        reasons = {
            bytes(r.record_key): r.reasons
            for r in rows(db, "SELECT record_key, reasons FROM findings WHERE sweep_id = :s", s=second.sweep.sweep_id)
        }
        kinds = {i.kind for i in incidents.listed(db) if i.record_key == after.keyring.record_key(erased)}
        assert suppression.listed(db, after.keyring, [mail("ann@example.com"), mail("ben@example.com")]) == [
            True,
            False,
        ]
    assert reasons[after.keyring.record_key(erased)] == ["RESTORED_AFTER_ERASURE"]
    assert reasons[after.keyring.record_key(held)] == ["HOLD_ACTIVE"]
    assert "UNSUB_MARKETING" in reasons[after.keyring.record_key(suppressed)]
    assert kinds == {incidents.Kind.RESTORED}


def test_a_renewed_opt_out_moves_the_entry_of_the_older_key_and_makes_no_second_one(before: Desk) -> None:
    with before.transaction() as db:
        suppression.add(db, before.keyring, [OptOut(mail("ann@example.com"), date(2025, 1, 1))], Ground.OPT_OUT)
    after = rotated(before)
    with after.transaction() as db:
        said = [OptOut(mail("ann@example.com"), date(2026, 1, 1)), OptOut(mail("ben@example.com"), date(2026, 1, 1))]
        assert suppression.add(db, after.keyring, said, Ground.OPT_OUT) == 2
        entries = rows(db, "SELECT key_id, opted_out_on FROM suppressions ORDER BY key_id")
    assert [tuple(row) for row in entries] == [("k1", date(2026, 1, 1)), ("k2", date(2026, 1, 1))]


def test_a_hold_placed_with_the_older_keys_while_a_plan_runs_still_stops_its_steps(
    before: Desk, crm: MemorySystem
) -> None:
    kept = crm.add(person("held@example.com", date(2019, 1, 1)))
    after = rotated(before)
    running = night(after, crm)
    running.plan()
    running.approve()
    hold(before, "held@example.com")

    assert running.carry_out("crm") == {"held": 1}
    assert kept.key in crm.records


def test_what_the_ledger_must_read_back_opens_under_its_own_generation(before: Desk) -> None:
    after = rotated(before)
    assert after.keyring.open(before.keyring.seal("record-7")) == "record-7"
    with pytest.raises(KeysUnusable, match="other keys"):
        before.keyring.open(after.keyring.seal("record-7"))


def test_a_plan_made_before_a_rotation_runs_no_more(before: Desk, crm: MemorySystem) -> None:
    kept = crm.add(person("old@example.com", date(2020, 1, 1)))
    first = night(before, crm)
    first.plan()
    first.approve()
    after = rotated(before)

    with pytest.raises(KeysUnusable, match=r"opened under keys k1, now k2"):
        carry_out(after, first.plan_of("crm"), MemoryConnector(crm), loopback=True)

    assert kept.key in crm.records
    assert night(after, crm).run() == {"crm": {"done": 1, "verified": 1}}


def test_keys_changed_between_reading_and_planning_plan_nothing(before: Desk, crm: MemorySystem) -> None:
    crm.add(person("old@example.com", date(2020, 1, 1)))
    first = night(before, crm)
    first.read()
    first.desk = rotated(before)
    with pytest.raises(KeysUnusable, match="plan afresh"):
        first.plan()


def test_a_step_accepted_before_a_rotation_is_settled_after_it_and_not_planned_twice(
    before: Desk, crm: MemorySystem
) -> None:
    ref = crm.add(person("old@example.com", date(2020, 1, 1)))
    crm.bin_until = before.today + timedelta(days=15)
    assert night(before, crm).run() == {"crm": {"accepted": 1}}
    crm.records[ref.key] = crm.bin[ref.key]  # undeleted in the meantime
    after = rotated(before)

    second = night(after, crm)

    assert second.plan() is None
    with after.transaction() as db:
        assert one(db, "SELECT reasons FROM findings WHERE sweep_id = :s", s=second.sweep.sweep_id).reasons == [
            "pending-at-vendor"
        ]


def test_the_first_previous_state_of_a_restriction_survives_a_rotation(before: Desk, crm: MemorySystem) -> None:
    paid = Transaction("order", date(2023, 1, 1), live=False)
    ref = crm.add(person("customer@example.com", date(2020, 1, 1), transactions=(paid,)))
    night(before, crm).run()
    assert crm.records[ref.key].restricted
    after = rotated(before)

    assert night(after, crm).plan() is None

    with after.transaction() as db:
        [row] = rows(db, "SELECT record_key FROM restrictions")
        assert bytes(row.record_key) == after.keyring.record_key(ref)
        assert restrictions.previous_states(db, after.keyring, "crm", [bytes(row.record_key)]) == {
            bytes(row.record_key): {"restricted": False}
        }


def test_what_waits_for_a_person_waits_on_since_its_first_day_and_once(before: Desk, crm: MemorySystem) -> None:
    ref = crm.add(person("ann@example.com", None))
    night(before, crm).plan()
    with before.transaction() as db:
        waiting = [(i.item_id, i.first_seen, i.state) for i in review.items(db, Wanted(states=EVERY_STATE))]
    later = replace(rotated(before), today=before.today + timedelta(days=30))

    night(later, crm).plan()

    with later.transaction() as db:
        [item] = review.items(db, Wanted(states=EVERY_STATE))
    assert [(item.item_id, item.first_seen, item.state)] == waiting
    assert item.record_key == later.keyring.record_key(ref)


def test_the_catalogue_is_keyed_anew_and_not_read_again(before: Desk, crm: MemorySystem) -> None:
    kept = crm.add(person("ben@example.com"))
    night(before, crm, catalogued=True).plan()

    class NeverReadsAgain(MemoryConnector):
        def changes(self, since: Token | None) -> Iterator[Page]:
            assert since is not None
            return super().changes(since)

    after = rotated(before)
    Night(after, [NeverReadsAgain(crm, catalogued=True)]).plan()

    with after.transaction() as db:
        row = one(db, "SELECT record_key, key_id, exact_keys, older_record_keys, gap_code FROM catalogue")
        assert catalogue.size(db, "crm") == 1
    assert bytes(row.record_key) == after.keyring.record_key(kept)
    assert row.key_id == "k2"
    assert [bytes(key) for key in row.exact_keys] == [after.keyring.exact_key(mail("ben@example.com"))]
    assert [bytes(key) for key in row.older_record_keys] == [before.keyring.record_key(kept)]


def test_keys_that_lack_an_older_generation_are_refused(before: Desk, crm: MemorySystem) -> None:
    night(before, crm)
    only_new = replace(before, keyring=Keyring.generate("k2"))
    with pytest.raises(KeysUnusable, match="also written with keys k1"):
        night(only_new, crm)


def test_other_keys_of_the_same_name_are_refused(before: Desk, crm: MemorySystem) -> None:
    night(before, crm)
    with pytest.raises(KeysUnusable, match="called k1 are not those"):
        night(replace(before, keyring=Keyring.generate("k1")), crm)


def test_the_ledger_knows_each_generation_once_and_the_log_says_when_it_came(before: Desk, crm: MemorySystem) -> None:
    night(before, crm)
    night(before, crm)
    night(rotated(before), crm)
    with before.transaction() as db:
        assert [known.key_id for known in generations.known(db)] == ["k1", "k2"]
        created = rows(
            db,
            "SELECT convert_from(body, 'UTF8')::json->>'case_key' AS key FROM audit_entries"
            " WHERE convert_from(body, 'UTF8')::json->>'event' = 'key_created' ORDER BY seq",
        )
    assert [row.key for row in created] == ["k1", "k2"]


def test_whoever_runs_can_take_over_new_keys_and_seal_the_night_under_their_own_role(
    before: Desk, crm: MemorySystem, ledger_url: str, tmp_path: Path
) -> None:
    crm.add(person("ben@example.com"))
    paid = Transaction("order", date(2023, 1, 1), live=False)
    kept = crm.add(person("customer@example.com", date(2020, 1, 1), transactions=(paid,)))
    night(before, crm, catalogued=True).run()
    back = crm.add(person("cat@example.com", date(2020, 1, 1)))
    crm.records[back.key].consented_on = date(2026, 5, 1)
    with before.transaction() as db:
        suppression.add(db, before.keyring, [OptOut(mail("cat@example.com"), date(2026, 2, 1))], Ground.OPT_OUT)
    executor = database.connect(f"{ledger_url}?options=-c%20role%3Dretention_executor")
    ours = replace(rotated(before), engine=executor)

    running = night(ours, crm, catalogued=True)
    assert running.plan() is not None
    running.desk = rotated(before)
    running.approve()
    running.desk = ours
    assert running.carry_out("crm") == {"done": 1}
    assert running.verify("crm") == {"verified": 1}
    report = seal(ours, running.sweep, SigningKey("retention.example/audit", b"k" * 32), tmp_path)
    executor.dispose()

    assert report.incidents == {}
    assert kept.key in crm.records
    assert back.key not in crm.records  # past its period, consent or not
    with before.transaction() as db:
        assert one(db, "SELECT entries, live FROM suppression_counts") == (1, 0)
