"""Does the in-memory connector keep every promise, in each of the shapes that real systems have?"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from datetime import UTC, date, datetime, time

import pytest

from retention.contract import Connector
from retention.vocabulary import Action, RecordRef, Scalar
from tests.contract.suite import ConnectorContract
from tests.contract.world import EXPIRED_ON, LIVE_ON, SHORT_ON, Fault, Sample, World
from tests.memory_connector import MemoryConnector, MemorySystem, person

COLLECTED_ON = {Sample.EXPIRED: EXPIRED_ON, Sample.ONE_DAY_SHORT: SHORT_ON, Sample.UNDATED: None}
SWITCHES = {
    Fault.UNAVAILABLE: "is_down",
    Fault.DENIED: "denies",
    Fault.TIMEOUT_AFTER_EFFECT: "loses_answers",
    Fault.SUCCESS_WITHOUT_EFFECT: "lies",
    Fault.TRUNCATED: "breaks_off",
    Fault.HIDDEN: "hides_records",
}


class MemoryWorld:
    """The tester's back door to a dictionary."""

    samples = frozenset(Sample)
    faults = frozenset(Fault)
    clearable: tuple[str, ...] = ("interests", "lead_score")
    corrections: Mapping[str, Scalar] = {"name": "Anne Example"}
    bookkeeping = frozenset({"revision"})
    secrets: tuple[str, ...] = ()

    def __init__(
        self,
        system: MemorySystem,
        *,
        supports: frozenset[Action] = frozenset(Action),
        catalogued: bool = False,
        batch_size: int = 100,
        has_instants: bool = False,
    ) -> None:
        self.system = system
        self.supports = supports
        self.catalogued = catalogued
        self.batch_size = batch_size
        self.has_instants = has_instants
        self.connector = self.reconnect()

    def reconnect(self) -> Connector:
        return MemoryConnector(
            self.system, supports=self.supports, catalogued=self.catalogued, batch_size=self.batch_size
        )

    def make(self, sample: Sample, email: str) -> RecordRef:
        day = COLLECTED_ON.get(sample, LIVE_ON)
        noon = datetime.combine(day, time(12), UTC) if day and self.has_instants else day
        record = person(email, noon, opted_out=sample is Sample.OPTED_OUT)
        if sample is Sample.SHARED:
            record.several_people = True
            record.values["other_email"] = "somebody-else@example.com"
        return self.system.add(record)

    def change(self, ref: RecordRef) -> None:
        self.system.records[ref.key].values["note"] = "edited by somebody else"
        self.system.touch(ref.key)

    def remove(self, ref: RecordRef) -> None:
        self.system.remove(ref.key)

    def snapshot(self) -> Mapping[tuple[str, str], Mapping[str, object]]:
        held = self.system.records | self.system.bin
        return {
            (record.kind, key): {**asdict(record), **record.values, "values": None, "is_binned": key in self.system.bin}
            for key, record in held.items()
        }

    def break_next(self, fault: Fault, doing: Action | None = None) -> None:
        for switch in SWITCHES.values():
            setattr(self.system, switch, switch == SWITCHES[fault])

    def finish(self) -> None:
        self.system.empty_bin()


class TestASystemThatIsSearched(ConnectorContract):
    @pytest.fixture
    def world(self) -> World:
        return MemoryWorld(MemorySystem())


class TestASystemThatKeepsInstants(ConnectorContract):
    @pytest.fixture
    def world(self) -> World:
        return MemoryWorld(MemorySystem(), has_instants=True)


class TestASystemWithJobsAndABin(ConnectorContract):
    @pytest.fixture
    def world(self) -> World:
        return MemoryWorld(MemorySystem(has_jobs=True, bin_until=date(2026, 12, 8)), batch_size=2)


class TestACataloguedSystemOfSharedItems(ConnectorContract):
    @pytest.fixture
    def world(self) -> World:
        world = MemoryWorld(MemorySystem(), catalogued=True, supports=frozenset({Action.ERASE, Action.REDACT}))
        world.clearable = ()
        return world


class TestASystemThatCanOnlyErase(ConnectorContract):
    @pytest.fixture
    def world(self) -> World:
        return MemoryWorld(MemorySystem(), supports=frozenset({Action.ERASE}), batch_size=1)
