"""What does Airflow's connection form show for each kind of system? Labels, placeholders, and which hook tests it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

TEXT = {"type": ["string", "null"]}
SECRET = {"type": ["string", "null"], "format": "password"}


def provider_info() -> dict[str, Any]:
    """What the entry point `apache_airflow_provider` answers."""
    return {
        "package-name": "retention-airflow-provider",
        "name": "Retention",
        "description": "Systems of the retention and erasure pipeline.",
        "versions": ["1.0.0"],
        "connection-types": [SALESFORCE, HUBSPOT, MICROSOFT365, *FILE_SERVERS],
    }


def _form(
    kind: str,
    name: str,
    *,
    labels: Mapping[str, str],
    placeholders: Mapping[str, str],
    extras: Mapping[str, tuple[str, str, dict[str, Any]]],
    hidden: Sequence[str] = (),
) -> dict[str, Any]:
    hook = "".join(part.capitalize() for part in kind.split("_"))
    return {
        "connection-type": f"retention_{kind}",
        "hook-name": f"Retention: {name}",
        "hook-class-name": f"retention_provider.hooks.{hook}Hook",
        "ui-field-behaviour": {
            "hidden-fields": ["schema", *hidden],
            "relabeling": dict(labels),
            "placeholders": dict(placeholders),
        },
        "conn-fields": {
            field: {"label": label, "description": text, "schema": schema}
            for field, (label, text, schema) in extras.items()
        },
    }


SALESFORCE = _form(
    "salesforce",
    "Salesforce",
    labels={"host": "My Domain", "login": "Consumer key, or user to act as", "password": "Consumer secret"},
    placeholders={"host": "acme.my.salesforce.com"},
    hidden=("port",),
    extras={
        "consumer_key": ("Consumer key (with a private key)", "The key of the connected app", TEXT),
        "private_key": ("Private key (PEM)", "For a signed login instead of the consumer secret", SECRET),
        "audience": ("Audience", "Only where it is not the host's own", TEXT),
        "ca_bundle": ("CA bundle", "A file with certificates to trust, behind a proxy", TEXT),
    },
)
HUBSPOT = _form(
    "hubspot",
    "HubSpot",
    labels={"password": "Token of the private app"},
    placeholders={"password": "pat-eu1-…"},
    hidden=("host", "port", "login"),
    extras={"ca_bundle": ("CA bundle", "A file with certificates to trust, behind a proxy", TEXT)},
)
MICROSOFT365 = _form(
    "microsoft365",
    "Microsoft 365",
    labels={"login": "Client id", "password": "Client secret"},
    placeholders={"login": "00000000-0000-0000-0000-000000000000"},
    hidden=("host", "port"),
    extras={
        "tenant_id": ("Tenant id", "The directory (tenant) of the app registration", TEXT),
        "private_key": ("Private key (PEM)", "With the certificate, instead of a client secret", SECRET),
        "certificate": ("Certificate (PEM)", "As it was uploaded to the app registration", TEXT),
        "authority": ("Authority", "For a national cloud", TEXT),
        "ca_bundle": ("CA bundle", "A file with certificates to trust, behind a proxy", TEXT),
    },
)
_ROOT = ("Folder to start from", "Everything below it is looked at", TEXT)
FILE_SERVERS = (
    _form(
        "sftp",
        "documents over SFTP",
        labels={},
        placeholders={"host": "files.example.com", "port": "22"},
        extras={
            "host_key": ("Host key", "As `ssh-keyscan` prints it: ssh-ed25519 AAAA…", TEXT),
            "private_key": ("Private key", "Instead of a password", SECRET),
            "root": _ROOT,
        },
    ),
    _form(
        "smb",
        "documents on a Windows or Samba share",
        labels={},
        placeholders={"host": "files.example.com", "port": "445"},
        extras={"share": ("Share", "Its name", TEXT), "root": _ROOT},
    ),
    _form(
        "webdav",
        "documents over WebDAV",
        labels={},
        placeholders={"host": "files.example.com"},
        extras={"root": _ROOT, "ca_bundle": ("CA bundle", "A file with certificates to trust", TEXT)},
    ),
    _form(
        "s3",
        "documents in a bucket",
        labels={"host": "Endpoint (not for AWS)", "login": "Access key", "password": "Secret key"},
        placeholders={},
        extras={"bucket": ("Bucket", "Its name", TEXT), "region": ("Region", "", TEXT), "root": _ROOT},
    ),
)
