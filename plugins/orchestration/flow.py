"""Which tasks do all sweeps share? Reading a system; and once records are known: plan, ask, carry out, read back.

A night and a run for requests differ in whom they look for and in how they end. What destroys is laid out here only, so
that nothing can be carried out behind another question than this one.
"""

from __future__ import annotations

from typing import Any

from airflow.sdk import TaskGroup

from orchestration import tasks
from orchestration.approval import ASKED_AGAIN, AskForApproval
from orchestration.wiring import AFTER, SYSTEMS, WALKED


def gather(settled: Any, system: str) -> Any:
    """One task; or, where all there is has to be walked, its parts side by side and then what they came to."""
    last = tasks.named("gather", system)
    if system not in WALKED:
        return tasks.gather.override(**last)(settled, system)
    parts = tasks.divide.override(**tasks.named("divide", system))(settled, system)
    walked: Any = _documented(tasks.walk).override(**tasks.named("walk", system)).partial(system=system)
    return tasks.take_stock.override(**last)(walked.expand(part=parts), system)


def plan_approve_and_carry_out(joined: Any) -> list[Any]:
    """The tasks from planning to reading back, behind whatever joined the systems; the last of each system."""
    with TaskGroup("decide"):
        plans: dict[str, Any] = {}
        for system in SYSTEMS:
            stopped: Any = tasks.suppress.override(**tasks.named("stop_marketing", system))(joined, system)
            plans[system] = tasks.plan.override(**tasks.named("plan", system))(stopped, system)

    approve = AskForApproval(task_id="approve", task_display_name="approve the digest", retries=ASKED_AGAIN)
    tasks.guard(list(plans.values())) >> approve
    approval = tasks.record_approval(approve.output)

    verified: list[Any] = []
    lanes: dict[str, Any] = {}
    for system in SYSTEMS:
        with TaskGroup(system):
            lane = _documented(tasks.carry_out).partial(approval=approval, system=system)
            lanes[system] = lane.expand(lane=plans[system])
            verified.append(tasks.verify(lanes[system], system))
    for system, earlier in AFTER.items():
        if earlier:
            turn = tasks.wait_for_turn.override(**tasks.named("turn_of", system))(system)
            [lanes[one] for one in earlier] >> turn >> lanes[system]
    return verified


def _documented(mapped: Any) -> Any:
    """A task that is to be mapped, with its docstring: Airflow takes it over only for one that is not."""
    return mapped.override(doc_md=mapped.function.__doc__)
