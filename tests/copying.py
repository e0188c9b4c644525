"""How does a test read for a copy, follow its link and open it?"""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Callable, Generator, Sequence
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

from retention.requests import copies
from retention.requests.copies import Made
from retention.requests.copy_links import Reader, token_of
from retention.store import requests
from retention.store.database import rows
from retention.store.desk import Desk
from tests.memory_connector import MemoryConnector, MemorySystem
from tests.requesting import Run
from tools.open_copy import opened


def read(desk: Desk, request_id: str, *systems: MemorySystem) -> tuple[Run, list[MemoryConnector]]:
    connectors = [MemoryConnector(system) for system in systems]
    made = Run(desk, connectors, request_id)
    made.plan()
    return made, connectors


def by_name(connectors: Sequence[MemoryConnector]) -> Callable[[str], MemoryConnector]:
    return {connector.system: connector for connector in connectors}.__getitem__


def later(desk: Desk, days: int) -> Desk:
    moment = desk.now() + timedelta(days=days)
    return replace(desk, now=lambda: moment)


def link_token(desk: Desk, request_id: str, made: Made) -> str:
    with desk.transaction() as db:
        return token_of(requests.key_of(db, desk.keyring, request_id), made.copy_id, Reader.SUBJECT)


def iterate(desk: Desk, request_id: str, token: str, folder: Path) -> Generator[bytes]:
    fetched = copies.fetch(desk, request_id, token, folder)
    yield from copies.pieces(desk, request_id, fetched, fetched.path.open("rb"))


def unpacked(desk: Desk, request_id: str, folder: Path, made: Made) -> zipfile.ZipFile:
    passphrase = copies.tell_passphrase(desk, request_id, "dpo")
    return zipfile.ZipFile(io.BytesIO(opened((folder / f"{made.copy_id}.enc").read_bytes(), passphrase)))


def audited(desk: Desk) -> list[dict[str, Any]]:
    with desk.transaction() as db:
        return [json.loads(bytes(row.body)) for row in rows(db, "SELECT body FROM audit_entries ORDER BY seq")]
