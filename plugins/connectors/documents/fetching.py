"""Who fetches files while others are read? A few sessions side by side: over a network, waiting is most of the work.

What is fetched ahead is bounded in files and in bytes, and handed over in the order it was asked for.
"""

from __future__ import annotations

import queue
from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from typing import TypeVar

from connectors.documents.stores.store import Failed, FileStore, Forbidden, Missing, StoreError, TooLarge

T = TypeVar("T")
SESSIONS = 4
_FILES_AHEAD = 2 * SESSIONS
_BYTES_AHEAD = 48 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Fetched:
    """A file's bytes and those of its alternate streams; or why there are none. `Missing` streams are gone, too."""

    content: bytes = field(default=b"", repr=False)
    streams: tuple[bytes, ...] = field(default=(), repr=False)
    error: StoreError | None = None
    stream_error: bool = False


class Fetcher:
    """Reads files in other threads, each over a session of its own; the first is the store's."""

    def __init__(self, store: FileStore, largest: int, sessions: int = SESSIONS) -> None:
        self._store = store
        self._largest = largest
        self._others: list[FileStore] = []
        self._idle: queue.LifoQueue[FileStore | None] = queue.LifoQueue()
        for _ in range(sessions - 1):
            self._idle.put(None)
        self._idle.put(store)
        self._threads = ThreadPoolExecutor(sessions, thread_name_prefix="fetcher")

    def each(self, files: Iterable[T], at: Callable[[T], str], size: Callable[[T], int]) -> Iterator[tuple[T, Fetched]]:
        """Every file with what was fetched of it, in order."""
        ahead: deque[tuple[T, int, Future[Fetched]]] = deque()
        in_flight = 0
        for file in files:
            while ahead and (len(ahead) >= _FILES_AHEAD or in_flight + size(file) > _BYTES_AHEAD):
                one, its, future = ahead.popleft()
                yield one, future.result()
                in_flight -= its
            ahead.append((file, size(file), self._threads.submit(self._fetch, at(file))))
            in_flight += size(file)
        while ahead:
            one, _, future = ahead.popleft()
            yield one, future.result()

    def close(self) -> None:
        """Let go of the further sessions once they are done."""
        self._threads.shutdown(cancel_futures=True)
        for store in self._others:
            store.close()

    def _fetch(self, path: str) -> Fetched:
        store = self._idle.get() or self._another()
        try:
            return _content_of(store, path, self._largest)
        finally:
            self._idle.put(store)

    def _another(self) -> FileStore:
        store = self._store.another()
        if store is not self._store:
            self._others.append(store)
        return store


def _content_of(store: FileStore, path: str, largest: int) -> Fetched:
    try:
        content, parts = store.read_with_parts(path, largest)
    except (Missing, TooLarge, Forbidden, Failed) as error:
        return Fetched(error=error)
    if parts is None:
        return Fetched(content, stream_error=True)
    try:
        return Fetched(content, tuple(store.read(part, largest) for part in parts))
    except (Missing, TooLarge, Forbidden, Failed):
        return Fetched(content, stream_error=True)


def one_ahead(items: Generator[T]) -> Iterator[T]:
    """The same items; while one is dealt with, the next is made in another thread."""
    with ThreadPoolExecutor(1, thread_name_prefix="ahead") as thread:
        coming = thread.submit(next, items, None)
        try:
            while (item := coming.result()) is not None:
                coming = thread.submit(next, items, None)
                yield item
        finally:
            wait([coming])
            items.close()
