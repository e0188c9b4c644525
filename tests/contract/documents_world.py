"""How does a tester reach behind the documents connector? By a session of their own, and the control surface."""

from __future__ import annotations

import base64
import hashlib
import io
import json
import stat
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import paramiko
import requests

from connectors.documents import DocumentsConnector, Login, open_store
from connectors.documents.restricted import content_at, manifest_at
from retention.contract import Connector
from retention.vocabulary import Action, DataClass, LawfulBasis, RecordRef, Scalar
from tests.contract.world import EXPIRED_ON, LIVE_ON, SHORT_ON, Fault, Sample

ROOT = Path(__file__).parents[2]
AS_OF = date(2026, 11, 22)
SYSTEM = "documents"
FOLDERS = {
    "marketing": (DataClass.MARKETING_PROFILE, LawfulBasis.CONSENT),
    "marketing/contracts": (DataClass.TRANSACTION_RECORD, LawfulBasis.CONTRACT),
    "imports": (DataClass.MARKETING_PROFILE, LawfulBasis.CONSENT),
    "correspondence": (DataClass.DOCUMENT, LawfulBasis.CONSENT),
    "contracts": (DataClass.TRANSACTION_RECORD, LawfulBasis.CONTRACT),
}
EFFECTS = {
    Action.ERASE: "REMOVE",
    Action.REDACT: "POSIX_RENAME",
    Action.RESTRICT: "RENAME",
    Action.RELEASE: "RENAME",
}
DAYS = {Sample.EXPIRED: EXPIRED_ON, Sample.ONE_DAY_SHORT: SHORT_ON}


@dataclass(frozen=True)
class Emulator:
    """A running emulator, its control surface and a session of the tester's."""

    base_url: str
    control: str
    credentials: Mapping[str, str]
    client: paramiko.SSHClient
    sftp: paramiko.SFTPClient

    def tell(self, verb: str, command: str, **given: Any) -> Any:
        answer = requests.request(verb, f"{self.control}/_sandbox/{command}", json=given or None, timeout=10)
        answer.raise_for_status()
        return answer.json()

    def break_calls(self, fault: str, method: str | None = None, **given: Any) -> None:
        self.tell("POST", "faults", fault=fault, method=method, **given)

    def mend(self) -> None:
        self.tell("DELETE", "faults")

    def calls(self) -> dict[str, int]:
        """How often each method was called."""
        counts: dict[str, int] = {}
        for call in self.tell("GET", "calls")["calls"]:
            counts[call["method"]] = counts.get(call["method"], 0) + 1
        return counts

    def forget_calls(self) -> None:
        self.tell("DELETE", "calls")

    def files(self) -> dict[str, dict[str, Any]]:
        files: dict[str, dict[str, Any]] = self.tell("GET", "state")["files"]
        return files

    def connect(self, **settings: Any) -> DocumentsConnector:
        return DocumentsConnector(open_store("sftp", SYSTEM, self.login()), FOLDERS, **settings)

    def login(self, **changed: str) -> Login:
        where = urlsplit(self.base_url)
        given = {**self.credentials, **changed}
        username, password = given.pop("username"), given.pop("password")
        return Login(str(where.hostname), where.port, username, password, given)

    def put(self, path: str, content: bytes, modified: datetime | None = None) -> None:
        for parent in reversed(Path(path).parents[:-1]):
            with suppress(OSError):
                self.sftp.mkdir(parent.as_posix())
        self.sftp.putfo(io.BytesIO(content), path, confirm=False)
        if modified is not None:
            self.sftp.utime(path, (modified.timestamp(), modified.timestamp()))

    def get(self, path: str) -> bytes:
        content = io.BytesIO()
        self.sftp.getfo(path, content)
        return content.getvalue()

    def empty(self, folder: str = "/") -> None:
        """Remove every file, link and folder below."""
        for entry in self.sftp.listdir_attr(folder):
            path = f"{folder.rstrip('/')}/{entry.filename}"
            if stat.S_ISDIR(entry.st_mode or 0):
                self.empty(path)
                self.sftp.rmdir(path)
            else:
                self.sftp.remove(path)


