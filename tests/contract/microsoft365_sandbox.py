"""How does a tester reach behind the Microsoft 365 connector when it speaks HTTPS? Into the emulator, run beside it."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

from connectors import microsoft365
from connectors.microsoft365 import Microsoft365Connector, Pace, Scope
from retention.contract import Connector
from retention.vocabulary import Action, LawfulBasis, RecordRef, Scalar
from sandbox.clock import Clock
from sandbox.control import Control
from sandbox.control import Fault as Breakage
from sandbox.microsoft365 import ids, rows
from sandbox.microsoft365.app import build
from sandbox.microsoft365.mailbox import Item, Mailbox
from sandbox.microsoft365.tenant import CLIENT_ID, CLIENT_SECRET, TENANT, Tenant
from sandbox.server import base_url, http_server, listen
from sandbox.tls import issue
from tests.contract.world import EXPIRED_ON, LIVE_ON, SHORT_ON, Fault, Sample

SYSTEM = "microsoft365"
AS_OF = date(2026, 11, 22)
OURS = "sales@ours.example"
SCOPE = Scope(frozenset({"ours.example"}), LawfulBasis.CONSENT, archives=frozenset())
DAYS = {Sample.EXPIRED: EXPIRED_ON, Sample.ONE_DAY_SHORT: SHORT_ON}
EFFECTS = {
    Action.ERASE: ("POST", "*/permanentDelete"),
    Action.RESTRICT: ("PATCH", "*/messages/*"),
    Action.RELEASE: ("POST", "*/move"),
}
GRAPH = "/v1.0*"
OFTEN = 1000


def one_mailbox(tenant: Tenant) -> None:
    """The least a tenant can have."""
    tenant.add_mailbox(OURS, "Sales", purpose="shared")


@dataclass
class Sandbox:
    """The emulator, listening, and the tenant behind it."""

    url: str
    ca: str
    control: Control
    tenant: Tenant

    @property
    def box(self) -> Mailbox:
        return self.tenant.boxes[1]

    def connect(self, scope: Scope = SCOPE, waits: list[float] | None = None, **how: Any) -> Microsoft365Connector:
        """A connector as wiring builds one, but for the waiting."""
        how.setdefault("credential", CLIENT_SECRET)
        how.setdefault("pace", Pace(clock=lambda: 0.0, pause=waits.append if waits is not None else lambda _: None))
        return microsoft365.connect(
            SYSTEM,
            tenant=TENANT,
            client_id=CLIENT_ID,
            scope=scope,
            base_url=f"{self.url}/v1.0",
            authority=self.url,
            ca_bundle=self.ca,
            **how,
        )

    def breaks(self, fault: str, **how: Any) -> None:
        """Let coming calls, or parts of batches, go wrong."""
        self.control.faults.add(Breakage(fault, **how))

    def counted(self) -> tuple[Mapping[str, int], Mapping[str, int]]:
        """Calls by method and path, and parts of batches."""
        report = self.control.calls.report()
        return report["counts"], report["part_counts"]

    def mail(self, sender: str, *others: str, on: date = LIVE_ON, folder: str = "Inbox", **more: Any) -> Item:
        """A message from somebody to us."""
        at = datetime(on.year, on.month, on.day, 12, tzinfo=UTC)
        text = more.pop("body", "<p>Thank you.</p>")
        made = more.pop("attachments", [])
        row = rows.message(
            sender=sender,
            to=(OURS, *others),
            received=at,
            subject=more.pop("subject", "Your question"),
            body=text,
            serial=self.box.next_uid,
            **more,
        )
        return self.box.add("message", row, self.box.path(folder), at, attachments=made)

    def key(self, item: Item) -> str:
        """The key of an item's record."""
        return f"{self.box.user}/{ids.item_id(self.box.number, item.uid, 0, immutable=True)}"

    def item(self, key: str) -> Item:
        """The item of a record's key."""
        named = ids.parse_item(key.partition("/")[2])
        assert named is not None
        return self.box.items[named[1]]


