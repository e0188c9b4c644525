"""The document server of these tests: one emulator a module, a folder of its own or the seeded documents."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from connectors.documents import DocumentsConnector
from tests.contract.documents_world import DocumentsWorld, Emulator, running


@pytest.fixture(scope="module")
def emulator() -> Iterator[Emulator]:
    with running() as emulator:
        yield emulator


@pytest.fixture
def world(emulator: Emulator) -> Iterator[DocumentsWorld]:
    world = DocumentsWorld(emulator)
    yield world
    world.close()


@pytest.fixture
def seeded(emulator: Emulator) -> Iterator[DocumentsConnector]:
    emulator.tell("POST", "reset")
    connector = emulator.connect()
    yield connector
    connector.close()
