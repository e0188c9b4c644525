"""Who opens the files? A process of its own that can be killed: one for many files, replaced when it dies.

`subprocess`, since the children of `multiprocessing` are forbidden where a task itself runs in a daemonic process. The
child gets no environment (it holds the parent's secrets) and ends when its pipe closes.
"""

from __future__ import annotations

import signal
import subprocess
import sys
import threading
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

from connectors.documents import frames
from connectors.documents.reading import Content, FileKind
from connectors.documents.table import Cut, Redacted
from retention.vocabulary import GapCode, Identifier, IdentifierKind

_IMPORT_ROOT = Path(__file__).resolve().parents[2]
_START = "import sys; sys.path.append(sys.argv[1]); from connectors.documents.reader_process import serve; serve()"
FILES_PER_PROCESS = 500
_SECONDS_TO_START = 60.0


class ReaderBroken(Exception):
    """The reading process does not start: nothing can be read, whatever the files are."""


class Reader:
    """Reads and redacts file contents in a process apart."""

    def __init__(self, *, seconds: float = 60.0) -> None:
        self._seconds = seconds
        self._process: subprocess.Popen[bytes] | None = None
        self._files = 0

    def read(self, kind: FileKind, content: bytes) -> Content:
        """What a file says; a file that kills its reader is a gap."""
        answer, _ = self._ask({"do": "read", "kind": kind.value}, content)
        if answer["gap"]:
            return Content(gap=GapCode(answer["gap"]), what=answer["what"])
        identifiers = tuple(Identifier(IdentifierKind(k), v) for k, v in answer["identifiers"])
        return Content(identifiers, tuple((name, text) for name, text in answer["stamps"]))

    def without_rows_of(self, content: bytes, people: Collection[Identifier]) -> Redacted:
        """A csv file without the rows of these people."""
        answer, left = self._ask({"do": "redact", "people": [[p.kind.value, p.value] for p in people]}, content)
        return Redacted(Cut(answer["cut"]), left, answer["rows"]) if "cut" in answer else Redacted(Cut.UNCLEAR)

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

    def _ask(self, header: Mapping[str, Any], content: bytes) -> tuple[Mapping[str, Any], bytes]:
        if self._files >= FILES_PER_PROCESS:
            self.close()
        process = self._process or self._started()
        self._files += 1
        answer = self._within(self._seconds, process, header, content)
        if answer is None:
            ended = process.wait()
            self.close()
            limits = (-signal.SIGKILL, -signal.SIGXCPU)
            code = GapCode.TOO_LARGE if ended in limits else GapCode.DAMAGED
            return {"gap": code.value, "what": "reader-killed"}, b""
        if answer[0].get("last"):
            self.close()
        return answer

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
    ) -> tuple[dict[str, Any], bytes] | None:
        """One question and its answer; None if the process died on it or was killed for taking too long."""
        if process.stdin is None or process.stdout is None:
            return None
        guard = threading.Timer(seconds, process.kill)
        guard.daemon = True
        guard.start()
        try:
            if header is not None:
                frames.send(process.stdin, header, content)
            answer = frames.receive(process.stdout)
        except (OSError, ValueError, frames.Broken):
            answer = None
        finally:
            guard.cancel()
        if answer is None:
            process.kill()
        return answer
