"""What does the account hold, and what happens to it? Records, links, the blocklist, and time."""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any

from sandbox.clock import Clock
from sandbox.hubspot.addresses import addresses
from sandbox.hubspot.allowance import Allowance
from sandbox.hubspot.history import Source, remember
from sandbox.hubspot.object_types import COUNTED, TYPES
from sandbox.hubspot.preferences import Preferences, folded
from sandbox.hubspot.properties import OPTOUT, Property, known_properties
from sandbox.hubspot.switches import Switches
from sandbox.hubspot.values import instant
from sandbox.hubspot.view import SearchView

HUB_ID = 24_681_357
APP_ID = 1_234_567
USER_ID = 7_654_321
TOKEN = "pat-eu1-5f0e9c1a-made-up-for-the-sandbox"  # noqa: S105
ARCHIVE_DAYS = 90
CLOSED_TICKET = "4"

Row = dict[str, Any]


class Account:
    """Everything stored. Deep-copied for calls without effect, so it holds no locks and no sockets."""

    def __init__(self, seed: Callable[[], Mapping[str, list[Row]]], clock: Clock) -> None:
        self._seed = seed
        self.clock = clock
        self.reset()

    def __deepcopy__(self, memo: dict[int, Any]) -> Account:
        other = object.__new__(Account)
        memo[id(self)] = other
        shared = ("_seed", "clock", "definitions")
        for name, value in self.__dict__.items():
            other.__dict__[name] = value if name in shared else copy.deepcopy(value, memo)
        other.definitions = {kind: dict(known) for kind, known in self.definitions.items()}
        return other

    # -- the control surface

    def reset(self) -> None:
        """Back to the seeded people, switches and clock included."""
        self.clock.reset()
        self.switches = Switches()
        self.allowance = Allowance()
        self.definitions = known_properties()
        self.preferences = Preferences()
        self.objects: dict[str, dict[str, Row]] = {kind: {} for kind in self.definitions}
        self.blocklist: set[str] = set()
        self.purged: set[str] = set()
        self.merged: dict[str, str] = {}
        self.view = SearchView()
        self._addresses: dict[str, set[str]] = {}
        self._holders: dict[str, dict[str, None]] = {}
        self._archived: set[tuple[str, str]] = set()
        self._purging: dict[tuple[str, str], datetime] = {}
        self._left_behind: dict[tuple[str, str], datetime] = {}
        self._last_stamp = ""
        for kind, rows in self._seed().items():
            for row in rows:
                self._load(kind, row)
        self._next = max([30_000_000, *(int(key) for rows in self.objects.values() for key in rows)]) + 1

    def state(self) -> Mapping[str, Any]:
        """Everything, in a stable order."""
        self.settle()
        return {
            "objects": {kind: [rows[key] for key in sorted(rows, key=int)] for kind, rows in self.objects.items()},
            "blocklist": sorted(self.blocklist),
            "preferences": self.preferences.state(),
            "properties": {kind: sorted(p.name for p in known.values()) for kind, known in self.definitions.items()},
            "switches": self.switches.plain(),
        }

    def set_clock(self, now: datetime) -> None:
        """Set the time inside."""
        self.clock.set(now)
        self.allowance.forget_rates()
        self.settle()

    def set_switches(self, given: Mapping[str, Any]) -> Mapping[str, Any]:
        """Turn switches; gives all of them."""
        self.switches = self.switches.changed(given)
        self.view.set_lag(self.switches.search_lag_seconds, self.objects)
        return self.switches.plain()

    # -- time

    def now(self) -> datetime:
        """The time inside."""
        return self.clock.now()

    def stamp(self) -> str:
        """A modification time later than every one before, to the millisecond."""
        moment = self.now()
        while (text := instant(moment)) <= self._last_stamp:
            moment += timedelta(milliseconds=1)
        self._last_stamp = text
        return text

    def settle(self) -> None:
        """Let happen what time brings: archived records go after 90 days, purged ones when their delay is over."""
        now = self.now()
        for waiting in (self._purging, self._left_behind):
            for kind, key in [one for one, due in waiting.items() if due <= now]:
                del waiting[kind, key]
                if key in self.objects[kind]:
                    self._drop(kind, key)
        for kind, key in [one for one in self._archived if self._is_over(*one, now)]:
            self._drop(kind, key)
        self.view.settle(now)

    def _is_over(self, kind: str, key: str, now: datetime) -> bool:
        at = datetime.fromisoformat(self.objects[kind][key]["archivedAt"])
        return at + timedelta(days=ARCHIVE_DAYS) <= now

    # -- reading

    def visible(self, kind: str) -> dict[str, Row]:
        """All records of a type the token's user may see, archived ones too."""
        return {} if self.switches.hidden else self.objects[kind]

    def row(self, kind: str, key: str, *, archived: bool = False) -> Row | None:
        """One record by id; the old id of a merged contact leads to the winner."""
        rows = self.visible(kind)
        found = rows.get(key)
        if not archived and self.switches.merged_id_leads_to_winner and key in self.merged:
            found = rows.get(self.winner(key))
        return found if found is not None and found["archived"] is archived else None

    def winner(self, key: str) -> str:
        """Where an id leads after all merges."""
        while key in self.merged:
            key = self.merged[key]
        return key

    def holders(self, address: str) -> list[str]:
        """Ids of the live contacts that have this address, primary or additional."""
        return list(self._holders.get(folded(address), ()))

    def by_email(self, address: str) -> Row | None:
        """The live contact that has this address."""
        for key in self.holders(address):
            if (row := self.row("contacts", key)) is not None:
                return row
        return None

    def archived_by_email(self, address: str) -> Row | None:
        """An archived contact that has this address."""
        for kind, key in sorted(self._archived):
            if kind == "contacts" and folded(address) in addresses(self.objects[kind][key]):
                return self.row(kind, key, archived=True)
        return None

    def value(self, kind: str, row: Row, name: str) -> str | None:
        """What a property shows, also where it is computed."""
        name = (TYPES[kind].aliases or {}).get(name, name)
        properties: Mapping[str, str | None] = row["properties"]
        if kind == "contacts" and name.startswith(OPTOUT):
            email = properties.get("email")
            out = email and self.preferences.wants(email, int(name.removeprefix(OPTOUT))) == "UNSUBSCRIBED"
            return "true" if out else None
        if kind == "contacts" and name == "hs_email_domain":
            return (properties.get("email") or "").rpartition("@")[2] or None
        return properties.get(name)

    def property(self, kind: str, name: str) -> Property | None:
        """The definition of a property."""
        return self.definitions[kind].get(name)

    # -- changing

    def create(self, kind: str, values: Mapping[str, str | None]) -> Row:
        """A new record with checked values."""
        key, born = str(self._next), self.stamp()
        self._next += 1
        row: Row = {
            "id": key,
            "properties": {"hs_object_id": key, TYPES[kind].created: born, TYPES[kind].modified: born},
            "createdAt": born,
            "updatedAt": born,
            "archived": False,
            "archivedAt": None,
            "associations": {},
            "source": "INTEGRATION",
        }
        self.objects[kind][key] = row
        row["properties"] |= {name: value for name, value in values.items() if value is not None}
        self._derive(kind, row)
        self._note(kind, row)
        return row

    def write(self, kind: str, row: Row, values: Mapping[str, str | None]) -> None:
        """Set checked values. Former values stay in the history, cleared ones too."""
        at = self.stamp()
        for name, value in values.items():
            former = row["properties"].get(name) or None
            if former != value:
                remember(kind, row, name, value, Source(at, "INTEGRATION", str(APP_ID)))
            row["properties"][name] = value
        self._derive(kind, row)
        self._modified(kind, row, at)

    def touch(self, kind: str, row: Row) -> None:
        """A change that shows in no stored property moves the modification time all the same."""
        self._derive(kind, row)
        self._modified(kind, row, self.stamp())

    def archive(self, kind: str, key: str) -> bool:
        """Put a record where it can be restored from for 90 days; whether there was one."""
        row = self.visible(kind).get(key)
        if row is None or row["archived"]:
            return False
        at = self.stamp()
        row["archived"], row["archivedAt"], row["updatedAt"] = True, at, at
        self._archived.add((kind, key))
        self._note(kind, row)
        for other_kind, linked in self._neighbours(kind, row):
            self._recount(other_kind, linked, kind)
        return True

    def purge(self, kind: str, row: Row) -> list[str]:
        """Remove a record for good, and what was merged into it; gives the ids. A contact's addresses are blocked, and
        the activities that belong to nobody else go within some days."""
        if kind != "contacts":
            self._go(kind, row["id"])
            return [row["id"]]
        losers = [old for old in self.merged if self.winner(old) == row["id"]]
        gone = [key for key in (row["id"], *losers) if key in self.objects["contacts"]]
        for key in gone:
            known = addresses(self.objects["contacts"][key])
            self.blocklist |= known
            if not self.switches.preferences_survive_purge:
                for address in known:
                    self.preferences.forget(address)
            later = self.now() + timedelta(days=self.switches.activities_purged_after_days)
            self._left_behind |= dict.fromkeys(self._own_activities(self.objects["contacts"][key]), later)
            self._go("contacts", key)
        self.purged.update((row["id"], *losers))
        for old in losers:
            del self.merged[old]
        return gone

    def is_going(self, kind: str, key: str) -> bool:
        """Whether a record was purged and is only still shown."""
        return (kind, key) in self._purging

    def link(self, kind: str, key: str, target: str, other: str) -> bool:
        """Link two records; whether that changed anything."""
        return self._relink(kind, key, target, other, linked=True)

    def unlink(self, kind: str, key: str, target: str, other: str) -> bool:
        """Undo a link; whether there was one."""
        return self._relink(kind, key, target, other, linked=False)

    def linked(self, kind: str, key: str, target: str) -> list[str]:
        """Live records of a type that a live record is linked with."""
        row = self.row(kind, key)
        return self._links(row, target) if row is not None else []

    def opt_out(self, address: str) -> bool:
        """Unsubscribe an address from everything; whether that changed anything."""
        changed = self.preferences.opt_out(address, self.stamp())
        if changed:
            self.show_preferences(address)
        return changed

    def show_preferences(self, address: str) -> None:
        """The contact that has the address shows what it wants, and counts as modified."""
        for key in self.holders(address):
            row = self.objects["contacts"][key]
            if folded(row["properties"].get("email") or "") == folded(address):
                self.touch("contacts", row)

    def drop_property(self, kind: str, name: str) -> bool:
        """Archive a property: from then on nobody sees it or its values."""
        for row in self.objects[kind].values():
            row["properties"].pop(name, None)
            row.get("history", {}).pop(name, None)
        self.view.changed()
        return self.definitions[kind].pop(name, None) is not None

    # -- what follows from a change

    def _load(self, kind: str, given: Row) -> None:
        row = copy.deepcopy(given) | {"archived": False, "archivedAt": None}
        row["associations"] = {other: list(ids) for other, ids in given.get("associations", {}).items()}
        row["source"] = "IMPORT" if row["properties"].get("migrated") == "true" else "FORM"
        self.objects[kind][row["id"]] = row
        email = row["properties"].get("email")
        if kind == "contacts" and email and row["properties"].get("hs_email_optout") == "true":
            self.preferences.opt_out(email, row["updatedAt"])
        self._note(kind, row)

    def _derive(self, kind: str, row: Row) -> None:
        """Set what the service computes."""
        properties = row["properties"]
        if kind == "deals":
            stage = properties.get("dealstage")
            properties["hs_is_closed"] = "true" if stage in ("closedwon", "closedlost") else "false"
            properties["hs_is_closed_won"] = "true" if stage == "closedwon" else "false"
        elif kind == "tickets":
            is_closed = properties.get("hs_pipeline_stage") == CLOSED_TICKET
            properties["closed_date"] = (properties.get("closed_date") or row["updatedAt"]) if is_closed else None
        elif kind == "contacts":
            is_out = self.preferences.is_out(properties.get("email") or "")
            if is_out or properties.get("hs_email_optout") == "true":
                properties["hs_email_optout"] = "true" if is_out else None
            companies = self._links(row, "companies")
            if companies or properties.get("associatedcompanyid"):
                properties["associatedcompanyid"] = companies[0] if companies else None
        for (one, other), name in COUNTED.items():
            if one == kind and ((count := len(self._links(row, other))) or properties.get(name)):
                properties[name] = str(count) if count else None

    def _modified(self, kind: str, row: Row, at: str) -> None:
        row["updatedAt"] = row["properties"][TYPES[kind].modified] = at
        self._note(kind, row)

    def _links(self, row: Row, target: str) -> list[str]:
        """Live records of a type it is linked with, whoever may see them."""
        others = self.objects[target]
        there = (k for k in row["associations"].get(target, ()) if k in others and not others[k]["archived"])
        return sorted(there, key=int)

    def _neighbours(self, kind: str, row: Row) -> list[tuple[str, Row]]:
        """Every record that is linked with it, archived ones too."""
        found = ((other, self.objects[other].get(key)) for other, keys in row["associations"].items() for key in keys)
        return [(other, linked) for other, linked in found if linked is not None]

    def _own_activities(self, contact: Row) -> list[tuple[str, str]]:
        """Activities that are about this contact alone; calls and tasks stay in their tools all the same."""
        return [
            (kind, row["id"])
            for kind, row in self._neighbours("contacts", contact)
            if TYPES[kind].is_activity
            and not TYPES[kind].stays_in_its_tool
            and sum(map(len, row["associations"].values())) == 1
        ]

    def _recount(self, kind: str, row: Row, other: str) -> None:
        """A record whose links are counted has changed when one of them has."""
        if (kind, other) in COUNTED or (kind, other) == ("contacts", "companies"):
            self.touch(kind, row)

    def _go(self, kind: str, key: str) -> None:
        if self.switches.purge_lag_seconds:
            self._purging[kind, key] = self.now() + timedelta(seconds=self.switches.purge_lag_seconds)
        else:
            self._drop(kind, key)

    def _relink(self, kind: str, key: str, target: str, other: str, *, linked: bool) -> bool:
        mine, theirs = self.row(kind, key), self.row(target, other)
        if mine is None or theirs is None:
            return False
        changed = False
        for row, there, one in ((mine, target, other), (theirs, kind, key)):
            links: list[str] = row["associations"].setdefault(there, [])
            if (one in links) is not linked:
                changed = True
                links.append(one) if linked else links.remove(one)
        if changed:
            self._recount(kind, mine, target)
            self._recount(target, theirs, kind)
        return changed

    def _note(self, kind: str, row: Row) -> None:
        """Keep the index of addresses and what searches see."""
        if kind == "contacts":
            self._index(row["id"], set() if row["archived"] else addresses(row))
        self.view.changed(kind, row["id"], None if row["archived"] else row, self.now())

    def _index(self, key: str, found: set[str]) -> None:
        before = self._addresses.get(key, set())
        for address in before - found:
            self._holders[address].pop(key)
        for address in found - before:
            self._holders.setdefault(address, {})[key] = None
        self._addresses[key] = found

    def _drop(self, kind: str, key: str) -> None:
        row = self.objects[kind].pop(key)
        self._archived.discard((kind, key))
        if kind == "contacts":
            self._index(key, set())
            del self._addresses[key]
        self.view.changed(kind, key, None, self.now())
        for other, linked in self._neighbours(kind, row):
            if key in linked["associations"].get(kind, ()):
                linked["associations"][kind].remove(key)
                self._recount(other, linked, kind)
