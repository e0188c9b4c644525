"""What can be done with the local stack? `python -m sandbox.stack demo | up | down | emulators`."""

from __future__ import annotations

import argparse
import json
import os
import sys
from datetime import UTC, date, datetime
from pathlib import Path

from sandbox.population import build
from sandbox.stack import demo, emulators
from sandbox.stack.local import ROOT, LocalStack
from sandbox.stack.postgres import PostgresError
from sandbox.stack.processes import NotStarted, stop_pids

HOME = ROOT / ".demo"


def main() -> int:
    """Do what was asked; the exit code."""
    parser = argparse.ArgumentParser(prog="python -m sandbox.stack", description=__doc__)
    parser.add_argument("what", choices=["demo", "up", "down", "emulators"])
    today = os.environ.get("AS_OF") or datetime.now(UTC).date().isoformat()
    parser.add_argument("--as-of", type=date.fromisoformat, default=today, help="what day it is (default: today)")
    parser.add_argument("--seed", type=int, default=1, help="another seed, other people")
    parser.add_argument("--port", type=int, default=8080, help="where the UI answers, for `up`")
    parser.add_argument("--home", type=Path, default=HOME, help="where files and logs go")
    parser.add_argument("--merge", type=Path, help="for `emulators`: connections to write beside theirs")
    given = parser.parse_args()
    if given.what == "emulators":
        return emulators.serve(LocalStack(given.home, given.as_of, seed=given.seed), given.merge)
    if given.what == "down":
        return down(given.home)
    if (given.home / "up.json").exists():
        print("the stack of `make up` is running here: `make down` first", file=sys.stderr)
        return 2
    try:
        if given.what == "demo":
            return demo.run(given.home, given.as_of, given.seed)
        return up(given.home, given.as_of, given.seed, given.port)
    except (PostgresError, NotStarted) as error:
        print(f"FAILED: {error}", file=sys.stderr)
        return 1


def up(home: Path, as_of: date, seed: int, port: int) -> int:
    """Start the stack with its first night under way, and leave it running."""
    stack = LocalStack(home, as_of, seed=seed, port=port)
    stack.wipe()
    try:
        stack.start()
        demo.prepare(stack, build(seed=seed, scale=1, as_of=as_of))
        stack.airflow.person("operator").pause(demo.DAG, paused=False)
    except BaseException:
        stack.stop()
        raise
    pids = [process.pid for process in stack.processes.running.values()]
    (home / "up.json").write_text(json.dumps({"pids": pids}))
    print(f"Airflow: http://localhost:{port}  (user operator, dpo or admin, password demo)")
    print("The night's sweep runs in rehearsal mode, on the emulators only. In a minute its plan waits for the dpo:")
    print("`Retention` in the navigation says so and leads there. `make down` stops everything.")
    return 0


def down(home: Path) -> int:
    """End what `up` left running."""
    note = home / "up.json"
    if not note.exists():
        print("nothing is running here")
        return 0
    stop_pids(json.loads(note.read_text())["pids"])
    LocalStack(home, datetime.now(UTC).date()).postgres.stop()
    note.unlink()
    print("stopped; files and logs are left in .demo/")
    return 0


if __name__ == "__main__":
    sys.exit(main())
