"""How is the process that opens files started, asked and ended? Each file within a time, the next one behind it.

`subprocess`, since the children of `multiprocessing` are forbidden where a task itself runs in a daemonic process. The
child gets no environment (it holds the parent's secrets) and ends when its pipe closes.
"""

from __future__ import annotations

import select
import signal
import subprocess
import sys
import threading
from collections.abc import Mapping
from io import FileIO
from pathlib import Path
from typing import IO, Any

from connectors.documents.formats import frames
from retention.vocabulary import GapCode

_IMPORT_ROOT = Path(__file__).resolve().parents[3]
_CHILD = "connectors.documents.formats.reader_process"
_START = f"import sys; sys.path.insert(0, sys.argv[1]); from {_CHILD} import serve; serve()"
FILES_PER_PROCESS = 2_000
ASKED_AT_ONCE = 2
"""While one file is read, the next one lies in the pipe already: the process never waits for us."""
_SECONDS_TO_START = 60.0
# Libraries in C++ abort where memory runs out.
_OF_LIMITS = (-signal.SIGKILL, -signal.SIGXCPU, -signal.SIGABRT)
Answer = tuple[Mapping[str, Any], bytes]


class ReaderBroken(Exception):
    """The reading process does not start: nothing can be read, whatever the files are."""


class ReadingChild:
    """One process, replaced when it dies and after many files.

    Questions are sent one after the other and answered in that order. Who sends holds `_sending`, and lets it go only
    with `_answering` in hand: the question before has its answer then, or has ended the process.
    """

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._sending = threading.Lock()
        self._answering = threading.Lock()
        self._running: _Running | None = None

    @property
    def pid(self) -> int | None:
        """The process that runs now, if one does."""
        running = self._running
        return running.process.pid if running is not None else None

    def ask(self, header: Mapping[str, Any], content: bytes) -> Answer:
        """What it answers; a file that kills it is a gap. May be called from several threads at once."""
        while True:
            with self._sending:
                running = self._ready()
                running.send(header, content)
                self._answering.acquire()
            try:
                if not running.ended:  # by the file before: this one was never looked at
                    return running.answer(self._seconds)
            finally:
                self._answering.release()

    def close(self) -> None:
        """End the process once it has answered; the next file starts another."""
        with self._sending, self._answering:
            self._close()

    def _ready(self) -> _Running:
        if (running := self._running) is not None and (running.ended or running.files >= FILES_PER_PROCESS):
            with self._answering:
                self._close()
        if self._running is None:
            self._running = _started()
        return self._running

    def _close(self) -> None:
        running, self._running = self._running, None
        if running is not None:
            running.close()


class _Running:
    """A process, and whether it can be asked any more."""

    def __init__(self, process: subprocess.Popen[bytes], questions: IO[bytes], answers: IO[bytes]) -> None:
        self.process = process
        self.files = 0
        self.ended = False
        self._questions = questions
        self._answers = answers
        # An answer comes as a whole, so its first byte says that it is there; one read ahead would be waited for.
        self._unbuffered = FileIO(answers.fileno(), closefd=False)

    def send(self, header: Mapping[str, Any], content: bytes) -> None:
        """Put a question; one that does not reach the process is one that is not answered."""
        self.files += 1
        try:
            frames.send(self._questions, header, content)
        except (OSError, ValueError):
            return

    def answer(self, seconds: float) -> Answer:
        """The answer to the oldest question; a gap if the process died on it or was killed for taking too long."""
        answer = self.within(seconds)
        if answer is None:
            self.ended = True
            code = GapCode.TOO_LARGE if self.process.wait() in _OF_LIMITS else GapCode.DAMAGED
            return {"gap": code.value, "what": "reader-killed"}, b""
        if answer[0].get("last"):
            self.ended = True
        return answer

    def within(self, seconds: float) -> Answer | None:
        """What the process says within a time; None: nothing, and it is no more."""
        try:
            waiting = select.poll()
            waiting.register(self._unbuffered, select.POLLIN)
            answer = frames.receive(self._unbuffered) if waiting.poll(seconds * 1000) else None
        except (OSError, ValueError, frames.Broken):
            answer = None
        if answer is None:
            self.process.kill()
        return answer

    def close(self) -> None:
        """End it."""
        self.process.kill()
        for pipe in (self._questions, self._answers):
            try:
                pipe.close()
            except OSError:  # what was still in the buffer reaches nobody
                continue
        self.process.wait()


def _started() -> _Running:
    process = subprocess.Popen(
        [sys.executable, "-I", "-c", _START, str(_IMPORT_ROOT)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        cwd="/",
        env={"LANG": "C.UTF-8"},
    )
    if process.stdin is None or process.stdout is None:
        raise ReaderBroken("the process that reads files has no pipes")
    running = _Running(process, process.stdin, process.stdout)
    if running.within(_SECONDS_TO_START) is None:
        running.close()
        raise ReaderBroken("the process that reads files does not start: check the worker's Python installation")
    return running
