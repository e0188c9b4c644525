"""How is a Samba server started? With a private configuration, shares with streams, one of them with a bin."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from connectors.documents import Login
from tests.servers.disk import Disk
from tests.servers.running import HOST, Served, free_port, needs, process, program

USER, PASSWORD = "nobody", "made-up-for-tests"
BIN = ".recycle"
_OWN_FOLDERS = ("private", "lock", "state", "cache", "pid", "ncalrpc")
_CONF = """
[global]
workgroup = TEST
server role = standalone server
smb ports = {port}
interfaces = lo
bind interfaces only = yes
disable netbios = yes
server min protocol = SMB3
load printers = no
printing = bsd
printcap name = /dev/null
disable spoolss = yes
passdb backend = tdbsam
private dir = {at}/private
lock directory = {at}/lock
state directory = {at}/state
cache directory = {at}/cache
pid directory = {at}/pid
ncalrpc dir = {at}/ncalrpc
log file = {at}/log.smbd
[files]
path = {at}/files
read only = no
force user = root
vfs objects = acl_xattr streams_xattr
[binned]
path = {at}/binned
read only = no
force user = root
vfs objects = acl_xattr streams_xattr recycle
recycle:repository = {bin}
recycle:keeptree = yes
recycle:versions = yes
"""


@dataclass(frozen=True)
class Shares:
    """Two shares of one server: a plain one, and one that moves what is deleted into a bin."""

    files: Served
    binned: Served


@contextmanager
def running(at: Path) -> Iterator[Shares]:
    needs("smbd", "smbpasswd", root=True)
    port = free_port()
    for name in _OWN_FOLDERS:
        (at / name).mkdir()
    conf = at / "smb.conf"
    conf.write_text(_CONF.format(port=port, at=at, bin=BIN))
    # An account of the system that is everywhere: what it does, it does as root (`force user`).
    subprocess.run(
        [program("smbpasswd"), "-c", str(conf), "-s", "-a", USER],
        input=f"{PASSWORD}\n{PASSWORD}\n".encode(),
        check=True,
        capture_output=True,
    )
    plain = Login(HOST, port, USER, PASSWORD, {"share": "files"})
    binned = replace(plain, extra={"share": "binned"}, bin_folder=BIN)
    command = [program("smbd"), f"--configfile={conf}", "--foreground", "--no-process-group"]
    with process(command, port, at / "smbd.log"):
        yield Shares(
            Served("smb", plain, Disk(at / "files")),
            Served("smb", binned, Disk(at / "binned")),
        )
