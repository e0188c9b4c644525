"""How many calls, and how much memory, does a first reading of 200 mailboxes take, and the night after it?

The mailboxes are made as they are asked for, in this process, by the rules of the tenant that the connector's tests
use: 200 of 5,000 messages in eleven folders each. Lower bounds: a list of changes shows 100 messages a call; folders
without any and everything else that is short are asked for 20 to a call; users are listed 999 a call; erasing takes a
reading again, a move to Purges and a hard delete of 20 each a call, and two lists of what can be recovered.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from math import ceil
from typing import Any

from retention.vocabulary import Action, RecordRef, Step, Token
from tests.bench.deciding import peak_memory
from tests.bench.running import ROOT
from tests.contract.microsoft365_tenant import HOST, Box, Folder, Reply, Row, Tenant, message
from tests.contract.microsoft365_world import SYSTEM, connect
from tests.leave import Leave

MAILBOXES, PAGE, BATCH, USERS = 200, 100, 20, 999
FOLDERS = {
    "inbox": 2_500,
    "sent": 1_500,
    "archive": 500,
    "deleteditems": 200,
    "projects": 200,
    "junk": 100,
    **dict.fromkeys(("drafts", "outbox", "notes", "feeds", "history"), 0),
}
"""5,000 messages a mailbox."""

CHANGED_EVERY = 100
ERASED = 1_000
TEXT = "Dear Sir or Madam, thank you for your message about our products. " * 30


@dataclass
class BigTenant(Tenant):
    """Mailboxes whose messages exist only while a page of them is told; after `wake` one in a hundred has changed."""

    awake: bool = False
    told: int = 0
    sizes: Mapping[str, int] = field(default_factory=lambda: FOLDERS)

    def wake(self) -> None:
        self.awake = True
        self.calls.clear()
        self.parts.clear()

    def _folder_row(self, box: Box, folder: str) -> Row:
        return super()._folder_row(box, folder) | {"totalItemCount": self.sizes[folder.partition("-")[2]]}

    def _delta(self, box: Box, base: str, folder: str, query: Mapping[str, str], size: int) -> Reply:
        count = self.sizes.get(folder.partition("-")[2], 0)
        numbers = range(0, count, CHANGED_EVERY) if "$deltatoken" in query else range(count)
        if "$deltatoken" in query and not self.awake:
            numbers = range(0)
        start = int(query.get("$skiptoken", "0-0").partition("-")[2])
        rows = [_row(folder, number) for number in numbers[start : start + size]]
        self.told += len(rows)
        answer: Row = {"value": rows}
        if start + size < len(numbers):
            answer["@odata.nextLink"] = f"{HOST}/v1.0{base}?$skiptoken=0-{start + size}"
        else:
            answer["@odata.deltaLink"] = f"{HOST}/v1.0{base}?$deltatoken={2 if self.awake else 1}"
        return 200, answer


def _row(folder: str, number: int) -> Row:
    sender = f"person-{number % 997}@customer-{number % 53}.example"
    row = message(sender, "sales@ours.example", text=f"{TEXT} Yours, {sender}")
    return {**row, "id": f"{folder}-{number:06d}-AAkALgAA=", "changeKey": f"CQ{number}", "hasAttachments": False}


def measure() -> Iterator[tuple[str, float, float]]:
    command = [sys.executable, "-m", "tests.bench.microsoft365_calls"]
    found: dict[str, float] = json.loads(
        subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout
    )
    yield "microsoft365.first.calls", found["first"], first_bound()
    yield "microsoft365.first.memory_mb", found["memory"], found["memory_of_ten"]
    yield "microsoft365.night.calls", found["second"], found["first"]
    yield "microsoft365.erase.calls", erasing(), 3 * ceil(ERASED / BATCH) + 2


def first_bound() -> int:
    """The fewest calls of a first reading: users, folders, contacts, calendars and recoverable items, then pages."""
    pages = sum(ceil(count / PAGE) for count in FOLDERS.values()) + 1  # recoverable items, of unknown size
    short = 4 + 2 + sum(1 for count in FOLDERS.values() if not count)  # lists; contacts and calendar; empty folders
    return ceil(MAILBOXES / USERS) + MAILBOXES * pages + ceil(MAILBOXES * short / BATCH)


def erasing() -> int:
    """Calls to erase messages of one mailbox for good."""
    tenant = Tenant()
    tenant.add_box()
    items = [tenant.add("message", message(f"p{n}@example.com", "sales@ours.example")) for n in range(ERASED)]
    keys = {item: tenant.boxes["u1"].items[item].row["changeKey"] for item in items}
    steps = [Step(item, RecordRef(SYSTEM, "message", f"u1/{item}", keys[item]), Action.ERASE) for item in items]
    outcomes = connect(tenant).act(Action.ERASE, steps, Leave())
    if {o.status.value for o in outcomes} != {"done"}:
        raise RuntimeError("not every message was erased: the figure would be about something else")
    return len(tenant.calls)


def nights(mailboxes: int) -> tuple[int, int]:
    """Calls of a first reading and of the night after it."""
    tenant = BigTenant()
    for number in range(mailboxes):
        name = f"u{number}"
        tenant.boxes[name] = Box(f"{name}@ours.example", {f"{name}-{one}": Folder(one) for one in FOLDERS})
    token, first = _read(tenant, None)
    if tenant.told != mailboxes * sum(FOLDERS.values()):
        raise RuntimeError("not every message was read: the figure would be about something else")
    tenant.wake()
    _read(tenant, token)
    return first, len(tenant.calls)


def _read(tenant: BigTenant, since: Token | None) -> tuple[Token, int]:
    token: Any = since
    for page in connect(tenant).changes(since):
        token = page.next if page.next is not None else token
        tenant.parts.clear()  # the tester's notes are not the connector's memory
    return Token(token), len(tenant.calls)


def main() -> None:
    nights(MAILBOXES // 20)
    of_ten = peak_memory()
    first, second = nights(MAILBOXES)
    found = {"first": first, "second": second, "memory": peak_memory(), "memory_of_ten": of_ten}
    sys.stdout.write(json.dumps(found) + "\n")


if __name__ == "__main__":
    main()
