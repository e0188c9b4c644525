"""Nightly retention sweep: find what the policy no longer lets us keep, have it approved, carry it out, prove it.

Each night at 02:00 London time. Dry until live mode is switched on in the ledger: a dry run makes plans and stops
before the question. Nothing is destroyed without an approval of the plan's digest by a person on the policy's list
(or a standing approval); marketing to people who opted out is stopped at once.

* A failed `gather` or `find`: the system was down or refused us. The others finish; erasure because of an opt-out
  waits everywhere until all systems were read again. Mend the connection and trigger a new run, or wait for the night.
* A failed `walk` of a document server: clear it. What was read is kept; only what is missing is opened.
* `approve` waits up to 20 hours; unanswered plans are superseded by the next night's.
* `turn_of_X` failed: a system that X comes after in the policy is not worked off. Clear that system's tasks first.
* `carry_out` is safe to clear and to run again: it does what is left, never anything twice.
* Runbook: docs/runbook.md, and README, section "When something fails".
"""

from airflow.sdk import DAG, TaskGroup

from orchestration import tasks
from orchestration.daily import EVERY_DAY, at
from orchestration.flow import gather, plan_approve_and_carry_out
from orchestration.wiring import SYSTEMS

with DAG(
    "nightly_retention",
    dag_display_name="Nightly retention sweep",
    schedule=at("0 2 * * *"),
    max_active_runs=1,
    **EVERY_DAY,
    doc_md=__doc__,
    tags=["retention", "destructive"],
):
    sweep = tasks.open_sweep()

    with TaskGroup("read"):
        gathered = [
            gather(tasks.settle.override(**tasks.named("settle", system))(sweep, system), system) for system in SYSTEMS
        ]
    opt_outs = tasks.join_opt_outs(gathered)

    with TaskGroup("look_up"):
        found = [tasks.find.override(**tasks.named("find", system))(opt_outs, system) for system in SYSTEMS]
    consents = tasks.join_consents(found)

    verified = plan_approve_and_carry_out(consents)

    tasks.conclude(tasks.seal(verified))
