"""What do the `retention policy` and `retention ledger tidy` commands print, and how do they refuse?"""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import date
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from sqlalchemy import Engine

from retention.__main__ import main
from retention.keyring import Keyring
from retention.policy import load
from retention.store import database, policy_approvals
from retention.store.desk import Desk
from tests.conftest import ROOT
from tests.memory_connector import MemoryConnector, MemorySystem, person
from tests.sweeping import NOW, TODAY, Night

SHIPPED = ROOT / "include" / "policy"
DIGEST = load(SHIPPED).digest
Ask = Callable[..., Result]


@pytest.fixture
def keyring() -> Keyring:
    return Keyring.generate("k1")


@pytest.fixture
def ask(ledger_url: str, tmp_path: Path, keyring: Keyring) -> Ask:
    """The command line on an empty ledger, with the shipped policy in use."""
    keys = tmp_path / "keys.json"
    keys.write_text(keyring.to_json())
    environment = {
        "RETENTION_LEDGER_URL": ledger_url,
        "RETENTION_KEYS": str(keys),
        "RETENTION_POLICY": None,
        "AS_OF": TODAY.isoformat(),
    }

    def run(*arguments: str, stdin: str = "") -> Result:
        return CliRunner().invoke(main, list(arguments), input=stdin, env=environment)

    return run


@pytest.fixture
def read_once(ledger: Engine, keyring: Keyring) -> str:
    """A sweep has met one old person in the system `hubspot`; the record's id."""
    shipped = load(SHIPPED)
    policy = shipped.model_copy(update={"systems": {"hubspot": shipped.systems["hubspot"]}})
    hubspot = MemorySystem("hubspot")
    ref = hubspot.add(person("old@example.com", date(2019, 1, 1)), key="4711")
    Night(Desk(ledger, keyring, policy, TODAY, "1.0.0", now=lambda: NOW), [MemoryConnector(hubspot)]).read()
    return ref.key


@pytest.fixture
def candidate(tmp_path: Path) -> Path:
    """A policy that keeps everything for eight years."""
    folder = tmp_path / "candidate"
    folder.mkdir()
    for name in ("schedule.yaml", "systems.yaml"):
        text = (SHIPPED / name).read_text().replace("retention_years: 5", "retention_years: 8")
        (folder / name).write_text(text)
    return folder


def approved(ledger: Engine) -> list[str]:
    with database.transaction(ledger) as db:
        return [approval.policy_digest for approval in policy_approvals.all_approvals(db)]


def test_check_tells_the_digest_and_a_line_for_each_rule(ask: Ask) -> None:
    result = ask("policy", "check", str(SHIPPED))

    assert result.exit_code == 0
    assert result.stdout.startswith(
        f"digest {DIGEST}\nrule marketing-signups: marketing_signup: keep until unsubscribe"
    )
    assert result.stdout.count("\nrule ") == 5
    assert "store findings: 90 days from sweep sealed" in result.stdout


def test_check_as_json(ask: Ask) -> None:
    answer = json.loads(ask("policy", "check", "--json").stdout)

    assert answer["digest"] == DIGEST
    assert answer["systems"] == ["salesforce", "hubspot", "documents", "microsoft365"]


def test_check_needs_no_ledger() -> None:
    result = CliRunner().invoke(main, ["policy", "check"], env={"RETENTION_LEDGER_URL": None, "RETENTION_KEYS": None})
    assert result.exit_code == 0


def test_check_of_a_wrong_policy_names_each_mistake_and_exits_with_2(ask: Ask, candidate: Path) -> None:
    text = (candidate / "schedule.yaml").read_text()
    (candidate / "schedule.yaml").write_text(text.replace("then: erase", "thenn: erase", 1))
    result = ask("policy", "check", str(candidate))

    assert result.exit_code == 2
    assert result.stdout == ""
    assert "schedule.yaml:16: rules.marketing-signups.thenn: unknown key; did you mean 'then'?" in result.stderr


def test_stores_are_listed_with_who_ends_them(ask: Ask) -> None:
    rows = {row["store"]: row for row in json.loads(ask("policy", "stores", "--json").stdout)}

    assert rows["findings"]["ended_by"] == "ledger tidy"
    assert rows["airflow_metadata"]["ended_by"] == "airflow upkeep"


def test_schemas_are_written_and_then_current(ask: Ask, candidate: Path) -> None:
    assert ask("policy", "schema", "--folder", str(candidate)).exit_code == 1
    assert ask("policy", "schema", "--write", "--folder", str(candidate)).exit_code == 0
    result = ask("policy", "schema", "--folder", str(candidate))
    assert (result.exit_code, result.stdout) == (0, "all are current\n")


def test_effect_shows_before_after_and_difference(ask: Ask, read_once: str, candidate: Path) -> None:
    answer = json.loads(ask("policy", "effect", "--folder", str(candidate), "--json").stdout)

    assert (answer["policy_before"], answer["never_read"]) == (DIGEST, ["salesforce", "documents", "microsoft365"])
    assert answer["counts"][0] == {
        "system": "hubspot",
        "rule": "",
        "verdict": "erase",
        "before": 1,
        "after": 0,
        "difference": -1,
    }
    shown = ask("policy", "effect", "--folder", str(candidate)).stdout
    assert "hubspot  (whole record)  erase    1       0      -1" in shown
    assert "salesforce: was never read wholly" in shown