@contextmanager
def serving(folder: Path, seed: Any = one_mailbox) -> Iterator[Sandbox]:
    """The emulator in a thread of its own, over TLS."""
    tenant = Tenant(seed, Clock(AS_OF))
    control = build(tenant)
    files, sock = issue(folder, "microsoft365"), listen(0)
    server = http_server(control, files, dated=False)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [sock]}, daemon=True)
    thread.start()
    while not server.started:
        time.sleep(0.005)
    try:
        yield Sandbox(base_url(sock, files), str(files.ca), control, tenant)
    finally:
        server.should_exit = True
        thread.join(10)


class SandboxWorld:
    """The tester's back door to the emulator."""

    samples = frozenset({Sample.LIVE, Sample.EXPIRED, Sample.ONE_DAY_SHORT, Sample.SHARED})
    faults = frozenset(Fault)
    clearable: tuple[str, ...] = ()
    corrections: Mapping[str, Scalar] = {}
    bookkeeping = frozenset({"seq", "moves", "moved_at"})
    secrets: tuple[str, ...] = (CLIENT_SECRET,)

    def __init__(self, sandbox: Sandbox, **how: Any) -> None:
        self._sandbox = sandbox
        self._how = how
        sandbox.tenant.reset()
        sandbox.control.calls.clear()
        sandbox.control.faults.clear()
        self.connector: Connector = self.reconnect()

    def reconnect(self) -> Microsoft365Connector:
        return self._sandbox.connect(page_size=2, **self._how)

    def make(self, sample: Sample, email: str) -> RecordRef:
        others = ["somebody-else@example.com"] if sample is Sample.SHARED else []
        item = self._sandbox.mail(email, *others, on=DAYS.get(sample, LIVE_ON))
        return RecordRef(SYSTEM, "message", self._sandbox.key(item))

    def change(self, ref: RecordRef) -> None:
        now = self._sandbox.tenant.now()
        self._sandbox.box.touch(self._sandbox.item(ref.key), now, {"subject": "changed by somebody else"})

    def remove(self, ref: RecordRef) -> None:
        self._sandbox.box.remove(self._sandbox.item(ref.key))

    def snapshot(self) -> Mapping[tuple[str, str], Mapping[str, object]]:
        return {
            (item.kind, self._sandbox.key(item)): {
                **item.row,
                "folder": item.folder,
                "seq": item.seq,
                "moves": item.moves,
                "moved_at": item.moved_at,
            }
            for item in self._sandbox.box.items.values()
        }

    def break_next(self, fault: Fault, doing: Action | None = None) -> None:
        self._sandbox.control.faults.clear()
        method, path = EFFECTS[doing] if doing else (None, GRAPH)
        match fault:
            case Fault.UNAVAILABLE:
                self._sandbox.breaks("status", method=method, path=path, times=OFTEN, status=503)
            case Fault.DENIED:
                self._sandbox.breaks("status", method=method, path=path, times=OFTEN, status=403)
            case Fault.HIDDEN:
                self._sandbox.breaks("status", path=GRAPH, times=OFTEN, status=404)
            case Fault.TRUNCATED:
                self._sandbox.breaks("truncated", path=f"{GRAPH}/delta", times=OFTEN)
            case Fault.TIMEOUT_AFTER_EFFECT:
                self._sandbox.breaks("timeout_after_effect", method=method, path=path)
            case Fault.SUCCESS_WITHOUT_EFFECT:
                for verb, where in ((method, path), EFFECTS[Action.RELEASE]):  # restricting moves as well
                    self._sandbox.breaks("success_without_effect", method=verb, path=where, times=OFTEN)

    def finish(self) -> None:
        """What is in Purges goes when its time is over."""
        self._sandbox.tenant.set_clock(self._sandbox.tenant.now() + timedelta(days=15))
