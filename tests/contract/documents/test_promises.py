"""Does the documents connector keep every promise, on real files over real SFTP, and log in only where it should?"""

from __future__ import annotations

import socket
import traceback
from collections.abc import Iterator
from dataclasses import replace

import asyncssh
import pytest

from connectors.documents import DocumentsConnector, open_store
from retention.contract import AccessDenied, Unavailable
from tests.contract.documents.asking import (
    WRONG,
)
from tests.contract.documents_world import SYSTEM, DocumentsWorld, Emulator
from tests.contract.suite import ConnectorContract
from tests.contract.world import World


class TestDocuments(ConnectorContract):
    @pytest.fixture
    def world(self, emulator: Emulator) -> Iterator[World]:
        world = DocumentsWorld(emulator)
        yield world
        world.close()


def test_a_wrong_password_is_access_denied_and_not_repeated_in_the_message(emulator: Emulator) -> None:
    with pytest.raises(AccessDenied, match=SYSTEM) as denied:
        open_store("sftp", SYSTEM, emulator.login(password=WRONG))
    assert WRONG not in "".join(traceback.format_exception(denied.value))


@pytest.mark.parametrize("key", ["", "ssh-ed25519", "ssh-ed25519 AAAAnonsense", "no key at all"])
def test_a_host_key_that_is_none_is_access_denied(emulator: Emulator, key: str) -> None:
    with pytest.raises(AccessDenied, match="host_key"):
        open_store("sftp", SYSTEM, emulator.login(host_key=key))


@pytest.mark.parametrize("kind", ["ssh-ed25519", "ecdsa-sha2-nistp256"])
def test_a_server_with_another_host_key_is_not_trusted(emulator: Emulator, kind: str) -> None:
    other = asyncssh.generate_private_key(kind).export_public_key().decode()
    with pytest.raises(AccessDenied, match="another host key"):
        open_store("sftp", SYSTEM, emulator.login(host_key=other))


def test_a_server_that_is_not_there_is_unavailable(emulator: Emulator) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        with pytest.raises(Unavailable, match=SYSTEM):
            open_store("sftp", SYSTEM, replace(emulator.login(), port=unused.getsockname()[1]))


def test_another_root_is_another_tenant(emulator: Emulator, seeded: DocumentsConnector) -> None:
    other = open_store("sftp", SYSTEM, emulator.login(root="/marketing"))
    assert other.identity != seeded.tenant
    other.close()
