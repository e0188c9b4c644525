"""How do we reach a document server over WebDAV? Own PROPFIND of one folder at a time, hrefs decoded exactly once.

An answer that leads elsewhere is not followed, a lock of somebody else is never broken, and a name is not overwritten.
"""

from __future__ import annotations

import hashlib
import logging
import posixpath
import ssl
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC
from email.utils import parsedate_to_datetime
from typing import TypeVar
from urllib.parse import quote, unquote, urlsplit

import httpx
from lxml import etree  # type: ignore[import-untyped]

from connectors.documents.stores.line import Line
from connectors.documents.stores.store import (
    Busy,
    Entry,
    Failed,
    Forbidden,
    Kind,
    Lost,
    Missing,
    NothingBeside,
    StoreError,
    TooLarge,
)
from retention.contract import AccessDenied

T = TypeVar("T")

SECONDS_TO_CONNECT = 20.0
SECONDS_TO_ANSWER = 60.0
LARGEST_LISTING = 256 * 1024 * 1024
_CHUNK = 256 * 1024
_A_SECOND = 1_000_000_000
_OK, _CREATED, _NO_CONTENT, _MULTI_STATUS = 200, 201, 204, 207
_DONE = frozenset({_OK, _CREATED, _NO_CONTENT})
_MEANS: dict[int, type[StoreError]] = {
    **dict.fromkeys((400, 404, 410, 414), Missing),
    **dict.fromkeys((401, 403), Forbidden),
    **dict.fromkeys((423, 424), Busy),  # 424: something below is locked
    **dict.fromkeys((408, 429, 502, 503, 504), Lost),
}
_DAV = "{DAV:}"
_ASKED = (
    b'<?xml version="1.0" encoding="utf-8"?><propfind xmlns="DAV:"><prop><resourcetype/><getcontentlength/>'
    b"<getlastmodified/><getetag/></prop></propfind>"
)
# Their lines name addresses, and so paths.
for _noisy in ("httpx", "httpcore"):
    logging.getLogger(_noisy).setLevel(logging.WARNING)


@dataclass(frozen=True)
class Site:
    """Where the root is and how to log in. `ca_bundle`: whom to trust instead of the system's authorities."""

    url: str
    username: str = field(repr=False)
    password: str | None = field(repr=False)
    ca_bundle: str | None = None


