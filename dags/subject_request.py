"""Subject requests: what one person asked for, in every system, inside the statutory month.

Triggered with the opaque id of a request (tab "New request" of this DAG, or `python -m retention request open`), and
each morning for all that wait. Who it is about stands encrypted in the ledger; never type it into "Trigger DAG".

* `read_X` failed: the system was down or refused us. The others are worked on, and the request stays open.
* `approve` waits for a person who did not open the request. Approve, or reject: then nothing is done.
* `make_copies` or `send_links` failed: a copy could not be made, or its link not sent; the message says why, and each
  morning tries again.
* `conclude` failed: the request is still open, and the message says for what. The next run goes on with it.
* Everything is safe to clear and to run again: it does what is left, never anything twice.
* Runbook: docs/runbook.md, and docs/requests.md.
"""

from airflow.sdk import DAG, Param, TaskGroup

from orchestration import request_tasks, tasks
from orchestration.daily import EVERY_DAY, at
from orchestration.flow import plan_approve_and_carry_out
from orchestration.wiring import SYSTEMS

REQUEST = Param(
    "",
    type="string",
    pattern="^(request-[0-9a-f]{16})?$",
    title="Request id",
    description="The opaque id of an open request. Empty: all that wait. Never a name or an address.",
)

with DAG(
    "subject_request",
    dag_display_name="Subject requests",
    schedule=at("0 6 * * *"),
    max_active_runs=4,
    **EVERY_DAY,
    params={"request_id": REQUEST},
    doc_md=__doc__,
    tags=["requests", "destructive"],
):
    destroyed = request_tasks.destroy_copies()
    run = request_tasks.open_run()

    with TaskGroup("read"):
        found = [request_tasks.read.override(**tasks.named("read", system))(run, system) for system in SYSTEMS]
    followed = request_tasks.follow(run, found)

    verified = plan_approve_and_carry_out(followed)

    told = request_tasks.answer(run, request_tasks.send_links(run, request_tasks.make_copies(run, verified)))
    closed = request_tasks.close_settled(told)
    destroyed >> closed
    request_tasks.conclude(run, told, closed)
