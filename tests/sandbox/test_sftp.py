"""Does the document server behave like one, and break as it is asked to? Judged by a client that is not ours."""

from __future__ import annotations

import base64
import hashlib
import io
import json
import os
import stat
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import paramiko
import pytest
import requests

from sandbox.population import build

TODAY = date(2026, 11, 22)
ROOT = Path(__file__).resolve().parents[2]
LOST = (OSError, EOFError, paramiko.SSHException)
LETTER = "/correspondence/2019/enquiry-0001.txt"


@dataclass
class Server:
    """A running emulator and what it said when it was ready."""

    process: subprocess.Popen[str]
    line: dict[str, Any]
    temporary: Path

    def connect(self, password: str | None = None) -> paramiko.SSHClient:
        where, said = urlsplit(self.line["base_url"]), self.line["credentials"]
        client = paramiko.SSHClient()
        kind, key = said["host_key"].split()[:2]
        assert kind == "ssh-ed25519"
        client.get_host_keys().add(
            f"[{where.hostname}]:{where.port}", kind, paramiko.Ed25519Key(data=base64.b64decode(key))
        )
        client.set_missing_host_key_policy(paramiko.RejectPolicy())
        client.connect(
            str(where.hostname),
            where.port or 0,
            username=said["username"],
            password=password or said["password"],
            allow_agent=False,
            look_for_keys=False,
            timeout=10,
        )
        return client

    def control(self, verb: str, command: str, **given: Any) -> dict[str, Any]:
        answer = requests.request(verb, f"{self.line['control']}/_sandbox/{command}", json=given or None, timeout=10)
        answer.raise_for_status()
        told: dict[str, Any] = answer.json()
        return told

    def state(self) -> dict[str, Any]:
        return self.control("GET", "state")

    def calls(self, method: str) -> list[dict[str, Any]]:
        return [call for call in self.control("GET", "calls")["calls"] if call["method"] == method]

    def fault(self, fault: str, method: str, **given: Any) -> None:
        self.control("POST", "faults", fault=fault, method=method, **given)


def start(temporary: Path) -> Server:
    command = [sys.executable, "-m", "sandbox", "sftp", "--port", "0", "--as-of", TODAY.isoformat()]
    environment = {**os.environ, "TMPDIR": str(temporary)}
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True, env=environment)
    assert process.stdout is not None
    line = process.stdout.readline()
    assert line, "the emulator ended before it was ready"
    return Server(process, json.loads(line), temporary)


def stop(server: Server) -> None:
    server.process.terminate()
    server.process.wait(timeout=15)
    if server.process.stdout is not None:
        server.process.stdout.close()


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    server = start(tmp_path_factory.mktemp("sftp"))
    yield server
    stop(server)


@pytest.fixture
def server(running: Server) -> Server:
    running.control("POST", "reset")
    return running


@pytest.fixture
def sftp(server: Server) -> Iterator[paramiko.SFTPClient]:
    with server.connect() as client, client.open_sftp() as session:
        yield session


def tree(sftp: paramiko.SFTPClient, folder: str = "") -> dict[str, paramiko.SFTPAttributes]:
    found = {}
    for entry in sftp.listdir_attr(folder or "/"):
        path = f"{folder}/{entry.filename}"
        if stat.S_ISDIR(entry.st_mode or 0):
            found.update(tree(sftp, path))
        else:
            found[path] = entry
    return found


def read(sftp: paramiko.SFTPClient, path: str) -> bytes:
    content = io.BytesIO()
    sftp.getfo(path, content)
    return content.getvalue()


def test_the_ready_line_says_all_that_a_client_needs(running: Server) -> None:
    assert running.line["name"] == "sftp"
    assert running.line["base_url"].startswith("sftp://127.0.0.1:")
    assert running.line["ca"] is None
    assert set(running.line["credentials"]) == {"username", "password", "host_key"}
    assert running.line["control"].startswith("http://127.0.0.1:")


def test_a_wrong_password_is_refused(server: Server) -> None:
    with pytest.raises(paramiko.AuthenticationException):
        server.connect(password="not-the-password")


def test_the_folder_holds_the_documents_of_the_population_with_their_dates(sftp: paramiko.SFTPClient) -> None:
    seeded = {f"/{document.path}": document for document in build(as_of=TODAY).documents}
    found = tree(sftp)
    links = {path for path, entry in found.items() if stat.S_ISLNK(entry.st_mode or 0)}
    assert set(found) - links == set(seeded)
    for path, document in seeded.items():
        assert found[path].st_size == len(document.content)
        assert found[path].st_mtime == int(document.modified.timestamp())
        assert read(sftp, path) == document.content


