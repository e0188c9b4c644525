"""Does an opt-out reach its person in every system, in time, and nobody by mistake?"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import date

from sqlalchemy import Engine

from retention.store import suppression
from retention.store.database import rows
from retention.vocabulary import (
    Criteria,
    Cursor,
    Identifier,
    IdentifierKind,
    Page,
    Transaction,
)
from tests.memory_connector import MemoryConnector, MemorySystem, person
from tests.sweeping import Night, desk_for, night, rehearse


def test_an_opt_out_in_one_system_reaches_the_same_person_in_the_other(
    ledger: Engine, crm: MemorySystem, shop: MemorySystem
) -> None:
    crm.add(person("ann@example.com", opted_out=True))
    same = shop.add(person("ann@example.com"))
    other = shop.add(person("ben@example.com"))

    night(ledger, crm, shop).run()

    assert same.key not in shop.records
    assert other.key in shop.records


def test_an_opt_out_leaves_what_a_live_order_needs(ledger: Engine, crm: MemorySystem) -> None:
    order = Transaction("order", date(2026, 5, 1), live=True)
    kept = crm.add(person("ann@example.com", opted_out=True, transactions=(order,)))

    night(ledger, crm).run()

    assert crm.records[kept.key].values["email"] == "ann@example.com"
    assert not crm.records[kept.key].values["interests"]


def test_a_newer_consent_in_another_system_beats_an_older_opt_out(
    ledger: Engine, crm: MemorySystem, shop: MemorySystem
) -> None:
    out = person("ann@example.com", opted_out=True)
    out.opted_out_on = date(2024, 11, 1)
    back = person("ann@example.com")
    back.consented_on = date(2026, 5, 1)
    crm.add(out)
    shop.add(back)

    assert night(ledger, crm, shop).run() == {}
    assert (len(crm.records), len(shop.records)) == (1, 1)


def test_a_consent_of_the_same_day_does_not_beat_an_opt_out(
    ledger: Engine, crm: MemorySystem, shop: MemorySystem
) -> None:
    out = person("ann@example.com", opted_out=True)
    out.opted_out_on = date(2026, 5, 1)
    back = person("ann@example.com")
    back.consented_on = date(2026, 5, 1)
    crm.add(out)
    shop.add(back)

    night(ledger, crm, shop).run()

    assert (len(crm.records), len(shop.records)) == (0, 0)


def test_an_opt_out_waits_while_a_consent_source_is_unread_and_expiry_does_not(
    ledger: Engine, crm: MemorySystem, shop: MemorySystem
) -> None:
    out = crm.add(person("ann@example.com", opted_out=True))
    old = crm.add(person("old@example.com", date(2020, 1, 1)))
    shop.is_down = True
    broken = night(ledger, crm, shop)

    assert broken.run() == {"crm": {"done": 1, "verified": 1}}

    assert list(broken.unread) == ["shop"]
    assert out.key in crm.records
    assert old.key not in crm.records
    with broken.desk.transaction() as db:
        ann = Identifier(IdentifierKind.EMAIL, "ann@example.com")
        assert suppression.is_suppressed(db, broken.desk.keyring, ann)


def test_marketing_is_stopped_at_once_and_needs_no_approval(
    ledger: Engine, crm: MemorySystem, shop: MemorySystem
) -> None:
    crm.add(person("ann@example.com", opted_out=True))
    order = Transaction("order", date(2026, 5, 1), live=True)
    customer = shop.add(person("ann@example.com", transactions=(order,)))
    unanswered = night(ledger, crm, shop)

    unanswered.plan()

    assert shop.records[customer.key].opted_out
    assert shop.records[customer.key].values["interests"]


def test_the_mark_our_own_restriction_set_is_no_opt_out_of_the_person(
    ledger: Engine, crm: MemorySystem, shop: MemorySystem
) -> None:
    """As in Salesforce, where a restriction stops marketing too: somebody with an open claim must not lose evidence."""
    disputed = person("ann@example.com", date(2019, 1, 1))
    disputed.open_complaint = True
    held = crm.add(disputed)
    letter = shop.add(person("ann@example.com"))
    first = night(ledger, crm, shop)
    first.run()
    assert crm.records[held.key].restricted
    crm.records[held.key].opted_out = True

    second = Night(first.desk, list(first.connectors.values()))

    assert second.plan() is None
    assert letter.key in shop.records
    with second.desk.transaction() as db:
        assert rows(db, "SELECT 1 FROM suppressions") == []


def test_a_shared_mailbox_is_put_before_a_person(ledger: Engine, crm: MemorySystem) -> None:
    crm.add(person("info@example.com", opted_out=True))
    crm.add(person("twice@example.com", opted_out=True))
    crm.add(person("twice@example.com"))
    one_night = night(ledger, crm)

    assert one_night.plan() is None

    assert len(crm.records) == 3
    with one_night.desk.transaction() as db:
        verdicts = rows(db, "SELECT verdict, reasons FROM findings")
    assert {(r.verdict, tuple(r.reasons)) for r in verdicts} == {("review", ("ID_SHARED",))}


def test_an_address_that_differs_in_case_only_protects_and_never_erases(
    ledger: Engine, crm: MemorySystem, shop: MemorySystem
) -> None:
    class BlindToCase(MemoryConnector):
        """Finds an address however it is written, as Salesforce does."""

        def find(self, criteria: Criteria, after: Cursor | None = None) -> Iterator[Page]:
            lower = tuple(Identifier(i.kind, i.value.lower()) for i in criteria.identifiers)
            return super().find(replace(criteria, identifiers=lower), after)

    crm.add(person("Ann@example.com", opted_out=True))
    near = shop.add(person("ann@example.com"))
    desk = desk_for(ledger, "crm", "shop")
    rehearse(desk)
    first = Night(desk, [MemoryConnector(crm), BlindToCase(shop)])
    first.run()
    assert not crm.records
    assert shop.records[near.key].opted_out  # our own opt-out, set to protect, must not count as the person's word
    second = Night(first.desk, list(first.connectors.values()))

    assert second.plan() is None
    assert near.key in shop.records
