"""The emulator, once for all tests of this folder; each test resets it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.contract.microsoft365_sandbox import Sandbox, serving


@pytest.fixture(scope="session")
def listening(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    with serving(tmp_path_factory.mktemp("m365-tls")) as sandbox:
        yield sandbox


@pytest.fixture
def sandbox(listening: Sandbox) -> Sandbox:
    """The emulator with one empty mailbox."""
    listening.tenant.reset()
    listening.control.calls.clear()
    listening.control.faults.clear()
    return listening
