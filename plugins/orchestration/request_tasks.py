"""What does each task of a run for requests do beside those it shares with a night? Requests are named by id only.

Airflow shows a run's `conf` to every viewer and writes it to its own audit log: nothing but the opaque id of a request
may stand there, and what else was typed in is removed before the run is refused.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from airflow.sdk import get_current_context, task
from airflow.sdk.exceptions import AirflowFailException, AirflowSkipException

from orchestration import airflow_traces, alerts, figures, wiring
from orchestration.here import here
from orchestration.tasks import RECORDING
from retention.complaints import due as complaints_due
from retention.impediment import Impediment
from retention.requests import certificate, copies, due, finishing, identity, recipients, run
from retention.store import audit_log, request_copies, request_runs, requests, sweeps
from retention.store.alerts import Kind as News
from retention.store.desk import Desk
from retention.store.sweeps import Mode
from retention.sweep import RunInfo

REQUEST_ID = "request_id"
WAITING = ("in_progress", "extended")
ANSWERED = ("answered", "settling")
BY = "subject_request"
UNPROVEN = ("received", "identity_pending")
NOTHING = "nothing can be done yet: see 'open the run'"
WHERE_TO_GO = (
    "Nobody's data belongs in 'Trigger DAG': every viewer could read it. Use the tab 'New request' of this DAG, or"
    " `python -m retention request open`, and trigger with the request's id only"
)


class NotAllCopies(Exception):
    """Some request of a run has not its copy yet. What was made stands; trying later may help."""


@task(queue=RECORDING, task_display_name="open the run")
def open_run() -> str:
    """Take the request this run was triggered for, or all that wait for one; refuse whatever else was typed in.

    Returns the id of what was opened, or nothing where nothing can be done yet: who asks is to be proven first.
    """
    dag_run = get_current_context()["dag_run"]
    desk = wiring.desk()
    if surplus := _surplus(dag_run.conf):
        removed = airflow_traces.forget(dag_run.dag_id)
        raise AirflowFailException(f"{surplus} not expected here and was removed ({removed} records). {WHERE_TO_GO}.")
    key, outside = wiring.signing_key()
    with desk.transaction() as db:
        audit_log.refuse_if_outdated(db, outside, key.verify_key)
        if sweeps.mode(db) is Mode.LIVE:
            wiring.refuse_what_is_for_rehearsals(sweeps.on_embedded_server(db))
        named = str((dag_run.conf or {}).get(REQUEST_ID) or "")
        wanted = [named] if named else [one.request_id for one in requests.listed(db, WAITING)]
        busy = {} if named else request_runs.unsealed(db, wanted)
        unproven = named and requests.get(db, named).state in UNPROVEN
    if unproven:
        print(_asked_for_proof(desk, named))
        return ""
    wanted = [one for one in wanted if one not in busy]
    if not wanted:
        print("no request waits for a run")
        return ""
    info = RunInfo(
        dag_run.dag_id,
        dag_run.run_id,
        getattr(dag_run.run_type, "value", dag_run.run_type),
        dag_run.triggering_user_name or "schedule",
    )
    opened = run.open_run(desk, wanted, info)
    run.begin(desk, opened)
    return opened.sweep_id


@task(queue=RECORDING, task_display_name="raise alarms", on_failure_callback=alerts.Alert(News.DUE))
def raise_alarms() -> int:
    """Say which due dates have come near: a failed task with its list, of which whoever gets alerts is told."""
    desk = wiring.desk()
    figures.of_requests(due.running(desk), desk.today)
    said = [f"{one.request_id}: {one.status.value}, due {one.due}" for one in due.raise_alarms(desk)]
    said += [f"{one.complaint_id}: {one.owed.value} by {one.due}" for one in complaints_due.raise_alarms(desk)]
    if said:
        raise AirflowFailException(
            f"due dates: {'; '.join(dict.fromkeys(said))}. Answer, extend or tell, then clear this task:"
            " `python -m retention request list`, `python -m retention complaint list`"
        )
    return 0


@task(task_display_name="destroy old copies")
def destroy_copies() -> int:
    """Destroy every copy whose time is over, whoever fetched it or not; returns how many."""
    desk = wiring.desk()
    with desk.transaction() as db:
        over = request_copies.expired(db, desk.now())
    return copies.destroy_expired(desk, wiring.copies_folder()) if over else 0


@task
def read(opened: str, system: str) -> int:
    """Look the people up in one system."""
    if not opened:
        raise AirflowSkipException(NOTHING)
    desk, sweep = here()
    return run.read(desk, sweep, wiring.connector(system))


@task(trigger_rule="all_done", task_display_name="follow to all systems")
def follow(opened: str | None, found: list[int]) -> int:
    """Follow what was found to further identifiers, ask every system for those, and join; systems down are left out."""
    if not opened:
        raise AirflowSkipException(NOTHING)
    desk, sweep = here()
    with desk.transaction() as db:
        readable = [one for one in wiring.SYSTEMS if sweeps.read_wholly(db, sweep.sweep_id, one)]
    left_out = run.read_all(desk, sweep, [wiring.connector(system) for system in readable])
    for system, error in left_out.items():
        print(f"{system} was left behind: {error}")
    return len(left_out)


@task(trigger_rule="all_done", task_display_name="make copies")
def make_copies(opened: str | None, verified: list[Any]) -> int:
    """Write the encrypted copy of each person of this run who asked for one; what failed is tried again."""
    if not opened:
        raise AirflowSkipException(NOTHING)
    desk, sweep = here()
    if not copies.are_asked_for(desk, sweep):
        return 0
    left = copies.make_for_run(desk, sweep, wiring.SYSTEMS, wiring.connector, wiring.copies_folder())
    _fail_for(left, "no copy was made")
    return len(left)


@task(queue=RECORDING, trigger_rule="all_done", task_display_name="send links to copies")
def send_links(opened: str | None, made: int | None) -> int:
    """Send the links that were not sent yet; a mail server that is down loses none."""
    if not opened:
        raise AirflowSkipException(NOTHING)
    desk, sweep = here()
    left = copies.deliver_all(desk, wiring.mailer(), sweep, wiring.copy_page())
    _fail_for(left, "the link was not sent")
    return len(left)


@task(queue=RECORDING, trigger_rule="all_done", task_display_name="seal and answer")
def answer(opened: str | None, sent: int | None) -> dict[str, str]:
    """Seal the run, give to people what no connector does, and tell every subject whose request is finished."""
    if not opened:
        raise AirflowSkipException(NOTHING)
    desk, sweep = here()
    key, outside = wiring.signing_key()
    finishing.give_to_people(desk, sweep, wiring.SYSTEMS)
    finishing.seal(desk, sweep, key, outside)
    with desk.transaction() as db:
        ours = request_runs.requests_of(db, sweep.sweep_id)
    told: dict[str, str] = {}
    for request_id in ours:
        try:
            told[request_id] = finishing.answer(desk, wiring.mailer(), request_id, BY)
        except Impediment as left:
            told[request_id] = f"open: {left}"
    return told


@task(queue=RECORDING, trigger_rule="all_done", task_display_name="close what is settled")
def close_settled(told: dict[str, str] | None) -> list[str]:
    """Close every answered request that nothing waits for any more, and certify it: its key is destroyed here."""
    desk = wiring.desk()
    key, outside = wiring.signing_key()
    with desk.transaction() as db:
        answered = [one.request_id for one in requests.listed(db, ANSWERED)]
    for one in recipients.tell(desk, wiring.mailer()):
        print(f"{one.request_id}: the mail server took no letter for {one.recipient} of {one.system}; tried again")
    closed: list[str] = []
    for request_id in answered:
        try:
            closed += finishing.close(desk, request_id, BY)
            certificate.issue(desk, request_id, key, outside)
        except Impediment as left:
            print(f"{request_id} stays open: {left}")
    return closed


@task(
    trigger_rule="all_done",
    retries=0,
    task_display_name="conclude: is it answered?",
    on_failure_callback=alerts.Alert(News.REQUEST_OPEN),
)
def conclude(opened: str | None, told: dict[str, str] | None, closed: list[str]) -> str:
    """Fail the run, after everything is sealed, if a request is still open: the operator reads here why."""
    if opened is None:
        raise AirflowFailException("the run was refused: read the log of 'open the run'")
    if not opened:
        return NOTHING
    if told is None:
        raise AirflowFailException("the run could not be sealed: read the log of 'seal and answer' first")
    if left := [said for said in told.values() if said.startswith("open: ")]:
        raise AirflowFailException("; ".join(one.removeprefix("open: ") for one in left))
    return f"answered: {len(told)}; closed: {len(closed)}"


def _fail_for(left: Mapping[str, Exception], what: str) -> None:
    """One failure that names every request, so that Airflow tries again; only ids and reasons stand in it."""
    if left:
        raise NotAllCopies(f"{what}: " + "; ".join(f"{request_id}: {error}" for request_id, error in left.items()))


def _asked_for_proof(desk: Desk, request_id: str) -> str:
    """Send one-time links to the addresses of a request, where a mail server and a page for them are connected."""
    mailer, page = wiring.mailer(), wiring.confirmation_page()
    if mailer is None or not page:
        return f"{request_id} waits for proof of who asks: `python -m retention request identity`"
    sent = identity.ask(desk, mailer, request_id, page, BY)
    return f"{request_id} waits for proof of who asks: {sent} links sent; a run starts when one is redeemed"


def _surplus(conf: dict[str, Any] | None) -> str:
    """What a run was given besides the id of a request, without repeating it."""
    given = dict(conf or {})
    named = given.pop(REQUEST_ID, "")
    if given:
        return f"{len(given)} further entries of the run's configuration were"
    if named and not requests.is_id(named):
        return "what stands for the request's id is none and was"
    return ""
