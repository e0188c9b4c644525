"""Which pages does the operator's home have? All of them only read; what changes something is a form of its own.

Nobody's name, address or record is on any of them: systems, counts, days, pseudonyms and the users of Airflow are.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import quote

from airflow.configuration import conf
from fastapi import FastAPI, HTTPException
from fastapi.responses import Response
from fastapi.staticfiles import StaticFiles

from intake.guard import may_read
from operations import audit_page, forms, looks, paging, papers, reading
from operations.looks import CHARTED, HERE, PREFIX, page
from orchestration import wiring
from retention.store import overview
from retention.store.database import Connection

Ask = Callable[[Connection, int], Sequence[Any]]
"""Takes how many rows to give."""
app = FastAPI(title="Retention operations", docs_url=None, redoc_url=None, openapi_url=None)
"""The stylesheets may be had by everybody; every other route asks who is there."""
app.mount("/static", StaticFiles(directory=HERE / "static"), name="static")
TREND_DAYS = 90
_READERS = [may_read]
app.include_router(forms.router)
app.include_router(audit_page.router)
app.include_router(papers.router)


@app.get("/", dependencies=_READERS)
def home() -> Response:
    """Is everything all right, what waits for me, what is due?"""
    desk = wiring.desk()
    with desk.transaction() as db:
        seen = reading.home(db, desk)
    return page("home.html", seen=seen, approvals=[_approval(one) for one in seen.approvals], charted=CHARTED)


@app.get("/sweeps", dependencies=_READERS)
def sweeps(after: str = "") -> Response:
    """Every sweep, newest first."""
    with wiring.desk().transaction() as db:
        found = overview.newest_sweeps(db, overview.PAGE + 1, paging.moment(after))
    listed = paging.page_of(found, overview.PAGE, lambda one: (one.opened_at.isoformat(),))
    return page("sweeps.html", listed=listed)


@app.get("/sweeps/{sweep_id}", dependencies=_READERS)
def sweep(sweep_id: str) -> Response:
    """One sweep: what it came to, what is or was to be approved, and what it could not read."""
    desk = wiring.desk()
    with desk.transaction() as db:
        seen = reading.sweep(db, sweep_id)
    if seen is None:
        raise HTTPException(404, "the ledger knows no such sweep")
    return page("sweep.html", seen=seen, approval=_approval(seen.line), run=_run(seen.line))


@app.get("/runs/{dag_id}/{run_id:path}", dependencies=_READERS)
def run(dag_id: str, run_id: str) -> Response:
    """The sweep of one of Airflow's runs."""
    with wiring.desk().transaction() as db:
        sweep_id = reading.sweep_of_run(db, dag_id, run_id)
    if sweep_id is None:
        return page("no_sweep.html")
    return sweep(sweep_id)


@app.get("/sweeps/{sweep_id}/steps/{system}", dependencies=_READERS)
def steps(sweep_id: str, system: str, after: int = -1) -> Response:
    """What a plan would do to which record, by pseudonym and rule."""
    with wiring.desk().transaction() as db:
        found = overview.samples(db, sweep_id, system, overview.PAGE + 1, after)
        line = overview.sweep(db, sweep_id)
    last = found[overview.PAGE - 1][0] if len(found) > overview.PAGE else None
    shown = [one for _, one in found[: overview.PAGE]]
    approval = _approval(line) if line is not None and line.is_waiting else ""
    return page("steps.html", sweep_id=sweep_id, system=system, steps=shown, last=last, approval=approval)


@app.get("/requests", dependencies=_READERS)
def requests(after: str = "") -> Response:
    """Requests that are not closed, the first received first, with the days left."""
    desk = wiring.desk()
    with desk.transaction() as db:
        found = reading.requests(db, overview.PAGE + 1, paging.moment_and_id(after))
    listed = paging.page_of(found, overview.PAGE, lambda one: (one.received_at.isoformat(), one.request_id))
    return page("requests.html", listed=listed, lines=reading.with_clocks(desk, listed.items))


@app.get("/review", dependencies=_READERS)
def review(after: str = "") -> Response:
    """What waits for a person's decision, oldest first."""
    start = paging.day_and_id(after)
    return _listed(
        "review.html", lambda db, n: overview.review_queue(db, n, start), lambda o: (o.first_seen, o.item_id)
    )


@app.get("/tasks", dependencies=_READERS)
def tasks(after: str = "") -> Response:
    """What people have to do by hand, the first due first."""
    start = paging.day_and_id(after)
    return _listed("tasks.html", lambda db, n: overview.tasks(db, n, start), lambda o: (o.due_on, o.task_id))


@app.get("/incidents", dependencies=_READERS)
def incidents(after: str = "") -> Response:
    """What should not have happened, newest first."""
    start = paging.moment_and_id(after)
    return _listed(
        "incidents.html", lambda db, n: overview.incidents(db, n, start), lambda o: (o.at.isoformat(), o.incident_id)
    )


@app.get("/holds", dependencies=_READERS)
def holds() -> Response:
    """Legal holds and restrictions that stand."""
    desk = wiring.desk()
    with desk.transaction() as db:
        seen = reading.holds(db)
    return page("holds.html", seen=seen, today=desk.today)


@app.get("/trend", dependencies=_READERS)
def trend() -> Response:
    """The nights of the last ninety days as numbers."""
    days, by_figure = _trend()
    return page("trend.html", days=days, figures=by_figure, charted=CHARTED)


@app.get("/charts/{name}.svg", dependencies=_READERS)
def chart(name: str) -> Response:
    """The same as a picture."""
    if name not in CHARTED:
        raise HTTPException(404, "no such chart")
    days, by_figure = _trend()
    return looks.chart(CHARTED[name], days, by_figure[name])


def _listed(name: str, ask: Ask, keys: Callable[[Any], tuple[object, ...]]) -> Response:
    """A page of rows, asked for as one more than fits; `keys` are what the next page goes on after."""
    desk = wiring.desk()
    with desk.transaction() as db:
        found = ask(db, overview.PAGE + 1)
    return page(name, listed=paging.page_of(found, overview.PAGE, keys), today=desk.today)


def _trend() -> reading.Trend:
    since = datetime.now(UTC) - timedelta(days=TREND_DAYS)
    with wiring.desk().transaction() as db:
        found = overview.trend(db, since)
    days = sorted({row.day for row in found})
    systems = sorted({row.system for row in found})
    figures: reading.Figures = {name: defaultdict(list) for name in CHARTED}
    cells = {(row.day, row.system): row for row in found}
    for name in CHARTED:
        for system in systems:
            row_of = (cells.get((day, system)) for day in days)
            figures[name][system] = [None if row is None else int(getattr(row, name)) for row in row_of]
    return days, figures


def _approval(line: overview.SweepLine) -> str:
    """Where Airflow asks for the answer to a sweep's plan."""
    return f"{_run(line)}/tasks/approve/required_actions"


def _run(line: overview.SweepLine) -> str:
    base = conf.get("api", "base_url", fallback="").rstrip("/")
    return f"{base}/dags/{quote(line.dag_id, safe='')}/runs/{quote(line.run_id, safe='')}"


__all__ = ["PREFIX", "app"]
