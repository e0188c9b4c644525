"""How are many processes started together and ended together? Each in a session of its own, with a log of its own."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any


class NotStarted(Exception):
    """A process ended or did not become ready in time; the text names its log."""


@dataclass
class Processes:
    """What was started, by name. Only these are ever ended, by their own process groups."""

    logs: Path
    running: dict[str, subprocess.Popen[Any]] = field(default_factory=dict)
    orphaned: list[int] = field(default_factory=list)  # process groups whose leader was ended alone

    def start(self, name: str, command: Sequence[str], environment: Mapping[str, str], cwd: Path) -> None:
        """Start one in the background, its output in `<name>.log`."""
        self.logs.mkdir(parents=True, exist_ok=True)
        with (self.logs / f"{name}.log").open("ab") as log:
            self.running[name] = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                env=dict(environment),
                cwd=cwd,
                start_new_session=True,
            )

    def start_ready(
        self, name: str, command: Sequence[str], environment: Mapping[str, str], cwd: Path, seconds: float = 60
    ) -> dict[str, Any]:
        """Start one that prints a JSON line when it is ready, and return that line."""
        self.logs.mkdir(parents=True, exist_ok=True)
        with (self.logs / f"{name}.log").open("ab") as log:
            process = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
                env=dict(environment),
                cwd=cwd,
                start_new_session=True,
            )
        self.running[name] = process
        lines: list[str] = []
        output = process.stdout
        if output is None:
            raise NotStarted(f"{name}: has no output")
        reader = threading.Thread(target=lambda: lines.append(output.readline()), daemon=True)
        reader.start()
        reader.join(seconds)
        if not lines or not lines[0]:
            raise NotStarted(f"{name} did not become ready: read {self.logs / (name + '.log')}")
        ready: dict[str, Any] = json.loads(lines[0])
        return ready

    def run(self, name: str, command: Sequence[str], environment: Mapping[str, str], cwd: Path, stdin: str = "") -> str:
        """Run one to its end; a failure shows the last lines it printed."""
        done = subprocess.run(
            command, input=stdin, capture_output=True, text=True, env=dict(environment), cwd=cwd, check=False
        )
        self.logs.mkdir(parents=True, exist_ok=True)
        with (self.logs / f"{name}.log").open("a", encoding="utf-8") as log:
            log.write(done.stdout + done.stderr)
        if done.returncode != 0:
            raise NotStarted(f"{name} failed ({done.returncode}):\n{(done.stdout + done.stderr)[-2000:]}")
        return done.stdout

    def wait_until(self, what: str, ready: Callable[[], bool], seconds: float, every: float = 0.3) -> None:
        """Poll until something is so; says which process died meanwhile, or that it took too long."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            if ready():
                return
            for name, process in self.running.items():
                if process.poll() is not None:
                    raise NotStarted(f"{name} ended while waiting for {what}: read {self.logs / (name + '.log')}")
            time.sleep(every)
        raise NotStarted(f"{what} did not happen within {seconds:.0f} s: read the logs in {self.logs}")

    def stop(self, *names: str, kill: bool = False, only_leader: bool = False) -> None:
        """End the named (default: all), latest first; `kill` does it the hard way, `only_leader` leaves children."""
        chosen = [n for n in reversed(list(self.running)) if not names or n in names]
        if only_leader:
            self.orphaned += [self.running[name].pid for name in chosen]
        elif not names:
            stop_pids(self.orphaned)
            self.orphaned.clear()
        for name in chosen:
            _signal(self.running[name], signal.SIGKILL if kill else signal.SIGTERM, only_leader)
        for name in chosen:
            process = self.running.pop(name)
            try:
                process.wait(timeout=20)
            except subprocess.TimeoutExpired:
                _signal(process, signal.SIGKILL, False)
                process.wait(timeout=20)
            if process.stdout is not None:
                process.stdout.close()


def stop_pids(pids: Sequence[int]) -> None:
    """End processes another run of this program left running, by their own process groups."""
    for pid in pids:
        try:
            os.killpg(pid, signal.SIGTERM)
        except ProcessLookupError:
            continue
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline and any(_alive(pid) for pid in pids):
        time.sleep(0.2)
    for pid in pids:
        if _alive(pid):
            os.killpg(pid, signal.SIGKILL)


def _alive(pid: int) -> bool:
    try:
        os.killpg(pid, 0)
    except ProcessLookupError:
        return False
    return True


def _signal(process: subprocess.Popen[Any], number: signal.Signals, only_leader: bool) -> None:
    try:
        if only_leader:
            process.send_signal(number)
        else:
            os.killpg(process.pid, number)
    except ProcessLookupError:
        return
