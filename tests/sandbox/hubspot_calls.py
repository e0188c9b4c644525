"""How do tests call the emulated HubSpot account? In this process, with four contacts and two deals."""

from __future__ import annotations

import asyncio
from datetime import date
from typing import Any

import httpx

from sandbox.clock import Clock
from sandbox.hubspot.account import TOKEN, Account
from sandbox.hubspot.app import build

TODAY = date(2026, 11, 23)
CONTACTS = "/crm/v3/objects/contacts"
PREFERENCES = "/communication-preferences/v4/statuses"
ANN, BO, CY, DI = "101", "102", "103", "104"
WON, OPEN = "901", "902"
NOBODY = "999"
NEWSLETTER = 448_994_476


def _row(key: str, **properties: str | None) -> dict[str, Any]:
    born = f"2020-0{int(key) % 9 + 1}-01T09:00:00.000Z"
    own = {"hs_object_id": key, "createdate": born}
    return {"id": key, "properties": own | properties, "createdAt": born, "updatedAt": born}


def _contact(key: str, deals: tuple[str, ...] = (), **properties: str | None) -> dict[str, Any]:
    row = _row(key, **properties)
    row["properties"]["lastmodifieddate"] = row["updatedAt"]
    return row | {"associations": {"deals": list(deals)}}


def _deal(key: str, stage: str, contacts: tuple[str, ...]) -> dict[str, Any]:
    is_closed, is_won = str(stage.startswith("closed")).lower(), str(stage == "closedwon").lower()
    row = _row(key, dealname=f"Deal {key}", dealstage=stage, hs_is_closed=is_closed, hs_is_closed_won=is_won)
    row["properties"]["hs_lastmodifieddate"] = row["updatedAt"]
    return row | {"associations": {"contacts": list(contacts)}}


def people() -> dict[str, list[dict[str, Any]]]:
    """Ann has deals, Bo has opted out and a second address, Cy has no address, Di came by import."""
    return {
        "contacts": [
            _contact(
                ANN,
                (WON, OPEN),
                email="ann@example.com",
                firstname="Ann",
                city="Leeds",
                lead_score="7",
                collected_on="2020-01-10",
                interests="Roses",
                num_associated_deals="2",
            ),
            _contact(
                BO,
                email="bo@example.org",
                hs_additional_emails="bo.second@example.org",
                firstname="Bo",
                city="york",
                lead_score="12",
                collected_on="2024-06-30",
                hs_email_optout="true",
            ),
            _contact(CY, firstname="Cy", phone="+44 1632 960003", city="York", interests="tulips and lilies"),
            _contact(DI, email="di+news@example.com", firstname="Di", migrated="true"),
        ],
        "deals": [_deal(WON, "closedwon", (ANN,)), _deal(OPEN, "contractsent", (ANN,))],
    }


def many(count: int) -> dict[str, list[dict[str, Any]]]:
    """That many contacts with addresses."""
    return {"contacts": [_contact(str(1000 + n), email=f"many{n}@example.com") for n in range(count)], "deals": []}


class Hub:
    """An account of its own, and its control surface."""

    token = TOKEN

    def __init__(self, rows: dict[str, list[dict[str, Any]]] | None = None) -> None:
        seed = people() if rows is None else rows
        self.account = Account(lambda: seed, Clock(TODAY))
        self._app = build(self.account)
        self.switch(enforce_limits=False)

    def call(self, method: str, path: str, body: Any = None, token: str = TOKEN, **query: Any) -> httpx.Response:
        """A call with the app's token."""
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        return self.send(method, path, json=body, params=query, headers=headers)

    def send(self, method: str, path: str, **options: Any) -> httpx.Response:
        """Exactly this call."""

        async def sent() -> httpx.Response:
            transport = httpx.ASGITransport(self._app)
            async with httpx.AsyncClient(transport=transport, base_url="http://api.example", trust_env=False) as client:
                return await client.request(method, path, **options)

        return asyncio.run(sent())

    def get(self, path: str, **query: Any) -> Any:
        """The body of a call that goes well."""
        answer = self.call("GET", path, **query)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def post(self, path: str, body: Any = None, status: int = 200, **query: Any) -> Any:
        """The body of a call that ends with the status, None without one."""
        answer = self.call("POST", path, body, **query)
        assert answer.status_code == status, answer.text
        return answer.json() if answer.content else None

    def search(self, *filters: dict[str, Any], **more: Any) -> Any:
        """One group of filters, in the order of ids."""
        body = {"filterGroups": [{"filters": list(filters)}] if filters else [], "sorts": ["hs_object_id"], **more}
        return self.post(f"{CONTACTS}/search", body)

    def found(self, *filters: dict[str, Any], **more: Any) -> list[str]:
        """Ids of the first page."""
        return [row["id"] for row in self.search(*filters, **more)["results"]]

    def there(self, *keys: str, archived: bool = False) -> list[str]:
        """Which of the contacts a batch read shows."""
        body = {"inputs": [{"id": key} for key in keys], "properties": ["email"], "propertiesWithHistory": []}
        answer = self.call("POST", f"{CONTACTS}/batch/read", body, archived=str(archived).lower())
        assert answer.status_code in (200, 207), answer.text
        return [row["id"] for row in answer.json()["results"]]

    def properties(self, key: str, *names: str) -> Any:
        """Properties of one contact."""
        return self.get(f"{CONTACTS}/{key}", properties=",".join(names))["properties"]

    def opt_out(self, address: str, **query: Any) -> Any:
        """Out of everything, by v4."""
        return self.post(f"{PREFERENCES}/{address}/unsubscribe-all", channel="EMAIL", **query)["results"]

    def is_out(self, address: str) -> bool:
        return bool(self.get(f"{PREFERENCES}/{address}/unsubscribe-all", channel="EMAIL")["results"])

    def switch(self, **switches: Any) -> Any:
        return self.control("POST", "switches", **switches)

    def control(self, method: str, command: str, /, **given: Any) -> Any:
        answer = self.send(method, f"/_sandbox/{command}", json=given)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def calls(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self.control("GET", "calls")["calls"]
        return found


def is_filter(name: str, operator: str, value: str | None = None, **more: Any) -> dict[str, Any]:
    """One filter of a search."""
    return {"propertyName": name, "operator": operator} | ({"value": value} if value is not None else {}) | more
