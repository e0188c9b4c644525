"""Do the figures of a night and of the requests leave by StatsD, under names that an operator can watch?"""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime
from typing import Any

import pytest

from retention.clocks import Due, DueStatus, Right
from retention.requests.due import Clock
from retention.store.requests import Channel, Request

TODAY = date(2026, 11, 22)
COUNTS = {
    "found": 120,
    "flagged": 7,
    "erased": 4,
    "redacted": 1,
    "restricted": 0,
    "review": 2,
    "failed": 1,
    "pending": 0,
    "gaps": 3,
}

Received = Callable[[int], dict[str, int]]


@pytest.fixture
def received(monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Received]:
    """What a StatsD server on loopback was sent: so many gauges of ours by name; Airflow sends more."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as server:
        server.bind(("127.0.0.1", 0))
        server.settimeout(5)
        monkeypatch.setenv("AIRFLOW_HOME", str(tmp_path_factory.mktemp("airflow")))
        monkeypatch.setenv("AIRFLOW__METRICS__STATSD_ON", "True")
        monkeypatch.setenv("AIRFLOW__METRICS__STATSD_HOST", "127.0.0.1")
        monkeypatch.setenv("AIRFLOW__METRICS__STATSD_PORT", str(server.getsockname()[1]))
        from airflow.sdk.observability import stats
        from airflow.sdk.observability.metrics import stats_utils

        def first(wanted: int) -> dict[str, int]:
            lines: list[str] = []
            while len(lines) < wanted:
                line = server.recv(1024).decode()
                lines += [line] if line.startswith("airflow.retention.") else []
            return {line.split(":")[0]: int(line.split(":")[1].removesuffix("|g")) for line in lines}

        stats.initialize(factory=stats_utils.get_stats_factory(), export_legacy_names=False)
        yield first
        stats.initialize(factory=_nobody, export_legacy_names=False)


def _nobody() -> Any:
    from airflow.sdk._shared.observability.metrics.base_stats_logger import NoStatsLogger

    return NoStatsLogger()


def test_a_night_tells_what_it_found_flagged_did_and_could_not_do_in_each_system(received: Received) -> None:
    from orchestration import figures

    figures.of_night(
        {"systems": {"crm": COUNTS}, "not_covered": ["shop"], "review_waiting": 5, "review_oldest_days": 31}
    )

    told = received(12)
    assert {name: told[f"airflow.retention.{name}.crm"] for name in COUNTS} == COUNTS
    assert told["airflow.retention.not_covered"] == 1
    assert told["airflow.retention.review_waiting"] == 5
    assert told["airflow.retention.review_oldest_days"] == 31


def test_a_morning_tells_how_many_requests_are_open_how_many_are_late_and_when_the_next_is_due(
    received: Received,
) -> None:
    from orchestration import figures

    figures.of_requests([due(date(2026, 11, 20)), due(date(2026, 12, 1)), due(None)], TODAY)

    assert received(3) == {
        "airflow.retention.requests.open": 3,
        "airflow.retention.requests.overdue": 1,
        "airflow.retention.requests.days_left": 0,
    }


def due(day: date | None) -> Clock:
    """The clock of a request that is due on a day, or waits for its subject."""
    events = (Right.ERASURE, None, False, Channel.FORM, datetime(2026, 11, 1, tzinfo=UTC), "operator", "in_progress")
    request = Request("request-0000000000000001", *events, None, None, False, None, None, None)
    return Clock(request, Due(DueStatus.DUE if day else DueStatus.WAITING_ID, None, day), (), "")
