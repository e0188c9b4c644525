"""Who is told, and of what? By e-mail or webhook, once per news: a failed night, a plan, a due date, a request, gaps.

The connection `retention_alerts` holds one Apprise address a line as its password. A notice carries ids and counts
only, and one that cannot be sent is a line in the task's log, never a failure of the task.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any

from airflow.sdk import BaseNotifier

from orchestration import wiring
from retention.impediment import Impediment
from retention.store import alerts
from retention.store.alerts import Kind

CONNECTION = "retention_alerts"
TITLES: Mapping[Kind, str] = {
    Kind.FAILED: "Retention: the night was not whole",
    Kind.APPROVAL_WAITS: "Retention: a plan waits for your approval",
    Kind.UNANSWERED: "Retention: nobody answered in time",
    Kind.GAPS: "Retention: what could not be read has changed",
    Kind.DUE: "Retention: somebody waits for an answer",
    Kind.REQUEST_OPEN: "Retention: a request could not be finished",
    Kind.UNSEEN: "Retention: due dates were not seen to",
}
RUNBOOK = "What to do: docs/runbook.md"


class Alert(BaseNotifier):
    """Tells of one kind of news about the run a task is in, as a callback of that task."""

    template_fields = ()

    def __init__(self, kind: Kind) -> None:
        super().__init__()
        self.kind = kind

    def notify(self, context: Any) -> None:
        """Say which run, and what this kind of news is about."""
        about, said = context["dag_run"].run_id, "Read the plan before you answer."
        if self.kind in (Kind.FAILED, Kind.DUE, Kind.REQUEST_OPEN):
            said = str(context.get("exception") or "Read the log of the task.")
            about = _state(said) if self.kind is not Kind.FAILED and "request-" in said else about
        elif self.kind is Kind.GAPS:
            about, said = gaps_of(context["ti"].xcom_pull(task_ids="seal") or {})
        tell(self.kind, about, said, context)


def gaps_of(report: Mapping[str, Any]) -> tuple[str, str]:
    """What tells one state of the gaps from another, and how people are told of it."""
    gaps = {system: n["gaps"] for system, n in report.get("systems", {}).items() if n.get("gaps")}
    lines = [f"{system}: {n} items, fields or places could not be read" for system, n in gaps.items()]
    return _state(json.dumps(gaps, sort_keys=True)), "\n".join(lines) or "Everything could be read."


def tell(kind: Kind, about: str, text: str, context: Any) -> bool:
    """Send one notice about the run a task is in, unless the last of its kind was about the same; whether it was."""
    return say(kind, about, text, context["dag_run"].run_id, str(context["ti"].log_url))


def say(kind: Kind, about: str, text: str, run_id: str, link: str = "") -> bool:
    """The same for a run that is only known by its id."""
    try:
        addresses = (wiring.connection(CONNECTION, "addresses for alerts").password or "").split()
    except wiring.NotConnected:
        print(f"nobody is told ({kind}): there is no connection {CONNECTION}")
        return False
    body = "\n".join(filter(None, [text, f"Run: {run_id}", link, RUNBOOK]))
    return _is_news(kind, about) and _sent(addresses, TITLES[kind], body)


def _state(told: str) -> str:
    return hashlib.sha256(told.encode()).hexdigest()


def _is_news(kind: Kind, about: str) -> bool:
    """When the ledger cannot be asked, that is news by itself."""
    try:
        desk = wiring.desk()
        with desk.transaction() as db:
            return alerts.is_news(db, kind, about, desk.now())
    except (Impediment, wiring.NotConnected):
        return True


def _sent(addresses: list[str], title: str, body: str) -> bool:
    import apprise

    told = apprise.Apprise()
    for number, address in enumerate(addresses, start=1):
        if not told.add(address):
            print(f"address {number} of {CONNECTION} is none that Apprise knows: see docs/production.md")
    done = bool(told.notify(title=title, body=body)) if len(told) else False
    print(f"{'told' if done else 'could not tell'} {len(told)} addresses: {title}")
    return done
