"""Which kinds of mail can an address subscribe to?"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

BORN = "2019-01-07T09:00:00.000Z"


@dataclass(frozen=True)
class SubscriptionType:
    """One kind of mail."""

    id: int
    name: str
    purpose: str = "Marketing"
    is_internal: bool = False

    def definition(self) -> dict[str, Any]:
        """As the definitions endpoints of v3 and v4 show it."""
        return {
            "id": str(self.id),
            "name": self.name,
            "description": self.description,
            "purpose": self.purpose,
            "communicationMethod": "Email",
            "isActive": True,
            "isDefault": False,
            "isInternal": self.is_internal,
            "createdAt": BORN,
            "updatedAt": BORN,
        }

    @property
    def description(self) -> str:
        return f"{self.name} by e-mail"


SUBSCRIPTION_TYPES = (
    SubscriptionType(448_994_475, "Marketing Information"),
    SubscriptionType(448_994_476, "Newsletter"),
    SubscriptionType(448_994_479, "One to One", purpose="Sales", is_internal=True),
)
