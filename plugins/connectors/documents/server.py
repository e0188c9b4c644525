"""How do we reach the document server? One SFTP session, its answers sorted into what they mean for a file.

What reads is repeated once over a new connection; what changes something never is: when its answer is lost, nobody
knows whether it was done. No error of the library leaves this module, since its texts may name a path or a login.
"""

from __future__ import annotations

import base64
import binascii
import errno
import itertools
import logging
import posixpath
import stat
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import NoReturn, TypeVar

import paramiko

from retention.contract import AccessDenied, Unavailable

T = TypeVar("T")

SSH_PORT = 22
PROTOCOL_LOG = "connectors.documents.ssh"
SECONDS_TO_CONNECT = 20.0
SECONDS_TO_ANSWER = 60.0
_CHUNK = 256 * 1024
# Its debug lines name paths.
logging.getLogger(PROTOCOL_LOG).setLevel(logging.WARNING)


class Missing(Exception):
    """There is nothing under this name."""


class Forbidden(Exception):
    """The server does not let us."""


class Failed(Exception):
    """The server said no without a reason: a name that exists, a lock, a full disk."""


class Lost(Exception):
    """No answer came."""


class TooLarge(Exception):
    """More bytes than asked for at most."""


@dataclass(frozen=True, slots=True)
class Entry:
    """What the server says of a name without opening it. Links are seen as links, never followed."""

    name: str = field(repr=False)
    size: int
    modified: int
    accessed: int
    mode: int

    @property
    def is_file(self) -> bool:
        return stat.S_ISREG(self.mode)

    @property
    def is_folder(self) -> bool:
        return stat.S_ISDIR(self.mode)

    @property
    def is_link(self) -> bool:
        return stat.S_ISLNK(self.mode)

    @property
    def modified_at(self) -> datetime:
        return datetime.fromtimestamp(self.modified, UTC)

    def is_as(self, other: Entry) -> bool:
        """Whether a file looks the same: nobody wrote to it in between."""
        return (self.size, self.modified, self.mode) == (other.size, other.modified, other.mode)


@dataclass(frozen=True)
class Address:
    """Where the server is and how to log in. The host key is known beforehand; no other is accepted."""

    host: str
    port: int
    username: str = field(repr=False)
    password: str | None = field(repr=False)
    host_key: paramiko.PKey
    root: str


class Server:
    """Files below one root of one server. Paths are relative to the root, as posix."""

    def __init__(self, address: Address, system: str) -> None:
        self.system = system
        self.root = address.root
        self._address = address
        self._client: paramiko.SSHClient | None = None
        self._sftp: paramiko.SFTPClient | None = None
        self._real_root = ""

    def connect(self) -> None:
        """Open the session if there is none: `AccessDenied` or `Unavailable` if that cannot be done."""
        if self._sftp is not None:
            return
        try:
            self._open()
        except Lost:
            raise self.unavailable() from None

    def close(self) -> None:
        """Let go of the connection; the next call opens another."""
        client, self._client, self._sftp = self._client, None, None
        if client is not None:
            client.close()

    def unavailable(self) -> Unavailable:
        """To be raised: the server does not answer."""
        return Unavailable(f"{self.system}: the document server does not answer; look whether it runs, and try later")

    # --- Reading: repeated once after a lost connection ---

    def list(self, folder: str) -> list[Entry]:
        """What lies in a folder, in a stable order, from one reply: never a question per file."""

        def listing(sftp: paramiko.SFTPClient) -> list[Entry]:
            return sorted((_entry(one, one.filename) for one in sftp.listdir_attr(self._at(folder))), key=_name)

        return self._reading(listing)

    def look(self, path: str) -> Entry:
        """One name, links not followed."""
        return self._reading(lambda sftp: _entry(sftp.lstat(self._at(path)), posixpath.basename(path)))

    def read(self, path: str, most: int | None = None) -> bytes:
        """A file's bytes; `TooLarge` if there are more than `most`."""
        return self._reading(lambda sftp: b"".join(_chunks(sftp, self._at(path), most)))

    def is_below_root(self, folder: str) -> bool:
        """Whether a folder is where its name says, with no link on the way that leads elsewhere."""

        def resolved(sftp: paramiko.SFTPClient) -> bool:
            if not self._real_root:
                self._real_root = sftp.normalize(self.root) or "/"
            return sftp.normalize(self._at(folder)) == posixpath.normpath(posixpath.join(self._real_root, folder))

        try:
            return self._reading(resolved)
        except Missing:  # how a server says that the end of the way is outside of what it serves
            return False

    # --- Changing: never repeated ---

    def remove(self, path: str) -> None:
        """Unlink a file."""
        self._changing(lambda sftp: sftp.remove(self._at(path)))

    def move(self, source: str, target: str) -> None:
        """Rename within the server; never onto an existing name."""
        self._changing(lambda sftp: sftp.rename(self._at(source), self._at(target)))

    def replace(self, source: str, target: str) -> None:
        """Rename over an existing file, in one step."""
        self._changing(lambda sftp: sftp.posix_rename(self._at(source), self._at(target)))

    def make_folder(self, folder: str, mode: int) -> None:
        """Make one folder."""
        self._changing(lambda sftp: sftp.mkdir(self._at(folder), mode))

    def write(self, path: str, content: bytes) -> None:
        """Write a file that is not there yet; its folder's leftovers are the caller's."""

        def writing(sftp: paramiko.SFTPClient) -> None:
            with sftp.open(self._at(path), "wx") as file:
                file.set_pipelined(True)
                file.write(content)

        self._changing(writing)

    def dress(self, path: str, like: Entry) -> None:
        """Give a file the mode and the times of another: a file that was only made shorter is no newer."""

        def dressing(sftp: paramiko.SFTPClient) -> None:
            sftp.chmod(self._at(path), stat.S_IMODE(like.mode))
            sftp.utime(self._at(path), (like.accessed, like.modified))

        self._changing(dressing)

    # --- The session ---

    def _at(self, path: str) -> str:
        return posixpath.join(self.root, path) if path else self.root

    def _reading(self, call: Callable[[paramiko.SFTPClient], T]) -> T:
        try:
            return self._once(call)
        except Lost:
            try:
                return self._once(call)
            except Lost:
                raise self.unavailable() from None

    def _changing(self, call: Callable[[paramiko.SFTPClient], T]) -> T:
        if self._sftp is None:
            self.connect()
        return self._once(call)

    def _once(self, call: Callable[[paramiko.SFTPClient], T]) -> T:
        sftp = self._sftp or self._open()
        try:
            with _sorted_errors(sftp):
                return call(sftp)
        except Lost:
            self.close()
            raise

    def _open(self) -> paramiko.SFTPClient:
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
            raise AccessDenied(f"{self.system}: the server refused our login; check user and password") from None
        except (OSError, EOFError, paramiko.SSHException):
            client.close()
            raise Lost from None
        self._client, self._sftp = client, sftp
        return sftp


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
    return Entry(
        name=name,
        size=attributes.st_size or 0,
        modified=attributes.st_mtime or 0,
        accessed=attributes.st_atime or 0,
        mode=attributes.st_mode or 0,
    )


def _name(entry: Entry) -> str:
    return entry.name
