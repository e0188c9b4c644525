"""How do we reach a document server over SFTP? One session, its answers sorted into what they mean for a file."""

from __future__ import annotations

import base64
import binascii
import errno
import hashlib
import io
import itertools
import logging
import posixpath
import stat
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import NoReturn, TypeVar

import paramiko
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
    load_ssh_private_key,
)

from connectors.documents.stores.line import Line
from connectors.documents.stores.store import Entry, Failed, Forbidden, Kind, Lost, Missing, NothingBeside, TooLarge
from retention.contract import AccessDenied

T = TypeVar("T")

SSH_PORT = 22
PROTOCOL_LOG = "connectors.documents.ssh"
SECONDS_TO_CONNECT = 20.0
SECONDS_TO_ANSWER = 60.0
FOLDER_MODE = 0o700
_CHUNK = 256 * 1024
_NO_KEY = "not a private key without passphrase: Ed25519, ECDSA or RSA in PEM or OpenSSH's form"
_A_SECOND = 1_000_000_000
_KINDS = {stat.S_IFREG: Kind.FILE, stat.S_IFDIR: Kind.FOLDER, stat.S_IFLNK: Kind.LINK}
# Its debug lines name paths.
logging.getLogger(PROTOCOL_LOG).setLevel(logging.WARNING)


@dataclass(frozen=True)
class Address:
    """Where the server is and how to log in. The host key is known beforehand; no other is accepted."""

    host: str
    port: int
    username: str = field(repr=False)
    password: str | None = field(repr=False)
    host_key: paramiko.PKey
    root: str
    login_key: paramiko.PKey | None = field(default=None, repr=False)


@dataclass(frozen=True)
class _Session:
    """An open session."""

    client: paramiko.SSHClient
    sftp: paramiko.SFTPClient


_ONE_ANSWER = 32 * 1024
"""What a server gives in one answer: less is not worth asking ahead."""


