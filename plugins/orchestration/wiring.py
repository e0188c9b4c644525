"""Where do the objects come from? The one place that builds ledger, keys and connectors from Airflow connections.

Vendor clients are imported when a connector is built, never when a DAG file is parsed.
"""

from __future__ import annotations

import ipaddress
import os
import socket
import subprocess
from datetime import UTC, date, datetime
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote, urlsplit
from zoneinfo import ZoneInfo

from airflow.configuration import conf
from airflow.sdk import Connection

from retention import audit
from retention.contract import Connector, Walked
from retention.keyring import Keyring
from retention.policy import Policy, load
from retention.policy.files import FILE_SERVERS
from retention.requests.mailer import Mailer, mailer_of
from retention.store import database
from retention.store.desk import Desk
from retention.store.turns import SharedTurns

if TYPE_CHECKING:
    from simple_salesforce.api import Salesforce

    from connectors.documents.sought import Sought
    from retention.policy import MailPolicy
    from retention.policy.systems import SoughtPolicy

ROOT = Path(__file__).resolve().parents[2]
POLICY = Path(os.environ.get("RETENTION_POLICY") or ROOT / "include" / "policy")

LEDGER = "retention_ledger"
APPROVER = "retention_ledger_approver"
KEYS = "retention_keys"
SIGNING = "retention_signing"
AIRFLOW = "retention_airflow"
MAIL = "retention_mail"
COPIES = "retention_copies"
SMTPS = 465


class NotConnected(Exception):
    """An Airflow connection is missing or incomplete; the text names it and what belongs in it."""


class NotForLive(Exception):
    """Something that only a rehearsal may have is in place; the text says what."""


@cache
def policy() -> Policy:
    """The validated policy; an error in it stops the DAG files from loading and says where it is."""
    return load(POLICY)


SYSTEMS = tuple(policy().systems)
WALKED = frozenset(name for name, system in policy().systems.items() if system.kind in FILE_SERVERS)
"""Systems that cannot say what changed: several workers walk each."""
AFTER = {name: system.after for name, system in policy().systems.items()}


def connection(name: str, what_for: str) -> Connection:
    """One Airflow connection, or a message that says which is missing and for what."""
    try:
        found: Connection = Connection.get(name)
        return found
    except Exception as error:
        if type(error).__name__ != "AirflowNotFoundException":
            raise
        raise NotConnected(
            f"no Airflow connection {name!r} ({what_for}): create it, see README, 'Pointing it at real systems'"
        ) from None


def desk(ledger: str = LEDGER) -> Desk:
    """Everything a stage works with, under the database role of the connection named."""
    db = connection(ledger, "the ledger's PostgreSQL")
    if not db.host or not db.schema:
        raise NotConnected(f"Airflow connection {ledger!r} needs host, port, schema (the database), login and password")
    tls = {} if _loopback(db.host) else {"sslmode": "verify-full"}
    options = tls | {name: str(value) for name, value in db.extra_dejson.items()}
    return Desk(
        engine=database.connect_to(db.host, db.port or 5432, db.schema, db.login, db.password, options),
        keyring=Keyring.from_json(_secret(KEYS, "the pseudonym and encryption keys")),
        policy=policy(),
        today=today(),
        code_version=code_version(),
    )


def today() -> date:
    """The day that "older than" counts from, in the zone of the schedule; `AS_OF` fixes it for rehearsals."""
    fixed = os.environ.get("AS_OF")
    return date.fromisoformat(fixed) if fixed else datetime.now(UTC).astimezone(ZoneInfo("Europe/London")).date()


def refuse_what_is_for_rehearsals(embedded_ledger: bool) -> None:
    """In live mode: no fixed day, no embedded server, no simple auth manager."""
    if os.environ.get("AS_OF"):
        raise NotForLive("AS_OF is set: live mode counts from today only; remove it from the environment")
    if embedded_ledger:
        raise NotForLive("the ledger is on the embedded server: live mode needs a PostgreSQL of your own")
    if "SimpleAuthManager" in conf.get("core", "auth_manager", fallback="SimpleAuthManager"):
        raise NotForLive("Airflow runs the simple auth manager: live mode needs one with real users and roles")


