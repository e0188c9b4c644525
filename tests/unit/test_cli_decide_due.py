"""What do `retention decide` and `retention due` print, and how do they complain?"""

from __future__ import annotations

import csv
import io
import os
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from retention.__main__ import COMMANDS, main
from retention.cli import decide, due
from retention.cli.sheet import harmless

ROOT = Path(__file__).parents[2]
FACTS = {
    "id": "A1",
    "as_of": "2029-03-01",
    "regime": "UK",
    "trigger": "nightly",
    "data_class": "contact_identity",
    "lawful_basis": "consent",
    "collected_on": "2024-02-29",
    "legal_hold": "none",
    "restriction": "none",
    "objection": "none",
    "request_state": "none",
    "identity_match": "exact",
    "exemption": "none",
}
EVENTS = {
    "id": "B1",
    "kind": "response",
    "regime": "UK",
    "right": "access",
    "holidays": "GB-ENG",
    "tz": "Europe/London",
    "start_at": "2027-05-11",
    "pause_count": "inclusive",
}


def table(columns: tuple[str, ...], *rows: dict[str, str]) -> str:
    out = io.StringIO()
    writer = csv.DictWriter(out, columns, restval="", lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return out.getvalue()


def facts(*changes: dict[str, str]) -> str:
    return table(("as_of", *decide.COLUMNS), *(FACTS | change for change in changes))


def events(*changes: dict[str, str]) -> str:
    return table(due.COLUMNS, *(EVENTS | change for change in changes))


def run(command: str, text: str | bytes, *options: str) -> Result:
    return CliRunner().invoke(main, [command, *options, "-"], input=text, env={"AS_OF": None})


def assert_refused(result: Result, *words: str) -> None:
    assert result.exit_code == 2
    assert result.stdout == ""
    assert result.stderr.count("\n") == 1
    for word in words:
        assert word in result.stderr


def test_a_decision_is_printed_per_row_in_the_order_of_the_rows() -> None:
    result = run("decide", facts({}, {"id": "A2", "unsubscribed_on": "2029-02-01", "data_class": "ad_audience"}))

    assert result.exit_code == 0
    assert result.stdout == (
        "id,decision,reason_code,follow_ups\n"
        "A1,ERASE,RET_EXPIRED,NOTIFY_RECIPIENTS\n"
        "A2,ERASE,UNSUB_MARKETING,ADD_SUPPRESSION;NOTIFY_RECIPIENTS;STOP_MARKETING\n"
    )


def test_a_due_date_is_printed_per_row() -> None:
    result = run(
        "due",
        events(
            {},
            {"id": "B2", "pauses": "2027-05-13/"},
            {"id": "B3", "kind": "retention", "right": "none", "holidays": "NONE", "pause_count": ""},
            {"id": "B4", "kind": "tax_retention", "holidays": "NONE", "year_end": "03-31"},
        ),
    )

    assert result.exit_code == 0
    assert result.stdout == (
        "id,clock_start,due,status,eligible_utc\n"
        "B1,2027-05-11,2027-06-11,DUE,\n"
        "B2,2027-05-11,,WAITING_CLARIFICATION,\n"
        "B3,,2032-05-11,ELIGIBLE_AFTER,2032-05-11T23:00:00Z\n"
        "B4,,2034-03-31,ELIGIBLE_AFTER,2034-03-31T23:00:00Z\n"
    )


def test_a_table_without_rows_has_an_answer_without_rows() -> None:
    assert run("decide", facts()).stdout == "id,decision,reason_code,follow_ups\n"


def test_columns_nobody_asked_for_are_ignored_in_any_order() -> None:
    columns = (*reversed(decide.COLUMNS), "note", "as_of", "decision")

    result = run("decide", table(columns, FACTS | {"note": "hello", "decision": "KEEP"}))

    assert result.stdout.splitlines()[1] == "A1,ERASE,RET_EXPIRED,NOTIFY_RECIPIENTS"


def test_a_byte_order_mark_and_windows_line_ends_are_no_obstacle() -> None:
    text = "\ufeff" + facts({}).replace("\n", "\r\n")

    assert run("decide", text.encode()).stdout.splitlines()[1] == "A1,ERASE,RET_EXPIRED,NOTIFY_RECIPIENTS"


# --- Today ---


def test_the_rows_own_day_wins_over_the_option() -> None:
    result = run("decide", facts({}, {"id": "A2", "as_of": ""}), "--as-of", "2029-02-28")

    assert [line.split(",")[1] for line in result.stdout.splitlines()[1:]] == ["ERASE", "KEEP"]


def test_the_day_can_come_from_the_environment_and_the_column_be_absent() -> None:
    text = table(decide.COLUMNS, {name: value for name, value in FACTS.items() if name != "as_of"})

    result = CliRunner().invoke(main, ["decide", "-"], input=text, env={"AS_OF": "2029-02-28"})

    assert result.stdout.splitlines()[1] == "A1,KEEP,RET_NOT_DUE,"


def test_without_any_day_nothing_is_decided() -> None:
    assert_refused(run("decide", facts({}, {"as_of": ""})), "row 2", "as_of")
    assert_refused(run("decide", table(decide.COLUMNS, {})), "row 0", "as_of", "missing")


def test_a_day_that_is_none_is_refused() -> None:
    result = run("decide", facts({}), "--as-of", "tomorrow")

    assert result.exit_code == 2
    assert result.stdout == ""
    assert "--as-of" in result.stderr


def test_due_dates_take_no_notice_of_today() -> None:
    assert run("due", events({}), "--as-of", "2031-01-01").stdout == run("due", events({})).stdout


# --- Bad input ---


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("id", ""),
        ("as_of", "2029-02-29"),
        ("regime", "US"),
        ("trigger", ""),
        ("data_class", "contacts"),
        ("lawful_basis", "Consent"),
        ("collected_on", "29/02/2024"),
        ("collected_on", "20240229"),
        ("collected_on", "2024-02-29T10:00:00Z"),
        ("collected_on", "unknown"),
        ("unsubscribed_on", "2023-02-29"),
        ("fresh_consent_on", "yes"),
        ("transaction_keep_until", "2030"),
        ("erased_on", "2024-2-9"),
        ("legal_hold", ""),
        ("legal_hold", "yes"),
        ("restriction", "ended_told"),
        ("objection", "both"),
        ("request_state", "done"),
        ("identity_match", "fuzzy"),
        ("exemption", "other"),
        ("other_facts", "contract_live"),
        ("other_facts", "contract_live=perhaps"),
        ("other_facts", "contract=yes"),
        ("other_facts", "soft_opt_in=political"),
        ("other_facts", "verified=yes;verified=no"),
    ],
)
def test_a_bad_cell_of_the_facts_is_named_and_nothing_is_decided(column: str, value: str) -> None:
    result = run("decide", facts({}, {column: value}))

    assert_refused(result, "row 2", f"column {column}")


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("id", ""),
        ("kind", "answer"),
        ("regime", "US"),
        ("right", "none"),
        ("holidays", "GB"),
        ("holidays", "NONE"),
        ("tz", "London"),
        ("start_at", ""),
        ("start_at", "2027-05-11T10:00:00"),
        ("start_at", "2027-02-30"),
        ("start_at", "2027-02-30T10:00:00Z"),
        ("start_at", "2100-12-15"),
        ("start_at", "9999-12-31"),
        ("id_requested_on", "soon"),
        ("fee_paid_on", "2027-13-01"),
        ("pauses", "2027-05-13"),
        ("pauses", "2027-05-13/2027-05-12"),
        ("pauses", "/2027-05-12"),
        ("pause_count", "both"),
        ("extension_notified_on", "late"),
    ],
)
def test_a_bad_cell_of_the_events_is_named_and_nothing_is_worked_out(column: str, value: str) -> None:
    change = {"fee_requested_on": "2027-05-12"} if column == "fee_paid_on" else {}

    assert_refused(run("due", events({}, change | {column: value})), "row 2", f"column {column}")


