"""What becomes of a client when the line to its server is cut? A relay that can be cut and mended."""

from __future__ import annotations

import socket
import threading
from contextlib import suppress

from tests.servers.running import HOST

_CHUNK = 64 * 1024


class Wire:
    """Connections to a port of loopback, passed on. Cut, all there are end, and new ones end at once."""

    def __init__(self, port: int) -> None:
        self._target = port
        self._is_cut = False
        self.heard: bytearray | None = None
        self._ends: list[socket.socket] = []
        self._listener = socket.create_server((HOST, 0))
        self.port = int(self._listener.getsockname()[1])
        threading.Thread(target=self._accept, daemon=True).start()

    def cut(self) -> None:
        self._is_cut = True
        ends, self._ends = self._ends, []
        for end in ends:
            _end(end)

    def mend(self) -> None:
        self._is_cut = False

    def listen(self) -> bytearray:
        """Everything that crosses from now on."""
        self.heard = bytearray()
        return self.heard

    def close(self) -> None:
        self.cut()
        self._listener.close()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            if self._is_cut:
                client.close()
                continue
            server = socket.create_connection((HOST, self._target))
            for end in (client, server):
                end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self._ends += [client, server]
            for source, target in ((client, server), (server, client)):
                threading.Thread(target=_pass_on, args=(self, source, target), daemon=True).start()


def _pass_on(wire: Wire, source: socket.socket, target: socket.socket) -> None:
    with suppress(OSError):
        while content := source.recv(_CHUNK):
            if wire.heard is not None:
                wire.heard += content
            target.sendall(content)
    _end(target)


def _end(one: socket.socket) -> None:
    with suppress(OSError):
        one.shutdown(socket.SHUT_RDWR)
    one.close()