class WebDavStore(NothingBeside):
    """Files below one folder of one WebDAV server."""

    def __init__(self, site: Site, system: str) -> None:
        self.system = system
        base = urlsplit(site.url)
        self._host = f"{base.scheme}://{base.netloc}"
        self._root = [part for part in unquote(base.path).split("/") if part]
        self.identity = f"webdav-{hashlib.sha256('/'.join([self._host, *self._root]).encode()).hexdigest()[:32]}"
        self.views: tuple[str, ...] = ("live-path", "restricted-area", "root-listing")
        self._site = site
        self._line = Line(system, self._open, httpx.Client.close)

    def connect(self) -> None:
        self._line.connect()

    def close(self) -> None:
        self._line.close()

    def another(self) -> WebDavStore:
        return WebDavStore(self._site, self.system)

    # --- Reading ---

    def list(self, folder: str) -> list[Entry]:
        def listing(client: httpx.Client) -> list[Entry]:
            found = self._told(client, folder, "1", "/")
            own = found.pop(folder, None)
            if own is not None and not own.is_folder:
                raise Missing
            below = f"{folder}/" if folder else ""
            if any(posixpath.dirname(path) != folder or not path.startswith(below) for path in found):
                raise Failed  # names that are no children of what was asked for
            return sorted(found.values(), key=_name)

        return self._line.read(listing)

    def look(self, path: str) -> Entry:
        def looking(client: httpx.Client) -> Entry:
            found = self._told(client, path, "0")
            if path not in found:
                raise Failed
            return found[path]

        return self._line.read(looking)

    def read(self, path: str, most: int | None = None) -> bytes:
        return self._line.read(lambda client: self._content(client, path, most))

    def is_below_root(self, folder: str) -> bool:
        """Links are the server's own affair and not told; what it serves below the root is below the root."""
        try:
            return self.look(folder).is_folder
        except Missing:
            return False

    # --- Changing ---

    def remove(self, path: str) -> None:
        self._change("DELETE", path)

    def move(self, source: str, target: str) -> None:
        self._change("MOVE", source, {"Destination": self._at(target), "Overwrite": "F"})

    def replace(self, source: str, target: str) -> None:
        self._change("MOVE", source, {"Destination": self._at(target), "Overwrite": "T"})

    def make_folder(self, folder: str) -> None:
        self._change("MKCOL", folder)

    def write(self, path: str, content: bytes) -> None:
        """Not every server heeds the condition, so the name is looked at before as well."""
        try:
            self.look(path)
        except Missing:
            self._change("PUT", path, {"If-None-Match": "*"}, content)
            return
        raise Failed

    def dress(self, path: str, like: Entry) -> None:
        """WebDAV has no words for rights, and lets nobody set times."""

    # --- The session ---

    def _at(self, path: str) -> str:
        parts = [*self._root, *(part for part in path.split("/") if part)]
        return self._host + "/" + "/".join(quote(part, safe="") for part in parts)

    def _change(
        self, method: str, path: str, headers: Mapping[str, str] | None = None, content: bytes | None = None
    ) -> None:
        def changing(client: httpx.Client) -> None:
            answer = _answered(
                lambda: client.request(method, self._at(path), headers=dict(headers or {}), content=content)
            )
            # 207 to a deletion or move: something was left standing.
            if answer.status_code not in _DONE:
                raise _MEANS.get(answer.status_code, Failed)

        self._line.change(changing)

    def _content(self, client: httpx.Client, path: str, most: int | None) -> bytes:
        def fetching() -> bytes:
            with client.stream("GET", self._at(path), headers={"Accept-Encoding": "identity"}) as answer:
                if answer.status_code != _OK:
                    raise _MEANS.get(answer.status_code, Failed)
                size = int(answer.headers.get("Content-Length", -1))
                content = b"".join(_at_most(answer.iter_bytes(_CHUNK), size, most))
            if size >= 0 and len(content) != size:
                raise Lost
            return content

        return _answered(fetching)

    def _told(self, client: httpx.Client, path: str, depth: str, slash: str = "") -> dict[str, Entry]:
        """What the server says of a name, and of those below it, by path."""
        at = self._at(path) + slash

        def asking() -> tuple[str, bytes]:
            headers = {"Depth": depth, "Content-Type": "application/xml; charset=utf-8"}
            with client.stream("PROPFIND", at, headers=headers, content=_ASKED) as answer:
                if answer.is_redirect:
                    return str(answer.url.join(answer.headers.get("Location", ""))), b""
                if answer.status_code != _MULTI_STATUS:
                    raise _MEANS.get(answer.status_code, Failed)
                return "", b"".join(_at_most(answer.iter_bytes(_CHUNK), -1, LARGEST_LISTING))

        elsewhere, told = _answered(asking)
        if elsewhere and not slash and elsewhere == f"{at}/":  # the one redirect that leads nowhere else
            return self._told(client, path, depth, "/")
        if elsewhere:
            raise Failed
        try:
            return dict(self._entries(told))
        except ValueError:  # a name that is not UTF-8, a size that is no number
            raise Failed from None

    def _entries(self, told: bytes) -> Iterator[tuple[str, Entry]]:
        for response in _parsed(told).iterfind(f"{_DAV}response"):
            parts = self._parts_below(response.findtext(f"{_DAV}href") or "")
            name = parts[-1] if parts else ""
            properties = _properties(response)
            if properties is None:
                yield "/".join(parts), Entry(name, Kind.OTHER)
                continue
            kind = Kind.FOLDER if properties.find(f"{_DAV}resourcetype/{_DAV}collection") is not None else Kind.FILE
            yield (
                "/".join(parts),
                Entry(
                    name=name,
                    kind=kind,
                    size=int(properties.findtext(f"{_DAV}getcontentlength") or 0) if kind is Kind.FILE else 0,
                    modified_ns=_nanoseconds(properties.findtext(f"{_DAV}getlastmodified")),
                    # A tag is weak while the file is so new that it may yet change within the same second.
                    tag=(properties.findtext(f"{_DAV}getetag") or "").removeprefix("W/"),
                ),
            )

    def _parts_below(self, href: str) -> Sequence[str]:
        """The names on the way from the root: decoded once, and refused if they lead out of it."""
        where = urlsplit(href)
        parts = [unquote(part, errors="strict") for part in where.path.split("/") if part]
        host = f"{where.scheme}://{where.netloc}"
        depth = len(self._root)
        if (where.netloc and host != self._host) or parts[:depth] != self._root:
            raise Failed
        if any(part in (".", "..") or "/" in part or "\0" in part for part in parts):
            raise Failed
        return parts[depth:]

    def _open(self) -> httpx.Client:
        site = self._site
        try:
            trusted = ssl.create_default_context(cafile=site.ca_bundle)
        except (OSError, ssl.SSLError):
            raise AccessDenied(f"{self.system}: the file named in ca_bundle holds no certificates") from None
        client = httpx.Client(
            auth=httpx.BasicAuth(site.username, site.password or ""),
            verify=trusted,
            trust_env=False,
            follow_redirects=False,
            timeout=httpx.Timeout(SECONDS_TO_ANSWER, connect=SECONDS_TO_CONNECT),
        )
        try:
            self._told(client, "", "0", "/")
        except Missing:
            return client  # a root that is not there is for the caller to judge
        except Forbidden:
            client.close()
            raise AccessDenied(f"{self.system}: the server refused our login; check user and password") from None
        except _Untrusted:
            client.close()
            raise AccessDenied(
                f"{self.system}: the server's certificate is not trusted; name its authority in ca_bundle"
            ) from None
        except Failed:
            client.close()
            raise AccessDenied(f"{self.system}: what answers is no WebDAV server; check host and path") from None
        except Lost:
            client.close()
            raise
        return client


