"""Who opens the files? A process of its own that can be killed; where a worker has cores to spare, a few of them.

All verbs may be called from several threads at once. `begin` goes on while a file is read, so that one thread can
fetch the next from the server; it waits where too many are begun, so that memory is bounded.
"""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Collection, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import asdict
from typing import Any

from connectors.documents.formats.reading import Content
from connectors.documents.formats.reading_child import ASKED_AT_ONCE, Answer, ReadingChild
from connectors.documents.redacting.redacted import Cut, Redacted
from connectors.documents.sought import Sought
from retention.vocabulary import GapCode, Identifier, IdentifierKind

PROCESSES = 1
"""Several workers read a server's parts side by side: a second process each would be in their way."""


class Reader:
    """Reads and redacts file contents in processes apart."""

    def __init__(self, *, seconds: float = 60.0, processes: int = PROCESSES, sought: Sought | None = None) -> None:
        self._sought = asdict(sought or Sought())
        self._processes = processes
        self._children = [ReadingChild(seconds) for _ in range(processes)]
        self._asked: Counter[ReadingChild] = Counter()
        self._choosing = threading.Lock()
        self._begun = threading.BoundedSemaphore(ASKED_AT_ONCE * processes)
        self._threads: ThreadPoolExecutor | None = None

    def read(self, name: str, content: bytes) -> Content:
        """What a file of this name says; a file that kills its reader is a gap."""
        answer, _ = self._ask({"do": "read", "name": name, "sought": self._sought}, content)
        identifiers = tuple(Identifier(IdentifierKind(k), v) for k, v in answer.get("identifiers", ()))
        stamps = tuple((where, text) for where, text in answer.get("stamps", ()))
        gap = GapCode(answer["gap"]) if answer["gap"] else None
        return Content(identifiers, stamps, gap, answer["what"], partly=answer.get("partly", False))

    def begin(self, name: str, content: bytes) -> Future[Content]:
        """The same, later."""
        if self._threads is None:
            self._threads = ThreadPoolExecutor(ASKED_AT_ONCE * self._processes, thread_name_prefix="reader")
        self._begun.acquire()
        future = self._threads.submit(self.read, name, content)
        future.add_done_callback(lambda _: self._begun.release())
        return future

    def redacted(self, name: str, content: bytes, people: Collection[Identifier]) -> Redacted:
        """A file without what names these people, proven; or why it stays as it is."""
        asked = {"do": "redact", "name": name, "people": [[p.kind.value, p.value] for p in people]}
        answer, left = self._ask({**asked, "sought": self._sought}, content)
        return Redacted(Cut(answer["cut"]), left, answer["rows"]) if "cut" in answer else Redacted(Cut.UNCLEAR)

    def close(self) -> None:
        """End the processes once what was begun is done; the next file starts others."""
        threads, self._threads = self._threads, None
        if threads is not None:
            threads.shutdown()
        for child in self._children:
            child.close()

    def _ask(self, header: Mapping[str, Any], content: bytes) -> Answer:
        child = self._least_asked()
        try:
            return child.ask(header, content)
        finally:
            with self._choosing:
                self._asked[child] -= 1

    def _least_asked(self) -> ReadingChild:
        """Of equals the first: who reads one file after the other starts one process only."""
        with self._choosing:
            child = min(self._children, key=self._asked.__getitem__)
            self._asked[child] += 1
            return child
