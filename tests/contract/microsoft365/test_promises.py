"""Does the Microsoft 365 connector keep every promise of the contract, with and without the mailbox-item API?"""

from __future__ import annotations

import pytest

from tests.contract.microsoft365_sandbox import Sandbox, SandboxWorld
from tests.contract.microsoft365_world import MailWorld
from tests.contract.suite import ConnectorContract
from tests.contract.world import World


class TestMicrosoft365(ConnectorContract):
    @pytest.fixture
    def world(self) -> World:
        return MailWorld()


class TestMicrosoft365WithoutTheMailboxItemApi(ConnectorContract):
    @pytest.fixture
    def world(self) -> World:
        world = MailWorld()
        world.tenant.granted = False
        return world


class TestMicrosoft365OverHttps(ConnectorContract):
    @pytest.fixture
    def world(self, sandbox: Sandbox) -> World:
        return SandboxWorld(sandbox)


class TestMicrosoft365OverHttpsWithoutTheMailboxItemApi(ConnectorContract):
    @pytest.fixture
    def world(self, sandbox: Sandbox) -> World:
        world = SandboxWorld(sandbox)
        roles = [role for role in sandbox.tenant.switches.roles if not role.startswith("Mailbox")]
        sandbox.tenant.set_switches({"roles": roles})
        return world
