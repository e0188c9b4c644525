"""Does a task on a large org stay within its memory, and how does its time compare with a bare script's?

100,000 people, 10,000 of them due. The reference sends exactly the requests that our task sent, on the same org put
back to its start, by simple-salesforce and nothing else.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tests.bench.running import ROOT, Emulator, emulator

SCALE = 8_150
MORE_DUE = 8_300
"""Beside the scaled population's own, so that 10,000 contacts are due."""
TRIES = 2


def measure() -> Iterator[tuple[str, float, float]]:
    with emulator("salesforce", SCALE, tls=True) as org, tempfile.TemporaryDirectory() as folder:
        note = str(Path(folder) / "requests")
        fill(org)
        _task(org, note=note)
        ours, bare = [], []
        for _ in range(TRIES):  # by turns, so that whatever else the machine does befalls both
            for tries, how in ((ours, {}), (bare, {"replay": note})):
                org.tell("reset")
                fill(org)
                tries.append(_task(org, **how))
    yield "salesforce.task.memory_mb", _least(ours, "peak_mb"), _least(bare, "peak_mb")
    yield "salesforce.task.seconds", _least(ours, "seconds"), _least(bare, "seconds")


def _least(tries: list[dict[str, Any]], what: str) -> float:
    return min(float(one[what]) for one in tries)


def fill(org: Emulator) -> None:
    """Old contacts beside the population, by the org's own bulk insert."""
    import requests

    base, headers = f"{org.base_url}/services/data/v68.0", {"Authorization": f"Bearer {org.credentials['token']}"}
    asked = {"object": "Contact", "operation": "insert", "contentType": "CSV", "lineEnding": "LF"}
    verify = org.ca or True
    job = requests.post(f"{base}/jobs/ingest", json=asked, headers=headers, verify=verify, timeout=60).json()["id"]
    rows = "".join(f"Example{n},due-{n}@example.com,2019-03-01\n" for n in range(MORE_DUE))
    content = ("LastName,Email,Collected_On__c\n" + rows).encode()
    csv = {**headers, "Content-Type": "text/csv"}
    requests.put(f"{base}/jobs/ingest/{job}/batches", data=content, headers=csv, verify=verify, timeout=60)
    closed = {"state": "UploadComplete"}
    requests.patch(f"{base}/jobs/ingest/{job}", json=closed, headers=headers, verify=verify, timeout=300)


def _task(org: Emulator, **how: str) -> dict[str, Any]:
    known = {"base_url": org.base_url, "ca": org.ca, **org.credentials, **how}
    command = [sys.executable, "-m", "tests.bench.salesforce_task"]
    done = subprocess.run(
        command, input=json.dumps(known), cwd=ROOT, capture_output=True, text=True, check=True, timeout=900
    )
    return dict(json.loads(done.stdout.splitlines()[-1]))
