"""A document server on a folder of the test's own, whose calls a test can count and step into."""

from __future__ import annotations

import os
from collections.abc import Callable
from concurrent.futures import Future
from pathlib import Path

from connectors.documents import DocumentsConnector
from connectors.documents.formats import reading
from connectors.documents.formats.reading import Content
from connectors.documents.stores.local import LocalStore
from connectors.documents.stores.store import Entry
from retention.vocabulary import DataClass, LawfulBasis

TOP = "letters"
FOLDERS = {TOP: (DataClass.DOCUMENT, LawfulBasis.CONSENT)}


class HereReader:
    """Reads in this process: what the processes of readers promise has tests of its own."""

    def __init__(self) -> None:
        self.names: list[str] = []

    def read(self, name: str, content: bytes) -> Content:
        self.names.append(name)
        return reading.read(name, content)

    def begin(self, name: str, content: bytes) -> Future[Content]:
        future: Future[Content] = Future()
        future.set_result(self.read(name, content))
        return future

    def close(self) -> None:
        pass


class SteppedStore(LocalStore):
    """A disk that calls a test back after each answer, before anybody has seen it."""

    def __init__(self, root: Path, system: str, after: Callable[[], None] = lambda: None) -> None:
        super().__init__(os.fspath(root), system)
        self.opened: list[str] = []
        self._after = after

    def list(self, folder: str) -> list[Entry]:
        entries = super().list(folder)
        self._after()
        return entries

    def read(self, path: str, most: int | None = None) -> bytes:
        self.opened.append(path)
        content = super().read(path, most)
        self._after()
        return content


def on_disk(store: SteppedStore, page_size: int = 3) -> DocumentsConnector:
    """A connector with small pages."""
    return DocumentsConnector(store, FOLDERS, reader=HereReader(), page_size=page_size)  # type: ignore[arg-type]


def put(root: Path, path: str, text: str) -> None:
    """Write a file as somebody does: its time is another one each time."""
    at = root / path
    at.parent.mkdir(parents=True, exist_ok=True)
    at.write_text(text, encoding="utf-8")
    stamp = os.stat(at).st_mtime_ns
    put.count = getattr(put, "count", 0) + 1  # type: ignore[attr-defined]
    os.utime(at, ns=(stamp, stamp + put.count * 1_000_000))  # type: ignore[attr-defined]
