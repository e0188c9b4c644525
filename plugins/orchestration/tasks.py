"""What does each task do? Find its sweep in the ledger, call one stage of the core, return counts or ids.

Nothing a task is handed through XCom is believed: the sweep comes from the run itself, everything else from the ledger.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from airflow.sdk import ExceptionRetryPolicy, RetryAction, RetryRule, get_current_context, task
from airflow.sdk.exceptions import AirflowFailException, AirflowSkipException

from orchestration import airflow_record, alerts, figures, wiring
from orchestration.here import here, opened_here
from orchestration.log_events import note
from retention import approve, canary
from retention import carry_out as execution
from retention import guard as limits
from retention import seal as sealing
from retention import sweep as stages
from retention import verify as verification
from retention.contract import AccessDenied, Stopped, Unsupported
from retention.keyring import KeysUnusable
from retention.plan import Purpose
from retention.policy import PolicyError
from retention.policy_approval import PolicyNotApproved
from retention.store import audit_log, plans, sweeps
from retention.store.alerts import Kind as News
from retention.store.audit_log import LedgerOutdated
from retention.store.incidents import Kind
from retention.store.steps import StepAltered
from retention.store.sweeps import Mode

_operations = wiring.policy().schedule.operations

ACTING = "acting"
"""Queue of the tasks that change a system: only its workers need credentials that may."""
RECORDING = "recording"
"""Queue of the tasks that need the approver's database role or the key that signs the audit log."""

NO_USE_RETRYING = ExceptionRetryPolicy(
    rules=[
        RetryRule(
            exception=[
                AccessDenied,
                Unsupported,
                KeysUnusable,
                PolicyError,
                PolicyNotApproved,
                wiring.NotConnected,
                wiring.NotForLive,
                stages.Refused,
                stages.NotReadWholly,
                limits.OtherAccount,
                canary.CanaryFailed,
                execution.NotApproved,
                Stopped,
                verification.WrongPlace,
                approve.AnswerRefused,
                StepAltered,
                LedgerOutdated,
            ],
            action=RetryAction.FAIL,
            reason="a person has to mend something first; the message says what",
        )
    ]
)

DEFAULTS: dict[str, Any] = {
    "owner": "privacy",
    "retries": _operations.retries,
    "retry_delay": timedelta(seconds=_operations.retry_seconds),
    "retry_exponential_backoff": 2.0,
    "max_retry_delay": timedelta(minutes=15),
    "retry_policy": NO_USE_RETRYING,
}


def named(verb: str, system: str) -> dict[str, str]:
    """Id and display name of a task that does something with one system."""
    return {"task_id": f"{verb}_{system}", "task_display_name": f"{verb.replace('_', ' ')}: {system}"}


@task(queue=RECORDING, task_display_name="open sweep")
def open_sweep() -> str:
    """Open this run's sweep in the ledger; refuses backfills and a ledger older than its outside checkpoint."""
    run = get_current_context()["dag_run"]
    desk = wiring.desk()
    key, outside = wiring.signing_key()
    with desk.transaction() as db:
        audit_log.refuse_if_outdated(db, outside, key.verify_key)
        if sweeps.mode(db) is Mode.LIVE:
            wiring.refuse_what_is_for_rehearsals(sweeps.on_embedded_server(db))
    started_by = run.triggering_user_name or "schedule"
    info = stages.RunInfo(run.dag_id, run.run_id, getattr(run.run_type, "value", run.run_type), started_by)
    return stages.open_sweep(desk, info).sweep_id


@task(queue=ACTING)
def settle(opened: str, system: str) -> dict[str, int]:
    """Finish what earlier nights left begun, accepted or unknown."""
    desk, sweep = here()
    if sweep.mode is Mode.DRY:
        return {}
    connector = wiring.connector(system)
    settled = execution.settle(desk, connector, accepted=True).states
    return {**settled, **verification.verify_earlier(desk, sweep.sweep_id, connector).states}


@task
def gather(settled: dict[str, int], system: str) -> int:
    """Read what the rules may concern."""
    desk, sweep = here()
    return stages.gather(desk, sweep, wiring.connector(system))


@task
def divide(settled: dict[str, int], system: str) -> list[int]:
    """Cut a system that several workers walk into parts; returns their numbers."""
    desk, sweep = here()
    return stages.divide(desk, sweep, wiring.walked(system))


