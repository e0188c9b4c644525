"""How do emulators stand in for all systems of a deployment? Started together, the connections to them in a file."""

from __future__ import annotations

import json
import os
import signal
from dataclasses import asdict
from pathlib import Path
from types import FrameType

from sandbox.stack.local import LocalStack
from sandbox.stack.processes import NotStarted


def serve(stack: LocalStack, merge: Path | None) -> int:
    """Serve until told to end; `connections.json` under the stack's home appears once all of them answer.

    It holds what `merge` holds (ledger, keys …) and an Airflow connection to each emulator; nobody else can read it.
    `emulators.json` beside it says where each is controlled.
    """
    written = stack.home / "connections.json"
    written.unlink(missing_ok=True)
    stack.home.mkdir(parents=True, exist_ok=True)
    signal.signal(signal.SIGTERM, _end)
    try:
        beside = json.loads(merge.read_text(encoding="utf-8")) if merge else {}
        partial = written.with_suffix(".partial")
        partial.touch(mode=0o600)
        partial.write_text(json.dumps({**beside, **stack.start_emulators()}), encoding="utf-8")
        controls = {system: asdict(emulator) for system, emulator in stack.emulators.items()}
        (stack.home / "emulators.json").write_text(json.dumps(controls), encoding="utf-8")
        os.replace(partial, written)
        print(f"emulators: {', '.join(stack.emulators)}", flush=True)
        signal.pause()
    except NotStarted as error:
        print(error, flush=True)
        return 1
    finally:
        stack.processes.stop()
        written.unlink(missing_ok=True)
    return 0


def _end(number: int, frame: FrameType | None) -> None:
    raise SystemExit(0)
