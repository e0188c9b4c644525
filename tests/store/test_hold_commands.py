"""What do the `retention holds` and `retention restrictions` commands answer, and how do they refuse?"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from sqlalchemy import Engine

from retention.__main__ import main
from retention.keyring import Keyring
from retention.store.database import rows
from tests.sweeping import TODAY

Ask = Callable[..., Result]
PLACE = ("holds", "place", "--matter", "case-2026-17", "--by", "dpo")
RESTRICT = ("restrictions", "place", "--ground", "accuracy", "--matter", "case-2026-18", "--by", "dpo")


@pytest.fixture
def ask(ledger_url: str, tmp_path: Path) -> Ask:
    keys = tmp_path / "keys.json"
    keys.write_text(Keyring.generate("k1").to_json())
    environment = {
        "RETENTION_LEDGER_URL": ledger_url,
        "RETENTION_KEYS": str(keys),
        "RETENTION_POLICY": None,
        "AS_OF": TODAY.isoformat(),
    }

    def run(*arguments: str, stdin: str = "") -> Result:
        return CliRunner().invoke(main, list(arguments), input=stdin, env=environment)

    return run


def told(result: Result) -> object:
    return json.loads(result.stdout)


def logged(ledger: Engine, event: str) -> list[dict[str, object]]:
    with ledger.begin() as db:
        bodies = [json.loads(bytes(r.body)) for r in rows(db, "SELECT body FROM audit_entries ORDER BY seq")]
    return [body for body in bodies if body["event"] == event]


def test_a_hold_is_placed_on_the_people_on_standard_input(ask: Ask, ledger: Engine) -> None:
    people = "ann@example.com\n\nben@example.org\ncustomer_number:4711\n"
    placed = ask(*PLACE, "--class", "contact_identity", "--collected-to", "2021-12-31", "--json", stdin=people)

    assert placed.exit_code == 0, placed.stderr
    answer = told(placed)
    assert isinstance(answer, dict)
    assert (answer["nothing_runs"], answer["calls"]) == (True, [])
    (line,) = told(ask("holds", "list", "--json"))  # type: ignore[misc]
    assert (line["hold"], line["people"], line["owner"], line["review_on"]) == (answer["hold"], 3, "dpo", "2027-05-22")
    assert (line["data_classes"], line["collected"]) == (["contact_identity"], "..2021-12-31")
    (entry,) = logged(ledger, "hold_placed")
    assert (entry["reference"], entry["actor"], entry["count"]) == (answer["hold"], "dpo", 3)
    assert "example" not in placed.stdout + json.dumps(entry)


@pytest.mark.parametrize(
    ("more", "stdin", "said"),
    [
        ((), "", "give identifiers of people"),
        ((), "ann@example.com\n020 7946 0000\n", "line 2 is no e-mail address"),
        (("--everyone",), "", "names the systems or the data classes"),
        (("--system", "nowhere"), "ann@example.com", "no system 'nowhere' in the policy"),
        (("--collected-from", "2026-02-01", "--collected-to", "2026-01-01"), "a@example.com", "on or after its first"),
        (("--matter", "Ann Example"), "ann@example.com", "takes a reference like case-2026-17"),
    ],
    ids=["nobody", "a telephone", "everyone everywhere", "an unknown system", "backwards", "a name as matter"],
)
def test_a_hold_that_cannot_be_meant_is_refused(
    ask: Ask, ledger: Engine, more: tuple[str, ...], stdin: str, said: str
) -> None:
    refused = ask(*PLACE, *more, stdin=stdin)

    assert refused.exit_code == 2
    assert said in refused.stderr
    assert "7946" not in refused.stderr
    with ledger.begin() as db:
        assert rows(db, "SELECT 1 FROM holds") == []


def test_a_hold_on_everyone_reads_nobody_from_standard_input(ask: Ask) -> None:
    placed = ask(*PLACE, "--everyone", "--system", "hubspot")

    assert placed.exit_code == 0
    assert "no call was under way" in placed.stdout
    assert "everyone" in ask("holds", "list").stdout


def test_holds_that_are_due_end_with_one_until_somebody_looks(ask: Ask, ledger: Engine) -> None:
    hold = told(ask(*PLACE, "--review-on", TODAY.isoformat(), "--json", stdin="ann@example.com"))["hold"]  # type: ignore[call-overload, index]

    assert ask("holds", "due").exit_code == 1
    assert ask("holds", "keep", hold, "--until", TODAY.isoformat(), "--by", "dpo").exit_code == 2
    assert ask("holds", "keep", hold, "--by", "dpo").exit_code == 0
    assert ask("holds", "due").exit_code == 0
    assert [entry["reference"] for entry in logged(ledger, "hold_reviewed")] == [hold]


def test_a_hold_is_released_once(ask: Ask, ledger: Engine) -> None:
    hold = told(ask(*PLACE, "--json", stdin="ann@example.com"))["hold"]  # type: ignore[call-overload, index]

    assert ask("holds", "release", hold, "--by", "dpo").exit_code == 0
    again = ask("holds", "release", hold, "--by", "dpo")

    assert (again.exit_code, again.stderr) == (2, f"Error: no hold {hold} in force\n")
    assert len(logged(ledger, "hold_released")) == 1


def test_a_restriction_is_lifted_after_its_notice_and_not_before(ask: Ask, ledger: Engine) -> None:
    placed = told(ask(*RESTRICT, "--json", stdin="ann@example.com"))["restriction"]  # type: ignore[call-overload, index]

    early = ask("restrictions", "lift", placed, "--by", "dpo")
    assert early.exit_code == 2
    assert "the person was not told (Art. 18(3))" in early.stderr
    tomorrow = ask("restrictions", "notice-sent", placed, "--on", "2026-11-23", "--by", "dpo")
    assert (tomorrow.exit_code, "not one to come" in tomorrow.stderr) == (2, True)

    assert ask("restrictions", "notice-sent", placed, "--on", "2026-11-20", "--by", "dpo").exit_code == 0
    assert ask("restrictions", "notice-sent", placed, "--on", "2026-11-21", "--by", "dpo").exit_code == 2
    assert ask("restrictions", "lift", placed, "--by", "dpo").exit_code == 0
    assert ask("restrictions", "lift", placed, "--by", "dpo").exit_code == 2

    (line,) = told(ask("restrictions", "list", "--json"))  # type: ignore[misc]
    assert (line["state"], line["notice_on"], line["open_records"]) == ("lifted", "2026-11-20", 0)
    events = ("restriction_placed", "notice_sent", "restriction_lifted")
    assert [entry["reference"] for event in events for entry in logged(ledger, event)] == [placed] * 3


def test_a_restriction_nobody_placed_is_not_found(ask: Ask) -> None:
    assert ask("restrictions", "lift", "restriction-0000", "--by", "dpo").exit_code == 2
    assert ask("restrictions", "notice-sent", "restriction-0000", "--on", "2026-11-20", "--by", "dpo").exit_code == 2
