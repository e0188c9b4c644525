"""What does the account hold, and what happens to it? Objects, the blocklist, opt-outs by address."""

from __future__ import annotations

import copy
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, fields
from datetime import datetime, timedelta
from typing import Any

from sandbox.clock import Clock
from sandbox.hubspot.properties import OBJECTS, Property

HUB_ID = 24_681_357
TOKEN = "pat-eu1-5f0e9c1a-made-up-for-the-sandbox"  # noqa: S105
SCOPES = (
    "oauth",
    "crm.objects.contacts.read",
    "crm.objects.contacts.write",
    "crm.schemas.contacts.read",
    "crm.objects.deals.read",
    "communication_preferences.read",
    "communication_preferences.write",
    "communication_preferences.read_write",
)
ARCHIVE_DAYS = 90

Row = dict[str, Any]


@dataclass
class Switches:
    """What public material does not settle, or differs between accounts."""

    enforce_limits: bool = True
    per_ten_seconds: int = 190
    per_day: int = 650_000
    searches_per_second: int = 5
    enterprise: bool = False  # batch forms of the preference calls
    search_finds_additional_emails: bool = True
    repeated_purge: int = 204  # or 404
    blocked_for_api: bool = False  # an erased address cannot be created again by API
    hidden: bool = False  # every record reads as absent, as for a token that may see none
    scopes: tuple[str, ...] = SCOPES