def test_approving_writes_who_when_and_the_effect_shown(ask: Ask, ledger: Engine, read_once: str) -> None:
    result = ask("policy", "approve", "--by", "dpo", "--digest", DIGEST, "--json")

    assert result.exit_code == 0
    answer = json.loads(result.stdout)
    assert (answer["policy_digest"], answer["approved_by"]) == (DIGEST, "dpo")
    assert answer["effect"]["sweeps"].keys() == {"hubspot"}
    assert approved(ledger) == [DIGEST]
    listed = json.loads(ask("policy", "approvals", "--json").stdout)
    assert [row["policy_digest"] for row in listed] == [DIGEST]


def test_the_digest_may_be_typed(ask: Ask, ledger: Engine) -> None:
    result = ask("policy", "approve", "--by", "dpo", stdin=DIGEST[:12] + "\n")

    assert result.exit_code == 0
    assert approved(ledger) == [DIGEST]


def test_another_policy_is_approved_by_its_own_digest(ask: Ask, ledger: Engine, candidate: Path) -> None:
    assert ask("policy", "approve", "--by", "dpo", "--digest", DIGEST, "--folder", str(candidate)).exit_code == 2
    digest = load(candidate).digest
    assert ask("policy", "approve", "--by", "dpo", "--digest", digest, "--folder", str(candidate)).exit_code == 0
    assert approved(ledger) == [digest]


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("--by", "operator", "--digest", DIGEST), "operator is not among"),
        (("--by", "dpo", "--digest", "0" * 64), "not that of this policy"),
        (("--by", "dpo", "--digest", "0"), "not that of this policy"),
        (("--digest", DIGEST), "--by"),
    ],
)
def test_an_approval_is_refused_with_a_reason(ask: Ask, ledger: Engine, arguments: tuple[str, ...], says: str) -> None:
    result = ask("policy", "approve", *arguments)

    assert result.exit_code == 2
    assert says in result.stderr
    assert approved(ledger) == []


def test_an_approval_can_be_withdrawn_once(ask: Ask) -> None:
    ask("policy", "approve", "--by", "dpo", "--digest", DIGEST)

    assert ask("policy", "withdraw", "--by", "dpo", "--digest", DIGEST).exit_code == 0
    assert ask("policy", "withdraw", "--by", "dpo", "--digest", DIGEST).exit_code == 2
    (row,) = json.loads(ask("policy", "approvals", "--json").stdout)
    assert row["withdrawn_by"] == "dpo"


def test_a_record_named_on_standard_input_is_explained(ask: Ask, read_once: str) -> None:
    result = ask("policy", "explain", stdin=f"hubspot person {read_once}\n")

    assert result.exit_code == 0
    assert result.stdout.startswith("verdict       erase (RET_EXPIRED)\n")
    assert "  rule        contact-data: Privacy policy: five years from collection" in result.stdout
    assert "  collected   2019-01-01, from collected_on" in result.stdout
    assert "  Art. 5(1)(e): data is kept no longer than its purpose needs" in result.stdout
    assert not [word for word in (read_once, "old@example.com", "Ann", "roses") if word in result.stdout]


def test_a_record_no_sweep_met_is_bad_news(ask: Ask, read_once: str) -> None:
    result = ask("policy", "explain", "--json", stdin="hubspot person 99\n")

    assert result.exit_code == 1
    assert json.loads(result.stdout)["verdict"] is None


@pytest.mark.parametrize("line", ["", "hubspot\n", "hubspot person\n", "elsewhere person old@example.com\n"])
def test_a_record_that_is_not_named_right_is_refused_without_repeating_it(ask: Ask, line: str) -> None:
    result = ask("policy", "explain", stdin=line)

    assert result.exit_code == 2
    assert "example.com" not in result.stderr


def test_an_id_may_hold_spaces_as_paths_do(ask: Ask, read_once: str) -> None:
    assert ask("policy", "explain", stdin="documents txt letters/to a friend.txt\n").exit_code == 1


def test_tidy_tells_what_went_by_store(ask: Ask, read_once: str) -> None:
    answer = json.loads(ask("ledger", "tidy", "--json").stdout)

    assert answer["tidied"].keys() >= {"findings", "catalogue", "previous_values"}
    assert set(answer["tidied"].values()) == {0}


@pytest.fixture
def approve_as(ask: Ask, ledger: Engine, tmp_path: Path) -> Callable[[str], Result]:
    """`policy approve` under a login of its own, a member of one role."""

    def run(role: str) -> Result:
        login = f"policy_test_{role}"
        with ledger.begin() as db:
            database.run(db, f"DROP ROLE IF EXISTS {login}")
            database.run(db, f"CREATE ROLE {login} LOGIN PASSWORD 'made-up' IN ROLE retention_{role}")
        url = ledger.url.set(username=login, password="made-up", drivername="postgresql")
        environment = {
            "RETENTION_LEDGER_URL": url.render_as_string(hide_password=False),
            "RETENTION_KEYS": str(tmp_path / "keys.json"),
            "RETENTION_POLICY": None,
        }
        return CliRunner().invoke(main, ["policy", "approve", "--by", "dpo", "--digest", DIGEST], env=environment)

    return run


def test_the_approvers_login_is_enough_to_approve(
    approve_as: Callable[[str], Result], ledger: Engine, read_once: str
) -> None:
    assert approve_as("approver").exit_code == 0
    assert approved(ledger) == [DIGEST]


@pytest.mark.parametrize("role", ["executor", "auditor"])
def test_a_login_with_another_duty_is_told_so(
    approve_as: Callable[[str], Result], ledger: Engine, read_once: str, role: str
) -> None:
    result = approve_as(role)

    assert result.exit_code == 2
    assert f"role 'policy_test_{role}' has another duty" in result.stderr
    assert approved(ledger) == []
