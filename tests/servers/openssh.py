"""How is an OpenSSH server started? With keys made for it, for one user who logs in by key and gets SFTP only."""

from __future__ import annotations

import getpass
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import asyncssh

from connectors.documents import Login
from tests.servers.disk import Disk
from tests.servers.running import HOST, Served, free_port, needs, process, program

_CONF = """
Port {port}
ListenAddress 127.0.0.1
HostKey {at}/host_key
AuthorizedKeysFile {at}/authorized_keys
StrictModes no
UsePAM no
PasswordAuthentication no
PermitRootLogin prohibit-password
PidFile {at}/sshd.pid
Subsystem sftp internal-sftp
ForceCommand internal-sftp
"""


@contextmanager
def running(at: Path) -> Iterator[Served]:
    needs("sshd")
    if os.geteuid() == 0:
        Path("/run/sshd").mkdir(mode=0o755, exist_ok=True)  # where sshd separates privileges
    port = free_port()
    host_key, login_key = (asyncssh.generate_private_key("ssh-ed25519") for _ in range(2))
    host_key.write_private_key(at / "host_key")
    (at / "host_key").chmod(0o600)
    login_key.write_public_key(at / "authorized_keys")
    (at / "sshd_config").write_text(_CONF.format(port=port, at=at))
    extra = {
        "host_key": host_key.export_public_key().decode(),
        "private_key": login_key.export_private_key().decode(),
        "root": str(at / "files"),
    }
    command = [program("sshd"), "-D", "-e", "-f", str(at / "sshd_config")]
    with process(command, port, at / "sshd.log"):
        yield Served("sftp", Login(HOST, port, getpass.getuser(), None, extra), Disk(at / "files"))
