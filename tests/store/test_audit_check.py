"""Does the check of the audit log find out what was done to it in the database?"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

import pytest
from sqlalchemy import Engine

from retention import audit
from retention.store import audit_check, audit_log
from retention.store.audit_check import Checked
from retention.store.database import run, transaction

KEY = audit.SigningKey("retention.example/audit", b"k" * 32)
OTHER = audit.SigningKey("retention.example/audit", b"o" * 32)
AT = datetime(2026, 11, 22, 2, 0, tzinfo=UTC)


def entries(n: int) -> list[audit.Entry]:
    return [audit.Entry(at=AT, event=audit.Event.INTENT, count=number) for number in range(n)]


@pytest.fixture
def notes(ledger: Engine) -> list[str]:
    """A log of 7 entries, signed after 3 and after 5; what was signed, as it is kept outside."""
    sealed = []
    with transaction(ledger) as db:
        for more in (3, 2):
            audit_log.append(db, entries(more))
            sealed.append(audit_log.seal(db, KEY).note)
        audit_log.append(db, entries(2))
    return sealed


def check(ledger: Engine, outside: Sequence[str] = (), key: audit.SigningKey = KEY) -> Checked:
    with transaction(ledger) as db:
        return audit_check.check(db, key.verify_key, outside)


def spoil(ledger: Engine, statement: str) -> None:
    """As somebody with the rights of the database's owner, who takes its guards off first."""
    with transaction(ledger) as db:
        for table in ("audit_entries", "audit_checkpoints"):
            run(db, f"ALTER TABLE {table} DISABLE TRIGGER USER")
        run(db, statement)


def test_a_log_that_nobody_touched_is_whole_up_to_its_head_and_fits_every_signed_head(
    ledger: Engine, notes: list[str]
) -> None:
    with transaction(ledger) as db:
        root = audit_log.head(db).root().hex()

    assert check(ledger, notes) == Checked(7, 2, root, "")


def test_an_empty_log_is_whole(ledger: Engine) -> None:
    assert check(ledger).problem == ""


@pytest.mark.parametrize(
    ("statement", "problem", "got_to"),
    [
        ("DELETE FROM audit_entries WHERE seq = 2", "entry 2 is missing", 2),
        (
            "UPDATE audit_entries SET body = overlay(body PLACING '9' FROM octet_length(body) - 1) WHERE seq = 4",
            "entry 4 was changed",
            4,
        ),
        ("DELETE FROM audit_entries WHERE seq = 6", "the head names 7 entries", 6),
    ],
    ids=["taken out", "changed", "cut off"],
)
def test_the_first_entry_that_was_taken_out_changed_or_cut_off_is_named(
    ledger: Engine, notes: list[str], statement: str, problem: str, got_to: int
) -> None:
    spoil(ledger, statement)

    found = check(ledger, notes)

    assert found.problem.startswith(problem)
    assert found.entries == got_to


def rewrite(ledger: Engine, n: int) -> None:
    """Put another log in place of the one there, whole in itself."""
    spoil(ledger, "DELETE FROM audit_entries")
    with transaction(ledger) as db:
        run(db, "DELETE FROM audit_head")
        audit_log.append(db, [audit.Entry(at=AT, event=audit.Event.OUTCOME) for _ in range(n)])


def test_a_log_written_anew_does_not_fit_what_was_signed(ledger: Engine, notes: list[str]) -> None:
    rewrite(ledger, 7)

    assert check(ledger, notes).problem == "the first 3 entries are not those that were signed"


def test_a_log_written_anew_with_its_signed_heads_taken_out_is_found_by_those_kept_outside(
    ledger: Engine, notes: list[str]
) -> None:
    rewrite(ledger, 7)
    spoil(ledger, "DELETE FROM audit_checkpoints")

    assert check(ledger).problem == ""
    assert check(ledger, notes).problem == "the first 3 entries are not those that were signed"


def test_a_log_shorter_than_what_was_signed_outside_was_cut_short(ledger: Engine, notes: list[str]) -> None:
    rewrite(ledger, 4)

    assert check(ledger, notes).problem == "5 entries were signed, the log has 4: it was cut short"


def test_heads_signed_by_another_key_are_not_believed(ledger: Engine, notes: list[str]) -> None:
    assert check(ledger, key=OTHER).problem == "the newest signed head is not by the key of this deployment"


def test_what_a_check_came_to_is_kept_with_who_asked_newest_first_and_cannot_be_changed(
    ledger: Engine, notes: list[str]
) -> None:
    with transaction(ledger) as db:
        for who in ("schedule", "dpo"):
            audit_check.keep(db, who, AT, AT, audit_check.check(db, KEY.verify_key, notes))
        kept = audit_check.newest(db)
    assert [(one.asked_by, one.entries, one.seals, one.problem) for one in kept] == [
        ("dpo", 7, 2, ""),
        ("schedule", 7, 2, ""),
    ]
    with pytest.raises(Exception, match="only grows"), transaction(ledger) as db:
        run(db, "UPDATE audit_checks SET problem = ''")
