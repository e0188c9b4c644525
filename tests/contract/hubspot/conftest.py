"""What do the tests of this folder talk to? The emulator of an account, or a wire on which the test itself answers."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.contract.hubspot_wire import Wire
from tests.contract.hubspot_world import Emulator, HubSpotWorld, running


@pytest.fixture(scope="module")
def emulator() -> Iterator[Emulator]:
    with running() as emulator:
        yield emulator


@pytest.fixture
def account(emulator: Emulator) -> HubSpotWorld:
    return HubSpotWorld(emulator)


@pytest.fixture
def wire() -> Iterator[Wire]:
    wire = Wire()
    yield wire
    wire.close()
