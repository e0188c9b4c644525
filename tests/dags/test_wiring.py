"""Does a missing or half-made connection say which one it is and what belongs in it?"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from connectors.documents import opening
from retention.contract import AccessDenied
from retention.keyring import Keyring, KeysUnusable
from retention.policy import SystemPolicy
from retention.policy.files import FILE_SERVERS
from retention.vocabulary import Action, RecordRef, Step
from tests.leave import Leave


@pytest.fixture
def connections(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Airflow connections as environment variables."""

    def connect(name: str, **values: Any) -> None:
        monkeypatch.setenv(f"AIRFLOW_CONN_{name.upper()}", json.dumps({"conn_type": "generic", **values}))

    connect("retention_ledger", host="127.0.0.1", port=1, schema="ledger", login="x", password="top-secret")
    connect("retention_keys", password=Keyring.generate("k1").to_json())
    return connect


@pytest.fixture
def wiring(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.setenv("AIRFLOW_HOME", str(tmp_path_factory.mktemp("airflow")))
    from orchestration import wiring

    return wiring


def test_a_missing_connection_is_named_with_what_it_is_for(wiring: Any, connections: Any) -> None:
    with pytest.raises(wiring.NotConnected, match=r"no Airflow connection 'hubspot' \(system hubspot\).*README"):
        wiring.connector("hubspot")
    with pytest.raises(wiring.NotConnected, match="'retention_signing'"):
        wiring.signing_key()


def test_a_ledger_connection_without_a_database_says_what_is_missing(wiring: Any, connections: Any) -> None:
    connections("retention_ledger", host="127.0.0.1", password="top-secret")
    with pytest.raises(wiring.NotConnected, match="schema") as caught:
        wiring.desk()
    assert "top-secret" not in str(caught.value)


def test_broken_keys_are_named_and_not_shown(wiring: Any, connections: Any) -> None:
    connections("retention_keys", password='{"generations": [{"key_id": "k1", "subject": "00ff"}]}')
    with pytest.raises(KeysUnusable, match="is missing or malformed") as caught:
        wiring.desk()
    assert "00ff" not in str(caught.value)


def test_a_server_elsewhere_must_prove_who_it_is_and_one_on_this_machine_need_not(
    wiring: Any, connections: Any
) -> None:
    assert "sslmode" not in wiring.desk().engine.url.query
    connections("retention_ledger", host="203.0.113.7", schema="ledger", login="x", password="y")
    assert wiring.desk().engine.url.query["sslmode"] == "verify-full"


@pytest.mark.parametrize(
    ("host", "local"),
    [
        ("127.0.0.1", True),
        ("localhost", True),
        ("https://127.0.0.1:8443", True),
        ("api.hubapi.example", False),
        ("203.0.113.7", False),
        ("https://203.0.113.7", False),
        ("", False),
    ],
)
def test_a_rehearsal_knows_which_systems_are_on_this_machine(
    wiring: Any, connections: Any, host: str, local: bool
) -> None:
    connections("hubspot", host=host, password="pat-x")
    assert wiring.is_loopback("hubspot") is local


def test_the_day_can_be_fixed_and_is_londons_otherwise(wiring: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AS_OF", "2024-02-29")
    assert wiring.today().isoformat() == "2024-02-29"


@pytest.mark.parametrize(
    ("environment", "embedded", "says"),
    [
        ({"AS_OF": "2026-11-22"}, False, "AS_OF"),
        ({}, True, "embedded server"),
        ({}, False, "simple auth manager"),
    ],
)
def test_live_mode_refuses_what_only_a_rehearsal_may_have(
    wiring: Any, monkeypatch: pytest.MonkeyPatch, environment: dict[str, str], embedded: bool, says: str
) -> None:
    monkeypatch.delenv("AS_OF", raising=False)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(wiring.NotForLive, match=says):
        wiring.refuse_what_is_for_rehearsals(embedded)


@pytest.fixture
def mailboxes(wiring: Any, connections: Any, monkeypatch: pytest.MonkeyPatch) -> Any:
    """A policy with one Microsoft 365 tenant."""
    told = {"own_domains": ["ours.example"], "lawful_basis": "consent", "on_hold": ["Held@Ours.Example"]}
    system = {"kind": "microsoft365", "connection": "mailboxes", "regime": "UK", "zone": "Europe/London", "mail": told}
    systems = {"mailboxes": SystemPolicy.model_validate(system)}
    policy = wiring.policy().model_copy(update={"systems": systems})
    monkeypatch.setattr(wiring, "policy", lambda: policy)
    return wiring


def test_mailboxes_are_reached_by_a_secret_and_named_by_their_tenant(mailboxes: Any, connections: Any) -> None:
    connections("mailboxes", login="client-1", password="top-secret", extra={"tenant_id": "tenant-1"})
    first = mailboxes.connector("mailboxes")
    connections("mailboxes", login="client-1", password="top-secret", extra={"tenant_id": "tenant-2"})
    assert first.system == "mailboxes"
    assert first.tenant != mailboxes.connector("mailboxes").tenant
    assert "tenant-1" not in first.tenant


def test_mailboxes_without_a_tenant_say_what_is_missing(mailboxes: Any, connections: Any) -> None:
    connections("mailboxes", login="client-1", password="top-secret")
    with pytest.raises(AccessDenied, match="needs tenant, client id") as caught:
        mailboxes.connector("mailboxes")
    assert "top-secret" not in str(caught.value)


@pytest.mark.parametrize("lone", ["private_key", "certificate"])
def test_half_a_certificate_is_none(mailboxes: Any, connections: Any, lone: str) -> None:
    connections("mailboxes", login="client-1", extra={"tenant_id": "tenant-1", lone: "-----BEGIN"})
    with pytest.raises(mailboxes.NotConnected, match="needs both the extras"):
        mailboxes.connector("mailboxes")


def test_a_local_folder_is_a_system_whose_evidence_names_what_is_beyond_use(
    wiring: Any, connections: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    system = {
        "kind": "local",
        "connection": "share",
        "regime": "UK",
        "zone": "Europe/London",
        "folders": {"letters": {"data_class": "document", "lawful_basis": "consent"}},
        "files": {"beyond_use": {"snapshots": 14, "backups": 35}},
    }
    systems = {"share": SystemPolicy.model_validate(system)}
    policy = wiring.policy().model_copy(update={"systems": systems})
    monkeypatch.setattr(wiring, "policy", lambda: policy)
    connections("share", extra={"root": str(tmp_path)})
    (tmp_path / "letters").mkdir()
    (tmp_path / "letters" / "one.txt").write_bytes(b"bob@x.example")
    connector = wiring.connector("share")
    (outcome,) = connector.act(
        Action.ERASE, [Step("s", RecordRef("share", "file", "letters/one.txt"), Action.ERASE)], Leave()
    )
    assert outcome.evidence.beyond_use == ("backups: 35 days", "snapshots: 14 days")
    assert list((tmp_path / "letters").iterdir()) == []
    connector.close()


def test_every_kind_of_document_server_of_the_policy_has_a_store() -> None:
    assert opening.KINDS == FILE_SERVERS
