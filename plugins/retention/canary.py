"""How much of a plan may go out at once? A few steps of each action first, read back; then as much as is proven.

Law (section 5): a small sample first, verified, then growing batches; any failed verification stops the run. A plan
that is no larger than the sample needs no stage of its own, and one that only stops marketing destroys nothing.
"""

from __future__ import annotations

from retention import audit
from retention.contract import Connector
from retention.limits import Breach, Canary, Guard
from retention.plan import Purpose
from retention.store import audit_log, guards, plans, progress
from retention.store.desk import Desk
from retention.store.plans import Plan
from retention.store.progress import Progress
from retention.verify import verify
from retention.vocabulary import Action


class CanaryFailed(Exception):
    """What was done first is not as its outcome says. The plan is halted for all lanes; a person has to look."""


class Unproven(Exception):
    """What was done first cannot be read back yet, so the rest waits. Trying later may help."""


def batch_limit(canary: Canary, seen: Progress, vendor: int) -> int:
    """How many steps may go next; the vendor's own batch size once enough is proven, or the plan is small."""
    if seen.total <= canary.first:
        return vendor
    return min(vendor, max(canary.first, seen.proven * canary.growth))


def is_growing(desk: Desk, plan: Plan, connector: Connector, action: Action) -> bool:
    """Whether an action of a plan is still being tried out, by one lane alone."""
    if plan.purpose is Purpose.SUPPRESSION:
        return False
    return _limit(desk, plan, connector, action)[0] < connector.batch_size.get(action, 1)


def room(desk: Desk, plan: Plan, connector: Connector, action: Action) -> int:
    """Read back what was done so far and say how many steps may follow now; 0: somebody else is still at it."""
    verify(desk, plan, connector)
    limit, seen = _limit(desk, plan, connector, action)
    if seen.contradicted:
        _halt(desk, plan, seen.contradicted)
    if seen.unread:
        raise Unproven(f"{plan.system}: {seen.unread} of the first steps cannot be read back; the rest waits for them")
    return 0 if seen.under_way else limit


def _limit(desk: Desk, plan: Plan, connector: Connector, action: Action) -> tuple[int, Progress]:
    with desk.transaction() as db:
        seen = progress.of_action(db, plan.plan_id, action)
    canary = desk.policy.guards_of(plan.system).canary
    return batch_limit(canary, seen, connector.batch_size.get(action, 1)), seen


def _halt(desk: Desk, plan: Plan, contradicted: int) -> None:
    broken = Breach(Guard.CANARY, contradicted, 0)
    with desk.transaction() as db:
        if plans.state_of(db, plan.plan_id) == "approved":
            plans.move(db, plan.plan_id, "contradicted")
            guards.record(db, plan.sweep_id, plan.system, [broken])
            entry = desk.entry(
                audit.Event.GUARD_STOPPED,
                run=plan.sweep_id,
                system=plan.system,
                plan_digest=plan.digest,
                reasons=(broken.guard,),
                count=contradicted,
            )
            audit_log.append(db, [entry])
    raise CanaryFailed(f"{plan.system}: {broken}")