def test_an_answer_before_its_question_is_named() -> None:
    row = {"id_requested_on": "2027-05-12", "id_received_on": "2027-05-11"}

    assert_refused(run("due", events(row)), "row 1", "column id_received_on")


@pytest.mark.parametrize("year_end", ["", "31-03", "02-30"])
def test_a_bad_year_end_is_named(year_end: str) -> None:
    assert_refused(run("due", events({"kind": "tax_retention", "year_end": year_end})), "row 1", "column year_end")


def test_only_uk_law_sets_a_time_for_acknowledging_a_complaint() -> None:
    assert_refused(run("due", events({"kind": "complaint_ack", "regime": "EU"})), "row 1", "column regime")


@pytest.mark.parametrize("column", decide.COLUMNS)
def test_a_missing_column_is_named_for_an_absent_hold_is_not_no_hold(column: str) -> None:
    columns = tuple(name for name in ("as_of", *decide.COLUMNS) if name != column)

    result = run("decide", table(columns, {name: value for name, value in FACTS.items() if name != column}))

    assert_refused(result, "header", f"column {column}", "missing")


def test_a_column_that_is_there_twice_is_named() -> None:
    text = facts({})
    doubled = "\n".join(f"{line},none" for line in text.splitlines()).replace(
        "other_facts,none", "other_facts,legal_hold"
    )

    assert_refused(run("decide", doubled), "header", "column legal_hold", "twice")


