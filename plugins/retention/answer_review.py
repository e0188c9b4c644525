"""How is a person's decision on waiting records written down? On exactly what was shown, with the audit entries.

An erasure becomes a step of the next plan, which needs its own approval. A hold, a restriction, an open access request
and a statutory keep outrank every decision.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from retention import audit
from retention.clocks import add_months
from retention.impediment import Impediment
from retention.review import KEEP_YEARS, Choice, can_answer
from retention.store import audit_log, review
from retention.store.desk import Desk
from retention.store.review import Item, Wanted


class NotDecided(Impediment):
    """A decision that cannot be one; nothing was written down."""


@dataclass(frozen=True, slots=True)
class Decided:
    """What somebody decides: `until` goes with keeping, `collected_on` with supplying the day, and only with it."""

    choice: Choice
    until: date | None = None
    collected_on: date | None = None

    def on(self, today: date) -> Decided:
        """The same with the day until which it holds; refuses days that make no sense."""
        if self.until is not None and self.choice is not Choice.KEEP:
            raise NotDecided("a day until which it holds (until) goes with keep only")
        if (self.collected_on is not None) != (self.choice is Choice.COLLECTED_ON):
            raise NotDecided("the day it was collected (on) goes with collected-on, and only with it")
        if self.until is not None and self.until <= today:
            raise NotDecided("until must lie in the future: until then the question rests")
        if self.collected_on is not None and self.collected_on > today:
            raise NotDecided("the day it was collected (on) must not lie in the future: nothing was collected then")
        kept = (self.until or add_months(today, 12 * KEEP_YEARS)) if self.choice is Choice.KEEP else None
        return Decided(self.choice, kept, self.collected_on)


def listed(desk: Desk, wanted: Wanted, choice: Choice) -> list[Item]:
    """What a decision would be on; refuses one that is no answer to all that these records wait for."""
    with desk.transaction() as db:
        found = review.items(db, wanted)
    if not found:
        raise NotDecided("nothing that waits fits this: see `review list`")
    unfit = Counter(",".join(item.reasons) for item in found if not can_answer(choice, frozenset(item.reasons)))
    if unfit:
        reasons, n = unfit.most_common(1)[0]
        raise NotDecided(
            f"{choice.value} is no answer to {reasons} ({n} of {len(found)} items): choose another decision, or narrow"
            " the filters with --reason; nothing was decided"
        )
    return found


def decide(desk: Desk, wanted: Wanted, shown: str, decided: Decided, who: str) -> int:
    """Write a decision on what was shown, by its digest; refuses if the queue is another by now. Returns how many."""
    holds = decided.on(desk.today)
    with desk.transaction() as db:
        review.lock(db)
        found = review.items(db, wanted)
        if review.digest(found) != shown:
            raise NotDecided("the queue is not as it was listed: list it again; nothing was decided")
        review.answer(db, found, holds.choice, who, until=holds.until, collected_on=holds.collected_on)
        audit_log.append(db, _entries(desk, found, holds.choice, who))
    return len(found)


def entry(desk: Desk, event: audit.Event, item: Item, who: str, **more: Any) -> audit.Entry:
    """What the audit log keeps of something that a person did with one item."""
    return desk.entry(
        event,
        reference=item.item_id,
        system=item.system,
        reasons=item.reasons,
        actor=who,
        role=audit.Role.DPO,
        **more,
    )


def _entries(desk: Desk, found: Sequence[Item], choice: Choice, who: str) -> list[audit.Entry]:
    """One entry for one item, with its pseudonym; for many, one for each system and question, with their number."""
    if len(found) == 1:
        return [entry(desk, audit.Event.REVIEW_DECIDED, found[0], who, decision=choice.value, count=1)]
    groups = Counter((item.system, item.reasons) for item in found)
    return [
        desk.entry(
            audit.Event.REVIEW_DECIDED,
            reference=f"review-{review.digest(found)}",
            system=system,
            reasons=reasons,
            decision=choice.value,
            actor=who,
            role=audit.Role.DPO,
            count=n,
        )
        for (system, reasons), n in sorted(groups.items())
    ]
