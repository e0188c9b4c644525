"""What does one worker of the hold race do? A process of its own that carries out the plan and logs every call."""

from __future__ import annotations

import time
from dataclasses import dataclass
from datetime import date

from retention import carry_out
from retention.keyring import Keyring
from retention.plan import Purpose
from retention.store import database, plans
from retention.store.desk import Desk
from retention.vocabulary import Step
from tests.memory_connector import MemoryConnector, MemorySystem, person
from tests.sweeping import NOW, TODAY, policy_for

CALLS = """CREATE TABLE vendor_calls (step_id text NOT NULL, record text NOT NULL, started timestamptz NOT NULL,
    ended timestamptz, PRIMARY KEY (step_id, started))"""


@dataclass(frozen=True)
class Race:
    """What every process is told. Its systems are equal copies: a record is touched by the one that claimed it."""

    url: str
    keys: str
    sweep_id: str
    records: int
    batch: int
    seconds_a_call: float

    def system(self) -> MemorySystem:
        crm = MemorySystem("crm")
        for number in range(self.records):
            crm.add(person(address_of(number), date(2020, 1, 1)), f"record-{number}")
        return crm

    def desk(self) -> Desk:
        engine = database.connect(self.url)
        return Desk(engine, Keyring.from_json(self.keys), policy_for("crm"), TODAY, "1.0.0", now=lambda: NOW)


def address_of(number: int) -> str:
    return f"person{number}@example.com"


def work(race: Race) -> None:
    """Carry the plan out to its end. The database's own clock says when each call starts and ends."""
    desk = race.desk()
    log = database.connect(race.url)

    def vendor(step: Step) -> None:
        time.sleep(race.seconds_a_call / 2)  # the way to the vendor: let go, and not there yet
        with log.begin() as db:
            database.run(
                db,
                "INSERT INTO vendor_calls (step_id, record, started) VALUES (:s, :r, clock_timestamp())",
                s=step.step_id,
                r=step.ref.key,
            )
        time.sleep(race.seconds_a_call)
        with log.begin() as db:
            database.run(db, "UPDATE vendor_calls SET ended = clock_timestamp() WHERE step_id = :s", s=step.step_id)

    with desk.transaction() as db:
        plan = plans.find(db, race.sweep_id, "crm", Purpose.RETENTION)
    assert plan is not None
    connector = MemoryConnector(race.system(), batch_size=race.batch, before_effect=vendor)
    carry_out.carry_out(desk, plan, connector, loopback=True)