@pytest.mark.parametrize("text", ["", "\n\n"])
def test_an_empty_file_is_refused(text: str) -> None:
    assert_refused(run("decide", text), "header", "column")


def test_a_row_that_is_cut_short_is_refused() -> None:
    assert_refused(run("decide", facts({}) + "A2,2029-03-01,UK\n"), "row 2", "column trigger")


def test_a_row_with_more_cells_than_the_header_is_refused() -> None:
    assert_refused(run("decide", facts({}) + facts({}).splitlines()[1] + ",,\n"), "row 2", "column")


def test_bytes_that_are_no_text_are_refused() -> None:
    assert_refused(run("decide", facts({}).encode().replace(b"A1", b"\xff\xfe")), "row", "UTF-8")


def test_quotes_that_never_close_are_refused() -> None:
    assert_refused(run("decide", facts({}) + '"A2'), "row 2", "CSV")


def test_a_complaint_repeats_nothing_of_what_was_in_the_cell() -> None:
    result = run("decide", facts({"legal_hold": "ada.lovelace@example.com"}))

    assert_refused(result, "row 1")
    assert "lovelace" not in result.stderr


def test_a_file_that_is_not_there_is_refused() -> None:
    result = CliRunner().invoke(main, ["decide", "nowhere.csv"])

    assert result.exit_code == 2
    assert result.stdout == ""
    assert "nowhere.csv" in result.stderr


def test_corrections_to_holidays_that_cannot_be_read_are_refused(tmp_path: Path) -> None:
    corrections = tmp_path / "holidays.yaml"
    corrections.write_text("tomorrow: {}", encoding="utf-8")

    result = run("due", events({}), "--holidays", str(corrections))

    assert result.exit_code == 2
    assert result.stdout == ""
    assert "only the keys" in result.stderr


def test_a_proclaimed_day_moves_a_due_date(tmp_path: Path) -> None:
    corrections = tmp_path / "holidays.yaml"
    corrections.write_text("added: {GB-ENG: {2027-06-11: proclaimed}}", encoding="utf-8")

    assert "2027-06-14" in run("due", events({}), "--holidays", str(corrections)).stdout


# --- What comes out ---


@pytest.mark.parametrize("cell", ["=1+1", "+1", "-1", "@SUM(A1)", "\tx", "\rx"])
def test_no_cell_can_be_taken_for_a_formula(cell: str) -> None:
    assert harmless(cell) == f"'{cell}"


def test_an_ordinary_cell_is_left_alone() -> None:
    assert harmless("A-1=2") == "A-1=2"


def test_an_id_that_looks_like_a_formula_is_neutralised_in_the_answer() -> None:
    assert run("decide", facts({"id": "=HYPERLINK(1)"})).stdout.splitlines()[1].startswith("'=HYPERLINK(1),ERASE")


# --- The command as a process ---


def process(*arguments: str, text: str = "") -> subprocess.CompletedProcess[str]:
    environment = {name: value for name, value in os.environ.items() if name not in {"AS_OF", "PYTHONPATH"}}
    environment["PYTHONPATH"] = str(ROOT / "plugins")
    return subprocess.run(
        [sys.executable, *arguments], input=text, env=environment, cwd=ROOT, capture_output=True, text=True, check=False
    )


def test_it_runs_as_a_module_and_reads_standard_input() -> None:
    done = process("-m", "retention", "decide", "-", text=facts({}))

    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.splitlines()[1] == "A1,ERASE,RET_EXPIRED,NOTIFY_RECIPIENTS"


def test_deciding_loads_no_database_and_no_airflow() -> None:
    program = (
        "import sys; from retention.__main__ import main\n"
        "try: main(['decide', '-'], prog_name='retention')\n"
        "except SystemExit: pass\n"
        "print([name for name in ('sqlalchemy', 'airflow', 'pydantic', 'simple_salesforce') if name in sys.modules])"
    )

    assert process("-c", program, text=facts({})).stdout.splitlines()[-1] == "[]"


def test_every_command_of_the_table_can_be_loaded_and_says_what_it_does() -> None:
    for name in COMMANDS:
        help_text = CliRunner().invoke(main, [name, "--help"])

        assert help_text.exit_code == 0, name


def test_an_unknown_command_is_refused() -> None:
    assert CliRunner().invoke(main, ["erase-everything"]).exit_code == 2
