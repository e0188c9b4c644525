"""What must a person do by hand, and is it done? `tasks list`, `tasks done`, `tasks drop`."""

from __future__ import annotations

import sys
from typing import Any

import click

from retention import audit
from retention.cli.answers import SHOWN, as_json_option, tell, tell_rows
from retention.cli.surroundings import Unusable, desk
from retention.store import audit_log, tasks
from retention.store.desk import Desk
from retention.store.tasks import Task
from retention.tasks import PROOF, DropReason

COLUMNS = ("task", "system", "what", "kind", "detail", "items", "owner", "due_on", "state", "proof", "record")


@click.group("tasks")
def command() -> None:
    """Work that no connector can do: actions a system does not support, and what could not be read."""


@command.command("list")
@click.option("--system", default="", help="Tasks of this system only.")
@click.option("--all", "everything", is_flag=True, help="Also those that are closed.")
@click.option("--overdue", is_flag=True, help="Only what is past its due date; exit code 1 if there is any.")
@as_json_option
def list_tasks(system: str, everything: bool, overdue: bool, as_json: bool) -> None:
    """Open tasks, those due first at the top."""
    here = desk()
    states = ("open", "done", "dropped", "gone") if everything else ("open",)
    with here.transaction() as db:
        found = tasks.listed(db, states, system=system)
    if overdue:
        found = [task for task in found if task.state == "open" and task.due_on < here.today]
    tell_rows([_line(here, task) for task in found], COLUMNS, as_json, "no tasks")
    if overdue and found:
        sys.exit(1)


@command.command("done")
@click.argument("task_id")
@click.option("--proof", required=True, help="Reference of the proof, like OPS-1234 or case-2026-17; no names.")
@click.option("--by", "who", required=True, help="Who did it; recorded in the audit log.")
@as_json_option
def done(task_id: str, proof: str, who: str, as_json: bool) -> None:
    """Close a task as done. The next sweep looks for itself: what is still there opens a new task."""
    if not PROOF.fullmatch(proof):
        raise Unusable("--proof takes a reference like OPS-1234 or case-2026-17, no free text and no names")
    _close(task_id, "done", proof, who, as_json)


@command.command("drop")
@click.argument("task_id")
@click.option("--because", type=click.Choice([r.value for r in DropReason]), required=True, help="Why it is not done.")
@click.option("--by", "who", required=True, help="Who drops it; recorded in the audit log.")
@as_json_option
def drop(task_id: str, because: str, who: str, as_json: bool) -> None:
    """Close a task that will not be done; the same need asks again after a year."""
    _close(task_id, "dropped", because, who, as_json)


def _close(task_id: str, state: str, proof: str, who: str, as_json: bool) -> None:
    here = desk()
    event = audit.Event.TASK_DONE if state == "done" else audit.Event.TASK_DROPPED
    with here.transaction() as db:
        found = tasks.listed(db, task_id=task_id)
        if not found or not tasks.close(db, found[0], state, proof, who, here.today):
            raise Unusable(f"no open task {task_id}")
        audit_log.append(db, [_entry(here, event, found[0], who)])
    tell({"task": task_id, "state": state, "proof": proof}, as_json, f"{task_id} is {state} ({proof})")


def _entry(here: Desk, event: audit.Event, task: Task, who: str) -> audit.Entry:
    return here.entry(
        event,
        reference=task.task_id,
        system=task.system,
        reasons=task.reasons,
        actor=who,
        count=task.items,
    )


def _line(here: Desk, task: Task) -> dict[str, Any]:
    return {
        "task": task.task_id,
        "system": task.system,
        "what": task.what,
        "kind": task.kind,
        "detail": task.detail,
        "record": task.record_key.hex()[:SHOWN] if task.record_key else None,
        "reasons": task.reasons,
        "items": task.items,
        "owner": task.owner,
        "opened_on": task.opened_on,
        "due_on": task.due_on,
        "state": task.state,
        "proof": task.proof or None,
        "done_by": task.done_by or None,
    }
