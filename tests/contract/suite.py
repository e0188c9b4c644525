"""Does a connector keep the promises of `retention.contract`? The same tests for every system.

A connector's test class derives from `ConnectorContract` and supplies the fixture `world` (see `world.py`), nothing
else. `supports`, `catalogued`, `samples` and `faults` say which tests apply; the others are skipped with the reason.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import count

import pytest

from retention.contract import Unsupported
from retention.vocabulary import (
    Action,
    Criteria,
    Page,
    Step,
)
from tests.contract.acting import ActingPromises
from tests.contract.finding import FindingPromises
from tests.contract.questions import EVERY_ACTION, Made, Make, current
from tests.contract.telling import TellingPromises
from tests.contract.world import Sample, World
from tests.leave import Leave


class ConnectorContract(FindingPromises, ActingPromises, TellingPromises):
    """Every promise of `retention.contract`, asked of one system."""

    @pytest.fixture
    def made(self, world: World) -> Make:
        """Make a record of a sample, at an address of its own, as a plan would know it."""
        numbers = count(1)

        def make(sample: Sample = Sample.LIVE, email: str = "") -> Made:
            if sample not in world.samples:
                pytest.skip(f"{world.connector.system} has no sample {sample}")
            address = email or f"contract-subject-{next(numbers)}@example.com"
            ref = current(world.connector, world.make(sample, address))
            return Made(ref, address, sample)

        return make

    def test_a_connector_names_its_system_and_its_tenant_the_same_every_time(self, world: World) -> None:
        first, second = world.connector, world.reconnect()
        assert first is not second
        assert first.system
        assert first.tenant
        assert "@" not in first.tenant
        assert (second.system, second.tenant) == (first.system, first.tenant)
        assert (second.supports, second.catalogued) == (first.supports, first.catalogued)

    def test_every_supported_action_has_a_batch_size_and_no_other_has(self, world: World) -> None:
        assert set(world.connector.batch_size) == set(world.connector.supports)
        assert all(size >= 1 for size in world.connector.batch_size.values())

    @EVERY_ACTION
    def test_an_action_that_is_not_supported_is_not_attempted(self, world: World, made: Make, action: Action) -> None:
        if action in world.connector.supports:
            pytest.skip(f"{world.connector.system} supports {action}")
        record = made()
        before = world.snapshot()
        with pytest.raises(Unsupported):
            world.connector.act(action, [Step("s", record.ref, action)], Leave())
        assert world.snapshot() == before

    def test_a_system_is_either_searched_or_catalogued_never_both(self, world: World) -> None:
        other_way: Callable[[], Iterator[Page]] = (
            (lambda: world.connector.find(Criteria(undated=True)))
            if world.connector.catalogued
            else (lambda: world.connector.changes(None))
        )
        with pytest.raises(Unsupported):
            list(other_way())
