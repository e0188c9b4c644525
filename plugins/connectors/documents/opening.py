"""How is a document server opened from what a connection says? One function a protocol; clients are imported there."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from connectors.documents.stores.store import FileStore
from retention.contract import AccessDenied


@dataclass(frozen=True)
class Login:
    """Where a server is and how to log in, as an operator writes it down."""

    host: str = ""
    port: int | None = None
    username: str = field(default="", repr=False)
    password: str | None = field(default=None, repr=False)
    extra: Mapping[str, str] = field(default_factory=dict, repr=False)


def open_store(kind: str, system: str, login: Login) -> FileStore:
    """A store that is logged in: `AccessDenied` or `Unavailable` if that cannot be done."""
    store = _STORES[kind](system, login)
    store.connect()
    return store


def _sftp(system: str, login: Login) -> FileStore:
    from connectors.documents.stores import sftp

    try:
        key = sftp.host_key(login.extra.get("host_key", ""))
    except ValueError as error:
        raise AccessDenied(f"{system}: the connection's host_key is {error}") from None
    address = sftp.Address(
        host=login.host,
        port=login.port or sftp.SSH_PORT,
        username=login.username,
        password=login.password,
        host_key=key,
        root=login.extra.get("root", "/"),
    )
    return sftp.SftpStore(address, system)


_STORES: Mapping[str, Callable[[str, Login], FileStore]] = {"sftp": _sftp}
KINDS = frozenset(_STORES)