@task(map_index_template="part {{ part }}")
def walk(system: str, part: int) -> int:
    """Read one part. Run again, it opens only what is not in the catalogue yet."""
    get_current_context()["part"] = part  # type: ignore[typeddict-unknown-key]
    desk, sweep = here()
    return stages.walk(desk, sweep, wiring.walked(system), part)


@task
def take_stock(walked: list[int], system: str) -> int:
    """All parts were read: what none of them named is gone."""
    desk, sweep = here()
    return stages.take_stock(desk, sweep, wiring.walked(system))


@task(trigger_rule="all_done", task_display_name="join opt-outs of all systems")
def join_opt_outs(gathered: list[int]) -> int:
    """The barrier: everyone who opted out anywhere goes on the suppression list."""
    desk, sweep = here()
    return stages.join_opt_outs(desk, sweep)


@task
def find(joined: int, system: str) -> int:
    """Look up who opted out elsewhere."""
    desk, sweep = here()
    return stages.find(desk, sweep, wiring.connector(system))


@task(trigger_rule="all_done", task_display_name="join consents of all systems")
def join_consents(found: list[int]) -> int:
    """The second barrier: newer consent found anywhere is honoured everywhere."""
    desk, sweep = here()
    return stages.join_consents(desk, sweep)


@task(queue=ACTING)
def suppress(joined: int, system: str) -> dict[str, int]:
    """Stop marketing to those who opted out elsewhere; needs no approval, destroys nothing, not done in a dry run."""
    desk, sweep = here()
    connector = wiring.connector(system)
    with desk.transaction() as db:
        if not sweeps.may_act(db, sweep.mode, system):
            return {}
    plan = stages.plan_suppression(desk, sweep, connector)
    states = execution.carry_out(desk, plan, connector, loopback=wiring.is_loopback(system)).states
    verification.verify(desk, plan, connector)
    return states


