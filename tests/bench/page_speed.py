"""How long does the server need for each page of the operator's home, beside the questions it asks the ledger?

A ledger of years: a million steps over a hundred nights, ten thousand requests, half of them open. A page is everything
from its route's function to the bytes of the answer; against it stands the same reading alone, without a page.
"""

from __future__ import annotations

import os
import tempfile
import time
from collections.abc import Callable, Iterator
from statistics import median

from sqlalchemy import text

from retention.store import overview
from tests.bench.running import desk_of, ledger
from tests.growing import grow

NIGHTS, STEPS, REQUESTS, OPEN = 100, 1_000_000, 10_000, 5_000
TRIES = 9
MILLISECONDS = 1000


def measure() -> Iterator[tuple[str, float, float]]:
    with tempfile.TemporaryDirectory(prefix="bench-airflow-") as home, ledger() as engine:
        os.environ |= {"AIRFLOW_HOME": home, "AIRFLOW__CORE__LOAD_EXAMPLES": "False"}
        from operations import app, reading
        from orchestration import wiring

        desk = desk_of(engine, "salesforce", "hubspot")
        with desk.transaction() as db:
            grow(db, nights=NIGHTS, steps=STEPS, requests=REQUESTS, open_requests=OPEN)
        with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as db:
            db.execute(text("VACUUM ANALYZE"))
        wiring.desk = lambda *_: desk  # what the server has from Airflow's connections

        def asked(question: Callable[..., object], *given: object) -> Callable[[], object]:
            def ask() -> object:
                with desk.transaction() as db:
                    return question(db, *given)

            return ask

        pages: dict[str, tuple[Callable[[], object], Callable[[], object]]] = {
            "home": (app.home, asked(reading.home, desk)),
            "sweeps": (app.sweeps, asked(overview.newest_sweeps, overview.PAGE + 1)),
            "sweep": (lambda: app.sweep("sweep-1"), asked(reading.sweep, "sweep-1")),
            "steps": (lambda: app.steps("sweep-1", "crm"), asked(overview.samples, "sweep-1", "crm")),
            "requests": (app.requests, asked(reading.requests, overview.PAGE + 1, None)),
            "trend": (app.trend, app._trend),
        }
        for name, (page, bare) in pages.items():
            yield f"page.{name}.ms", _milliseconds(page), _milliseconds(bare)


def _milliseconds(work: Callable[[], object]) -> float:
    work()
    took = []
    for _ in range(TRIES):
        began = time.perf_counter()
        work()
        took.append(time.perf_counter() - began)
    return median(took) * MILLISECONDS
