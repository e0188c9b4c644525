"""Who is named by which catalogued item: is it kept in step with the items?"""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime

import pytest
from sqlalchemy import Engine

from retention.store import catalogue, sweeps
from retention.store.database import rows, run
from retention.store.desk import Desk
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
)
from tests.sweeping import desk_for

DAY = date(2020, 5, 4)


def mail(name: str) -> Identifier:
    return Identifier(IdentifierKind.EMAIL, f"{name}@example.com")


def item(key: str, *names: str) -> Finding:
    facts = Facts((ClassFacts(DataClass.DOCUMENT, LawfulBasis.CONTRACT, (), Dated(DAY, "mtime")),), several_people=True)
    return Finding(RecordRef("files", "file", key, "1"), facts, tuple(map(mail, names)))


class Shelf:
    """The catalogue of one system in one sweep."""

    def __init__(self, desk: Desk) -> None:
        self.desk = desk
        with desk.transaction() as db:
            self.sweep_id = sweeps.open_sweep(
                db,
                dag_id="nightly_retention",
                run_id="one",
                run_type="manual",
                started_by="operator",
                as_of=desk.today,
                policy_digest=desk.policy.digest,
                code_version=desk.code_version,
            ).sweep_id

    def save(self, *items: Finding) -> None:
        def local_day(moment: datetime) -> date:
            return moment.date()

        with self.desk.transaction() as db:
            catalogue.save(db, self.desk.keyring, self.sweep_id, "files", items, (), local_day, ("info",))

    def about(self, *names: str) -> int:
        with self.desk.transaction() as db:
            run(db, "DELETE FROM findings")
            return catalogue.about(db, self.desk.keyring, self.sweep_id, "files", list(map(mail, names)), ("info",))

    def mentions(self) -> int:
        with self.desk.transaction() as db:
            return len(rows(db, "SELECT 1 FROM catalogue_mentions"))


@pytest.fixture
def shelf(ledger: Engine) -> Shelf:
    return Shelf(desk_for(ledger, "files"))


def test_every_item_that_names_a_person_is_found_by_any_spelling(shelf: Shelf) -> None:
    shelf.save(item("a", "ann", "bob"), item("b", "bob"), item("c", "cat"))

    assert shelf.about("ann") == 1
    assert shelf.about("BOB") == 2
    assert shelf.about("ann", "bob", "cat") == 3
    assert shelf.about("nobody") == 0
    assert shelf.about() == 0


def test_an_item_that_names_a_person_twice_is_found_once(shelf: Shelf) -> None:
    shelf.save(item("a", "ann", "ANN"))

    assert shelf.about("ann") == 1


def test_a_changed_item_is_found_only_by_whom_it_names_now(shelf: Shelf) -> None:
    shelf.save(item("a", "ann", "bob"))
    shelf.save(item("a", "bob", "cat"))

    assert [shelf.about(name) for name in ("ann", "bob", "cat")] == [0, 1, 1]


def test_an_item_that_is_gone_leaves_nobody_named(shelf: Shelf) -> None:
    shelf.save(item("a", "ann"), item("b", "bob"))
    with shelf.desk.transaction() as db:
        catalogue.forget(db, shelf.desk.keyring, "files", [item("a").ref])

    assert shelf.mentions() == 1
    assert [shelf.about(name) for name in ("ann", "bob")] == [0, 1]


def test_a_role_address_leads_to_no_item(shelf: Shelf) -> None:
    shelf.save(item("a", "info", "ann"))

    assert shelf.about("info") == 0
    assert shelf.about("ann") == 1


def test_an_item_of_another_system_is_not_found(shelf: Shelf) -> None:
    shelf.save(replace(item("a", "ann"), ref=RecordRef("files", "file", "a", "1")))
    with shelf.desk.transaction() as db:
        assert catalogue.about(db, shelf.desk.keyring, shelf.sweep_id, "mail", [mail("ann")], ()) == 0
