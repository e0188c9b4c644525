"""Is nothing of a WebDAV server believed that it cannot know, and nothing done that another's lock forbids?"""

from __future__ import annotations

import http.server
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import pytest

from connectors.documents import Login, open_store
from connectors.documents.stores.store import Failed
from retention.contract import AccessDenied
from retention.vocabulary import Action, OutcomeStatus, Presence, Reason
from sandbox import tls
from tests.contract.documents.asking import DONE, WRONG, act, found, pages, presence, ref_of
from tests.contract.documents_world import SYSTEM
from tests.contract.store_world import Site, StoreWorld
from tests.contract.world import Sample

_LOCK = (
    b'<?xml version="1.0"?><lockinfo xmlns="DAV:"><lockscope><exclusive/></lockscope><locktype><write/></locktype>'
    b"<owner>a colleague</owner></lockinfo>"
)


@pytest.fixture
def world(webdav: Site) -> StoreWorld:
    return StoreWorld(webdav)


@contextmanager
def locked(site: Site, path: str) -> Iterator[None]:
    """A colleague's lock on a file."""
    login = site.served.login
    at = f"https://{login.host}:{login.port}/{login.extra['root']}/{path}"
    trusted = ssl.create_default_context(cafile=login.extra["ca_bundle"])
    with httpx.Client(auth=(login.username, login.password or ""), verify=trusted, trust_env=False) as client:
        token = client.request("LOCK", at, content=_LOCK, headers={"Timeout": "Second-60"}).headers["Lock-Token"]
        try:
            yield
        finally:
            client.request("UNLOCK", at, headers={"Lock-Token": token})


def test_a_lock_of_somebody_else_is_never_broken(world: StoreWorld, webdav: Site) -> None:
    ref = ref_of(world, world.make(Sample.LIVE, "bob@x.example").key)
    with locked(webdav, ref.key):
        assert act(world, Action.ERASE, ref) == [(OutcomeStatus.FAILED, Reason.LOCKED)]
        assert act(world, Action.RESTRICT, ref) == [(OutcomeStatus.FAILED, Reason.LOCKED)]
        assert presence(world, ref) is Presence.PRESENT
    assert act(world, Action.ERASE, ref) == [DONE]


@pytest.mark.parametrize("name", ["100 %.txt", "a%20b.txt", "%2e%2e.txt", "Zoë & Ann+1.txt", "a?b#c.txt", "日本.txt"])
def test_a_name_is_encoded_and_decoded_exactly_once(world: StoreWorld, name: str) -> None:
    world.place.put(f"imports/{name}", b"bob@x.example")
    (key,) = found(pages(world.reconnect()))
    assert key == f"imports/{name}"
    assert act(world, Action.ERASE, ref_of(world, key)) == [DONE]
    assert world.place.files() == {}


def test_moving_onto_an_existing_name_fails_and_neither_file_is_lost(world: StoreWorld, webdav: Site) -> None:
    world.place.put("imports/a.txt", b"a")
    world.place.put("imports/b.txt", b"b")
    for clash in (
        lambda: webdav.first.move("imports/a.txt", "imports/b.txt"),
        lambda: webdav.first.write("imports/a.txt", b"c"),
    ):
        with pytest.raises(Failed):
            clash()
    assert (world.place.get("imports/a.txt"), world.place.get("imports/b.txt")) == (b"a", b"b")


# --- Servers that answer what no honest one does ---


@contextmanager
def answering(status: int, body: str, *, at_first: str = "", **headers: str) -> Iterator[Login]:
    """A server that says one thing to every question, or another one to those about a single name."""

    class Answer(http.server.BaseHTTPRequestHandler):
        def do_PROPFIND(self) -> None:
            self.rfile.read(int(self.headers.get("Content-Length", 0)))
            told = (at_first if at_first and self.headers["Depth"] == "0" else body).encode()
            self.send_response(status)
            for name, value in {"Content-Length": str(len(told)), **headers}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(told)

        def log_message(self, *_: Any) -> None:
            """Nothing."""

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Answer)
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    try:
        yield Login("127.0.0.1", server.server_port, "u", "p", {"scheme": "http", "root": "files"})
    finally:
        server.shutdown()
        server.server_close()


def multistatus(*hrefs: str, doctype: str = "", tag: str = "") -> str:
    responses = "".join(
        f"<response><href>{href}</href><propstat><prop><resourcetype><collection/></resourcetype>"
        f"<getetag>{tag}</getetag></prop><status>HTTP/1.1 200 OK</status></propstat></response>"
        for href in hrefs
    )
    return f'<?xml version="1.0"?>{doctype}<multistatus xmlns="DAV:">{responses}</multistatus>'


@pytest.mark.parametrize(
    "href",
    [
        "/elsewhere/x.txt",
        "/files/../secret.txt",
        "/files/%2e%2e/secret.txt",
        "/files/a%2fb.txt",
        "/files/deep/below.txt",
        "https://other.example/files/x.txt",
        "/files/%ff.txt",
    ],
)
def test_an_address_that_is_no_child_of_the_folder_is_refused(href: str) -> None:
    listing = multistatus("/files/", "/files/imports/", href)
    with answering(207, listing, at_first=multistatus("/files/")) as login:
        store = open_store("webdav", SYSTEM, login)
        with pytest.raises(Failed):
            store.list("")


def test_a_tag_that_is_weak_while_the_file_is_new_names_the_same_content_as_the_strong_one() -> None:
    looks = []
    for tag in ('W/"6-5f1"', '"6-5f1"', '"6-5f2"'):
        with answering(207, multistatus("/files/", tag=tag)) as login:
            looks.append(open_store("webdav", SYSTEM, login).look(""))
    weak, strong, other = looks
    assert weak.is_as(strong)
    assert not weak.is_as(other)


def test_an_answer_with_a_document_type_is_not_read() -> None:
    bomb = '<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">]>'
    with (
        answering(207, multistatus("/files/", "/files/imports/", doctype=bomb)) as login,
        pytest.raises(AccessDenied, match="no WebDAV server"),
    ):
        open_store("webdav", SYSTEM, login)


def test_a_redirect_to_elsewhere_is_not_followed() -> None:
    with (
        answering(207, multistatus("/files/", "/files/imports/")) as other,
        answering(301, "", Location=f"http://127.0.0.1:{other.port}/files/") as login,
        pytest.raises(AccessDenied, match="no WebDAV server"),
    ):
        open_store("webdav", SYSTEM, login)


def test_a_certificate_that_nobody_vouches_for_is_access_denied(
    webdav: Site, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    login = webdav.served.login
    monkeypatch.setenv("SSL_CERT_FILE", login.extra["ca_bundle"])
    other = str(tls.issue(tmp_path, "stranger").ca)
    with pytest.raises(AccessDenied, match="certificate is not trusted"):
        open_store("webdav", SYSTEM, replace(login, extra={"root": "files", "ca_bundle": other}))


def test_a_wrong_password_is_access_denied_and_not_repeated_in_the_message(webdav: Site) -> None:
    login = webdav.served.login
    with pytest.raises(AccessDenied, match="refused our login") as denied:
        open_store("webdav", SYSTEM, replace(login, password=WRONG))
    assert WRONG not in str(denied.value)
