"""Does a connection trust only whom it was told to, whatever the environment says, and get its token the right way?"""

from __future__ import annotations

import json
import socket
import ssl
import threading
import traceback
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import NameOID

from connectors.microsoft365 import Microsoft365Connector, Pace, connect
from connectors.microsoft365.graph import Graph
from connectors.microsoft365.transport import Transport, client
from retention.contract import AccessDenied, ConnectorError, Unavailable
from sandbox import tls
from tests.contract.microsoft365_world import SCOPE, SYSTEM, Tokens

SECRET = "-".join(("made", "up", "secret"))
NONSENSE = ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE", "HTTPS_PROXY", "ALL_PROXY")


@dataclass
class Stub:
    """An authority and a Graph without users, on one port."""

    base: str = ""
    ca: str = ""
    asked: list[str] = field(default_factory=list)
    told: list[Mapping[str, list[str]]] = field(default_factory=list)
    token: Mapping[str, Any] = field(default_factory=lambda: {"access_token": "t-1", "expires_in": 3600})

    def connector(self, **changed: Any) -> Microsoft365Connector:
        given: dict[str, Any] = {
            "tenant": "tenant-1",
            "client_id": "client-1",
            "credential": SECRET,
            "scope": SCOPE,
            "base_url": f"{self.base}/v1.0",
            "authority": self.base,
            "ca_bundle": self.ca,
        }
        return connect(SYSTEM, **{**given, **changed})


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> tls.TlsFiles:
    return tls.issue(tmp_path_factory.mktemp("tls"), "graph")


@pytest.fixture
def stub(files: tls.TlsFiles) -> Iterator[Stub]:
    stub = Stub(ca=str(files.ca))

    class Handler(BaseHTTPRequestHandler):
        def answer(self) -> None:
            stub.asked.append(f"{self.command} {self.path}")
            size = int(self.headers.get("Content-Length") or 0)
            if size:
                stub.told.append(parse_qs(self.rfile.read(size).decode()))
            root = f"{stub.base}/tenant-1"
            body: Mapping[str, Any] = {"value": []}
            if "openid-configuration" in self.path:
                ends = {"token_endpoint": f"{root}/oauth2/v2.0/token", "authorization_endpoint": f"{root}/authorize"}
                body = {**ends, "issuer": f"{root}/v2.0"}
            elif self.path.endswith("/token"):
                body = stub.token
            content = json.dumps(body).encode()
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        do_GET = do_POST = answer

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(files.certificate, files.key)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    stub.base = f"https://localhost:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield stub
    server.shutdown()
    server.server_close()
    thread.join()


def test_msal_asks_the_given_authority_and_nobody_else(stub: Stub, monkeypatch: pytest.MonkeyPatch) -> None:
    looked_up: list[str] = []
    real = socket.getaddrinfo

    def watch(host: Any, *rest: Any, **how: Any) -> Any:
        looked_up.append(str(host))
        return real(host, *rest, **how)

    monkeypatch.setattr(socket, "getaddrinfo", watch)
    assert [page.findings for page in stub.connector().changes(None)] == [()]
    assert set(looked_up) == {"localhost"}
    assert [one.partition("?")[0] for one in stub.asked] == [
        "GET /tenant-1/v2.0/.well-known/openid-configuration",
        "POST /tenant-1/oauth2/v2.0/token",
        "GET /v1.0/users",
    ]
    (form,) = stub.told
    assert form["grant_type"] == ["client_credentials"]
    assert form["scope"] == [f"{stub.base}/.default"]


def test_a_certificate_takes_the_place_of_the_secret(stub: Stub, files: tls.TlsFiles, tmp_path: Path) -> None:
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "retention")])
    now = datetime.now(UTC)
    built = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
    dated = built.serial_number(1).not_valid_before(now).not_valid_after(now + timedelta(days=1))
    certificate = dated.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM).decode()
    pem = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    ).decode()
    connector = stub.connector(credential={"private_key": pem, "public_certificate": certificate})
    assert [page.findings for page in connector.changes(None)] == [()]
    (form,) = stub.told
    assert form["client_assertion_type"] == ["urn:ietf:params:oauth:client-assertion-type:jwt-bearer"]
    assert "client_secret" not in form


def test_a_certificate_that_is_none_is_access_denied_and_not_shown(stub: Stub) -> None:
    with pytest.raises(AccessDenied, match="credential is not usable") as denied:
        list(stub.connector(credential={"private_key": SECRET, "public_certificate": SECRET}).changes(None))
    assert SECRET not in "".join(traceback.format_exception(denied.value))


@pytest.mark.parametrize("name", NONSENSE)
def test_nonsense_in_the_environment_does_not_break_tls(
    stub: Stub, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, name: str
) -> None:
    monkeypatch.setenv(name, "http://127.0.0.1:1" if "PROXY" in name else str(tmp_path / "nonsense.pem"))
    assert [page.findings for page in stub.connector().changes(None)] == [()]


@pytest.mark.parametrize("name", NONSENSE)
def test_the_right_authority_in_the_environment_does_not_weaken_tls(
    stub: Stub, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, name: str
) -> None:
    other = tls.issue(tmp_path, "another")
    monkeypatch.setenv(name, stub.ca)
    with pytest.raises(Unavailable, match="CA bundle"):
        list(stub.connector(ca_bundle=str(other.ca)).changes(None))
    assert stub.asked == []


@pytest.mark.parametrize("name", NONSENSE)
def test_a_graph_that_is_not_trusted_gets_no_token(
    stub: Stub, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, name: str
) -> None:
    monkeypatch.setenv(name, stub.ca)
    other = tls.issue(tmp_path, "another")
    transport = Transport(client(str(other.ca)), Tokens(), SYSTEM, f"{stub.base}/v1.0")
    with pytest.raises(Unavailable, match="CA bundle"):
        Graph(transport, Pace(pause=lambda _: None)).get("/users", what="listing users")
    assert stub.asked == []


@pytest.mark.parametrize(
    ("token", "expected"),
    [
        ({"error": "invalid_client", "error_description": "AADSTS7000215: somebody@example.com"}, AccessDenied),
        ({"error": "unauthorized_client"}, AccessDenied),
        ({"error": "temporarily_unavailable"}, Unavailable),
        ({}, Unavailable),
    ],
)
def test_a_refused_token_says_what_to_look_at_and_nothing_of_the_tenant(
    stub: Stub, token: Mapping[str, Any], expected: type[ConnectorError]
) -> None:
    stub.token = token
    with pytest.raises(expected, match=SYSTEM) as refused:
        list(stub.connector().changes(None))
    assert "somebody@example.com" not in str(refused.value)
    assert SECRET not in str(refused.value)


@pytest.mark.parametrize("lacking", ["tenant", "client_id", "credential"])
def test_a_connection_that_lacks_something_says_so_before_any_call(stub: Stub, lacking: str) -> None:
    with pytest.raises(AccessDenied, match="needs tenant, client id, a credential"):
        stub.connector(**{lacking: ""})
    assert stub.asked == []


@pytest.mark.parametrize("part", ["authority", "base_url"])
def test_nothing_is_asked_without_tls(stub: Stub, part: str) -> None:
    with pytest.raises(AccessDenied, match="https"):
        stub.connector(**{part: stub.base.replace("https", "http")})
    assert stub.asked == []


def test_a_host_that_is_not_there_is_unavailable(stub: Stub) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        with pytest.raises(Unavailable, match="authority does not answer"):
            list(stub.connector(authority=f"https://localhost:{unused.getsockname()[1]}").changes(None))
