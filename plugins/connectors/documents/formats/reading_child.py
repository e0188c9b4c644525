"""How is the process that opens files started, asked and ended? One of them: one question at a time, within a time.

`subprocess`, since the children of `multiprocessing` are forbidden where a task itself runs in a daemonic process. The
child gets no environment (it holds the parent's secrets) and ends when its pipe closes.
"""

from __future__ import annotations

import select
import signal
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from connectors.documents.formats import frames
from retention.vocabulary import GapCode

_IMPORT_ROOT = Path(__file__).resolve().parents[3]
_CHILD = "connectors.documents.formats.reader_process"
_START = f"import sys; sys.path.insert(0, sys.argv[1]); from {_CHILD} import serve; serve()"
FILES_PER_PROCESS = 2_000
_SECONDS_TO_START = 60.0
Answer = tuple[Mapping[str, Any], bytes]


class ReaderBroken(Exception):
    """The reading process does not start: nothing can be read, whatever the files are."""


class ReadingChild:
    """One process, replaced when it dies and after many files."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._process: subprocess.Popen[bytes] | None = None
        self._files = 0

    @property
    def pid(self) -> int | None:
        """The process that runs now, if one does."""
        return self._process.pid if self._process is not None else None

    def ask(self, header: Mapping[str, Any], content: bytes) -> Answer:
        """What it answers; a file that kills it is a gap."""
        if self._files >= FILES_PER_PROCESS:
            self.close()
        process = self._process or self._started()
        self._files += 1
        answer = self._within(self._seconds, process, header, content)
        if answer is None:
            ended = process.wait()
            self.close()
            # Libraries in C++ abort where memory runs out.
            limits = (-signal.SIGKILL, -signal.SIGXCPU, -signal.SIGABRT)
            code = GapCode.TOO_LARGE if ended in limits else GapCode.DAMAGED
            return {"gap": code.value, "what": "reader-killed"}, b""
        if answer[0].get("last"):
            self.close()
        return answer

    def close(self) -> None:
        """End the process; the next file starts another."""
        process, self._process, self._files = self._process, None, 0
        if process is None:
            return
        process.kill()
        for pipe in (process.stdin, process.stdout):
            if pipe is not None:
                try:
                    pipe.close()
                except OSError:  # what was still in the buffer reaches nobody
                    continue
        process.wait()

    def _started(self) -> subprocess.Popen[bytes]:
        process = subprocess.Popen(
            [sys.executable, "-I", "-c", _START, str(_IMPORT_ROOT)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            cwd="/",
            env={"LANG": "C.UTF-8"},
        )
        self._process = process
        if self._within(_SECONDS_TO_START, process, None, b"") is None:
            self.close()
            raise ReaderBroken("the process that reads files does not start: check the worker's Python installation")
        return process

    def _within(
        self, seconds: float, process: subprocess.Popen[bytes], header: Mapping[str, Any] | None, content: bytes
    ) -> Answer | None:
        """One question and its answer; None if the process died on it or was killed for taking too long."""
        if process.stdin is None or process.stdout is None:
            return None
        try:
            if header is not None:
                frames.send(process.stdin, header, content)
            # An answer comes as a whole, so its first byte says that it is there; nothing is buffered between two.
            waiting = select.poll()
            waiting.register(process.stdout, select.POLLIN)
            answer = frames.receive(process.stdout) if waiting.poll(seconds * 1000) else None
        except (OSError, ValueError, frames.Broken):
            answer = None
        if answer is None:
            process.kill()
        return answer
