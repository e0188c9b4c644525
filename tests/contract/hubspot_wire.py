"""A loopback server that answers the HubSpot connector exactly what it is told, byte by byte."""

from __future__ import annotations

import json
import socket
import ssl
import threading
import traceback
from collections import deque
from collections.abc import Sequence

from connectors.hubspot import HubSpotClient, Pace, connect
from connectors.hubspot.client import SCOPES
from retention.vocabulary import (
    Action,
    Outcome,
    RecordRef,
    Step,
)
from sandbox.tls import TlsFiles

TOKEN = "pat-made-up-0000"
ADDRESS = "o'brien+news/1@example.com"
GRANTED = sorted(scope for needed in SCOPES for scope in needed)


def http(status: str, body: bytes = b"", kind: str = "application/json", *headers: str, length: int = -1) -> bytes:
    """An answer as it goes over the wire; `length` announces more than comes."""
    lines = [f"HTTP/1.1 {status}", f"Content-Type: {kind}", f"Content-Length: {max(length, len(body))}"]
    return "\r\n".join([*lines, *headers, "Connection: close", "", ""]).encode() + body


def token_info(**given: object) -> bytes:
    info = {"userId": 1, "hubId": 147, "appId": 2, "scopes": GRANTED} | given
    return http("200 OK", json.dumps(info).encode())


HANG_UP = b""
EMPTY = http("200 OK", b'{"results": [], "total": 0}')
DELETED = http("204 No Content")


class Wire:
    """A loopback server that gives prepared bytes, the last ones for ever, and remembers the requests."""

    def __init__(self, tls: TlsFiles | None = None) -> None:
        self.answers: deque[bytes] = deque([token_info()])
        self.requests: list[str] = []
        self._context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH) if tls else None
        if tls and self._context:
            self._context.load_cert_chain(tls.certificate, tls.key)
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.url = f"{'https' if tls else 'http'}://127.0.0.1:{self._socket.getsockname()[1]}"
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def says(self, *answers: bytes) -> None:
        self.answers = deque(answers)
        self.requests.clear()

    def lines(self) -> list[str]:
        """Method and path of each request."""
        return [request.split(" HTTP", 1)[0] for request in self.requests]

    def close(self) -> None:
        self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()
        self._thread.join(timeout=5)

    def _serve(self) -> None:
        while True:
            try:
                connection, _ = self._socket.accept()
            except OSError:
                return
            if self._context:
                try:
                    connection = self._context.wrap_socket(connection, server_side=True)
                except OSError:
                    continue
            with connection:
                self.requests.append(_request(connection))
                connection.sendall(self.answers.popleft() if len(self.answers) > 1 else self.answers[0])


def _request(connection: socket.socket) -> str:
    received = b""
    while b"\r\n\r\n" not in received:
        received += connection.recv(65536)
    head, _, body = received.partition(b"\r\n\r\n")
    length = next((int(h[15:]) for h in head.decode().lower().split("\r\n") if h.startswith("content-length:")), 0)
    while len(body) < length:
        body += connection.recv(65536)
    return f"{head.decode()}\r\n\r\n{body.decode()}"


def client_on(wire: Wire, token: str = TOKEN) -> HubSpotClient:
    return connect(token, wire.url, timeout=5, pace=Pace(pause=lambda seconds: None))


def text_of(error: BaseException) -> str:
    return "".join(traceback.format_exception(error)) + repr(error)


VERSION = "2026-11-20T10:00:00.000Z"


def answers(body: object, status: str = "200 OK") -> bytes:
    return http(status, json.dumps(body).encode())


def row(key: str, **properties: str) -> dict[str, object]:
    return {"id": key, "properties": properties, "createdAt": VERSION, "updatedAt": VERSION, "archived": False}


def rows(*keys: str) -> bytes:
    return answers({"status": "COMPLETE", "results": [row(key) for key in keys]})


def mixed(*keys: str, **errors: str) -> bytes:
    """A batch's answer with results and, by category, an id each that has none."""
    said = [
        {"status": "error", "category": category, "message": ADDRESS, "context": {"ids": [key]}}
        for category, key in errors.items()
    ]
    results = [row(key) for key in keys]
    return answers({"status": "COMPLETE", "results": results, "numErrors": len(said), "errors": said}, "207 Mixed")


def steps(action: Action, *keys: str) -> list[Step]:
    return [Step(key, RecordRef("crm", "contact", key, VERSION), action, fields=("phone",)) for key in keys]


def verdicts(outcomes: Sequence[Outcome]) -> list[tuple[str, str]]:
    return [(outcome.status.value, outcome.reason.value) for outcome in outcomes]


def hits(*keys: str, total: int) -> bytes:
    return answers({"total": total, "results": [row(key, hs_email_optout="true", email=ADDRESS) for key in keys]})
