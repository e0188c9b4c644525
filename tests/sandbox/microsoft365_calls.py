"""How do these tests ask the Microsoft 365 emulator? As its HTTP side does, without the HTTP."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from typing import Any
from urllib.parse import urlencode

from sandbox.clock import Clock
from sandbox.microsoft365 import ids, rows, tokens
from sandbox.microsoft365.exchange import Ask, Reply, Touched
from sandbox.microsoft365.mailbox import Item, Mailbox
from sandbox.microsoft365.service import Service
from sandbox.microsoft365.tenant import CLIENT_ID, CLIENT_SECRET, TENANT, Tenant

ORIGIN = "https://127.0.0.1:4443"
IMMUTABLE = 'IdType="ImmutableId"'
OURS = "sales@ours.example"
NOON = datetime(2026, 6, 1, 12, tzinfo=UTC)


class Graph:
    """One tenant with one mailbox, and a token for it."""

    def __init__(self) -> None:
        self.tenant = Tenant(lambda tenant: None, Clock(date(2026, 11, 22)))
        self.box: Mailbox = self.tenant.add_mailbox(OURS, "Sales")
        self.me = f"/users/{self.box.user}"
        self.token = self.fresh_token()

    def fresh_token(self) -> str:
        form = {"client_id": CLIENT_ID, "client_secret": CLIENT_SECRET, "grant_type": "client_credentials"}
        reply = tokens.issued(self.tenant, ORIGIN, TENANT, {**form, "scope": f"{ORIGIN}/.default"})
        return str(reply.body["access_token"])

    def ask(self, method: str, path: str, body: Any = None, *, prefer: str = IMMUTABLE, **headers: str) -> Reply:
        """One request; `path` below the version."""
        named = {"authorization": f"Bearer {self.token}", "prefer": prefer}
        named |= {name.replace("_", "-"): value for name, value in headers.items()}
        size = len(json.dumps(body)) if body is not None else 0
        return Service(self.tenant, ORIGIN).answer(Ask(method, path, named, body, size), Touched())

    def get(self, path: str, query: Mapping[str, str] | None = None, **how: Any) -> Reply:
        return self.ask("GET", f"{path}?{urlencode(query)}" if query else path, **how)

    def messages(self, **query: str) -> Reply:
        """GET /messages with `$`-less names of its query."""
        return self.get(f"{self.me}/messages", {f"${name}": value for name, value in query.items()})

    def batch(self, *parts: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
        """The answers of a batch by their id."""
        reply = self.ask("POST", "/$batch", {"requests": list(parts)})
        assert reply.status == 200, reply.body
        return {part["id"]: part for part in reply.body["responses"]}

    def mail(self, sender: Any = "ann@example.com", *, days_ago: int = 0, folder: str = "Inbox", **more: Any) -> Item:
        """A message to us; `attachments` as rows."""
        at = NOON - timedelta(days=days_ago)
        attached = more.pop("attachments", [])
        more.setdefault("to", (OURS,))
        row = rows.message(sender=sender, received=at, serial=self.box.next_uid, **more)
        return self.box.add("message", row, self.box.path(folder), at, attachments=attached)

    def id_of(self, item: Item) -> str:
        """Its immutable id."""
        return ids.item_id(self.box.number, item.uid, 0, immutable=True)

    def path_of(self, item: Item, kind: str = "messages") -> str:
        return f"{self.me}/{kind}/{self.id_of(item)}"

    def following(self, reply: Reply, **how: Any) -> Reply:
        """The next page of a list."""
        return self.get(str(reply.body["@odata.nextLink"]).removeprefix(f"{ORIGIN}/v1.0"), **how)

    def mailbox_items(self) -> str:
        """Where the mailbox-item API shows the mailbox."""
        name = self.get(f"{self.me}/settings/exchange").body["primaryMailboxId"]
        return f"/admin/exchange/mailboxes/{name}/folders"


def code(reply: Reply) -> tuple[int, str]:
    """Status and code of an error."""
    return reply.status, reply.body["error"]["code"]


def ids_in(reply: Reply) -> list[str]:
    return [row["id"] for row in reply.body["value"]]
