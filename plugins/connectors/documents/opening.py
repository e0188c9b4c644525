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
    bin_folder: str = ""
    """Where the server itself moves what is deleted (a Samba recycle share), below the root."""


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
    login_key = None
    if text := login.extra.get("private_key"):
        try:
            login_key = sftp.private_key(text)
        except ValueError as error:
            raise AccessDenied(f"{system}: the connection's private_key is {error}") from None
    address = sftp.Address(
        host=login.host,
        port=login.port or sftp.SSH_PORT,
        username=login.username,
        password=login.password,
        host_key=key,
        root=login.extra.get("root", "/"),
        login_key=login_key,
    )
    return sftp.SftpStore(address, system)


def _smb(system: str, login: Login) -> FileStore:
    from connectors.documents.stores import smb

    share = smb.Share(
        host=login.host,
        port=login.port or smb.SMB_PORT,
        name=_needed(system, login, "share"),
        root=login.extra.get("root", ""),
        username=login.username,
        password=login.password,
        auth_protocol=login.extra.get("auth_protocol", "negotiate"),
        bin_folder=login.bin_folder,
    )
    return smb.SmbStore(share, system)


def _webdav(system: str, login: Login) -> FileStore:
    from connectors.documents.stores import webdav

    scheme = login.extra.get("scheme", "https")
    host = login.host if login.port is None else f"{login.host}:{login.port}"
    url = f"{scheme}://{host}/{login.extra.get('root', '').strip('/')}"
    site = webdav.Site(url, login.username, login.password, login.extra.get("ca_bundle"))
    return webdav.WebDavStore(site, system)


def _s3(system: str, login: Login) -> FileStore:
    from connectors.documents.stores import s3, s3_bucket

    scheme = login.extra.get("scheme", "https")
    port = "" if login.port is None else f":{login.port}"
    bucket = s3_bucket.Bucket(
        name=_needed(system, login, "bucket"),
        prefix=login.extra.get("root", ""),
        access_key=login.username,
        secret_key=login.password or "",
        endpoint=f"{scheme}://{login.host}{port}" if login.host else "",
        region=login.extra.get("region", ""),
        path_style=bool(login.extra.get("path_style", False)),
        ca_bundle=login.extra.get("ca_bundle"),
    )
    return s3.S3Store(bucket, system)


def _local(system: str, login: Login) -> FileStore:
    from connectors.documents.stores import local

    return local.LocalStore(_needed(system, login, "root"), system)


def _needed(system: str, login: Login, name: str) -> str:
    value = login.extra.get(name)
    if not value:
        raise AccessDenied(f"{system}: the connection needs the extra {name!r}")
    return value


_STORES: Mapping[str, Callable[[str, Login], FileStore]] = {
    "sftp": _sftp,
    "smb": _smb,
    "webdav": _webdav,
    "s3": _s3,
    "local": _local,
}
KINDS = frozenset(_STORES)
