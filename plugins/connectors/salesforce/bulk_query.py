"""How are very many rows read? By a Bulk 2.0 query job: three calls and a page of results for every 10,000 rows.

Rows come as text; what the describe calls a flag, a number or empty is given back as such, so that nobody downstream
sees which way a row came.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from connectors.salesforce.describe import FieldView
from connectors.salesforce.rest import Rest
from retention.contract import Incomplete, Unavailable

ROWS_PER_PAGE = 10_000
_POLLS = (0.5, 1.0, 2.0, 4.0, 8.0, *(15.0,) * 40)
_NUMBERS = frozenset({"int", "double", "currency", "percent"})

Row = Mapping[str, Any]


class BulkQuery:
    """Runs query jobs."""

    def __init__(self, rest: Rest, system: str, pause: Callable[[float], None]) -> None:
        self._rest = rest
        self._system = system
        self._pause = pause

    def pages(self, statement: str, view: FieldView, *, everything: bool) -> Iterator[list[Row]]:
        """Rows of a statement, page by page. `everything` is queryAll: archived rows, and deleted ones, too."""
        asked = {"operation": "queryAll" if everything else "query", "query": statement}
        created = self._rest.read("POST", "jobs/query", json=asked).body
        job = created.get("id") if isinstance(created, dict) else None
        if not isinstance(job, str) or not job.isalnum():
            raise Incomplete(f"{self._system}: a created query job has no id")
        total = self._awaited(job)
        locator, count = "", 0
        while True:
            after = f"&locator={locator}" if locator else ""
            answer = self._rest.read("GET", f"jobs/query/{job}/results?maxRecords={ROWS_PER_PAGE}{after}")
            rows = [self._row(row, view) for row in csv.DictReader(io.StringIO(answer.text, newline=""))]
            count += len(rows)
            locator = answer.headers.get("Sforce-Locator", "null")
            if rows:
                yield rows
            if locator == "null":
                break
        if count != total:
            raise Incomplete(f"{self._system}: {count} of {total} rows of a query job came; search again")

    def _awaited(self, job: str) -> int:
        """How many rows the job found, once it is over."""
        for wait in _POLLS:
            self._pause(wait)
            state = self._rest.read("GET", f"jobs/query/{job}").body
            name = state.get("state") if isinstance(state, dict) else None
            if name == "JobComplete":
                return int(state["numberRecordsProcessed"])
            if name in ("Failed", "Aborted"):
                raise Unavailable(f"{self._system}: a query job ended as {name}; search again later")
        raise Unavailable(f"{self._system}: a query job takes too long; search again later")

    def _row(self, row: Mapping[str, str], view: FieldView) -> Row:
        return {name: _value(text, _type(view, name)) for name, text in row.items() if name is not None}


def _type(view: FieldView, name: str) -> str:
    if "." in name:
        flag = name.rpartition(".")[2]
        return "boolean" if flag.startswith(("Is", "Has", "Should")) else "string"
    return str((view.fields or {}).get(name, {}).get("type", "string"))


def _value(text: str, kind: str) -> Any:
    if kind == "boolean":
        return text == "true"
    if text == "":
        return None
    return float(text) if kind in _NUMBERS else text