@cache
def code_version() -> str:
    """Which code runs, for the audit log."""
    if told := os.environ.get("RETENTION_VERSION"):
        return told
    git = ["git", "-C", str(ROOT), "rev-parse", "--short=12", "HEAD"]
    try:
        done = subprocess.run(git, capture_output=True, text=True, check=True, timeout=10)
    except (OSError, subprocess.SubprocessError):
        return ""
    return f"git-{done.stdout.strip()}"


def signing_key() -> tuple[audit.SigningKey, Path]:
    """The key that signs the audit log, and the folder outside the database where signed heads go."""
    signing = connection(SIGNING, "the audit log's signing key")
    folder = signing.extra_dejson.get("checkpoints")
    if not signing.password or not folder:
        raise NotConnected(f"Airflow connection {SIGNING!r} needs the key as password and the extra 'checkpoints'")
    return audit.SigningKey.parse(signing.password), Path(folder)


def is_loopback(system: str) -> bool:
    """Whether a system is on this machine: the only place a rehearsal may act on."""
    host = connection(policy().systems[system].connection, f"system {system}").host or ""
    return _loopback(urlsplit(host).hostname or host if "://" in host else host)


def connector(system: str, through: str = "", *, shares_pace: bool = True) -> Connector:
    """A ready connector for one system of the policy.

    `through` names another Airflow connection than the policy's. With `shares_pace` all workers together keep the
    vendor's limits, which they count in the ledger; a single look from elsewhere does without.
    """
    declared = policy().systems[system]
    conn = connection(through or declared.connection, f"system {system}")
    extra = conn.extra_dejson
    if declared.kind == "salesforce":
        from connectors import salesforce

        return salesforce.SalesforceConnector.of(
            _salesforce_client(conn),
            system,
            declared.kinds(),
            absent=declared.absent,
            api_reserve=declared.api_reserve,
        )
    if declared.kind == "hubspot":
        from connectors import hubspot

        base_url = _base_url(conn, "https") if conn.host else hubspot.BASE_URL
        pace = hubspot.Pace(SharedTurns(desk().engine, declared.connection)) if shares_pace else None
        account = hubspot.connect(conn.password or "", base_url, ca_bundle=extra.get("ca_bundle"), pace=pace)
        return hubspot.HubSpotConnector(account, system, account.tenant, declared.kinds())
    if declared.mail is not None:
        return _microsoft365(conn, declared.mail, system, shares_pace)
    from connectors import documents
    from connectors.documents.reader import Reader

    login = documents.Login(
        conn.host or "", conn.port, conn.login or "", conn.password, extra, declared.files.bin_folder
    )
    return documents.DocumentsConnector(
        documents.open_store(declared.kind, system, login),
        {name: (folder.data_class, folder.lawful_basis) for name, folder in declared.folders.items()},
        reader=Reader(sought=_sought(declared.sought)),
        beyond_use=declared.files.copies_beyond_use(),
    )


def walked(system: str) -> Walked:
    """The same for a system that several workers walk."""
    found = connector(system)
    if not isinstance(found, Walked):
        raise TypeError(f"{system} is not walked")
    return found


def _sought(declared: SoughtPolicy | None) -> Sought:
    from connectors.documents.sought import Sought

    return Sought(declared.phone_region, declared.customer_numbers) if declared is not None else Sought()


def _salesforce_client(conn: Connection) -> Salesforce:
    """Log in with a signed assertion where the connection has a private key, with the app's secret otherwise.

    The extras are those of Airflow's own `salesforce` connection type.
    """
    from connectors import salesforce

    extra = conn.extra_dejson
    address = _base_url(conn, "https") if conn.host else str(extra.get("instance_url") or "")
    if not address and extra.get("domain"):
        address = f"https://{extra['domain']}.salesforce.com"
    version = str(extra.get("version") or salesforce.API_VERSION)
    key, key_file = extra.get("private_key"), extra.get("private_key_file_path")
    if key or key_file:
        try:
            text = str(key or Path(str(key_file)).read_text(encoding="utf-8"))
        except OSError:
            raise NotConnected(
                f"Airflow connection {conn.conn_id!r}: the file named in private_key_file_path cannot be read"
            ) from None
        login = salesforce.JwtBearer(
            address, extra.get("consumer_key") or "", conn.login or "", text, audience=extra.get("audience") or ""
        )
        return salesforce.log_in(login, extra.get("ca_bundle"), version)
    client_id = extra.get("consumer_key") or conn.login or ""
    client_secret = extra.get("consumer_secret") or conn.password or ""
    return salesforce.connect(address, client_id, client_secret, extra.get("ca_bundle"), version)