def test_a_link_is_listed_as_a_link_and_leads_out_of_the_root(server: Server, sftp: paramiko.SFTPClient) -> None:
    [entry] = [entry for entry in sftp.listdir_attr("/imports") if entry.filename == "elsewhere"]
    assert stat.S_ISLNK(entry.st_mode or 0)
    assert stat.S_ISLNK(sftp.lstat("/imports/elsewhere").st_mode or 0)
    assert (sftp.readlink("/imports/elsewhere") or "").startswith("../../")
    # Nothing but the client's own care protects what lies there, and the state shows whether it took care.
    assert sftp.listdir("/imports/elsewhere") == ["partner-list.csv"]
    sftp.remove("/imports/elsewhere/partner-list.csv")
    assert server.state()["outside"] == {}


def test_removing_a_link_leaves_what_it_points_to(server: Server, sftp: paramiko.SFTPClient) -> None:
    sftp.remove("/imports/elsewhere")
    state = server.state()
    assert state["links"] == {}
    assert list(state["outside"]) == ["partner-list.csv"]


def test_no_path_climbs_out_of_the_root(sftp: paramiko.SFTPClient) -> None:
    assert sorted(sftp.listdir("/../../..")) == sorted(sftp.listdir("/"))
    with pytest.raises(FileNotFoundError):
        sftp.stat("/../outside/partner-list.csv")


def test_renaming_never_overwrites_and_the_posix_form_does(server: Server, sftp: paramiko.SFTPClient) -> None:
    before = server.state()["files"]
    with pytest.raises(OSError, match="Failure"):
        sftp.rename("/marketing/style-guide.txt", LETTER)
    assert server.state()["files"] == before
    sftp.posix_rename("/marketing/style-guide.txt", LETTER)
    after = server.state()["files"]
    assert "marketing/style-guide.txt" not in after
    assert after[LETTER[1:]] == before["marketing/style-guide.txt"]


def test_renaming_onto_a_dangling_link_is_refused_as_well(server: Server, sftp: paramiko.SFTPClient) -> None:
    sftp.symlink("nothing-here", "/marketing/dangling")
    with pytest.raises(OSError, match="Failure"):
        sftp.rename(LETTER, "/marketing/dangling")
    assert LETTER[1:] in server.state()["files"]


def test_a_file_is_moved_into_a_new_folder_with_its_date(server: Server, sftp: paramiko.SFTPClient) -> None:
    before = server.state()["files"][LETTER[1:]]
    sftp.mkdir("/restricted")
    sftp.rename(LETTER, "/restricted/one")
    state = server.state()
    assert state["files"]["restricted/one"] == before
    assert "restricted" in state["folders"]
    with pytest.raises(OSError, match="Failure"):
        sftp.rmdir("/restricted")
    sftp.remove("/restricted/one")
    sftp.rmdir("/restricted")
    assert "restricted" not in server.state()["folders"]


def test_what_is_missing_is_said_to_be_missing(server: Server, sftp: paramiko.SFTPClient) -> None:
    for act in (sftp.remove, sftp.lstat, sftp.stat, sftp.listdir, sftp.open):
        with pytest.raises(FileNotFoundError):
            act("/correspondence/none.txt")
    assert [call["status"] for call in server.calls("REMOVE")] == [2]
    assert [call["effect"] for call in server.calls("REMOVE")] == [False]


def test_what_is_written_carries_the_time_of_the_emulator(server: Server, sftp: paramiko.SFTPClient) -> None:
    server.control("POST", "clock", now="2027-03-04T05:06:07+00:00")
    sftp.putfo(io.BytesIO(b"first\n"), "/marketing/new.txt")
    written = server.state()["files"]["marketing/new.txt"]
    assert written["sha256"] == hashlib.sha256(b"first\n").hexdigest()
    assert datetime.fromisoformat(written["modified"]).date() == date(2027, 3, 4)
    sftp.utime("/marketing/new.txt", (1_500_000_000, 1_500_000_000))
    dated = datetime.fromtimestamp(1_500_000_000, UTC).isoformat()
    assert server.state()["files"]["marketing/new.txt"]["modified"] == dated


def test_reading_a_large_file_is_one_call_however_many_requests_it_takes(
    server: Server, sftp: paramiko.SFTPClient
) -> None:
    content = read(sftp, "/imports/attachment-0009.docx")
    assert len(content) > 4 * 32_768
    [call] = server.calls("READ")
    assert call["ids"] == ["/imports/attachment-0009.docx"]
    assert (call["status"], call["effect"]) == (0, False)
    assert server.control("GET", "calls")["counts"]["READ {path}"] == 1


def test_the_log_names_both_ends_of_a_rename(server: Server, sftp: paramiko.SFTPClient) -> None:
    sftp.rename(LETTER, "/correspondence/moved.txt")
    [call] = server.calls("RENAME")
    assert (call["path"], call["ids"], call["effect"]) == (LETTER, [LETTER, "/correspondence/moved.txt"], True)


