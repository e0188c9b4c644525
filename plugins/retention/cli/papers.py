"""What does a data-protection officer hand in? The record of processing, the register of requests, a month's report."""

from __future__ import annotations

import csv
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from datetime import datetime
from zoneinfo import ZoneInfo

import click

from retention.cli.answers import as_json_option, tell, tell_rows
from retention.cli.surroundings import desk, policy_folder, today
from retention.papers import month as months
from retention.papers import period as periods
from retention.papers import processing as processings
from retention.papers import register as registers
from retention.policy import load

as_csv_option = click.option("--csv", "as_csv", is_flag=True, help="Answer with a CSV table, for a spreadsheet.")
Day = click.DateTime(["%Y-%m-%d"])


@click.group("papers")
def command() -> None:
    """Papers for the data-protection officer and the regulator; none of them names a subject."""


@command.command("processing")
@as_csv_option
@as_json_option
def processing(as_csv: bool, as_json: bool) -> None:
    """Say what is processed, why and how long (Art. 30): from the policy; what it leaves out is `not stated`."""
    record = processings.drawn_from(load(policy_folder()), today().isoformat())
    if as_csv:
        _write(processings.ACTIVITY_COLUMNS, record.activities)
    elif as_json:
        tell(asdict(record), as_json, "")
    else:
        click.echo(f"{record.controller} ({record.contact}); data-protection officer: {record.officer}")
        click.echo(f"{record.policy}, digest {record.policy_digest}, as of {record.as_of}")
        click.echo(f"Security (Art. 32): {record.security}\n")
        tell_rows(record.activities, processings.ACTIVITY_COLUMNS, as_json, "the policy covers no system")


@command.command("requests")
@click.option("--from", "first", type=Day, required=True, help="The first day of receipt.")
@click.option("--to", "last", type=Day, required=True, help="The last day of receipt.")
@as_csv_option
@as_json_option
def requests(first: datetime, last: datetime, as_csv: bool, as_json: bool) -> None:
    """List the requests received in a period: right, days, outcome and reasons, never whom they are about."""
    here = desk()
    zone = ZoneInfo(here.policy.schedule.answering.zone)
    lines = registers.register(here, periods.Period(first.date(), last.date(), zone))
    if as_csv:
        _write(registers.COLUMNS, lines)
    else:
        tell_rows(lines, registers.COLUMNS, as_json, "no request was received then")


@command.command("month")
@click.argument("which", metavar="YYYY-MM")
@as_json_option
def month(which: str, as_json: bool) -> None:
    """Report on a month: what was done, asked, held and met, beside the month before."""
    here = desk()
    told = months.report(here, periods.month(which, ZoneInfo(here.policy.schedule.answering.zone)))
    if as_json:
        tell(asdict(told), as_json, "")
        return
    figures = [("runs of nights", told.sweeps["schedule"]), ("runs of requests", told.sweeps["requests"])]
    figures += [(name.replace("_", " "), both) for name, both in told.counted.items()]
    figures += [("requests over their due date", told.late), *told.events.items()]
    figures += [(f"{system}: {figure}", both) for system, per in told.systems.items() for figure, both in per.items()]
    lines = [{"figure": name, "month": now, "month before": before} for name, (now, before) in figures]
    tell_rows(lines, ("figure", "month", "month before"), as_json, "")
    still = told.waiting
    click.echo(
        f"\nOpen on {told.drawn_on}: {still.review} review items (oldest since {still.review_since or '-'}),"
        f" {still.requests} requests, {still.incidents} incidents, {still.tasks} tasks ({still.tasks_late} late),"
        f" {still.holds} holds, {still.restrictions} restrictions"
    )


def _write(columns: Sequence[str], lines: Iterable[Mapping[str, str]]) -> None:
    table = csv.DictWriter(sys.stdout, columns, lineterminator="\n")
    table.writeheader()
    table.writerows(lines)
