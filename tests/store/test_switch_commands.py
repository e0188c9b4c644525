"""Do the commands that lift, set or end a limit do it, write it down, and refuse whoever may not?"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from sqlalchemy import Engine

from retention.__main__ import main
from retention.keyring import Keyring
from retention.limits import Guard
from retention.policy import load
from retention.store import guards, protected, standing, sweeps, tenants
from retention.store.database import connect, one, rows, run
from retention.store.sweeps import Mode
from tests.conftest import ROOT
from tests.sweeping import NOW

Say = Callable[..., tuple[int, Any]]
MAILBOXES = """  mailboxes:
    kind: microsoft365
    connection: mailboxes
    regime: UK
    zone: Europe/London
    mail:
      own_domains: [ours.example]
      lawful_basis: consent
      transactions:
        folders: [Orders]
"""


@pytest.fixture
def say(ledger: Engine, ledger_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Say:
    """Give a command, with words for standard input; the exit code, and its answer or what it complained of."""
    (tmp_path / "keys.json").write_text(Keyring.generate("k1").to_json(), encoding="utf-8")
    monkeypatch.setenv("RETENTION_LEDGER_URL", ledger_url)
    monkeypatch.setenv("RETENTION_KEYS", str(tmp_path / "keys.json"))
    monkeypatch.setenv("AS_OF", "2026-11-22")
    monkeypatch.delenv("RETENTION_POLICY", raising=False)

    def give(*words: str, stdin: str = "") -> tuple[int, Any]:
        result = CliRunner().invoke(main, [*words, "--json"], input=stdin)
        return result.exit_code, json.loads(result.stdout) if result.exit_code == 0 else result.stderr

    return give


def events(ledger: Engine) -> list[bytes]:
    with ledger.connect() as db:
        return [bytes(row.body) for row in rows(db, "SELECT body FROM audit_entries ORDER BY seq")]


# --- Overrides ---


def test_an_override_is_given_listed_and_revoked_and_each_is_in_the_log(ledger: Engine, say: Say) -> None:
    asked = ("guards", "override", "run-cap", "--system", "salesforce", "--up-to", "812", "--hours", "5")
    code, given = say(*asked, "--by", "dpo")
    assert (code, given["up_to"]) == (0, 812)
    with ledger.connect() as db:
        assert guards.in_force(db, "salesforce", NOW) == {Guard.RUN_CAP: 812}
        assert guards.in_force(db, "hubspot", NOW) == {}
    (listed,) = say("guards", "list")[1]
    assert (listed["guard"], listed["given_by"], listed["revoked_at"]) == ("run-cap", "dpo", None)
    assert say("guards", "revoke", given["override"], "--by", "dpo")[0] == 0
    with ledger.connect() as db:
        assert guards.in_force(db, "salesforce", NOW) == {}
    log = events(ledger)
    assert [b"guard_overridden" in log[0], b"guard_override_revoked" in log[1]] == [True, True]


@pytest.mark.parametrize(
    "words",
    [
        "guards override run-cap --system salesforce --up-to 9",
        "guards accept salesforce",
        "protected add",
        "standing give x --reason RET_EXPIRED --system salesforce --max-steps 9 --until 2026-12-31",
        "tranche set salesforce --kind Lead",
        "live on",
    ],
)
def test_whoever_is_not_on_the_policys_list_lifts_nothing(ledger: Engine, say: Say, words: str) -> None:
    code, complaint = say(*words.split(), "--by", "operator", stdin="ann@example.com\n")
    assert code == 2
    assert "only an approver of the policy may do this" in complaint
    assert events(ledger) == []


def test_a_guard_whose_cause_has_to_be_mended_cannot_be_overridden(say: Say) -> None:
    code, complaint = say("guards", "override", "protected", "--system", "salesforce", "--up-to", "9", "--by", "dpo")
    assert code == 2
    assert "'protected' is not one of" in complaint


# --- The account behind a system ---


def test_another_account_is_accepted_once_it_was_seen(ledger: Engine, say: Say) -> None:
    assert say("guards", "accept", "salesforce", "--by", "dpo")[0] == 2
    with ledger.begin() as db:
        tenants.is_the_known_one(db, "salesforce", "first")
        run(
            db,
            "INSERT INTO sweeps (sweep_id, dag_id, run_id, run_type, started_by, as_of, mode, state, policy_digest,"
            " code_version) VALUES ('sweep-1', 'd', 'r', 'manual', 'schedule', '2026-11-22', 'dry', 'open', '', '')",
        )
        sweeps.record_reading(db, "sweep-1", "salesforce", "gather", "failed", tenant="second")
    assert say("guards", "accept", "salesforce", "--by", "dpo") == (0, {"system": "salesforce", "tenant": "second"})
    with ledger.connect() as db:
        assert tenants.known(db, "salesforce") == "second"


# --- The never-delete list ---


def test_the_list_names_nobody_and_takes_people_by_standard_input_only(ledger: Engine, say: Say) -> None:
    code, person = say("protected", "add", "--by", "dpo", stdin="ann@example.com\n")
    assert code == 0
    assert say("protected", "add", "--system", "salesforce", "--kind", "Contact", "--by", "dpo", stdin="003A\n")[0] == 0
    assert say("protected", "add", "--system", "salesforce", "--by", "dpo", stdin="003A\n")[0] == 2
    assert say("protected", "add", "--by", "dpo", stdin="not an address\n")[0] == 2
    listed = say("protected", "list")[1]
    assert sorted((one["what"], one["system"]) for one in listed) == [("person", ""), ("record", "salesforce")]
    assert "ann@example.com" not in json.dumps(listed)
    assert say("protected", "remove", person["protected"], "--by", "dpo")[0] == 0
    with ledger.connect() as db:
        assert [entry.what for entry in protected.entries(db) if entry.removed_at is None] == ["record"]
    assert not any(b"ann@example.com" in body or b"003A" in body for body in events(ledger))


# --- Live mode ---


def test_live_mode_is_refused_on_the_embedded_server(ledger: Engine, say: Say) -> None:
    code, complaint = say("live", "on", "--by", "dpo")
    assert code == 2
    assert "embedded server" in complaint
    with ledger.connect() as db:
        assert sweeps.mode(db) is Mode.DRY


def test_live_is_the_pipelines_mode_and_a_permission_of_each_system_that_was_read_before(
    ledger: Engine, ledger_url: str, say: Say
) -> None:
    with ledger.begin() as db:
        name = one(db, "SELECT current_database() AS name").name
        run(db, f"ALTER DATABASE {name} SET retention.embedded TO ''")
    ledger.dispose()
    code, complaint = say("live", "on", "--by", "dpo")
    assert code == 2
    assert "nobody approved this policy" in complaint
    assert say("policy", "approve", "--digest", load(ROOT / "include" / "policy").digest, "--by", "dpo")[0] == 0
    assert say("live", "on", "--by", "dpo")[0] == 0
    code, complaint = say("live", "on", "--system", "salesforce", "--by", "dpo")
    assert code == 2
    assert "salesforce was never read" in complaint
    with connect(ledger_url).begin() as db:
        tenants.is_the_known_one(db, "salesforce", "first")
    assert say("live", "on", "--system", "salesforce", "--by", "dpo")[0] == 0
    with connect(ledger_url).begin() as db:
        assert sweeps.mode(db) is Mode.LIVE
        assert [sweeps.may_act(db, Mode.LIVE, s) for s in ("salesforce", "hubspot")] == [True, False]
    assert say("live", "off", "--by", "operator")[0] == 0
    assert say("mode")[1] == {"mode": "dry"}


def test_mailboxes_go_live_only_once_somebody_declared_where_transactions_and_evidence_lie(
    ledger: Engine, ledger_url: str, say: Say, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with ledger.begin() as db:
        name = one(db, "SELECT current_database() AS name").name
        run(db, f"ALTER DATABASE {name} SET retention.embedded TO ''")
        tenants.is_the_known_one(db, "mailboxes", "first")
    ledger.dispose()
    monkeypatch.setenv("RETENTION_POLICY", str(tmp_path))
    shipped = ROOT / "include" / "policy"
    (tmp_path / "schedule.yaml").write_text((shipped / "schedule.yaml").read_text(encoding="utf-8"))
    for declared in ("", "        declared_on: 2026-11-01\n"):
        text = (shipped / "systems.yaml").read_text(encoding="utf-8")
        (tmp_path / "systems.yaml").write_text(text.replace("\nsystems:\n", f"\nsystems:\n{MAILBOXES}{declared}", 1))
        assert say("policy", "approve", "--digest", load(tmp_path).digest, "--by", "dpo")[0] == 0
        code, complaint = say("live", "on", "--system", "mailboxes", "--by", "dpo")
        if declared:
            assert code == 0
        else:
            assert code == 2
            assert "nobody declared where mail about transactions and evidence lies" in complaint


def test_live_mode_has_one_door(say: Say) -> None:
    assert say("mode", "live", "--by", "dpo")[0] == 2


# --- Standing approvals and tranches ---


def test_a_standing_approval_is_bound_to_the_policy_ends_and_can_be_revoked(ledger: Engine, say: Say) -> None:
    words = ("--reason", "RET_EXPIRED", "--system", "salesforce", "--max-steps", "50", "--by", "dpo")
    assert say("standing", "give", "quiet", *words, "--until", "2026-11-21")[0] == 2
    assert say("standing", "give", "quiet", *words, "--until", "2026-12-31")[0] == 0
    assert say("standing", "give", "quiet", *words, "--until", "2026-12-31")[0] == 2
    assert say("standing", "give", "Quiet Nights", *words, "--until", "2026-12-31")[0] == 2
    with ledger.connect() as db:
        (given,) = standing.every(db)
        digest = given.policy_digest
        assert standing.stands(db, "standing:quiet", "salesforce", digest, given.ends_on)
        assert not standing.stands(db, "standing:quiet", "hubspot", digest, given.ends_on)
        assert not standing.stands(db, "standing:quiet", "salesforce", "0" * 64, given.ends_on)
    assert say("standing", "revoke", "quiet", "--by", "dpo")[0] == 0
    assert say("standing", "revoke", "quiet", "--by", "dpo")[0] == 2
    with ledger.connect() as db:
        assert not standing.stands(db, "standing:quiet", "salesforce", digest, given.ends_on)


def test_a_tranche_is_set_replaced_listed_and_cleared(say: Say) -> None:
    assert say("tranche", "set", "salesforce", "--by", "dpo")[0] == 2
    assert say("tranche", "set", "salesforce", "--kind", "Lead", "--by", "dpo")[0] == 0
    assert say("tranche", "set", "salesforce", "--collected-before", "2015-01-01", "--by", "dpo")[0] == 0
    assert say("tranche", "list")[1] == [
        {"system": "salesforce", "kinds": [], "data_classes": [], "collected_before": "2015-01-01"}
    ]
    assert say("tranche", "clear", "salesforce", "--by", "dpo")[0] == 0
    assert say("tranche", "list")[1] == []
    assert say("tranche", "clear", "salesforce", "--by", "dpo")[0] == 2


@pytest.mark.parametrize("word", ["rehearsal", "dry"])
def test_the_mode_is_set_and_shown_by_the_same_word(say: Say, word: str) -> None:
    assert say("mode", word, "--by", "dpo") == (0, {"mode": word})
    assert say("mode") == (0, {"mode": word})
