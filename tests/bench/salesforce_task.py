"""What does one task on a large org cost in memory and time? A process of its own: find, erase, read back.

`python -m tests.bench.salesforce_task`, with where to log in as JSON on standard input, works through the connector and
can note every request it sends; with `replay`, the same requests go out by simple-salesforce and nothing else.
"""

from __future__ import annotations

import json
import pickle
import sys
import time
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import requests
from simple_salesforce.api import Salesforce

SYSTEM = "salesforce"
BATCH = 10_000
READ_BACK = 1_000


def work(known: dict[str, Any]) -> int:
    """Find what is past its day, erase what may go, read it back; how many records were erased."""
    from connectors.salesforce import SalesforceConnector, connect, tenant_of
    from retention.vocabulary import Action, Criteria, OutcomeStatus, RecordRef, Step
    from tests.bench.running import policy_of
    from tests.leave import Leave

    client = connect(known["base_url"], known["client_id"], known["client_secret"], known["ca"], pause=no_pause)
    sent: list[tuple[str, str, dict[str, str], bytes | None]] = []
    if known.get("note"):
        client.session.hooks["response"].append(lambda response, **_: sent.append(_noted(response)))
    kinds = policy_of(SYSTEM).systems[SYSTEM].kinds()
    connector = SalesforceConnector(client, SYSTEM, tenant_of(client), kinds, pause=no_pause)
    criteria = Criteria(
        collected_before=datetime(2021, 11, 23, tzinfo=UTC), collected_before_day=date(2021, 11, 23), undated=True
    )
    due: list[RecordRef] = [
        finding.ref
        for page in connector.find(criteria)
        for finding in page.findings
        if finding.ref.kind == "Contact" and not finding.facts.undeletable
    ]
    erased = 0
    for start in range(0, len(due), BATCH):
        steps = [Step(f"s{number}", ref, Action.ERASE) for number, ref in enumerate(due[start : start + BATCH])]
        outcomes = connector.act(Action.ERASE, steps, Leave())
        erased += sum(outcome.status is OutcomeStatus.DONE for outcome in outcomes)
        for first in range(0, len(steps), READ_BACK):
            connector.read_back(steps[first : first + READ_BACK])
    if known.get("note"):
        Path(known["note"]).write_bytes(pickle.dumps(sent))
    return erased


def replay(known: dict[str, Any], requests_sent: list[tuple[str, str, dict[str, str], bytes | None]]) -> int:
    """The same requests by the vendor's Python client, answers decoded and thrown away."""
    session = requests.Session()
    session.verify = known["ca"]
    client = Salesforce(session_id=known["token"], instance_url=known["base_url"], version="68.0", session=session)
    for method, path, headers, body in requests_sent:
        answer = session.request(
            method, known["base_url"] + path, headers={**client.headers, **headers}, data=body, verify=known["ca"]
        )
        answer.raise_for_status()
        if "json" in answer.headers.get("Content-Type", ""):
            answer.json()
    return len(requests_sent)


def no_pause(seconds: float) -> None:
    """Wait for nothing: the emulator's jobs are over at once."""


def _noted(response: requests.Response) -> tuple[str, str, dict[str, str], bytes | None]:
    asked = response.request
    kept = {name: asked.headers[name] for name in ("Content-Type", "Sforce-Query-Options") if name in asked.headers}
    body = asked.body.encode() if isinstance(asked.body, str) else asked.body
    return str(asked.method), str(asked.path_url), kept, body


def main() -> None:
    known = json.loads(sys.stdin.read())
    noted = pickle.loads(Path(known["replay"]).read_bytes()) if "replay" in known else None  # noqa: S301 - our own file
    began = time.perf_counter()
    count = replay(known, noted) if noted is not None else work(known)
    seconds = time.perf_counter() - began
    print(json.dumps({"count": count, "seconds": seconds, "peak_mb": _peak_mb()}))


def _peak_mb() -> float:
    """The most memory this process ever held; `getrusage` would tell its parent's where that held more."""
    lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
    return next(int(line.split()[1]) / 1024 for line in lines if line.startswith("VmHWM:"))


if __name__ == "__main__":
    main()
