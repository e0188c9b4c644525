"""The org that every test of this folder asks: one emulator a module, seeded afresh for each test."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.contract.salesforce_world import Emulator, SalesforceWorld, running


@pytest.fixture(scope="module")
def emulator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Emulator]:
    with running(tmp_path_factory.mktemp("tls")) as emulator:
        yield emulator


@pytest.fixture
def org(emulator: Emulator) -> SalesforceWorld:
    emulator.reset()
    return SalesforceWorld(emulator)
