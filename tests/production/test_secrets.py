"""Does one command make every secret that docker-compose.yaml names, once, readable by its owner only?"""

from __future__ import annotations

import importlib.util
import json
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from cryptography import x509

from tests.conftest import ROOT
from tests.production.compose import load


@pytest.fixture
def make() -> Callable[..., int]:
    spec = importlib.util.spec_from_file_location("production_secrets", ROOT / "tools" / "production_secrets.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    main: Callable[..., int] = module.main
    return main


@pytest.fixture
def folder(make: Callable[..., int], tmp_path: Path) -> Path:
    made = tmp_path / "secrets"
    make([str(made)])
    return made


def connections(folder: Path, worker: str) -> dict[str, Any]:
    told: dict[str, Any] = json.loads((folder / f"connections_{worker}.json").read_text())
    return told


def test_every_secret_of_the_compose_file_is_made_for_its_owner_only(folder: Path) -> None:
    for secret in load({"RETENTION_SECRETS": str(folder)})["secrets"].values():
        assert Path(secret["file"]).stat().st_mode & 0o777 == 0o600


def test_a_second_time_nothing_is_overwritten(folder: Path, make: Callable[..., int]) -> None:
    before = {file.name: file.read_bytes() for file in folder.iterdir()}
    (folder / "jwt_secret").unlink()

    make([str(folder)])

    after = {file.name: file.read_bytes() for file in folder.iterdir()}
    assert {name for name in after if after[name] != before[name]} == {"jwt_secret"}


def test_only_the_recording_worker_gets_approver_signing_key_and_service_account(folder: Path) -> None:
    apart = {"retention_ledger_approver", "retention_signing", "retention_airflow"}
    assert apart <= connections(folder, "recording").keys()
    assert connections(folder, "acting").keys() == {"retention_ledger", "retention_keys"}
    assert connections(folder, "reading").keys() == {"retention_ledger", "retention_keys", "retention_copies"}


def test_the_pages_get_the_ledger_under_both_roles_and_neither_a_system_nor_the_signing_key(folder: Path) -> None:
    given = {"retention_ledger", "retention_ledger_approver", "retention_keys", "retention_copies"}
    assert connections(folder, "pages").keys() == given


def test_every_connection_to_the_ledger_demands_a_verified_server(folder: Path) -> None:
    told = connections(folder, "recording")
    for name in ("retention_ledger", "retention_ledger_approver"):
        assert told[name]["extra"] == {"sslmode": "verify-full", "sslrootcert": "/run/secrets/ledger_authority"}
    assert "sslmode=verify-full" in (folder / "ledger_migrator_url").read_text()


def test_the_ledgers_certificate_names_its_host_and_is_signed_by_the_authority(folder: Path) -> None:
    authority, certificate = (
        x509.load_pem_x509_certificate((folder / f"ledger_{name}.pem").read_bytes())
        for name in ("authority", "certificate")
    )
    certificate.verify_directly_issued_by(authority)
    names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert "ledger" in names.get_values_for_type(x509.DNSName)


class Security:
    """Airflow's store of users, as far as the first users need it."""

    def __init__(self, *there: str) -> None:
        self.there = set(there)

    def find_user(self, username: str) -> Any:
        return SimpleNamespace(username=username) if username in self.there else None

    def find_role(self, name: str) -> Any:
        return name if name in {"Admin", "User", "Viewer"} else None

    def add_user(self, username: str, *_: Any) -> bool:
        self.there.add(username)
        return True


@pytest.fixture
def first_users(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Any:
    monkeypatch.setenv("AIRFLOW_HOME", str(tmp_path))
    from orchestration import first_users

    return first_users


def test_first_users_who_are_there_already_stay_as_they_are(first_users: Any, folder: Path) -> None:
    security = Security("admin")

    made = first_users.make(first_users.read(folder / "first_users.json"), security)

    assert made == ["operator", "dpo", "recorder"]
    assert first_users.make(first_users.read(folder / "first_users.json"), security) == []


def test_a_user_without_password_or_with_an_unknown_role_is_refused_without_showing_one(
    first_users: Any, tmp_path: Path
) -> None:
    file = tmp_path / "users.json"
    file.write_text(json.dumps([{"username": "dpo", "role": "User", "email": "dpo@example.com", "password": ""}]))
    with pytest.raises(first_users.UsersUnusable, match="user 1 lacks password"):
        first_users.read(file)
    king = {"username": "dpo", "role": "King", "email": "dpo@example.com", "password": "top-secret"}
    with pytest.raises(first_users.UsersUnusable, match="no role 'King'") as caught:
        first_users.make([king], Security())
    assert "top-secret" not in str(caught.value)
