"""How does a tester reach behind the Microsoft 365 connector? Straight into the tenant it speaks to."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import count
from typing import Any

import httpx

from connectors.documents.reader import Reader
from connectors.microsoft365 import Microsoft365Connector, Pace, Scope
from connectors.microsoft365.graph import Graph
from connectors.microsoft365.transport import Transport
from retention.contract import Connector
from retention.vocabulary import Action, LawfulBasis, RecordRef, Scalar
from tests.contract.microsoft365_tenant import HOST, PURGES, Tenant, error, message
from tests.contract.world import EXPIRED_ON, LIVE_ON, SHORT_ON, Fault, Sample

SYSTEM = "microsoft365"
SCOPE = Scope(frozenset({"ours.example"}), LawfulBasis.CONSENT, archives=frozenset())
DAYS = {Sample.EXPIRED: EXPIRED_ON, Sample.ONE_DAY_SHORT: SHORT_ON}
EFFECTS = {
    Action.ERASE: ("POST", "permanentDelete"),
    Action.RESTRICT: ("PATCH", "messages"),
    Action.RELEASE: ("POST", "move"),
}
OFTEN = 1000


class Tokens:
    """Gives a new token whenever one was refused."""

    def __init__(self) -> None:
        self._numbers = count(1)
        self._now = f"token-{next(self._numbers)}"

    def token(self) -> str:
        return self._now

    def renew(self) -> None:
        self._now = f"token-{next(self._numbers)}"


def connect(
    tenant: Tenant, scope: Scope = SCOPE, waits: list[float] | None = None, **how: Any
) -> Microsoft365Connector:
    """A connector on a tenant in memory, that waits for nothing."""
    http = httpx.Client(transport=httpx.MockTransport(tenant.handle))
    pace = Pace(clock=lambda: 0.0, pause=waits.append if waits is not None else lambda _: None)
    ids: Iterator[int] = count(1)
    transport = Transport(http, Tokens(), SYSTEM, f"{HOST}/v1.0", lambda: f"call-{next(ids)}")
    return Microsoft365Connector(Graph(transport, pace), Reader(), SYSTEM, "tenant-1", scope, **how)


class MailWorld:
    """The tester's back door to a tenant in memory."""

    samples = frozenset({Sample.LIVE, Sample.EXPIRED, Sample.ONE_DAY_SHORT, Sample.SHARED})
    faults = frozenset(Fault)
    clearable: tuple[str, ...] = ()
    corrections: Mapping[str, Scalar] = {}
    bookkeeping = frozenset({"changeKey", "seq"})
    secrets: tuple[str, ...] = ("token-1", "token-2")

    def __init__(self, scope: Scope = SCOPE) -> None:
        self.tenant = Tenant()
        self.tenant.add_box()
        self._scope = scope
        self.connector: Connector = self.reconnect()

    def reconnect(self) -> Microsoft365Connector:
        return connect(self.tenant, self._scope, page_size=2)

    def make(self, sample: Sample, email: str) -> RecordRef:
        on = DAYS.get(sample, LIVE_ON)
        others = ["somebody-else@example.com"] if sample is Sample.SHARED else []
        row = message(email, "sales@ours.example", *others, on=f"{on.isoformat()}T12:00:00Z")
        return RecordRef(SYSTEM, "message", f"u1/{self.tenant.add('message', row)}")

    def change(self, ref: RecordRef) -> None:
        self.tenant.touch("u1", ref.key.partition("/")[2], subject="changed by somebody else")

    def remove(self, ref: RecordRef) -> None:
        self.tenant.remove("u1", ref.key.partition("/")[2])

    def snapshot(self) -> Mapping[tuple[str, str], Mapping[str, object]]:
        return {
            (stored.kind, f"{name}/{item}"): {**stored.row, "folder": stored.folder, "seq": stored.seq}
            for name, box in self.tenant.boxes.items()
            for item, stored in box.items.items()
        }

    def break_next(self, fault: Fault, doing: Action | None = None) -> None:
        """Break calls, or those by which an action takes effect; a batch breaks as a whole if it holds one."""
        self.tenant.before = self.tenant.after = self.tenant.twist = None
        verb, word = EFFECTS[doing] if doing else ("", "")
        left = [1 if fault in (Fault.TIMEOUT_AFTER_EFFECT,) else OFTEN]

        def meant(request: httpx.Request) -> bool:
            if not doing:
                return True
            return request.method == "POST" and verb.encode() in request.content and word.encode() in request.content

        def answer(request: httpx.Request) -> httpx.Response | None:
            if not meant(request):
                return None
            if fault is Fault.UNAVAILABLE:
                return httpx.Response(503)
            if fault is Fault.DENIED:
                return httpx.Response(403, json=error("ErrorAccessDenied"))
            if fault is Fault.TRUNCATED and "delta" in str(request.url):
                return httpx.Response(200, content=b'{"value": [{"id": "AA')
            return None

        def lose(request: httpx.Request) -> None:
            if fault is Fault.TIMEOUT_AFTER_EFFECT and meant(request) and left[0]:
                left[0] -= 1
                raise httpx.ReadTimeout("lost")

        def twist(given: str, path: str) -> tuple[int, Any] | None:
            if fault is Fault.HIDDEN:
                return 404, error("ErrorItemNotFound")
            if fault is Fault.SUCCESS_WITHOUT_EFFECT and given != "GET" and "/messages/" in path:
                return 204, None
            return None

        self.tenant.before, self.tenant.after, self.tenant.twist = answer, lose, twist

    def finish(self) -> None:
        """What is in Purges goes when its time is over."""
        for box in self.tenant.boxes.values():
            box.items = {k: s for k, s in box.items.items() if s.folder != PURGES}
