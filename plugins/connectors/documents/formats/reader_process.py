"""What runs in the process that opens files? One file after another from a pipe, under limits the system enforces.

Nothing here writes to disk or to the network, and what goes wrong is answered by a code: a file's own text never
leaves in an error.
"""

from __future__ import annotations

import os
import resource
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from connectors.documents.formats import frames, reading
from connectors.documents.sought import Sought
from retention.vocabulary import GapCode, Identifier, IdentifierKind

MOST_MEMORY = 400 * 1024 * 1024
"""Beyond what the interpreter and its libraries take."""

SECONDS = 10
SECONDS_PER_MEGABYTE = 2


def serve() -> None:
    """Answer until the pipe is closed."""
    requests, answers = os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # whatever prints shall not stand between two answers
    most = _in_use() + MOST_MEMORY
    for limit, value in ((resource.RLIMIT_AS, most), (resource.RLIMIT_FSIZE, 0), (resource.RLIMIT_CORE, 0)):
        resource.setrlimit(limit, (value, value))
    frames.send(answers, {"ready": True})
    while (request := frames.receive(requests)) is not None:
        header, content = request
        _allow_seconds(SECONDS + SECONDS_PER_MEGABYTE * len(content) // 2**20)
        try:
            answer, body = _answer(header, content)
        except MemoryError:
            answer, body = {"gap": GapCode.TOO_LARGE.value, "what": "memory", "last": True}, b""
        except Exception:  # noqa: BLE001 - a file that breaks its reader is a damaged file, whatever the error says
            answer, body = {"gap": GapCode.DAMAGED.value, "what": "reader-failed"}, b""
        frames.send(answers, answer, body)
        if answer.get("last"):
            sys.exit(0)  # memory that ran out once is not whole again


def _answer(header: Mapping[str, Any], content: bytes) -> tuple[dict[str, Any], bytes]:
    sought = Sought(header["sought"]["phone_region"], tuple(header["sought"]["customer_numbers"]))
    if header["do"] == "redact":
        # Brings libraries that reading does without: only a process that redacts pays for them.
        from connectors.documents.redacting.redact import redact
        from connectors.documents.redacting.redacted import People

        people = [Identifier(IdentifierKind(kind), value) for kind, value in header["people"]]
        redacted = redact(header["name"], content, People.of(people, sought))
        return {"cut": redacted.cut.value, "rows": redacted.rows}, redacted.content
    found = reading.read(header["name"], content, sought)
    return {
        "gap": found.gap.value if found.gap else "",
        "what": found.what,
        "partly": found.partly,
        "identifiers": [[one.kind.value, one.value] for one in found.identifiers],
        "stamps": found.stamps,
    }, b""


def _in_use() -> int:
    """Address space taken by now, in bytes; the libraries of the formats come on top with their first file."""
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[0])
    return pages * resource.getpagesize()


def _allow_seconds(seconds: int) -> None:
    """Processor time for the next file, counted on from what the earlier ones took."""
    usage = resource.getrusage(resource.RUSAGE_SELF)
    soft = int(usage.ru_utime + usage.ru_stime) + seconds + 1
    _, hard = resource.getrlimit(resource.RLIMIT_CPU)
    resource.setrlimit(resource.RLIMIT_CPU, (soft, hard))
