"""Which secrets does docker-compose.yaml need? `tools/production_secrets.py FOLDER` makes all of them, each a file.

Passwords, keys and a certificate of the ledger's server are made at random; nothing that is there is overwritten, so
running it again adds only what is missing. The connections to your own systems are yours to add to the
`connections_*.json` files. Run it with PYTHONPATH=plugins; docs/production.md says what goes where.
"""

from __future__ import annotations

import argparse
import json
import secrets
import sys
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.fernet import Fernet
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from retention import audit
from retention.keyring import Keyring

YEARS = timedelta(days=3 * 365)
DUTIES = ("executor", "approver", "auditor", "migrator")
FIRST_USERS = {"admin": "Admin", "operator": "User", "dpo": "User", "recorder": "Viewer"}
"""User name and Airflow role: `dpo` approves by the shipped policy, `recorder` is the service account that reads."""


class Folder:
    """The secrets of one deployment, by file name."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.made: list[str] = []
        path.mkdir(parents=True, exist_ok=True, mode=0o700)

    def keep(self, name: str, make: Callable[[], str]) -> str:
        """What the file holds; made now if it is not there."""
        file = self.path / name
        if not file.exists():
            file.touch(mode=0o600)
            file.write_text(make(), encoding="utf-8")
            self.made.append(name)
        return file.read_text(encoding="utf-8")


def main(arguments: list[str] | None = None) -> int:
    """Make what is missing and say what was made."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path, help="where the files go; keep it out of any repository")
    parser.add_argument("--ledger", default="ledger:5432", help="host and port of the ledger (default: %(default)s)")
    parser.add_argument("--database", default="airflow-database:5432", help="of Airflow's own (default: %(default)s)")
    parser.add_argument("--redis", default="redis:6379", help="host and port of the broker (default: %(default)s)")
    parser.add_argument("--airflow", default="http://api-server:8080", help="Airflow's base URL inside")
    parser.add_argument("--authority", default="/run/secrets/ledger_authority", help="where workers find it")
    parser.add_argument("--copies", default="/var/lib/retention/copies", help="where copies for subjects lie")
    parser.add_argument("--checkpoints", default="/var/lib/retention/checkpoints", help="where signed heads go")
    given = parser.parse_args(arguments)
    folder = Folder(given.folder)
    airflow_secrets(folder, given.database, given.redis)
    passwords = {duty: folder.keep(f"ledger_{duty}_password", _password) for duty in DUTIES}
    certificate(folder, given.ledger.rpartition(":")[0])
    tls = {"sslmode": "verify-full", "sslrootcert": given.authority}
    folder.keep(
        "ledger_migrator_url",
        lambda: (
            f"postgresql://ledger_migrator:{passwords['migrator']}@{given.ledger}/ledger"
            f"?sslmode=verify-full&sslrootcert={given.authority}"
        ),
    )
    users = {name: _password() for name in FIRST_USERS}
    told = folder.keep("first_users.json", lambda: json.dumps(first_users(users), indent=2))
    recorder = next(user["password"] for user in json.loads(told) if user["username"] == "recorder")
    keys = folder.keep("keys.json", lambda: Keyring.generate("k1").to_json())
    signing = folder.keep(
        "signing.key", lambda: audit.SigningKey("retention.example/audit", secrets.token_bytes(32)).text + "\n"
    )
    folder.keep("public.key", lambda: audit.SigningKey.parse(signing).verify_key.text + "\n")
    reading = {
        "retention_ledger": ledger_connection(given.ledger, "executor", passwords["executor"], tls),
        "retention_keys": {"conn_type": "generic", "password": keys},
    }
    with_copies = reading | {"retention_copies": {"conn_type": "generic", "extra": {"folder": given.copies}}}
    pages = {
        **with_copies,
        "retention_ledger_approver": ledger_connection(given.ledger, "approver", passwords["approver"], tls),
    }
    recording = {
        **pages,
        "retention_signing": {
            "conn_type": "generic",
            "password": signing.strip(),
            "extra": {"checkpoints": given.checkpoints},
        },
        "retention_airflow": {
            "conn_type": "http",
            "host": given.airflow,
            "login": "recorder",
            "password": recorder,
        },
    }
    of_whom = {"reading": with_copies, "acting": reading, "recording": recording, "pages": pages}
    for name, connections in of_whom.items():
        folder.keep(f"connections_{name}.json", lambda made=connections: json.dumps(made, indent=2))  # type: ignore[misc]
    print(f"made in {folder.path}: {', '.join(folder.made) or 'nothing, all files are there'}")
    return 0


def airflow_secrets(folder: Folder, database: str, redis: str) -> None:
    """What Airflow's own services need: database, broker, and the keys of its tokens."""
    owner = folder.keep("airflow_database_password", _password)
    folder.keep("airflow_database", lambda: f"postgresql+psycopg2://airflow:{owner}@{database}/airflow")
    broker = folder.keep("redis_password", _password)
    port = redis.rpartition(":")[2]
    lines = [f"requirepass {broker}", f"port {port}", 'save ""', "appendonly no", "maxmemory-policy noeviction"]
    folder.keep("redis.conf", lambda: "\n".join(lines) + "\n")
    folder.keep("broker_url", lambda: f"redis://:{broker}@{redis}/0")
    folder.keep("result_backend", lambda: f"redis://:{broker}@{redis}/1")
    folder.keep("fernet_key", lambda: Fernet.generate_key().decode())
    folder.keep("jwt_secret", lambda: secrets.token_hex(48))
    folder.keep("api_secret_key", lambda: secrets.token_hex(32))


def ledger_connection(place: str, duty: str, password: str, tls: Mapping[str, str]) -> dict[str, Any]:
    """An Airflow connection to the ledger under the login of a duty, the server's certificate verified."""
    host, _, port = place.rpartition(":")
    login = f"ledger_{duty}"
    return {
        "conn_type": "postgres",
        "host": host,
        "port": int(port),
        "schema": "ledger",
        "login": login,
        "password": password,
        "extra": dict(tls),
    }


def first_users(passwords: Mapping[str, str]) -> list[dict[str, str]]:
    """The users made at the first start."""
    return [
        {"username": name, "role": role, "email": f"{name}@example.com", "password": passwords[name]}
        for name, role in FIRST_USERS.items()
    ]


def certificate(folder: Folder, host: str) -> None:
    """An authority of its own for the ledger's server, and the server's certificate and key; replace them by yours."""
    if (folder.path / "ledger_authority.pem").exists():
        return
    now = datetime.now(UTC)
    authority_key, key = (ec.generate_private_key(ec.SECP256R1()) for _ in range(2))
    authority_name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Retention ledger authority")])
    authority = (
        _unsigned(authority_name, authority_name, authority_key, now)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(authority_key, hashes.SHA256())
    )
    names = [x509.DNSName(name) for name in dict.fromkeys((host, "localhost"))]
    server = (
        _unsigned(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, host)]), authority_name, key, now)
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .sign(authority_key, hashes.SHA256())
    )
    folder.keep("ledger_authority.pem", lambda: authority.public_bytes(serialization.Encoding.PEM).decode())
    folder.keep("ledger_certificate.pem", lambda: server.public_bytes(serialization.Encoding.PEM).decode())
    plain = (serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    folder.keep("ledger_key.pem", lambda: key.private_bytes(*plain).decode())


def _unsigned(
    subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePrivateKey, now: datetime
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + YEARS)
    )


def _password() -> str:
    return secrets.token_urlsafe(24)


if __name__ == "__main__":
    sys.exit(main())
