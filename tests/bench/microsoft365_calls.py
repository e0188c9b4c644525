"""How many calls, and how much memory, does a first reading of many mailboxes take, and the night after it?

The mailboxes are the emulator's, over HTTPS, with its allowances in force: teams of 5,000 messages each, and the few of
the small population. Lower bounds: a list of changes shows 100 messages a call; whatever is short is asked for 20 to a
call; users are listed 999 a call; erasing takes a reading again, a move to Purges and a hard delete of 20 each a call,
and two lists of what can be recovered.
"""

from __future__ import annotations

import json
import os
import ssl
import subprocess
import sys
from collections.abc import Iterator
from math import ceil
from typing import Any

import httpx

from connectors import microsoft365
from connectors.microsoft365 import Microsoft365Connector, Scope
from retention.vocabulary import Action, LawfulBasis, RecordRef, Step
from sandbox.microsoft365.ids import user_id
from sandbox.population.mail_rows import OWN_DOMAIN
from tests.bench.deciding import peak_memory
from tests.bench.running import AS_OF, ROOT
from tests.leave import Leave

TEAMS = int(os.environ.get("MAILBOXES", "40"))
MESSAGES, PAGE, BATCH = 5_000, 100, 20
FEW = 10
SHORT = 14
"""Questions about one mailbox besides: folders, contacts, calendars, settings, and the stretches of the calendar."""
CHANGED_EVERY, ERASED = 100, 1_000
SYSTEM = "microsoft365"
ONE_TEAM = user_id(f"team-001@{OWN_DOMAIN}")


def measure() -> Iterator[tuple[str, float, float]]:
    few, many = _told(FEW), _told(TEAMS)
    yield "microsoft365.first.calls", many["first"], first_bound(TEAMS)
    yield "microsoft365.first.memory_mb", many["memory"], few["memory"]
    yield "microsoft365.night.calls", many["second"], many["first"]
    yield "microsoft365.erase.calls", many["erasing"], 3 * ceil(ERASED / BATCH) + 2
    yield "microsoft365.refused", many["refused"], many["first"] + many["second"] + many["erasing"]


def first_bound(teams: int) -> int:
    """The fewest calls of a first reading: users, whatever is short, and pages."""
    return 1 + teams * ceil(MESSAGES / PAGE) + ceil(teams * SHORT / BATCH)


def _told(teams: int) -> dict[str, float]:
    command = [sys.executable, "-m", "tests.bench.microsoft365_calls", str(teams)]
    found: dict[str, float] = json.loads(
        subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout
    )
    return found


class Emulator:
    """The emulator in a process of its own."""

    def __init__(self, teams: int) -> None:
        command = [sys.executable, "-m", "sandbox", SYSTEM, "--scale", str(teams + 1), "--as-of", AS_OF.isoformat()]
        self._process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
        assert self._process.stdout is not None
        ready = json.loads(self._process.stdout.readline())
        self.url, self.ca, self.given = ready["base_url"], ready["ca"], ready["credentials"]
        self.http = httpx.Client(verify=ssl.create_default_context(cafile=self.ca), trust_env=False, timeout=300)

    def connect(self) -> Microsoft365Connector:
        return microsoft365.connect(
            SYSTEM,
            tenant=self.given["tenant"],
            client_id=self.given["client_id"],
            credential=self.given["client_secret"],
            scope=Scope(frozenset({OWN_DOMAIN}), LawfulBasis.CONSENT, archives=frozenset()),
            base_url=f"{self.url}/v1.0",
            authority=self.url,
            ca_bundle=self.ca,
        )

    def spent(self) -> tuple[int, int]:
        """Calls to Graph since the last time this was asked, and how many calls or parts were refused for pace."""
        report = self.http.get(f"{self.url}/_sandbox/calls").json()
        self.http.delete(f"{self.url}/_sandbox/calls")
        calls = sum(n for name, n in report["counts"].items() if "oauth2" not in name and "well-known" not in name)
        return calls, sum(call["status"] == 429 for call in report["calls"])

    def change(self, refs: list[RecordRef]) -> None:
        """Let their owners read these messages."""
        form = {"client_id": self.given["client_id"], "client_secret": self.given["client_secret"]}
        form |= {"grant_type": "client_credentials", "scope": "https://graph.microsoft.com/.default"}
        token = self.http.post(f"{self.url}/{self.given['tenant']}/oauth2/v2.0/token", data=form).json()
        headers = {"Authorization": f"Bearer {token['access_token']}", "Prefer": 'IdType="ImmutableId"'}
        for group in (refs[at : at + BATCH] for at in range(0, len(refs), BATCH)):
            parts = [_reading(number, ref) for number, ref in enumerate(group)]
            answer = self.http.post(f"{self.url}/v1.0/$batch", headers=headers, json={"requests": parts}).json()
            if any(part["status"] != 200 for part in answer["responses"]):
                raise RuntimeError("not every message was changed: the figure would be about something else")

    def stop(self) -> None:
        self._process.terminate()
        self._process.wait()


def _reading(number: int, ref: RecordRef) -> dict[str, Any]:
    mailbox, _, item = ref.key.partition("/")
    headers = {"Content-Type": "application/json"}
    url = f"/users/{mailbox}/messages/{item}"
    return {"id": str(number), "method": "PATCH", "url": url, "body": {"isRead": False}, "headers": headers}


def main(teams: int) -> None:
    emulator = Emulator(teams)
    try:
        token, seen, changing, erasing = None, 0, [], []
        for page in emulator.connect().changes(None):
            token = page.next or token
            for finding in page.findings:
                seen += 1
                if seen % CHANGED_EVERY == 0:
                    changing.append(finding.ref)
                elif len(erasing) < ERASED and finding.ref.key.startswith(f"{ONE_TEAM}/"):
                    erasing.append(finding.ref)
        memory = peak_memory()
        if seen < teams * MESSAGES:
            raise RuntimeError("not every message was read: the figure would be about something else")
        first, refused = emulator.spent()
        emulator.change(changing)
        emulator.spent()
        told = sum(len(page.findings) for page in emulator.connect().changes(token))  # type: ignore[arg-type]
        if told != len(changing):
            raise RuntimeError("not every change was read: the figure would be about something else")
        second, again = emulator.spent()
        steps = [Step(ref.key, ref, Action.ERASE) for ref in erasing]
        outcomes = emulator.connect().act(Action.ERASE, steps, Leave())
        if {one.status.value for one in outcomes} != {"done"} or len(outcomes) != ERASED:
            raise RuntimeError("not every message was erased: the figure would be about something else")
        erased, later = emulator.spent()
    finally:
        emulator.stop()
    found = {"first": first, "second": second, "erasing": erased, "memory": memory, "refused": refused + again + later}
    sys.stdout.write(json.dumps(found) + "\n")


if __name__ == "__main__":
    main(int(sys.argv[1]))