class _Untrusted(StoreError):
    """The server shows a certificate that nobody vouches for."""


def _answered(call: Callable[[], T]) -> T:
    try:
        return call()
    except httpx.ConnectError as error:
        raise (_Untrusted if _is_about_trust(error) else Lost) from None
    except (httpx.TransportError, httpx.StreamError):
        raise Lost from None
    except (httpx.InvalidURL, httpx.DecodingError, ValueError, etree.XMLSyntaxError):
        raise Failed from None


def _is_about_trust(error: BaseException | None) -> bool:
    while error is not None:
        if isinstance(error, ssl.SSLCertVerificationError):
            return True
        error = error.__cause__ or error.__context__
    return False


def _parsed(told: bytes) -> etree._Element:
    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False)
    try:
        root = etree.fromstring(told, parser)
    except etree.XMLSyntaxError:
        raise Failed from None
    if root.getroottree().docinfo.doctype:
        raise Failed
    return root


def _properties(response: etree._Element) -> etree._Element | None:
    for found in response.iterfind(f"{_DAV}propstat"):
        if f" {_OK} " in f"{found.findtext(f'{_DAV}status') or ''} ":
            return found.find(f"{_DAV}prop")
    return None


def _at_most(chunks: Iterator[bytes], size: int, most: int | None) -> Iterator[bytes]:
    if most is not None and size > most:
        raise TooLarge
    read = 0
    for chunk in chunks:
        read += len(chunk)
        if most is not None and read > most:
            raise TooLarge
        yield chunk


def _nanoseconds(text: str | None) -> int:
    try:
        moment = parsedate_to_datetime(text or "")
    except ValueError:
        return 0
    return int(moment.replace(tzinfo=moment.tzinfo or UTC).timestamp()) * _A_SECOND


def _name(entry: Entry) -> str:
    return entry.name
