"""How many calls may a night still make? What the org allows a day, less the reserve that others live on.

Every REST answer carries `Sforce-Limit-Info: api-usage=18/15000`. The allowance is shared with every other integration
of the org, so a night stops before it is used up and goes on in the next one.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from retention.contract import Throttled

_USAGE = re.compile(r"\bapi-usage=(\d+)/(\d+)")


class Allowance:
    """The org's calls of the last 24 hours, as far as the last answer said."""

    def __init__(self, system: str, reserve: int) -> None:
        self._system = system
        self._reserve = reserve
        self._left: int | None = None

    def note(self, headers: Mapping[str, str]) -> None:
        if match := _USAGE.search(headers.get("Sforce-Limit-Info", "")):
            used, allowed = (int(number) for number in match.groups())
            self._left = allowed - used

    def must_leave_the_reserve(self) -> None:
        """Raise before a call that would take from the reserve. One whose answer will tell us is let through."""
        if self._reserve and self._left is not None and self._left <= self._reserve:
            raise Throttled(
                f"{self._system}: {self._left} calls of the day's allowance are left, the policy reserves"
                f" {self._reserve}: the next night goes on"
            )
