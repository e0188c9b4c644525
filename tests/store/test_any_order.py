"""Whatever happens in whatever order, which promises are never broken? A company's life, played at random.

Records come, are opted out, consented again, restored from backups, imported anew; holds come and go; keys are changed;
days pass and nights are run, with holds and the kill switch in the middle of them. After each night the promises are
looked at:

* nothing of a person under hold was changed or destroyed, even when the hold came after the approval (I1);
* whoever opted out and did not consent later is on the suppression list, whatever was erased or put back, and
  under whichever keys (I7);
* nothing at all is done while the kill switch is on (I9);
* two nights on the same facts decide the same (I11);
* what was erased and put back is erased again (I12).
"""

from __future__ import annotations

import copy
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule, run_state_machine_as_test
from sqlalchemy import Engine, text

from retention.contract import Stopped
from retention.keyring import Keyring
from retention.store import suppression, sweeps
from retention.store.database import rows
from retention.store.desk import Desk
from retention.vocabulary import Identifier, IdentifierKind
from tests.holding import hold_on, release
from tests.memory_connector import MemoryConnector, MemoryRecord, MemorySystem, person
from tests.sweeping import TODAY, Night, desk_for, rehearse

pytestmark = pytest.mark.slow

ADDRESSES = ("ann@example.com", "ben@example.org", "cleo@example.com")
SYSTEMS = ("crm", "shop")
LONG_AGO = date(2020, 3, 1)
addresses = st.sampled_from(ADDRESSES)
system_names = st.sampled_from(SYSTEMS)