class Account:
    """Everything stored. Deep-copied for calls without effect, so it holds no locks and no sockets."""

    def __init__(self, seed: Callable[[], Mapping[str, list[Row]]], clock: Clock) -> None:
        self._seed = seed
        self.clock = clock
        self.reset()

    def __deepcopy__(self, memo: dict[int, Any]) -> Account:
        other = object.__new__(Account)
        memo[id(self)] = other
        kept = ("_seed", "clock")
        for name, value in self.__dict__.items():
            other.__dict__[name] = value if name in kept else copy.deepcopy(value, memo)
        return other

    def reset(self) -> None:
        """Back to the seeded people."""
        self.clock.reset()
        self.switches = Switches()
        self.properties: dict[str, dict[str, Property]] = {
            name: {prop.name: prop for prop in known} for name, known in OBJECTS.items()
        }
        self.objects: dict[str, dict[str, Row]] = {name: {} for name in OBJECTS}
        for name, rows in self._seed().items():
            for row in rows:
                self.objects[name][row["id"]] = copy.deepcopy(row) | {"archived": False, "archivedAt": None}
        self.blocklist: set[str] = set()
        self.purged: set[str] = set()
        self.merged: dict[str, str] = {}
        self.opted_out: dict[str, datetime] = {}
        self.subscriptions: dict[tuple[str, int], str] = {}
        for row in self.objects["contacts"].values():
            if row["properties"].get("hs_email_optout") == "true" and row["properties"].get("email"):
                self.opted_out[row["properties"]["email"].lower()] = self.now()
        self._last_stamp = ""
        self.searches_at: deque[datetime] = deque()
        self.calls_at: deque[datetime] = deque()
        self.calls_today = 0

    def state(self) -> Mapping[str, Any]:
        """Everything, in a stable order."""
        return {
            "objects": {name: [rows[i] for i in sorted(rows, key=int)] for name, rows in self.objects.items()},
            "blocklist": sorted(self.blocklist),
            "preferences": {
                "unsubscribed_from_all": sorted(self.opted_out),
                "subscriptions": {f"{address} {number}": s for (address, number), s in self.subscriptions.items()},
            },
            "switches": asdict(self.switches),
        }

    def set_clock(self, now: datetime) -> None:
        """Set the time inside; what is archived for 90 days is gone then."""
        self.clock.set(now)
        for rows in self.objects.values():
            for key in [k for k, row in rows.items() if row["archived"] and self._is_over(row)]:
                del rows[key]

    def _is_over(self, row: Row) -> bool:
        return datetime.fromisoformat(row["archivedAt"]) + timedelta(days=ARCHIVE_DAYS) <= self.now()

    def set_switches(self, given: Mapping[str, Any]) -> Mapping[str, Any]:
        """Turn switches; gives all of them."""
        known = {field.name for field in fields(Switches)}
        if unknown := set(given) - known:
            raise ValueError(f"unknown switch {sorted(unknown)[0]!r}; known: {', '.join(sorted(known))}")
        for name, value in given.items():
            setattr(self.switches, name, tuple(value) if isinstance(value, list) else value)
        return asdict(self.switches)

    def now(self) -> datetime:
        """The time inside."""
        return self.clock.now()

    def stamp(self) -> str:
        """A modification time later than every one before, to the millisecond."""
        moment = self.now()
        text = _instant(moment)
        while text <= self._last_stamp:
            moment += timedelta(milliseconds=1)
            text = _instant(moment)
        self._last_stamp = text
        return text

    def row(self, kind: str, key: str, *, archived: bool = False) -> Row | None:
        """One record by id; a merged contact's old id leads to the winner."""
        found = None if self.switches.hidden else self.objects[kind].get(self.merged.get(key, key))
        return found if found is not None and found["archived"] is archived else None

    def by_email(self, address: str) -> Row | None:
        """A contact that has this address, primary or additional."""
        wanted = address.strip().lower()
        for row in self.objects["contacts"].values():
            if not row["archived"] and wanted in addresses(row):
                return row
        return None

    def write(self, kind: str, row: Row, values: Mapping[str, Any]) -> None:
        """Set properties; "" clears."""
        for name, value in values.items():
            row["properties"][name] = None if value is None or value == "" else str(value)
        if kind == "deals" and "dealstage" in values:
            stage = str(values["dealstage"])
            row["properties"]["hs_is_closed"] = str(stage.startswith("closed")).lower()
            row["properties"]["hs_is_closed_won"] = str(stage == "closedwon").lower()
        self.modified(kind, row)

    def modified(self, kind: str, row: Row) -> None:
        """Every write moves the modification time."""
        row["updatedAt"] = self.stamp()
        row["properties"]["lastmodifieddate" if kind == "contacts" else "hs_lastmodifieddate"] = row["updatedAt"]

    def create(self, kind: str, values: Mapping[str, Any]) -> Row:
        """A new record."""
        key = str(max([30_000_000, *map(int, self.objects[kind])]) + 1)
        born = self.stamp()
        properties: dict[str, Any] = dict.fromkeys(self.properties[kind])
        properties |= {"hs_object_id": key, "createdate": born}
        row: Row = {
            "id": key,
            "properties": properties,
            "createdAt": born,
            "updatedAt": born,
            "archived": False,
            "archivedAt": None,
            "associations": {"deals": []},
        }
        self.objects[kind][key] = row
        self.write(kind, row, values)
        email = row["properties"].get("email")
        if kind == "contacts" and email and email.lower() in self.opted_out:
            row["properties"]["hs_email_optout"] = "true"
        return row

    def archive(self, kind: str, key: str) -> bool:
        """Put a record where it can be restored from for 90 days."""
        row = self.row(kind, key)
        if row is None:
            return False
        self.modified(kind, row)
        row["archived"], row["archivedAt"] = True, row["updatedAt"]
        return True

    def purge(self, row: Row) -> None:
        """Remove a contact for good; its addresses are blocked from coming back."""
        self.blocklist |= addresses(row)
        self.purged.add(row["id"])
        for old in [old for old, new in self.merged.items() if new == row["id"]]:
            self.purged.add(old)
            del self.merged[old]
        del self.objects["contacts"][row["id"]]

    def opt_out(self, address: str) -> bool:
        """Unsubscribe an address from everything; whether that changed anything."""
        wanted = address.strip().lower()
        if wanted in self.opted_out:
            return False
        self.opted_out[wanted] = self.now()
        self._show_opt_out(wanted, "true")
        return True

    def opt_in(self, address: str) -> None:
        """Take an address back in."""
        self.opted_out.pop(address.strip().lower(), None)
        self._show_opt_out(address.strip().lower(), None)

    def _show_opt_out(self, address: str, value: str | None) -> None:
        for row in self.objects["contacts"].values():
            if (row["properties"].get("email") or "").lower() == address:
                row["properties"]["hs_email_optout"] = value
                self.modified("contacts", row)


def addresses(row: Row) -> set[str]:
    """All addresses of a contact, in lower case."""
    properties = row["properties"]
    listed = [properties.get("email") or "", *(properties.get("hs_additional_emails") or "").split(";")]
    return {address.strip().lower() for address in listed if address.strip()}


def _instant(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%S.") + f"{moment.microsecond // 1000:03d}Z"
