"""How are letters taken in the sandbox? By a mail server that keeps what it is given, the control surface beside it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sandbox.control import Control
from sandbox.mail.server import MailServer
from sandbox.server import HOST, Options, announce, base_url, http_server, listen

SENDER = "privacy@harbour-ltd.example"


class Letters:
    """The letters taken so far, for the control surface."""

    def __init__(self, server: MailServer) -> None:
        self._server = server

    def state(self) -> Mapping[str, Any]:
        return {
            "letters": [
                {"to": one["To"], "subject": one["Subject"], "body": one.get_content()} for one in self._server.letters
            ]
        }

    def reset(self) -> None:
        self._server.letters.clear()

    def set_clock(self, now: datetime) -> None:
        """Letters bear no time of their own."""


def serve(options: Options) -> None:
    """Serve until SIGTERM or SIGINT."""
    server = MailServer(port=options.port).start()
    sock = listen(0)
    sock.listen()
    announce(options.name, f"smtp://{HOST}:{server.port}", None, {"sender": SENDER}, base_url(sock))
    http_server(Control(None, Letters(server))).run(sockets=[sock])
    server.stop()
