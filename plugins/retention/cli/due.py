"""`due EVENTS.csv`: by when must each request be answered, and from when may each item go?"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from datetime import date
from enum import StrEnum
from functools import lru_cache
from pathlib import Path
from typing import BinaryIO
from zoneinfo import ZoneInfo

import click

from retention import clocks
from retention.cli.sheet import BadInput, Cells, parse_day, parse_moment, rows_of, write_rows
from retention.item import PROMISED, Regime
from retention.working_days import OUR_CORRECTIONS, Corrections, WorkingDays, read_corrections

COLUMNS = (
    "id",
    "kind",
    "regime",
    "right",
    "holidays",
    "tz",
    "start_at",
    "id_requested_on",
    "id_received_on",
    "fee_requested_on",
    "fee_paid_on",
    "pauses",
    "pause_count",
    "extension_notified_on",
    "year_end",
)
ANSWER = ("id", "clock_start", "due", "status", "eligible_utc")
ELIGIBLE_AFTER = "ELIGIBLE_AFTER"


class Kind(StrEnum):
    """Which clock a row is about."""

    RESPONSE = "response"
    COMPLAINT_ACK = "complaint_ack"
    RETENTION = "retention"
    TAX_RETENTION = "tax_retention"


@click.command("due")
@click.argument("events", type=click.File("rb"), metavar="EVENTS.csv")
@click.option(
    "--holidays",
    "corrections",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    default=OUR_CORRECTIONS,
    help="Corrections to the public holidays.  [default: include/policy/holidays.yaml]",
)
@click.option("--as-of", envvar="AS_OF", expose_value=False, help="No effect: these dates hang on the events alone.")
def command(events: BinaryIO, corrections: Path) -> None:
    """Work out each row of EVENTS.csv (- for standard input): id, clock_start, due, status, eligible_utc as CSV."""
    try:
        corrected = read_corrections(corrections)
    except ValueError as unreadable:
        raise click.BadParameter(str(unreadable), param_hint="--holidays") from unreadable
    try:
        write_rows(ANSWER, _answers(events, corrected), sys.stdout)
    except BadInput as bad:
        click.echo(f"due: {bad}", err=True)
        sys.exit(2)


def _answers(events: BinaryIO, corrections: Corrections) -> Iterator[tuple[str, ...]]:
    @lru_cache(maxsize=256)
    def working_days(region: str) -> WorkingDays:
        return WorkingDays(region, corrections)

    for row in rows_of(events, COLUMNS):
        row_id, kind = row.needed("id"), row.one_of("kind", Kind)
        try:
            if kind in (Kind.RETENTION, Kind.TAX_RETENTION):
                yield row_id, "", *_kept(row, kind)
            else:
                answer = _answer_due(row, kind, row.parsed("holidays", working_days))
                yield row_id, _shown(answer.clock_start), _shown(answer.due), answer.status, ""
        except (ValueError, OverflowError) as beyond:
            raise row.bad("start_at", f"no date can be worked out from it ({beyond})") from beyond


def _answer_due(row: Cells, kind: Kind, working_days: WorkingDays) -> clocks.Due:
    received = clocks.local_day(row.parsed("start_at", parse_moment), _zone(row))
    if kind is Kind.RESPONSE:
        return clocks.response_due(_request(row, received), working_days)
    if row.one_of("regime", Regime) is not Regime.UK:
        raise row.bad("regime", "expected UK: other laws set no time to acknowledge a complaint")
    return clocks.acknowledgement_due(received, working_days)


def _request(row: Cells, received: date) -> clocks.RequestEvents:
    regime = row.one_of("regime", Regime)
    return clocks.RequestEvents(
        regime=regime,
        right=row.one_of("right", clocks.Right),
        received=received,
        identity=_asked(row, "id_requested_on", "id_received_on"),
        fee=_asked(row, "fee_requested_on", "fee_paid_on"),
        clarifications=row.parsed("pauses", _pauses) if row.text("pauses") else (),
        pause_count=row.one_of("pause_count", clocks.PauseCount),
        extension_notified_on=row.day("extension_notified_on"),
    )


def _asked(row: Cells, asked_on: str, answered_on: str) -> clocks.Asked | None:
    asked, answered = row.day(asked_on), row.day(answered_on)
    if asked is None:
        return None  # what comes unasked moves no clock
    if answered is not None and answered < asked:
        raise row.bad(answered_on, f"is before {asked_on}")
    return clocks.Asked(asked, answered)


def _pauses(text: str) -> tuple[clocks.Asked, ...]:
    pauses = []
    for pair in filter(None, text.split(";")):
        asked, slash, answered = (part.strip() for part in pair.partition("/"))
        if not slash:
            raise ValueError("expected ASKED/ANSWERED, pairs joined by ; (no answer yet: ASKED/)")
        pauses.append(clocks.Asked(parse_day(asked), parse_day(answered) if answered else None))
    return tuple(pauses)


def _kept(row: Cells, kind: Kind) -> tuple[str, str, str]:
    zone = _zone(row)
    start = clocks.local_day(row.parsed("start_at", parse_moment), zone)
    if kind is Kind.RETENTION:
        last_day = clocks.last_kept_day(start, PROMISED.years)
    else:
        last_day = row.parsed("year_end", lambda year_end: clocks.tax_keep_until(start, year_end))
    eligible = clocks.start_of_day(last_day + clocks.ONE_DAY, zone)
    return last_day.isoformat(), ELIGIBLE_AFTER, f"{eligible:%Y-%m-%dT%H:%M:%SZ}"


def _zone(row: Cells) -> ZoneInfo:
    return row.parsed("tz", clocks.zone_named)


def _shown(day: date | None) -> str:
    return day.isoformat() if day else ""
