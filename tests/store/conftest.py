"""What do the tests on a real ledger share? Two systems in memory."""

from __future__ import annotations

import pytest

from tests.memory_system import MemorySystem


@pytest.fixture
def crm() -> MemorySystem:
    return MemorySystem("crm")


@pytest.fixture
def shop() -> MemorySystem:
    return MemorySystem("shop")
