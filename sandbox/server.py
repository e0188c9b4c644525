"""How does an emulator come up? On loopback, with or without TLS, and with one line of JSON once it listens."""

from __future__ import annotations

import json
import socket
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import uvicorn
from starlette.types import ASGIApp

from sandbox.tls import TlsFiles

HOST = "127.0.0.1"


@dataclass(frozen=True)
class Options:
    """What `python -m sandbox NAME` was asked for."""

    name: str
    port: int
    seed: int
    scale: int
    as_of: date
    tls_dir: Path | None


def listen(port: int) -> socket.socket:
    """Bind a loopback socket before anything is announced, so that port 0 has become a real one."""
    sock = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    sock.bind((HOST, port))
    return sock


def port_of(sock: socket.socket) -> int:
    return int(sock.getsockname()[1])


def announce(
    name: str,
    base_url: str,
    ca: Path | None,
    credentials: Mapping[str, str],
    control: str | None = None,
) -> None:
    """Print the line a waiting parent reads; `/_sandbox` is served under `control` (default: `base_url`)."""
    line = {
        "name": name,
        "base_url": base_url,
        "ca": str(ca) if ca else None,
        "credentials": dict(credentials),
        "control": control or base_url,
    }
    sys.stdout.write(json.dumps(line) + "\n")
    sys.stdout.flush()


class _AnnouncingServer(uvicorn.Server):
    def __init__(self, config: uvicorn.Config, line: tuple[str, str, Path | None, Mapping[str, str]] | None) -> None:
        super().__init__(config)
        self._line = line

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        if self._line is not None and self.started:
            announce(*self._line)


def http_server(
    app: ASGIApp,
    tls: TlsFiles | None = None,
    line: tuple[str, str, Path | None, Mapping[str, str]] | None = None,
    *,
    dated: bool = True,
) -> uvicorn.Server:
    """A server to be run by `run(sockets=[...])`, also in a thread; `should_exit = True` ends it.

    `dated`: whether answers say the machine's time; an app that says the emulator's turns it off. `line` holds the
    arguments of `announce`; None announces nothing (a control surface beside another protocol).
    """
    config = uvicorn.Config(
        app,
        log_level="error",
        access_log=False,
        lifespan="off",
        proxy_headers=False,
        server_header=False,
        date_header=dated,
        timeout_graceful_shutdown=1,
        timeout_keep_alive=60,
        http="h11",
        # A vendor refuses an over-long address with an answer of its own; the parser must let it through to be refused.
        h11_max_incomplete_event_size=256 * 1024,
        ssl_certfile=str(tls.certificate) if tls else None,
        ssl_keyfile=str(tls.key) if tls else None,
    )
    return _AnnouncingServer(config, line)


def serve_http(
    app: ASGIApp,
    sock: socket.socket,
    *,
    name: str,
    credentials: Mapping[str, str],
    tls: TlsFiles | None = None,
    dated: bool = True,
) -> None:
    """Run the app on the bound socket until SIGTERM or SIGINT; requests under way get one second to end."""
    line = (name, base_url(sock, tls), tls.ca if tls else None, credentials)
    http_server(app, tls, line, dated=dated).run(sockets=[sock])


def base_url(sock: socket.socket, tls: TlsFiles | None = None) -> str:
    return f"{'https' if tls else 'http'}://{HOST}:{port_of(sock)}"
