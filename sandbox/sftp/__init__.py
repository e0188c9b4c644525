"""How is the document server served? SFTP over a real temporary folder, the control surface on a port of its own."""

from __future__ import annotations

import asyncio
import functools
import hashlib
import secrets
import signal
import tempfile
from pathlib import Path
from types import FrameType
from typing import NoReturn

import asyncssh
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from sandbox import population
from sandbox.control import Control
from sandbox.server import HOST, Options, announce, base_url, http_server, listen, port_of
from sandbox.sftp.session import Session
from sandbox.sftp.tree import Tree

USERNAME = "retention"


class _PasswordOnly(asyncssh.SSHServer):
    """Lets in one user with one password."""

    def __init__(self, password: str) -> None:
        self._password = password

    def begin_auth(self, username: str) -> bool:
        return True

    def password_auth_supported(self) -> bool:
        return True

    def validate_password(self, username: str, password: str) -> bool:
        # Both are compared in the same time whatever they are.
        right_name = secrets.compare_digest(username.encode(), USERNAME.encode())
        return secrets.compare_digest(password.encode(), self._password.encode()) and right_name


def serve(options: Options) -> None:
    """Serve until SIGTERM or SIGINT; the folder goes with the process."""
    # uvicorn raises the signal again when it is done; without a handler that would end the process before clean-up.
    signal.signal(signal.SIGTERM, _leave)
    people = population.build(options.seed, options.scale, options.as_of)
    outside = f"email\n{people.cases['expired'].address}\n".encode()
    with tempfile.TemporaryDirectory(prefix="sandbox-sftp-") as folder:
        tree = Tree(Path(folder), people.documents, outside, options.as_of)
        asyncio.run(_serve(options, tree))


def _host_key(seed: int) -> asyncssh.SSHKey:
    """The server's key: like a real server's it is the same after a restart, since the account is known by it."""
    made = Ed25519PrivateKey.from_private_bytes(hashlib.sha256(f"sandbox sftp host key {seed}".encode()).digest())
    text = made.private_bytes(Encoding.PEM, PrivateFormat.OpenSSH, NoEncryption())
    return asyncssh.import_private_key(text)


async def _serve(options: Options, tree: Tree) -> None:
    control = Control(None, tree)
    password = secrets.token_urlsafe(18)
    host_key = _host_key(options.seed)
    sock, control_sock = listen(options.port), listen(0)
    # Asked for before uvicorn listens, a call to the control surface waits in the queue instead of being refused.
    control_sock.listen()
    acceptor = await asyncssh.listen(
        sock=sock,
        server_factory=functools.partial(_PasswordOnly, password),
        server_host_keys=[host_key],
        sftp_factory=functools.partial(Session, tree=tree, control=control),
        allow_scp=False,
        login_timeout=30,
    )
    credentials = {
        "username": USERNAME,
        "password": password,
        "host_key": host_key.export_public_key().decode().strip(),
    }
    announce(options.name, f"sftp://{HOST}:{port_of(sock)}", None, credentials, base_url(control_sock))
    try:
        await http_server(control).serve(sockets=[control_sock])
    finally:
        acceptor.close()
        await acceptor.wait_closed()


def _leave(signum: int, frame: FrameType | None) -> NoReturn:
    raise SystemExit(0)