@task
def plan(suppressed: dict[str, int], system: str) -> list[int]:
    """Decide on every finding and freeze the plan; returns the numbers of the lanes that will work on it."""
    desk, sweep = here()
    connector = wiring.connector(system)
    made = stages.decide(desk, sweep, connector)
    batches = sum(-(-n // connector.batch_size.get(action, 1)) for action, n in stages.actions_of(desk, made).items())
    lanes = min(desk.policy.schedule.operations.lanes, batches)
    note("plan_made", system=system, plan=made.plan_id, digest=made.digest, steps=made.step_count, lanes=lanes)
    return list(range(lanes))


@task(trigger_rule="all_done", task_display_name="guard: limits and digest")
def guard(planned: list[list[int]]) -> str | None:
    """Check every limit, fix the digest that can be approved."""
    desk, sweep = opened_here()
    if sweep is None:
        raise AirflowSkipException("nothing was opened, so there is nothing to guard")
    return limits.guard(desk, sweep, wiring.SYSTEMS)


@task(queue=RECORDING, task_display_name="record the approval")
def record_approval(answered: Any) -> str:
    """Believe only Airflow's own record of the answer, and write it down under the approver's database role."""
    desk, sweep = here()
    approver = wiring.desk(wiring.APPROVER)
    answer = airflow_record.answer_of(get_current_context()["dag_run"], "approve")
    # A standing approval speaks only where nobody was asked: a person's no is a no.
    approval = approve.standing(approver, sweep) if answer is None else None
    if approval is None:
        approval = approve.record(approver, sweep, answer) if answer is not None else None
        if approval is None:
            rejected = answer is not None and bool(answer.chosen)
            approve.close_unapproved(desk, sweep, "rejected" if rejected else "unanswered")
            raise AirflowSkipException(
                "the plan was rejected" if rejected else "nobody answered: the next night's plan takes its place"
            )
    approve.let_run(desk, sweep)
    note("approval_recorded", sweep=sweep.sweep_id, approval=approval.approval_id, digest=approval.digest)
    return approval.approval_id


@task(trigger_rule="all_done")
def wait_for_turn(system: str) -> int:
    """Let a system be worked on once those it comes after are: what is erased here, they would bring back."""
    desk, sweep = opened_here()
    if sweep is None:
        raise AirflowSkipException("nothing was opened, so there is nothing to wait for")
    with desk.transaction() as db:
        if plans.approval_of(db, sweep.sweep_id) is None:
            raise AirflowSkipException("no approved plan, so there is nothing to wait for")
        left = plans.undone(db, sweep.sweep_id, wiring.AFTER[system])
    if left:
        counted = ", ".join(f"{name}: {count} steps" for name, count in left.items())
        raise AirflowFailException(
            f"{system} waits for {counted} not done yet. Clear the failed tasks of {' and '.join(left)}, then this one;"
            " otherwise the next sweep does what is left"
        )
    return len(wiring.AFTER[system])


@task(queue=ACTING, map_index_template="lane {{ lane }}", task_display_name="carry out")
def carry_out(approval: str, system: str, lane: int) -> dict[str, int]:
    """One of several workers on a system's approved plan; checks approval, digest, holds and switches itself."""
    get_current_context()["lane"] = lane  # type: ignore[typeddict-unknown-key]
    desk, sweep = here()
    with desk.transaction() as db:
        made = plans.find(db, sweep.sweep_id, system, Purpose.RETENTION)
        recorded = plans.approval_of(db, sweep.sweep_id)
    if made is None or recorded is None or recorded.approval_id != approval:
        raise AirflowFailException(f"{system}: the ledger knows no such approval for this sweep; nothing was done")
    if made.state == "dry":
        return {}
    states = execution.carry_out(desk, made, wiring.connector(system), loopback=wiring.is_loopback(system)).states
    note("carried_out", system=system, plan=made.plan_id, lane=lane, **states)
    return states


@task(trigger_rule="none_skipped", task_display_name="verify: read back")
def verify(carried_out: list[dict[str, int]], system: str) -> dict[str, int]:
    """Read back everything that claims to be done."""
    desk, sweep = here()
    with desk.transaction() as db:
        made = plans.find(db, sweep.sweep_id, system, Purpose.RETENTION)
    if made is None:  # the system was not read; `conclude` says so
        return {}
    tally = verification.verify(desk, made, wiring.connector(system)).states
    note("read_back", system=system, plan=made.plan_id, **tally)
    if tally.get("contradicted"):
        raise AirflowFailException(f"{system}: {tally['contradicted']} records are not as their outcome says: {tally}")
    return tally


@task(queue=RECORDING, trigger_rule="all_done", task_display_name="seal and report")
def seal(verified: list[Any]) -> dict[str, Any]:
    """Sign the audit log, copy the signed head outside, report, wipe locators."""
    desk, sweep = here()
    key, outside = wiring.signing_key()
    report = sealing.seal(desk, sweep, key, outside).as_json()
    figures.of_night(report)
    note("sweep_sealed", sweep=sweep.sweep_id, state=report["state"], audit_entries=report["audit"]["entries"])
    return report


@task(
    trigger_rule="all_done",
    retries=0,
    task_display_name="conclude: was it whole?",
    on_failure_callback=[alerts.Alert(News.FAILED), alerts.Alert(News.GAPS)],
    on_success_callback=alerts.Alert(News.GAPS),
)
def conclude(report: dict[str, Any] | None) -> str:
    """Fail the run, after everything is sealed, if it was not whole: the operator reads here what to look at."""
    if not report:
        raise AirflowFailException("the sweep could not be sealed: read the log of the task 'seal' first")
    problems = [f"{system}: was not read, so it is not covered" for system in report["not_covered"]]
    for system, n in report["systems"].items():
        problems += [f"{system}: {n[what]} steps {what}" for what in ("failed", "pending") if n[what]]
        broken = report["stopped_by"].get(system, [])
        problems += [f"{system}: {breach}" for breach in broken]
        problems += [f"{system}: the plan was stopped"] if n["stopped"] and not broken else []
    if report["incidents"].get(Kind.SUPPRESSION_SHRANK):
        problems.append("the suppression list lost entries without evidence of newer consent: `incidents list`")
    if report["state"] == "guarded":
        problems.append("the plan was neither approved nor rejected: read the log of 'record_approval'")
    if problems:
        raise AirflowFailException("; ".join(problems))
    acted = sum(n[what] for n in report["systems"].values() for what in ("erased", "redacted", "restricted"))
    return f"{report['state']}: acted on {acted} records" if acted else f"{report['state']}: nothing to act on"