@contextmanager
def running() -> Iterator[Emulator]:
    """An emulator in a process of its own, ended by its id."""
    command = [sys.executable, "-m", "sandbox", "sftp", "--port", "0", "--as-of", AS_OF.isoformat()]
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
    client = paramiko.SSHClient()
    try:
        assert process.stdout is not None
        line = json.loads(process.stdout.readline())
        where, said = urlsplit(line["base_url"]), line["credentials"]
        kind, key = said["host_key"].split()[:2]
        server_key = paramiko.PKey.from_type_string(kind, base64.b64decode(key))
        client.get_host_keys().add(f"[{where.hostname}]:{where.port}", kind, server_key)
        client.connect(
            str(where.hostname),
            where.port or 0,
            username=said["username"],
            password=said["password"],
            allow_agent=False,
            look_for_keys=False,
        )
        yield Emulator(line["base_url"], line["control"], said, client, client.open_sftp())
    finally:
        client.close()
        process.terminate()
        process.wait(timeout=10)
        if process.stdout is not None:
            process.stdout.close()


class DocumentsWorld:
    """The tester's back door: a session that no fault is meant for, and the emulator's control surface."""

    samples = frozenset({Sample.LIVE, Sample.EXPIRED, Sample.ONE_DAY_SHORT, Sample.SHARED})
    faults = frozenset(Fault)
    clearable: tuple[str, ...] = ()
    corrections: Mapping[str, Scalar] = {}
    bookkeeping = frozenset({"modified"})

    def __init__(self, emulator: Emulator) -> None:
        self.emulator = emulator
        self.secrets: tuple[str, ...] = (emulator.credentials["password"],)
        emulator.mend()
        emulator.empty()
        for folder in ("imports", "correspondence"):
            emulator.sftp.mkdir(folder)
        self._made = 0
        self._known: dict[str, str] = {}
        self._connected: list[DocumentsConnector] = []
        self.connector: Connector = self.reconnect()

    def reconnect(self) -> DocumentsConnector:
        connector = self.emulator.connect(page_size=2)
        self._connected.append(connector)
        return connector

    def close(self) -> None:
        self.emulator.mend()
        for connector in self._connected:
            connector.close()

    def make(self, sample: Sample, email: str) -> RecordRef:
        self._made += 1
        noon = datetime.combine(DAYS.get(sample, LIVE_ON), time(12), UTC)
        if sample is Sample.SHARED:
            path = f"imports/list-{self._made}.csv"
            content = f"name,email\r\nAnn,{email}\r\nZoë,somebody-else@example.com\r\n"
        else:
            path = f"correspondence/letter-{self._made}.txt"
            content = f"To: {email}\n\nThank you for writing to us.\n"
        self.emulator.put(path, content.encode(), noon)
        return RecordRef(SYSTEM, "file", path)

    def change(self, ref: RecordRef) -> None:
        at = self._at(ref.key)
        self.emulator.put(at, self.emulator.get(at) + b"edited by somebody else\r\n")

    def remove(self, ref: RecordRef) -> None:
        at = self._at(ref.key)
        self.emulator.sftp.remove(at)
        if at != ref.key:
            self.emulator.sftp.remove(manifest_at(ref.key))

    def _at(self, path: str) -> str:
        return path if path in self.emulator.files() else content_at(path)

    def snapshot(self) -> Mapping[tuple[str, str], Mapping[str, object]]:
        state = self.emulator.files()
        manifests = {
            name: json.loads(self._content(name, facts["sha256"]))["path"]
            for name, facts in state.items()
            if name.endswith(".json")
        }
        first_paths = {content_at(path): path for path in manifests.values()}
        stored: dict[tuple[str, str], dict[str, object]] = {}
        for name, facts in state.items():
            if name not in manifests:
                path = first_paths.get(name, name)
                content = self._content(name, str(facts["sha256"]))
                stored["file", path] = {**facts, "at": name, "content": content}
        for name, path in manifests.items():
            stored.setdefault(("file", path), {})["manifest"] = name
        return stored

    def _content(self, path: str, sha256: str) -> str:
        if sha256 not in self._known:
            self._known[sha256] = self.emulator.get(path).decode()
            assert hashlib.sha256(self._known[sha256].encode()).hexdigest() == sha256
        return self._known[sha256]

    def break_next(self, fault: Fault, doing: Action | None = None) -> None:
        """Everything a fault of the whole server says is said to the tester's session too: look by `state` only."""
        method = EFFECTS[doing] if doing else None
        self.emulator.mend()
        match fault:
            case Fault.UNAVAILABLE:
                self.emulator.break_calls("html", method, times=1000)
            case Fault.DENIED:
                self.emulator.break_calls("status", method, status=403, times=1000)
            case Fault.HIDDEN:
                self.emulator.break_calls("status", method, status=404, times=1000)
            case Fault.TRUNCATED:
                self.emulator.break_calls("truncated", "LIST", times=1000)
            case _:
                self.emulator.break_calls(fault.value.replace("-", "_"), method, times=1)

    def finish(self) -> None:
        """Nothing here is only accepted."""
