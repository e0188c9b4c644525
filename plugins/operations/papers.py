"""Which papers can the data-protection officer draw? Each as a page to read and print, and as a file to hand on."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from datetime import date
from enum import StrEnum
from typing import Any
from zoneinfo import ZoneInfo

from fastapi import APIRouter, HTTPException
from fastapi.responses import Response

from intake.guard import may_read
from operations.looks import HEADERS, page
from orchestration import wiring
from retention.papers import month as months
from retention.papers import period as periods
from retention.papers import processing as processings
from retention.papers import register as registers
from retention.papers.period import NoPeriod, Period
from retention.store.desk import Desk


class Form(StrEnum):
    """As what a paper is wanted."""

    PAGE = "page"
    CSV = "csv"
    JSON = "json"


router = APIRouter(prefix="/papers", dependencies=[may_read])


@router.get("")
def papers() -> Response:
    """Which papers there are, for this month, the last one and this year."""
    desk = wiring.desk()
    this_month = periods.month_of(desk.today, _zone(desk))
    return page("papers.html", today=desk.today, months=[this_month, this_month.before])


@router.get("/processing")
def processing(form: Form = Form.PAGE) -> Response:
    """The record of processing activities."""
    desk = wiring.desk()
    record = processings.drawn_from(desk.policy, desk.today.isoformat())
    if form is Form.PAGE:
        columns = processings.ACTIVITY_COLUMNS
        return page("processing.html", record=record, columns=columns, store_columns=processings.STORE_COLUMNS)
    name = f"record-of-processing-{record.as_of}"
    return _file(form, name, asdict(record), processings.ACTIVITY_COLUMNS, record.activities)


@router.get("/requests")
def requests(first: date, last: date, form: Form = Form.PAGE) -> Response:
    """The register of subjects' requests received in a period."""
    desk = wiring.desk()
    try:
        period = Period(first, last, _zone(desk))
    except NoPeriod as error:
        raise HTTPException(422, str(error)) from None
    lines = registers.register(desk, period)
    if form is Form.PAGE:
        return page("register.html", period=period, lines=lines, columns=registers.COLUMNS)
    return _file(form, f"requests-{first}-{last}", lines, registers.COLUMNS, lines)


@router.get("/month")
def month(which: str, form: Form = Form.PAGE) -> Response:
    """The report of a month."""
    desk = wiring.desk()
    try:
        told = months.report(desk, periods.month(which, _zone(desk)))
    except NoPeriod as error:
        raise HTTPException(422, str(error)) from None
    if form is Form.PAGE:
        return page("month.html", told=told)
    figures = [{"figure": name, "month": now, "before": before} for name, now, before in _figures(told)]
    return _file(form, f"report-{which}", asdict(told), ("figure", "month", "before"), figures)


def _figures(told: months.Month) -> Iterable[tuple[str, int, int]]:
    """Every figure of a month by name."""
    for group in (told.sweeps, told.counted, {"requests over their due date": told.late}, told.events):
        for name, (now, before) in group.items():
            yield name, now, before
    for system, figures in told.systems.items():
        for figure, (now, before) in figures.items():
            yield f"{system}: {figure}", now, before


def _zone(desk: Desk) -> ZoneInfo:
    return ZoneInfo(desk.policy.schedule.answering.zone)


def _file(form: Form, name: str, told: Any, columns: Sequence[str], lines: Iterable[Mapping[str, Any]]) -> Response:
    """A paper as a file to keep."""
    headers = {**HEADERS, "Content-Disposition": f'attachment; filename="{name}.{form}"'}
    if form is Form.JSON:
        return Response(json.dumps(told, indent=2, default=str), media_type="application/json", headers=headers)
    table = io.StringIO()
    writer = csv.DictWriter(table, columns, lineterminator="\n")
    writer.writeheader()
    writer.writerows(lines)
    return Response(table.getvalue(), media_type="text/csv", headers=headers)