class Company(RuleBasedStateMachine):
    """Two systems, three people, one ledger."""

    engine: Engine  # set by the test

    @initialize()
    def opens(self) -> None:
        with self.engine.begin() as db:
            for table in EMPTIED:
                db.execute(text(f"TRUNCATE {table} CASCADE"))
        self.systems = {name: MemorySystem(name) for name in SYSTEMS}
        self.today = TODAY
        self.keyring = Keyring.generate("k1")
        self.holds: dict[str, str] = {}  # hold -> address
        self.opted_out: dict[str, date] = {}  # what nights have seen
        self.consented: dict[str, date] = {}
        self.backups: list[tuple[str, str, MemoryRecord]] = []
        self.restored: set[tuple[str, str]] = set()
        rehearse(self.desk)

    @property
    def desk(self) -> Desk:
        now = datetime.combine(self.today, time(2), UTC)
        return replace(desk_for(self.engine, *SYSTEMS, today=self.today, now=now), keyring=self.keyring)

    # --- what happens ---

    @rule(address=addresses, system=system_names, old=st.booleans())
    def somebody_fills_in_a_form(self, address: str, system: str, old: bool) -> None:
        if not self.records_of(address, system):
            self.systems[system].add(person(address, LONG_AGO if old else self.today - timedelta(days=30)))

    @rule(address=addresses, system=system_names)
    def somebody_unsubscribes(self, address: str, system: str) -> None:
        for key, record in self.records_of(address, system):
            record.opted_out, record.opted_out_on = True, self.today
            self.systems[system].touch(key)

    @rule(address=addresses, system=system_names)
    def somebody_subscribes_again(self, address: str, system: str) -> None:
        for key, record in self.records_of(address, system):
            record.opted_out, record.opted_out_on, record.consented_on = False, None, self.today
            self.systems[system].touch(key)

    @rule(address=addresses)
    def a_hold_is_placed(self, address: str) -> None:
        self.place_hold(address)

    @precondition(lambda self: self.holds)
    @rule(which=st.integers(0, 100))
    def a_hold_is_released(self, which: int) -> None:
        hold = sorted(self.holds)[which % len(self.holds)]
        release(self.desk, hold)
        del self.holds[hold]

    @precondition(lambda self: self.backups)
    @rule(which=st.integers(0, 100))
    def a_backup_is_restored(self, which: int) -> None:
        system, key, record = self.backups[which % len(self.backups)]
        stored = self.systems[system]
        if key in stored.records or any(r.values["email"] == record.values["email"] for r in stored.records.values()):
            return
        stored.add(copy.deepcopy(record), key)
        self.restored.add((system, key))

    @rule()
    def the_keys_are_changed(self) -> None:
        self.keyring = self.keyring.rotated(f"k{len(self.keyring.key_ids) + 1}")

    @rule(days=st.integers(1, 40))
    def days_pass(self, days: int) -> None:
        self.today += timedelta(days=days)

    @rule()
    def a_night(self) -> None:
        before = self.snapshot()
        night = self.night()
        night.run()
        self.look_at_the_promises(before, set(self.holds.values()))

    @rule(address=addresses)
    def a_night_with_a_hold_after_the_approval(self, address: str) -> None:
        before = self.snapshot()
        night = self.night()
        planned = night.plan() is not None
        if planned:
            night.approve()
        stopped_at_once = self.snapshot()  # marketing may have been stopped before the hold came
        self.place_hold(address)
        if planned:
            for system in SYSTEMS:
                night.carry_out(system)
                night.verify(system)
        assert self.of({address}, self.snapshot()) == self.of({address}, stopped_at_once)
        self.look_at_the_promises(before, set(self.holds.values()) - {address})

    @rule()
    def a_night_with_the_kill_switch_thrown(self) -> None:
        night = self.night()
        planned = night.plan() is not None
        if planned:
            night.approve()
        before = self.snapshot()
        self.switch("stop", "on")
        if planned:
            for system in SYSTEMS:
                try:
                    night.carry_out(system)
                except Stopped:
                    continue
        assert self.snapshot() == before
        self.switch("stop", "off")
        self.remember(before)

    @rule()
    def two_dry_nights(self) -> None:
        self.switch("mode", "dry")
        decided = []
        for _ in range(2):
            night = self.night()
            night.plan()
            with self.desk.transaction() as db:
                found = rows(
                    db,
                    "SELECT system, record_key, verdict, reasons FROM findings WHERE sweep_id = :s ORDER BY 1, 2",
                    s=night.sweep.sweep_id,
                )
            decided.append([tuple(row) for row in found])
        self.switch("mode", "rehearsal")
        assert decided[0] == decided[1]
        self.remember(self.snapshot())

    # --- what must be so ---

    def look_at_the_promises(self, before: dict[tuple[str, str], MemoryRecord], held: set[str]) -> None:
        after = self.snapshot()
        assert self.of(held, after) == self.of(held, before)
        self.backups += [(*place, record) for place, record in before.items() if place not in after]
        self.remember(before)
        for place in list(self.restored):
            if place in after and after[place].values["email"] not in {*held, *self.holds.values()}:
                consent = after[place].consented_on
                assert consent is not None, "what was erased and put back is still there"
            if place not in after:
                self.restored.discard(place)

    def remember(self, seen: dict[tuple[str, str], MemoryRecord]) -> None:
        """What a night has seen of opt-outs and consents, and that the suppression list knows it."""
        for record in seen.values():
            address = str(record.values["email"] or "")
            if record.opted_out:
                day = record.opted_out_on or self.today
                self.opted_out[address] = max(day, self.opted_out.get(address, day))
            if record.consented_on:
                self.consented[address] = max(record.consented_on, self.consented.get(address, record.consented_on))
        for address, day in self.opted_out.items():
            if self.consented.get(address, date.min) <= day:
                with self.desk.transaction() as db:
                    identifier = Identifier(IdentifierKind.EMAIL, address)
                    assert suppression.is_suppressed(db, self.keyring, identifier)

    # --- by what means ---

    def night(self) -> Night:
        return Night(self.desk, [MemoryConnector(system) for system in self.systems.values()])

    def records_of(self, address: str, system: str) -> list[tuple[str, MemoryRecord]]:
        return [(k, r) for k, r in self.systems[system].records.items() if r.values["email"] == address]

    def snapshot(self) -> dict[tuple[str, str], MemoryRecord]:
        return {
            (name, key): copy.deepcopy(record)
            for name, system in self.systems.items()
            for key, record in system.records.items()
        }

    def of(self, whom: set[str], stored: dict[tuple[str, str], MemoryRecord]) -> dict[tuple[str, str], MemoryRecord]:
        return {place: record for place, record in stored.items() if record.values["email"] in whom}

    def place_hold(self, address: str) -> None:
        self.holds[hold_on(self.desk, address)] = address

    def switch(self, name: str, value: str) -> None:
        with self.desk.transaction() as db:
            sweeps.set_switch(db, name, value, "dpo")


EMPTIED = (
    "sweeps", "readings", "findings", "gaps", "catalogue", "tokens", "plans", "steps", "attempts", "suppressions",
    "erasures", "holds", "restrictions", "sweep_counts", "key_generations", "case_keys", "incidents",
    "restriction_matters",
)  # fmt: skip


@pytest.fixture
def company(ledger: Engine) -> type[Company]:
    with ledger.begin() as db:
        for grows in (
            "approvals_grow ON approvals",
            "suppressions_stay ON suppressions",
            "suppression_counts_stay ON suppression_counts",
        ):
            db.execute(text(f"DROP TRIGGER {grows}"))  # so that one ledger can serve many lives
    return type("CompanyOnLedger", (Company,), {"engine": ledger})


def test_no_order_of_events_breaks_a_promise(company: type[Company]) -> None:
    run_state_machine_as_test(
        company,
        settings=settings(
            max_examples=15,
            stateful_step_count=14,
            deadline=None,
            derandomize=True,
            phases=[Phase.generate, Phase.shrink],
            suppress_health_check=list(HealthCheck),
        ),
    )
