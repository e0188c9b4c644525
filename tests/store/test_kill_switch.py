"""Does the switch stop between any two calls, also those of one batch, and lose or double nothing?"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from datetime import date

import pytest
from sqlalchemy import Engine

from retention.contract import Stopped
from retention.store import sweeps
from retention.store.database import rows, run
from retention.store.desk import Desk
from retention.vocabulary import Step
from tests.memory_connector import MemoryConnector, MemorySystem, person
from tests.sweeping import Night, desk_for, rehearse

PEOPLE = 5


@pytest.fixture
def crm() -> MemorySystem:
    system = MemorySystem("crm")
    for number in range(PEOPLE):
        system.add(person(f"old-{number}@example.com", date(2019, 1, 1)))
    return system


@pytest.fixture
def desk(ledger: Engine) -> Desk:
    desk = desk_for(ledger, "crm")
    rehearse(desk)
    return desk


def approved(desk: Desk, crm: MemorySystem, after_effect: Callable[[Step], None]) -> Night:
    """A plan for everybody, all in one batch."""
    night = Night(desk, [MemoryConnector(crm, after_effect=after_effect)])
    night.plan()
    assert night.approve()
    return night


def turn(desk: Desk, name: str, value: str) -> None:
    with desk.transaction() as db:
        sweeps.set_switch(db, name, value, "dpo")


def states(desk: Desk) -> Counter[str]:
    with desk.transaction() as db:
        return Counter(row.state for row in rows(db, "SELECT state FROM steps"))


@pytest.mark.parametrize("name", ["stop", "stop:crm"])
@pytest.mark.parametrize("calls", range(1, PEOPLE))
def test_thrown_during_any_call_of_a_batch_that_call_ends_and_none_follows(
    desk: Desk, crm: MemorySystem, name: str, calls: int
) -> None:
    made: list[str] = []

    def effect(step: Step) -> None:
        made.append(step.step_id)
        if len(made) == calls:
            turn(desk, name, "on")

    night = approved(desk, crm, effect)
    with pytest.raises(Stopped, match="kill switch is on"):
        night.carry_out("crm")
    assert len(made) == calls
    assert states(desk) == {"done": calls, "planned": PEOPLE - calls}

    turn(desk, name, "off")
    assert night.carry_out("crm") == {"done": PEOPLE - calls}
    assert len(made) == len(set(made)) == PEOPLE
    assert not crm.records


@pytest.mark.parametrize(
    ("break_it", "says"),
    [
        ("DELETE FROM switches WHERE name = 'stop'", "kill switch is on"),
        ("UPDATE switches SET value = '' WHERE name = 'stop'", "kill switch is on"),
        ("ALTER TABLE switches RENAME TO mislaid", "cannot be read"),
        ("UPDATE switches SET value = 'dry' WHERE name = 'mode'", "no longer rehearsal"),
    ],
    ids=["missing", "empty", "unreadable", "mode-changed"],
)
def test_a_switch_that_does_not_plainly_say_off_stops_the_batch_too(
    desk: Desk, crm: MemorySystem, break_it: str, says: str
) -> None:
    def effect(step: Step) -> None:
        with desk.transaction() as db:
            run(db, break_it)

    night = approved(desk, crm, effect)
    with pytest.raises(Stopped, match=says):
        night.carry_out("crm")
    assert len(crm.records) == PEOPLE - 1
    assert states(desk) == {"done": 1, "planned": PEOPLE - 1}


def test_the_switch_of_another_system_stops_nothing_here(desk: Desk, crm: MemorySystem) -> None:
    night = approved(desk, crm, lambda step: turn(desk, "stop:hubspot", "on"))
    assert night.carry_out("crm") == {"done": PEOPLE}


def test_however_often_it_is_stopped_a_step_is_never_given_up(desk: Desk, crm: MemorySystem) -> None:
    night = approved(desk, crm, lambda step: turn(desk, "stop", "on"))
    for _ in range(PEOPLE - 1):
        with pytest.raises(Stopped):
            night.carry_out("crm")
        turn(desk, "stop", "off")
    assert night.carry_out("crm") == {"done": 1}
    assert not crm.records