class SftpStore(NothingBeside):
    """Files below one root of one SFTP server."""

    views: tuple[str, ...] = ("live-path", "restricted-area", "root-listing")

    def __init__(self, address: Address, system: str) -> None:
        self.system = system
        key = address.host_key.asbytes() + b"\0" + address.root.encode()
        self.identity = f"sftp-{hashlib.sha256(key).hexdigest()[:32]}"
        self._address = address
        self._line = Line(system, self._open, lambda session: session.client.close())
        self._real_root = ""

    def connect(self) -> None:
        self._line.connect()

    def close(self) -> None:
        self._line.close()

    def another(self) -> SftpStore:
        return SftpStore(self._address, self.system)

    # --- Reading ---

    def list(self, folder: str) -> list[Entry]:
        def listing(sftp: paramiko.SFTPClient) -> list[Entry]:
            return sorted((_entry(one, one.filename) for one in sftp.listdir_attr(self._at(folder))), key=_name)

        return self._reading(listing)

    def look(self, path: str) -> Entry:
        return self._reading(lambda sftp: _entry(sftp.lstat(self._at(path)), posixpath.basename(path)))

    def read(self, path: str, most: int | None = None) -> bytes:
        return self._reading(lambda sftp: b"".join(_chunks(sftp, self._at(path), most)))

    def is_below_root(self, folder: str) -> bool:
        def resolved(sftp: paramiko.SFTPClient) -> bool:
            if not self._real_root:
                self._real_root = sftp.normalize(self._address.root) or "/"
            return sftp.normalize(self._at(folder)) == posixpath.normpath(posixpath.join(self._real_root, folder))

        try:
            return self._reading(resolved)
        except Missing:  # how a server says that the end of the way is outside of what it serves
            return False

    # --- Changing ---

    def remove(self, path: str) -> None:
        self._changing(lambda sftp: sftp.remove(self._at(path)))

    def move(self, source: str, target: str) -> None:
        self._changing(lambda sftp: sftp.rename(self._at(source), self._at(target)))

    def replace(self, source: str, target: str) -> None:
        self._changing(lambda sftp: sftp.posix_rename(self._at(source), self._at(target)))

    def make_folder(self, folder: str) -> None:
        self._changing(lambda sftp: sftp.mkdir(self._at(folder), FOLDER_MODE))

    def write(self, path: str, content: bytes) -> None:
        def writing(sftp: paramiko.SFTPClient) -> None:
            with sftp.open(self._at(path), "wx") as file:
                file.set_pipelined(True)
                file.write(content)

        self._changing(writing)

    def dress(self, path: str, like: Entry) -> None:
        def dressing(sftp: paramiko.SFTPClient) -> None:
            if like.permissions is not None:
                sftp.chmod(self._at(path), like.permissions)
            sftp.utime(self._at(path), (like.accessed_ns // _A_SECOND, like.modified_ns // _A_SECOND))

        self._changing(dressing)

    # --- The session ---

    def _at(self, path: str) -> str:
        return posixpath.join(self._address.root, path) if path else self._address.root

    def _reading(self, call: Callable[[paramiko.SFTPClient], T]) -> T:
        return self._line.read(lambda session: _answered(session.sftp, call))

    def _changing(self, call: Callable[[paramiko.SFTPClient], T]) -> T:
        return self._line.change(lambda session: _answered(session.sftp, call))

    def _open(self) -> _Session:
        known = self._address
        client = paramiko.SSHClient()
        client.set_log_channel(PROTOCOL_LOG)
        client.set_missing_host_key_policy(_Refuse())
        name = known.host if known.port == SSH_PORT else f"[{known.host}]:{known.port}"
        client.get_host_keys().add(name, known.host_key.get_name(), known.host_key)
        try:
            client.connect(
                known.host,
                known.port,
                username=known.username,
                password=known.password,
                pkey=known.login_key,
                allow_agent=False,
                look_for_keys=False,
                timeout=SECONDS_TO_CONNECT,
                banner_timeout=SECONDS_TO_CONNECT,
                auth_timeout=SECONDS_TO_CONNECT,
                channel_timeout=SECONDS_TO_CONNECT,
            )
            sftp = client.open_sftp()
            channel = sftp.get_channel()
            if channel is not None:
                channel.settimeout(SECONDS_TO_ANSWER)
        except (paramiko.BadHostKeyException, _UnknownHost):
            client.close()
            raise AccessDenied(
                f"{self.system}: the server shows another host key than the connection names; do not go on before you"
                " know why"
            ) from None
        except paramiko.AuthenticationException:
            client.close()
            raise AccessDenied(f"{self.system}: the server refused our login; check user and password or key") from None
        except (OSError, EOFError, paramiko.SSHException):
            client.close()
            raise Lost from None
        return _Session(client, sftp)


class _UnknownHost(Exception):
    """The server has no key of the kind that we know."""


class _Refuse(paramiko.MissingHostKeyPolicy):
    def missing_host_key(self, client: paramiko.SSHClient, hostname: str, key: paramiko.PKey) -> NoReturn:
        raise _UnknownHost


def host_key(text: str) -> paramiko.PKey:
    """A public key as `known_hosts` and `ssh-keyscan` write it: kind and base64, with or without host and comment."""
    words = text.split()
    for kind, encoded in itertools.pairwise(words):
        if encoded.startswith("AAAA"):
            try:
                return paramiko.PKey.from_type_string(kind, base64.b64decode(encoded, validate=True))
            except (binascii.Error, ValueError, paramiko.SSHException, paramiko.pkey.UnknownKeyType):
                break
    raise ValueError("not a public host key: give kind and key, as in 'ssh-ed25519 AAAA…'")


def private_key(text: str) -> paramiko.PKey:
    """A key to log in with, without a passphrase. Not read by paramiko, which stumbles over some without a comment."""
    load = load_ssh_private_key if "OPENSSH" in text else load_pem_private_key
    try:
        key = load(text.encode(), password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        raise ValueError(_NO_KEY) from None
    match key:
        case rsa.RSAPrivateKey():
            return paramiko.RSAKey(key=key)
        case ec.EllipticCurvePrivateKey():
            return paramiko.ECDSAKey(vals=(key, key.public_key()))
        case ed25519.Ed25519PrivateKey():
            plain = key.private_bytes(Encoding.PEM, PrivateFormat.OpenSSH, NoEncryption())
            return paramiko.Ed25519Key.from_private_key(io.StringIO(plain.decode()))
    raise ValueError(_NO_KEY)


def _answered(sftp: paramiko.SFTPClient, call: Callable[[paramiko.SFTPClient], T]) -> T:
    with _sorted_errors(sftp):
        return call(sftp)


@contextmanager
def _sorted_errors(sftp: paramiko.SFTPClient) -> Iterator[None]:
    try:
        yield
    except (EOFError, TimeoutError, ConnectionError, paramiko.SSHException, paramiko.SFTPError):
        raise Lost from None
    except UnicodeDecodeError:
        raise Failed from None  # a name that is not UTF-8; the library then gives none of its folder
    except OSError as error:
        if error.errno == errno.ENOENT:
            raise Missing from None
        if error.errno == errno.EACCES:
            raise Forbidden from None
        channel = sftp.get_channel()
        # A socket closed under us answers with an OSError too.
        raise (Lost if channel is None or channel.closed else Failed) from None


def _chunks(sftp: paramiko.SFTPClient, path: str, most: int | None) -> Iterator[bytes]:
    with sftp.open(path, "rb") as file:
        size = file.stat().st_size or 0
        if most is not None and size > most:
            raise TooLarge
        if size > _ONE_ANSWER:
            file.prefetch(size)
        read = 0
        try:
            while chunk := file.read(_CHUNK):
                read += len(chunk)
                if most is not None and read > most:
                    raise TooLarge
                yield chunk
        except EOFError:
            raise OSError("cut shorter while it was read") from None
        if read < size:
            raise OSError("cut shorter while it was read")


def _entry(attributes: paramiko.SFTPAttributes, name: str) -> Entry:
    mode = attributes.st_mode or 0
    return Entry(
        name=name,
        kind=_KINDS.get(stat.S_IFMT(mode), Kind.OTHER),
        size=attributes.st_size or 0,
        modified_ns=(attributes.st_mtime or 0) * _A_SECOND,
        accessed_ns=(attributes.st_atime or 0) * _A_SECOND,
        permissions=stat.S_IMODE(mode),
    )


def _name(entry: Entry) -> str:
    return entry.name