def test_reset_brings_back_every_byte_and_empties_the_log(server: Server, sftp: paramiko.SFTPClient) -> None:
    before = server.state()
    sftp.remove(LETTER)
    sftp.remove("/imports/elsewhere")
    sftp.putfo(io.BytesIO(b"new"), "/marketing/style-guide.txt")
    assert server.state() != before
    server.control("POST", "reset")
    assert server.state() == before
    assert server.control("GET", "calls")["calls"] == []


@pytest.mark.parametrize(("status", "error"), [(403, PermissionError), (404, FileNotFoundError), (500, OSError)])
def test_a_refusal_leaves_the_file_and_is_over_after_one_call(
    server: Server, sftp: paramiko.SFTPClient, status: int, error: type[OSError]
) -> None:
    server.fault("status", "REMOVE", status=status, path="/correspondence/*")
    with pytest.raises(error):
        sftp.remove(LETTER)
    assert LETTER[1:] in server.state()["files"]
    sftp.remove(LETTER)
    assert LETTER[1:] not in server.state()["files"]


def test_a_fault_meets_only_the_paths_it_names(server: Server, sftp: paramiko.SFTPClient) -> None:
    server.fault("status", "REMOVE", path="/imports/*")
    sftp.remove(LETTER)
    with pytest.raises(OSError, match="Failure"):
        sftp.remove("/imports/scanner-0042.dat")


def test_an_error_after_the_work_hides_that_it_was_done(server: Server, sftp: paramiko.SFTPClient) -> None:
    server.fault("status", "REMOVE", status=500, after_effect=True)
    with pytest.raises(OSError, match="Failure"):
        sftp.remove(LETTER)
    assert LETTER[1:] not in server.state()["files"]
    assert [call["effect"] for call in server.calls("REMOVE")] == [True]


@pytest.mark.parametrize(("fault", "is_gone"), [("timeout_after_effect", True), ("html", False)])
def test_a_cut_connection_leaves_the_answer_open(
    server: Server, sftp: paramiko.SFTPClient, fault: str, is_gone: bool
) -> None:
    server.fault(fault, "REMOVE")
    with pytest.raises(LOST):
        sftp.remove(LETTER)
    assert (LETTER[1:] not in server.state()["files"]) is is_gone
    [call] = server.calls("REMOVE")
    assert (call["status"], call["effect"]) == (None, is_gone)
    with server.connect() as again, again.open_sftp() as session:
        assert "marketing" in session.listdir("/")


def test_success_without_effect_changes_nothing(server: Server, sftp: paramiko.SFTPClient) -> None:
    before = server.state()
    for method in ("REMOVE", "RENAME", "MKDIR", "WRITE"):
        server.fault("success_without_effect", method)
    sftp.remove(LETTER)
    sftp.rename(LETTER, "/correspondence/moved.txt")
    sftp.mkdir("/restricted")
    sftp.putfo(io.BytesIO(b"new"), LETTER, confirm=False)
    assert server.state() == before
    assert not [call for call in server.control("GET", "calls")["calls"] if call["effect"]]


def test_a_broken_transfer_ends_in_the_middle_of_the_file(server: Server, sftp: paramiko.SFTPClient) -> None:
    server.fault("truncated", "READ")
    whole = sftp.lstat(LETTER).st_size or 0
    with sftp.open(LETTER) as file:
        assert len(file.read(whole // 2)) == whole // 2
        with pytest.raises(LOST):
            file.read(1)


def test_a_broken_listing_is_no_short_listing(server: Server, sftp: paramiko.SFTPClient) -> None:
    server.fault("truncated", "LIST", path="/correspondence/2019")
    with pytest.raises(LOST):
        sftp.listdir_attr("/correspondence/2019")


@pytest.mark.parametrize("fault", ["delay_before_effect", "delay_after_effect"])
def test_a_delayed_call_is_late_and_done(server: Server, sftp: paramiko.SFTPClient, fault: str) -> None:
    server.fault(fault, "REMOVE", seconds=0.3)
    begun = time.monotonic()
    sftp.remove(LETTER)
    assert time.monotonic() - begun >= 0.3
    assert LETTER[1:] not in server.state()["files"]


def test_a_delay_holds_up_nobody_else(server: Server, sftp: paramiko.SFTPClient) -> None:
    server.fault("delay_after_effect", "LSTAT", seconds=30)
    channel = sftp.get_channel()
    assert channel is not None
    channel.settimeout(0.2)
    with pytest.raises((TimeoutError, OSError, EOFError)):
        sftp.lstat(LETTER)
    with server.connect() as other, other.open_sftp() as session:
        session.remove(LETTER)
    assert LETTER[1:] not in server.state()["files"]


def test_the_folder_goes_with_the_process(tmp_path: Path) -> None:
    server = start(tmp_path)
    assert [path.name[:13] for path in tmp_path.iterdir()] == ["sandbox-sftp-"]
    stop(server)
    assert list(tmp_path.iterdir()) == []
