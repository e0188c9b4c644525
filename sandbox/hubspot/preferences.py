"""Who wants no more mail? What every address said, whether or not a contact has it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from sandbox.hubspot.subscription_types import BORN, SUBSCRIPTION_TYPES

SUBSCRIBED, UNSUBSCRIBED, NOT_SPECIFIED = "SUBSCRIBED", "UNSUBSCRIBED", "NOT_SPECIFIED"
STATES = (SUBSCRIBED, UNSUBSCRIBED, NOT_SPECIFIED)
LEGAL_BASES = (
    "CONSENT_WITH_NOTICE",
    "LEGITIMATE_INTEREST_CLIENT",
    "LEGITIMATE_INTEREST_OTHER",
    "LEGITIMATE_INTEREST_PQL",
    "NON_GDPR",
    "PERFORMANCE_OF_CONTRACT",
    "PROCESS_AND_STORE",
)


@dataclass(frozen=True)
class Choice:
    """What an address said about one kind of mail."""

    state: str = NOT_SPECIFIED
    at: str = BORN
    source: str = "NOT_SPECIFIED"
    legal_basis: str | None = None
    explanation: str | None = None


def folded(address: str) -> str:
    """How addresses are told apart: letter case and space around do not count."""
    return address.strip().lower()


@dataclass
class Preferences:
    """Opt-outs of everything, and choices per kind of mail, by address."""

    opted_out: dict[str, str] = field(default_factory=dict)
    """Address to the time it opted out of everything."""
    choices: dict[str, dict[int, Choice]] = field(default_factory=dict)

    def is_out(self, address: str) -> bool:
        """Whether an address opted out of everything."""
        return folded(address) in self.opted_out

    def choice(self, address: str, number: int) -> Choice:
        """What an address said of one kind, its opt-out of everything left aside."""
        return self.choices.get(folded(address), {}).get(number, Choice())

    def wants(self, address: str, number: int) -> str:
        """What holds for one kind of mail in the end."""
        return UNSUBSCRIBED if self.is_out(address) else self.choice(address, number).state

    def opt_out(self, address: str, at: str) -> bool:
        """Opt out of everything; whether that changed anything."""
        if self.is_out(address):
            return False
        self.opted_out[folded(address)] = at
        return True

    def choose(self, address: str, number: int, choice: Choice) -> None:
        """Set one kind. Who comes back after an opt-out of everything comes back for this kind only."""
        key = folded(address)
        mine = self.choices.setdefault(key, {})
        if choice.state == SUBSCRIBED and (since := self.opted_out.pop(key, None)) is not None:
            left = Choice(UNSUBSCRIBED, since, "PORTAL_WIDE_STATUS")
            mine.update({one.id: left for one in SUBSCRIPTION_TYPES if one.id != number})
        mine[number] = choice

    def forget(self, address: str) -> None:
        """As if the address had never said anything."""
        self.opted_out.pop(folded(address), None)
        self.choices.pop(folded(address), None)

    def state(self) -> Mapping[str, Any]:
        """Everything, in a stable order."""
        return {
            "unsubscribed_from_all": sorted(self.opted_out),
            "subscriptions": {
                f"{address} {number}": choice.state
                for address, mine in sorted(self.choices.items())
                for number, choice in sorted(mine.items())
            },
        }
