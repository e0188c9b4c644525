"""Who is planted? Made-up people with addresses and numbers that nobody has."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from random import Random

MADE = datetime(2021, 3, 4, 10, 30, tzinfo=UTC)
"""When every planted document says that it was written."""

_FIRST = ("jane", "omar", "lucia", "tomas", "ayla", "henrik", "nadia", "felix", "priya", "marek")
_LAST = ("testwick", "fablemore", "samplestone", "mockridge", "fakenham", "dummerly", "quillby", "sketchley")
_DOMAINS = ("example.com", "example.org", "post.example", "mail.northgate.example")


@dataclass(frozen=True)
class Person:
    """Somebody with an address, a telephone and a customer number."""

    first: str
    last: str
    local: str
    domain: str
    phone: str
    customer_number: str

    @property
    def email(self) -> str:
        return f"{self.local}@{self.domain}"

    @property
    def name(self) -> str:
        return f"{self.first.title()} {self.last.title()}"

    def twin(self) -> Person:
        """Somebody else of the same name: an address that holds the first one's, and other numbers."""
        return replace(
            self,
            local=f"x{self.local}",
            domain=f"{self.domain}.test",
            phone=self.phone[:-4] + f"{(int(self.phone[-4:]) + 1) % 10_000:04d}",
            customer_number=f"{self.customer_number[:-1]}{(int(self.customer_number[-1]) + 1) % 10}",
        )


def people(chance: Random) -> Iterator[Person]:
    """One after the other, no two with the same address."""
    number = 0
    while True:
        number += 1
        first, last = chance.choice(_FIRST), chance.choice(_LAST)
        local = f"{first}.{last}{chance.randrange(10, 100)}{number}"
        phone = f"+44207946{chance.randrange(10_000):04d}"
        yield Person(first, last, local, chance.choice(_DOMAINS), phone, f"CU-{chance.randrange(10**6):06d}")
