"""How many calls may still be made, and what do the headers say of it?"""

from __future__ import annotations

from collections import deque
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from sandbox.hubspot.switches import Switches

SECOND = timedelta(seconds=1)
MILLISECOND = timedelta(milliseconds=1)
DAILY, SECONDLY, TEN_SECONDLY = "DAILY", "SECONDLY", "TEN_SECONDLY_ROLLING"


class Allowance:
    """The calls of this app so far. Searches have a limit of their own and are not counted among the ten seconds."""

    def __init__(self) -> None:
        self._calls: deque[datetime] = deque()
        self._searches: deque[datetime] = deque()
        self._day = ""
        self._today = 0

    def forget_rates(self) -> None:
        """The clock was set: what was counted by the second counts no more."""
        self._calls.clear()
        self._searches.clear()

    def take(self, switches: Switches, now: datetime, *, searching: bool) -> tuple[str, int] | None:
        """Use one call, or say which limit is reached and how many seconds to wait."""
        used = self.used_today(switches, now)
        if switches.enforce_limits:
            if used >= switches.per_day:
                return DAILY, int((midnight(switches, now) - now).total_seconds()) + 1
            times, window, most, policy = (
                (self._searches, SECOND, switches.searches_per_second, SECONDLY)
                if searching
                else (self._calls, interval(switches), switches.per_ten_seconds, TEN_SECONDLY)
            )
            while times and times[0] <= now - window:
                times.popleft()
            if len(times) >= most:
                oldest = times[0] if times else now
                return policy, max(1, round((oldest + window - now).total_seconds()))
            times.append(now)
        self._today += 1
        return None

    def used_today(self, switches: Switches, now: datetime) -> int:
        """Calls of the whole account since its midnight."""
        day = now.astimezone(ZoneInfo(switches.time_zone)).date().isoformat()
        if day != self._day:
            self._day, self._today = day, 0
        return self._today + switches.used_today

    def headers(self, switches: Switches, now: datetime, *, searching: bool) -> dict[str, str]:
        """As recorded for private apps: answers to searches tell of the day only."""
        told = {
            "X-HubSpot-RateLimit-Daily": str(switches.per_day),
            "X-HubSpot-RateLimit-Daily-Remaining": str(max(0, switches.per_day - self.used_today(switches, now))),
        }
        if searching:
            return told
        recent = sum(at > now - SECOND for at in self._calls)
        secondly = int(switches.per_ten_seconds / switches.interval_seconds)
        return told | {
            "X-HubSpot-RateLimit-Interval-Milliseconds": str(interval(switches) // MILLISECOND),
            "X-HubSpot-RateLimit-Max": str(switches.per_ten_seconds),
            "X-HubSpot-RateLimit-Remaining": str(max(0, switches.per_ten_seconds - len(self._calls))),
            "X-HubSpot-RateLimit-Secondly": str(secondly),
            "X-HubSpot-RateLimit-Secondly-Remaining": str(max(0, secondly - recent)),
        }


def interval(switches: Switches) -> timedelta:
    """How long a call counts against the allowance: ten seconds, unless switched."""
    return timedelta(seconds=switches.interval_seconds)


def midnight(switches: Switches, now: datetime) -> datetime:
    """When the account's next day begins."""
    local = now.astimezone(ZoneInfo(switches.time_zone))
    following = local.date() + timedelta(days=1)
    return datetime(following.year, following.month, following.day, tzinfo=local.tzinfo)
