"""How do tests call the emulated org: with the vendor's client, with plain requests, and with whole bulk jobs?"""

from __future__ import annotations

import csv
import io
from typing import Any

import requests
from simple_salesforce.api import Salesforce

VERSION = "62.0"
DATA = f"/services/data/v{VERSION}"
NO_SUCH = "0030100000zzzzzAAA"


class Trusting(requests.Session):
    """Verifies with the emulator's authority whatever bundle the environment names."""

    def __init__(self, ca: str) -> None:
        super().__init__()
        self._ca = ca

    def request(self, method: Any, url: Any, **options: Any) -> requests.Response:  # type: ignore[override]
        return super().request(method, url, **{**options, "verify": self._ca, "timeout": 20})


def token(emulator: Any) -> str:
    known = emulator.credentials
    answer = emulator.request(
        "POST",
        "/services/oauth2/token",
        data={"grant_type": "client_credentials"},
        auth=(known["client_id"], known["client_secret"]),
    ).json()
    assert answer["instance_url"] == emulator.base_url
    return str(answer["access_token"])


def call(emulator: Any, method: str, path: str, **options: Any) -> requests.Response:
    headers = {"Authorization": f"Bearer {emulator.credentials['token']}", **options.pop("headers", {})}
    found: requests.Response = emulator.request(method, f"{DATA}/{path}", headers=headers, **options)
    return found


def make(sf: Salesforce, count: int) -> list[str]:
    lines = "".join(f"Made{number:05d},made{number}@example.com\n" for number in range(count))
    made: list[str] = load(sf, "insert", "LastName,Email\n" + lines)["successful"]
    return made


def load(sf: Salesforce, operation: str, content: str, sobject: str = "Contact", **more: str) -> dict[str, Any]:
    """A whole ingest job by the raw resources: the ids that went well, the refused rows, and the job's last state."""
    asked = {"object": sobject, "operation": operation, "contentType": "CSV", **more}
    job = sf.restful("jobs/ingest", method="POST", json=asked)["id"]
    address = f"{sf.base_url}jobs/ingest/{job}"
    headers = {**sf.headers, "Content-Type": "text/csv"}
    sf.session.put(f"{address}/batches", data=content.encode(), headers=headers).raise_for_status()
    sf.restful(f"jobs/ingest/{job}", method="PATCH", json={"state": "UploadComplete"})
    info = sf.restful(f"jobs/ingest/{job}")
    comma = ";" if more.get("columnDelimiter") == "SEMICOLON" else ","
    files = {
        name: list(
            csv.DictReader(io.StringIO(sf.session.get(f"{address}/{name}", headers=headers).text), delimiter=comma)
        )
        for name in ("successfulResults", "failedResults", "unprocessedrecords")
    }
    return {
        "info": info,
        "successful": [one["sf__Id"] for one in files["successfulResults"]],
        "failed": files["failedResults"],
        "unprocessed": files["unprocessedrecords"],
    }