def _microsoft365(conn: Connection, mail: MailPolicy, system: str, shares_pace: bool) -> Connector:
    """The mailboxes of a tenant, by a certificate where the connection has a private key, by a secret otherwise."""
    from connectors import microsoft365

    extra = conn.extra_dejson
    key, certificate = extra.get("private_key"), extra.get("certificate")
    if bool(key) != bool(certificate):
        raise NotConnected(f"Airflow connection {conn.conn_id!r} needs both the extras 'private_key' and 'certificate'")
    scope = microsoft365.Scope(
        own_domains=frozenset(mail.own_domains),
        lawful_basis=mail.lawful_basis,
        mailboxes=None if mail.mailboxes == "all" else frozenset(one.casefold() for one in mail.mailboxes),
        restricted_folder=mail.restricted_folder,
        restricted_category=mail.restricted_category,
        on_hold=frozenset(one.casefold() for one in mail.on_hold),
        archives=None if mail.archives == "all" else frozenset(one.casefold() for one in mail.archives),
        transaction_folders=frozenset(one.casefold() for one in mail.transactions.folders),
        transaction_categories=frozenset(one.casefold() for one in mail.transactions.categories),
        recoverable_days=mail.recoverable_days,
    )
    return microsoft365.connect(
        system,
        tenant=extra.get("tenant_id") or "",
        client_id=conn.login or "",
        credential={"private_key": key, "public_certificate": certificate} if key else conn.password or "",
        scope=scope,
        base_url=f"{_base_url(conn, 'https')}/v1.0" if conn.host else microsoft365.BASE_URL,
        authority=extra.get("authority") or microsoft365.AUTHORITY,
        ca_bundle=extra.get("ca_bundle"),
        pace=microsoft365.Pace(SharedTurns(desk().engine, conn.conn_id)) if shares_pace else None,
    )


def _base_url(conn: Connection, scheme: str) -> str:
    host = conn.host or ""
    if "://" in host:
        return host if conn.port is None else f"{host}:{conn.port}"
    scheme = (conn.extra_dejson.get("scheme") or scheme).lower()
    return f"{scheme}://{host}" + (f":{conn.port}" if conn.port else "")


def mailer() -> Mailer | None:
    """Who sends letters to subjects; None where no mail server is connected: letters then go by post, by hand."""
    try:
        conn: Connection = Connection.get(MAIL)
    except Exception as error:
        if type(error).__name__ != "AirflowNotFoundException":
            raise
        return None
    if not conn.host or not (sender := conn.extra_dejson.get("sender")):
        raise NotConnected(f"Airflow connection {MAIL!r} needs host, port and the extra 'sender'")
    user = f"{quote(conn.login, safe='')}:{quote(conn.password or '', safe='')}@" if conn.login else ""
    scheme = "smtps" if conn.port == SMTPS else "smtp"
    return mailer_of(f"{scheme}://{user}{conn.host}:{conn.port or 587}?sender={quote(sender, safe='@')}")


def confirmation_page() -> str:
    """Where one-time links to subjects lead: a page of the company's website that hands the token to our endpoint."""
    return _page("confirmation_page")


def copy_page() -> str:
    """Where links to copies lead: a page of the website that fetches the file from our endpoint."""
    return _page("copy_page")


def copies_folder() -> Path:
    """Where copies lie, encrypted: one folder for all workers and the API server."""
    folder = connection(COPIES, "the folder for copies of subjects' data").extra_dejson.get("folder")
    if not folder:
        raise NotConnected(f"Airflow connection {COPIES!r} needs the extra 'folder'")
    return Path(folder)


def _page(extra: str) -> str:
    try:
        return str(Connection.get(MAIL).extra_dejson.get(extra) or "")
    except Exception as error:
        if type(error).__name__ != "AirflowNotFoundException":
            raise
        return ""


def _secret(name: str, what_for: str) -> str:
    secret = connection(name, what_for).password
    if not secret:
        raise NotConnected(f"Airflow connection {name!r} has no password: {what_for} belong there")
    return secret


def _loopback(host: str) -> bool:
    try:
        addresses = {info[4][0] for info in socket.getaddrinfo(host, None)}
    except (OSError, UnicodeError):
        return False
    return bool(addresses) and all(ipaddress.ip_address(str(a).partition("%")[0]).is_loopback for a in addresses)
