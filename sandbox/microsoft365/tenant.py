"""What does the tenant hold? Users, mailboxes, the clock, and what the application may do."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sandbox.clock import Clock
from sandbox.microsoft365 import ids
from sandbox.microsoft365.errors import Refused
from sandbox.microsoft365.limits import Limits
from sandbox.microsoft365.mailbox import Mailbox
from sandbox.microsoft365.switches import Switches

TENANT = "6f1c2f0e-0f6e-4f57-9d55-3f2d7b8c9a10"
CLIENT_ID = "2b6a4f7c-30b1-4ad5-8e5e-9a1d4f0c6b21"
CLIENT_SECRET = "sandbox-secret-of-the-application"  # noqa: S105 - of the emulator alone


@dataclass(frozen=True)
class User:
    """Somebody in the directory; `box` is the number of the mailbox, None for one without."""

    user: str
    address: str
    name: str
    box: int | None
    guest: bool = False
    enabled: bool = True
    aliases: tuple[str, ...] = ()


class Tenant:
    """Users and mailboxes, filled by `seed` at the start and at every reset."""

    def __init__(self, seed: Callable[[Tenant], None], clock: Clock) -> None:
        self._seed = seed
        self.clock = clock
        self.generation = 0
        self.reset()

    def reset(self) -> None:
        self.clock.reset()
        self.generation += 1  # positions handed out before are unknown from now on
        self.switches = Switches()
        self.limits = Limits()
        self.users: dict[str, User] = {}
        self.boxes: dict[int, Mailbox] = {}
        self.asked_without_mailbox = 0
        self._seed(self)

    def __deepcopy__(self, memo: dict[int, Any]) -> Tenant:
        """A copy for a call without effect; what fills a tenant is shared."""
        other = object.__new__(Tenant)
        other.__dict__ = {
            name: value if name == "_seed" else copy.deepcopy(value, memo) for name, value in self.__dict__.items()
        }
        return other

    def now(self) -> datetime:
        return self.clock.now()

    def set_clock(self, now: datetime) -> None:
        self.clock.set(now)
        self.limits = Limits()
        self.settle()

    def settle(self) -> None:
        """What was recoverable for long enough goes, but for what is on hold."""
        for box in self.boxes.values():
            if not self.is_on_hold(box):
                box.expire(self.now(), timedelta(days=self.switches.retained_days))

    def set_switches(self, given: Mapping[str, Any]) -> Mapping[str, Any]:
        self.switches = self.switches.changed(given)
        self.settle()
        return self.switches.plain()

    def add_mailbox(self, address: str, name: str, **how: Any) -> Mailbox:
        """A user with a mailbox."""
        user = ids.user_id(address)
        box = Mailbox(len(self.boxes) + 1, user, address, name, **how)
        self.boxes[box.number] = box
        enabled = box.purpose == "user"
        self.users[user] = User(user, address, name, box.number, enabled=enabled, aliases=box.aliases)
        return box

    def add_user(self, address: str, name: str, *, guest: bool = False) -> None:
        """A user without a mailbox."""
        user = ids.user_id(address)
        self.users[user] = User(user, address, name, None, guest=guest)

    def user(self, key: str) -> User:
        """A user by id or principal name."""
        found = self.users.get(key.casefold())
        if found is None:
            found = next((one for one in self.users.values() if one.address.casefold() == key.casefold()), None)
        if found is None:
            message = (
                f"Resource '{key}' does not exist or one of its queried reference-property objects are not present."
            )
            raise Refused(404, "Request_ResourceNotFound", message)
        return found

    def mailbox(self, key: str) -> Mailbox:
        """The mailbox of a user, if there is one and the application may reach it."""
        user = self.user(key)
        if user.box is None:  # both codes come for one and the same user
            self.asked_without_mailbox += 1
            if self.asked_without_mailbox % 2:
                message = "The mailbox is either inactive, soft-deleted, or is hosted on-premise."
                raise Refused(404, "MailboxNotEnabledForRESTAPI", message)
            raise Refused(404, "ResourceNotFound", "Resource could not be discovered.")
        return self.reachable(self.boxes[user.box])

    def reachable(self, box: Mailbox) -> Mailbox:
        """A mailbox, unless it lies outside what the application was given."""
        if not box.in_scope or _is_among(box, self.switches.out_of_scope):
            raise Refused(403, "ErrorAccessDenied", "Access to OData is disabled.")
        return box

    def by_mailbox_id(self, key: str) -> Mailbox:
        """A mailbox by the id the mailbox-item API uses."""
        for box in self.boxes.values():
            if ids.mailbox_id(box.user, TENANT) == key:
                return self.reachable(box)
        raise Refused(404, "ErrorItemNotFound", "The mailbox was not found.")

    def is_on_hold(self, box: Mailbox) -> bool:
        return box.on_hold or _is_among(box, self.switches.on_hold)

    def state(self) -> Mapping[str, Any]:
        return {
            "now": self.now().isoformat(),
            "users": [{"id": one.user, "address": one.address, "guest": one.guest} for one in self.users.values()],
            "mailboxes": {box.user: box.state() for box in self.boxes.values()},
        }


def _is_among(box: Mailbox, addresses: Iterable[str]) -> bool:
    return box.address.casefold() in {one.casefold() for one in addresses}
