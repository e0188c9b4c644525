"""How often is a server asked? One connection, opened when needed; a question twice at most, a change once."""

from __future__ import annotations

from collections.abc import Callable
from typing import Generic, TypeVar

from connectors.documents.stores.store import Lost
from retention.contract import Unavailable

Connection = TypeVar("Connection")
T = TypeVar("T")


class Line(Generic[Connection]):
    """A connection to one server: `opening` raises `Lost` or `AccessDenied`, and so does each call of it."""

    def __init__(self, system: str, opening: Callable[[], Connection], closing: Callable[[Connection], object]) -> None:
        self._system = system
        self._opening = opening
        self._closing = closing
        self._connection: Connection | None = None

    def connect(self) -> None:
        """Open it if it is not."""
        try:
            self._opened()
        except Lost:
            raise self._unavailable() from None

    def close(self) -> None:
        """Let go of it; the next call opens another."""
        connection, self._connection = self._connection, None
        if connection is not None:
            self._closing(connection)

    def read(self, call: Callable[[Connection], T]) -> T:
        """Ask; once more over a new connection if no answer comes."""
        try:
            return self._once(call)
        except Lost:
            try:
                return self._once(call)
            except Lost:
                raise self._unavailable() from None

    def change(self, call: Callable[[Connection], T]) -> T:
        """Do something once."""
        self.connect()
        return self._once(call)

    def _once(self, call: Callable[[Connection], T]) -> T:
        connection = self._opened()
        try:
            return call(connection)
        except Lost:
            self.close()
            raise

    def _opened(self) -> Connection:
        if self._connection is None:
            self._connection = self._opening()
        return self._connection

    def _unavailable(self) -> Unavailable:
        return Unavailable(f"{self._system}: the document server does not answer; look whether it runs, and try later")
