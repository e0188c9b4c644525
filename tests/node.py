"""How do clients from npm get into a test? By a lock file, into a folder of this run; none of their scripts runs."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest


def installed(source: Path, folder: Path) -> Path:
    """The packages of a folder's lock file, beside its scripts; skips where npm is missing or finds no registry."""
    if shutil.which("npm") is None or shutil.which("node") is None:
        pytest.skip("npm and node are not installed here: the clients that are not ours come from npm")
    for file in source.iterdir():
        if file.suffix in (".json", ".mjs"):
            shutil.copy(file, folder)
    asked = [str(shutil.which("npm")), "ci", "--ignore-scripts", "--no-audit", "--no-fund"]
    done = subprocess.run(asked, cwd=folder, capture_output=True, text=True, timeout=300, check=False)
    if done.returncode:
        pytest.skip("npm could not install the pinned packages: no registry within reach")
    return folder


def told(folder: Path, script: str, *arguments: str, given: str = "", ca: str = "") -> Any:
    """What a script answers, as JSON in its last line. `given` is its standard input, `ca` an authority to trust."""
    environment = {**os.environ, "NODE_EXTRA_CA_CERTS": ca} if ca else dict(os.environ)
    done = subprocess.run(
        [shutil.which("node") or "node", script, *arguments],
        cwd=folder,
        input=given,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
        env=environment,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    return json.loads(done.stdout.splitlines()[-1])
