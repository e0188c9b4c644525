"""Does HubSpot's own Node client work with the emulator, also through a proxy that holds every call against the spec?

Installs pinned packages from npm into a folder of its own, so it takes a minute the first time.
"""

from __future__ import annotations

import socket
import subprocess
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest
import requests

from tests import node
from tests.contract.hubspot_world import Emulator, running
from tests.sandbox.hubspot_specs import SPECS

HERE = Path(__file__).parent / "node_hubspot"
pytestmark = pytest.mark.slow
WANTED = {
    "email": "ann.node@example.com",
    "renamed": "Anna",
    "read": 1,
    "found": 1,
    "page": 2,
    "left": 0,
    "absent": "OBJECT_NOT_FOUND",
}


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The packages of the lock file, without running any script of theirs."""
    return node.installed(HERE, tmp_path_factory.mktemp("node"))


@pytest.fixture
def emulator() -> Iterator[Emulator]:
    with running() as emulator:
        yield emulator


def exchanged(installed: Path, url: str, token: str) -> object:
    return node.told(installed, "exchange.mjs", url, given=token)


def test_the_node_client_works_with_the_emulator(installed: Path, emulator: Emulator) -> None:
    assert exchanged(installed, emulator.base_url, emulator.token) == WANTED


@pytest.mark.skipif(not SPECS.is_dir(), reason=f"the published descriptions are not at {SPECS}")
def test_a_validating_proxy_lets_the_node_client_and_the_emulator_through(installed: Path, emulator: Emulator) -> None:
    with prism(installed, emulator.base_url) as url:
        assert exchanged(installed, url, emulator.token) == WANTED


@pytest.mark.skipif(not SPECS.is_dir(), reason=f"the published descriptions are not at {SPECS}")
def test_the_proxy_would_notice_a_call_that_does_not_fit(installed: Path, emulator: Emulator) -> None:
    with prism(installed, emulator.base_url) as url:
        headers = {"Authorization": f"Bearer {emulator.token}"}
        refused = requests.post(
            f"{url}/crm/v3/objects/contacts/search", json={"limit": "ten"}, headers=headers, timeout=30
        )
    assert refused.status_code == 422


@contextmanager
def prism(installed: Path, target: str) -> Iterator[str]:
    """The validating proxy in a process of its own, ended by its id."""
    with closing(socket.create_server(("127.0.0.1", 0))) as free:
        port = free.getsockname()[1]
    cli = installed / "node_modules" / "@stoplight" / "prism-cli" / "dist" / "index.js"
    spec = SPECS / "v3" / "contacts.json"
    command = ["node", str(cli), "proxy", str(spec), target, "--errors", "--host", "127.0.0.1", "--port", str(port)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as process:
        try:
            assert process.stdout is not None
            assert any("is listening" in line for line in process.stdout), "the proxy did not come up"
            yield f"http://127.0.0.1:{port}"
        finally:
            process.terminate()
