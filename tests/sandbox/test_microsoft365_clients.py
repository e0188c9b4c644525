"""Do clients that are not ours get on with the emulated Graph: O365 and Microsoft's SDKs for Python and JavaScript?

The Python ones come into an environment of their own (`requirements-clients.txt`), the other from npm.
"""

from __future__ import annotations

import json
import os
import shutil
import ssl
import subprocess
import sys
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import httpx
import pytest

from sandbox.microsoft365.tenant import CLIENT_ID, CLIENT_SECRET, TENANT
from tests import node
from tests.contract.microsoft365_sandbox import Sandbox, serving

ROOT = Path(__file__).parents[2]
CLIENTS = ROOT / "tests" / "clients" / "microsoft365"
MAILS = 7

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def python(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A Python with the pinned clients."""
    uv = shutil.which("uv", path=str(Path(sys.executable).parent))
    if uv is None:
        pytest.skip("uv is not installed beside this Python: the clients need an environment of their own")
    home = tmp_path_factory.mktemp("clients") / "env"
    quiet = [uv, "--quiet"]
    made = subprocess.run([*quiet, "venv", "--python", sys.executable, str(home)], timeout=60, check=False)
    found = home / "bin" / "python"
    wanted = [
        "pip",
        "install",
        "--python",
        str(found),
        "--require-hashes",
        "-r",
        str(ROOT / "requirements-clients.txt"),
    ]
    done = subprocess.run([*quiet, *wanted], capture_output=True, text=True, timeout=300, check=False)
    if made.returncode or done.returncode:
        pytest.skip("the pinned clients could not be installed: no package index within reach")
    return found


@pytest.fixture(scope="module")
def listening(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    with serving(tmp_path_factory.mktemp("m365-tls")) as sandbox:
        yield sandbox


@pytest.fixture
def sandbox(listening: Sandbox) -> Sandbox:
    listening.tenant.reset()
    listening.control.faults.clear()
    for number in range(MAILS):
        listening.mail("ann@example.com", on=date(2019, 1, 1 + number))
    return listening


def told(python: Path, script: str, sandbox: Sandbox) -> Any:
    given = json.dumps([sandbox.url, sandbox.ca, TENANT, CLIENT_ID, CLIENT_SECRET])
    # msal's `verify` loses against this variable (requests): it says the same here.
    environment = {**os.environ, "REQUESTS_CA_BUNDLE": sandbox.ca}
    command = [str(python), str(CLIENTS / script)]
    done = subprocess.run(
        command, input=given, capture_output=True, text=True, timeout=120, check=False, env=environment
    )
    assert done.returncode == 0, done.stderr[-2000:]
    return json.loads(done.stdout)


def test_o365_lists_by_date_over_several_pages_reads_folders_and_deletes(python: Path, sandbox: Sandbox) -> None:
    sandbox.breaks("status", path="*/messages", status=429, retry_after=1)
    answer = told(python, "o365.py", sandbox)
    assert (answer["found"], answer["left"], answer["deleted"]) == (MAILS, MAILS - 1, True)
    assert answer["sender"] == "ann@example.com"
    assert {"Inbox", "Sent Items", "Deleted Items"} <= set(answer["folders"])


def test_the_python_sdk_searches_deletes_for_good_and_understands_what_is_missing(
    python: Path, sandbox: Sandbox
) -> None:
    answer = told(python, "sdk.py", sandbox)
    assert answer == {"found": MAILS, "sender": "ann@example.com", "missing": "404 ErrorItemNotFound"}


def test_the_javascript_client_pages_deletes_batches_and_reads_changes(tmp_path: Path, sandbox: Sandbox) -> None:
    form = {"client_id": CLIENT_ID, "client_secret": CLIENT_SECRET, "grant_type": "client_credentials"}
    token = httpx.post(
        f"{sandbox.url}/{TENANT}/oauth2/v2.0/token",
        data={**form, "scope": f"{sandbox.url}/.default"},
        verify=ssl.create_default_context(cafile=sandbox.ca),
        trust_env=False,
    ).json()["access_token"]
    folder = node.installed(CLIENTS, tmp_path)
    answer = node.told(folder, "graph.mjs", sandbox.url, given=token, ca=sandbox.ca)
    assert answer == {
        "seen": MAILS,
        "missing": "400 ErrorInvalidIdMalformed",
        "statuses": {"1": 200, "2": 204},
        "left": MAILS - 2,
    }
