"""What is an exported log to damage, and how is it damaged by somebody who knows the format?"""

from __future__ import annotations

import importlib.util
import json
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import ModuleType

from retention.audit import (
    Chain,
    Checkpoint,
    Entry,
    Event,
    Link,
    Role,
    SigningKey,
    leaf_hash,
    root,
    sign,
    write_export,
)
from retention.vocabulary import DataClass, OutcomeStatus, Presence, Reason

TOOL = Path(__file__).parents[3] / "tools" / "verify_audit.py"
KEY = SigningKey("log.example/audit", bytes(range(32)))
THIEF = SigningKey("log.example/audit", bytes(range(1, 33)))
AT = datetime(2026, 11, 22, 2, 0, tzinfo=UTC)
SIZES = (4, 9, 14)  # what the checkpoints of `log` are signed for
Run = Callable[..., tuple[int, str]]


def load() -> ModuleType:
    spec = importlib.util.spec_from_file_location("verify_audit", TOOL)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


CHECKER = load()


def things(count: int, salt: str = "0") -> Iterator[Entry]:
    for number in range(count):
        yield Entry(
            AT + timedelta(seconds=number),
            Event.VERIFIED,
            run="sweep-2026-11-22",
            reference="hold-000017",
            plan_digest="a" * 64,
            item=f"plan-ab12:{number}",
            case_key=f"000000000000000{salt}",
            system="salesforce",
            record=f"{number:064x}",
            data_classes=(DataClass.MARKETING_PROFILE, DataClass.USAGE_DATA),
            decision="erase",
            reasons=("RET_EXPIRED",),
            articles=("5(1)(e)", "17(1)(a)"),
            policy_digest="b" * 64,
            code_version="0.1.0",
            actor="schedule",
            role=Role.EXECUTOR,
            approver="dpo",
            request_ids=(f"750xx{number:010}",),
            before=Presence.PRESENT,
            after=Presence.ABSENT,
            outcome=OutcomeStatus.DONE,
            outcome_reason=Reason.OK,
            count=number,
        )


def links(count: int, salt: str = "0") -> list[Link]:
    return list(Chain().append(things(count, salt)))


def note(leaves: Sequence[bytes], size: int, key: SigningKey = KEY) -> str:
    return sign(Checkpoint(key.name, size, root(leaves[:size])), key)


def export(folder: Path, log: Sequence[Link], sizes: Sequence[int] = SIZES, key: SigningKey = KEY) -> Path:
    leaves = [link.leaf for link in log]
    write_export(folder, [(link.body, link.leaf) for link in log], [(size, note(leaves, size, key)) for size in sizes])
    return folder


def by_itself(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-I", str(TOOL), *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False, cwd="/")


def lines(folder: Path) -> list[bytes]:
    return (folder / "entries.jsonl").read_bytes().splitlines(keepends=True)


def put(folder: Path, changed: Sequence[bytes], *, hashes_too: bool = False) -> None:
    (folder / "entries.jsonl").write_bytes(b"".join(changed))
    if hashes_too:
        hashes = b"".join(leaf_hash(line[:-1]).hex().encode() + b"\n" for line in changed)
        (folder / "leaves.txt").write_bytes(hashes)


def altered(line: bytes, **changes: object) -> bytes:
    text = json.dumps(json.loads(line) | changes, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return text.encode() + b"\n"


def relinked(changed: Sequence[bytes]) -> list[bytes]:
    """Numbers and links made right again, as somebody would who knows the format."""
    result: list[bytes] = []
    for seq, line in enumerate(changed):
        previous = leaf_hash(result[-1][:-1]).hex() if result else "00" * 32
        result.append(altered(line, seq=seq, previous=previous))
    return result


def drop(seq: int) -> Callable[[list[bytes]], list[bytes]]:
    return lambda old: old[:seq] + old[seq + 1 :]
