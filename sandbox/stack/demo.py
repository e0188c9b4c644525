"""The main job, watched: a nightly sweep on real components, approved by a person, verified, sealed, summed up.

Nothing here computes a result: counts are read back from the ledger (as the auditor's role), compared with what the
emulators hold, and the audit log is checked by the stand-alone verifier.
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

import psycopg
from psycopg.rows import dict_row

from sandbox.population import Population, build
from sandbox.stack import leaks, request
from sandbox.stack.airflow import Person
from sandbox.stack.local import EMULATORS, ROOT, LocalStack

DAG = "nightly_retention"
COLUMNS = ("found", "flagged", "erased", "redacted", "restricted", "kept", "review", "failed", "gaps", "verified")
PERSON_HESITATES_SECONDS = 5
"""People do not answer within the second the question appears. Airflow 3.3 loses an answer that comes before its
scheduler has seen the asking task end; the task then asks again."""


class CheckFailed(Exception):
    """Something the demo promises does not hold; the text says what and where to look."""


@dataclass
class Story:
    """What happened, gathered as it goes."""

    systems: dict[str, dict[str, int]] = field(default_factory=dict)
    why: list[tuple[str, str, str, int]] = field(default_factory=list)
    digest: str = ""
    approved_by: str = ""
    request: dict[str, Any] | None = None
    audit: dict[str, Any] = field(default_factory=dict)
    leaks: dict[str, int] = field(default_factory=dict)
    checks: list[str] = field(default_factory=list)

    def check(self, holds: bool, promise: str) -> None:
        """Note a promise that holds; stop at one that does not."""
        if not holds:
            raise CheckFailed(promise)
        self.checks.append(promise)


def run(home: Path, as_of: date, seed: int) -> int:
    """The whole demo; leaves files under `home` and nothing running. Returns the exit code."""
    began = time.monotonic()
    stack = LocalStack(home, as_of, seed=seed)
    stack.wipe()
    people = build(seed=seed, scale=1, as_of=as_of)
    story = Story()
    try:
        say(f"starting PostgreSQL, {len(EMULATORS)} emulators and Airflow on loopback …")
        stack.start()
        say(f"Airflow is up after {time.monotonic() - began:.0f} s")
        say("placing a legal hold, approving the policy, switching to rehearsal mode")
        prepare(stack, people)
        before = {system: records(system, stack.emulators[system].state()) for system in stack.systems}
        run_id = first_night(stack, story)
        read_results(stack, story, run_id)
        compare_with_systems(stack, story, before, people)
        second_night(stack, story)
        one_request(stack, story, people)
        check_audit(stack, story)
        dumps = dump(stack)
    except CheckFailed as failed:
        say(f"\nFAILED: {failed}\nLogs: {stack.logs}")
        return 1
    finally:
        stack.stop()
    scan(stack, story, people, dumps)
    seconds = round(time.monotonic() - began, 1)
    (home / "summary.json").write_text(json.dumps(summary(story, seconds), indent=2) + "\n")
    show(story, seconds, home)
    return 0 if not story.leaks else 1


def prepare(stack: LocalStack, people: Population) -> None:
    """What a DPO does before the first real night."""
    held = people.cases["legal_hold"].address
    stack.retention("holds", "place", "--matter", "matter-2026-17", "--by", "dpo", stdin=held + "\n", role="migrator")
    stack.approve_policy()
    stack.retention("mode", "rehearsal", "--by", "dpo", role="migrator")


def first_night(stack: LocalStack, story: Story) -> str:
    """Unpause the DAG: its scheduled run of last night starts at once; answer its question as the DPO."""
    operator, dpo = stack.airflow.person("operator"), stack.airflow.person("dpo")
    operator.pause(DAG, paused=False)
    wait = stack.processes.wait_until
    wait("the scheduled run to appear", lambda: bool(operator.runs(DAG)), 60)
    run_id = str(operator.runs(DAG)[0]["dag_run_id"])
    say(f"the scheduled run {run_id} reads {len(EMULATORS)} systems and plans …")
    wait("the question to the DPO", lambda: dpo.waits_for_answer(DAG, run_id) or ended(operator, run_id), 150)
    story.check(not ended(operator, run_id), "the run asks a person before anything is destroyed")
    say("the DPO reads the plan …")
    time.sleep(PERSON_HESITATES_SECONDS)
    dpo.answer(DAG, run_id, "Approve").raise_for_status()
    say("approved; carrying out, verifying, sealing …")
    wait("the run to end", lambda: ended_or_asked_again(dpo, run_id), 180)
    state = operator.state(DAG, run_id)
    story.check(state == "success", f"the run ends in success (it is {state}: {failed_tasks(operator, run_id)})")
    return run_id


def second_night(stack: LocalStack, story: Story) -> None:
    """The same again: nothing is left to do, and it says so."""
    operator = stack.airflow.person("operator")
    changing = {system: effects(stack, system) for system in stack.systems}
    run_id = operator.trigger(DAG)
    say("a second run, to see that it does nothing …")
    stack.processes.wait_until("the second run to end", lambda: ended(operator, run_id), 150)
    story.check(operator.state(DAG, run_id) == "success", "the second run ends in success")
    row = one(stack, "SELECT state, digest FROM sweeps WHERE run_id = %s", run_id)
    story.check(row == {"state": "sealed", "digest": None}, "the second run plans nothing and asks nobody")
    again = {system: effects(stack, system) for system in stack.systems}
    story.check(again == changing, "the second run changes nothing in any system")


def one_request(stack: LocalStack, story: Story, people: Population) -> None:
    """Somebody asks for erasure: by letter and link, approved, carried out everywhere, answered, closed."""
    say("somebody asks for erasure …")
    address = request.of_somebody(stack, people)
    story.request = request.carry_through(stack, address)
    say(f"the request is {story.request['state']} after {story.request['seconds']:.0f} s")
    story.check(story.request["state"] == "closed", f"the request is closed ({story.request})")


def read_results(stack: LocalStack, story: Story, run_id: str) -> None:
    """Counts from the ledger, by the report operators use."""
    sweep = one(stack, "SELECT sweep_id, digest FROM sweeps WHERE run_id = %s", run_id)
    approval = one(stack, "SELECT approver, digest FROM approvals WHERE sweep_id = %s", sweep["sweep_id"])
    story.digest, story.approved_by = sweep["digest"], approval["approver"]
    story.check(approval["digest"] == sweep["digest"], "the approval is for exactly this digest")
    for system in stack.systems:
        row = report(stack, "sweep_counts", sweep_id=sweep["sweep_id"], system=system)[0]
        story.systems[system] = {name: int(value) for name, value in row.items()}
    for row in report(stack, "kept_and_why", sweep_id=sweep["sweep_id"]):
        story.why.append((row["system"], row["verdict"], row["reason"], row["records"]))
    for system, n in story.systems.items():
        acted = n["erased"] + n["redacted"] + n["restricted"]
        story.check(n["failed"] == 0 and n["pending"] == 0, f"{system}: no step failed or is left open ({n})")
        story.check(n["verified"] == acted, f"{system}: every step was read back and is as it should be ({n})")
        story.check(acted > 0, f"{system}: something was due and was done ({n})")


def compare_with_systems(stack: LocalStack, story: Story, before: Mapping[str, set[str]], people: Population) -> None:
    """What the ledger says against what the systems hold."""
    held = people.cases["legal_hold"].places
    for system in stack.systems:
        after = records(system, stack.emulators[system].state())
        gone = before[system] - after
        n = story.systems[system]["erased"]
        story.check(len(gone) == n, f"{system}: the ledger says {n} erased, {len(gone)} are gone")
        kept = {place.key for place in held if place.system == system}
        story.check(kept <= after, f"{system}: what is under legal hold is still there")


def check_audit(stack: LocalStack, story: Story) -> None:
    """Export the log and let the stand-alone verifier judge it."""
    folder, key = stack.home / "audit", stack.home / "audit.public-key"
    stack.retention("audit", "export", str(folder), role="auditor")
    stack.retention("audit", "public-key", str(key))
    newest = max(stack.checkpoints.glob("*.txt"), key=lambda path: int(path.stem))
    command = [sys.executable, "-I", str(ROOT / "tools" / "verify_audit.py"), str(folder), "--public-key", str(key)]
    done = subprocess.run([*command, "--checkpoint", str(newest)], capture_output=True, text=True, check=False)
    entries = int(one(stack, "SELECT max(size) AS n FROM audit_checkpoints")["n"])
    root = newest.read_text().split("\n")[2]
    story.audit = {"entries": entries, "root": root, "verified": done.returncode == 0}
    story.check(done.returncode == 0, f"the stand-alone verifier accepts the audit log: {done.stdout}{done.stderr}")


def dump(stack: LocalStack) -> dict[str, bytes]:
    """Logical dumps of Airflow's database and of the ledger."""
    program = str(stack.postgres.binary("pg_dump"))
    return {
        f"dump of {name}": subprocess.run([program, stack.postgres.url(name)], capture_output=True, check=True).stdout
        for name in ("airflow", "ledger")
    }


def scan(stack: LocalStack, story: Story, people: Population, dumps: Mapping[str, bytes]) -> None:
    """Look for every seeded identifier in dumps, logs and the audit export."""
    places = {**dumps, **leaks.files_below(stack.logs), **leaks.files_below(stack.home / "audit")}
    places |= leaks.files_below(stack.home / "database", "*.log")
    story.leaks = leaks.count(people.identifiers(), places)


def summary(story: Story, seconds: float) -> dict[str, Any]:
    """The fixed form that outside checks read."""
    return {
        "systems": {system: {name: n[name] for name in COLUMNS} for system, n in story.systems.items()},
        "plan_digest": story.digest,
        "approved_by": story.approved_by,
        "request": story.request,
        "audit": story.audit,
        "personal_data_leaks": sum(story.leaks.values()),
        "seconds": seconds,
    }


def show(story: Story, seconds: float, home: Path) -> None:
    """The table an operator would want."""
    wide = max(map(len, story.systems))
    say("")
    say(" " * wide + "  " + "".join(f"{name:>11}" for name in COLUMNS))
    for system, n in story.systems.items():
        say(f"{system:<{wide}}  " + "".join(f"{n[name]:>11}" for name in COLUMNS))
    say("\nWhy:")
    for system, verdict, reason, records_ in story.why:
        say(f"  {system:<{wide}}  {verdict:<9} {reason:<22} {records_:>5}")
    say(f"\nplan digest  {story.digest}\napproved by  {story.approved_by}")
    say(f"audit        {story.audit['entries']} entries, root {story.audit['root']}, verified without our code")
    say(f"leaks        {sum(story.leaks.values())} {story.leaks or ''}")
    say(f"checks       {len(story.checks)} hold")
    say(f"seconds      {seconds}   (files in {home.name}/)")


def records(system: str, state: Any) -> set[str]:
    """The keys of all live records the sweep is responsible for, from an emulator's own state."""
    if system == "salesforce":
        objects = state["objects"]
        return {row["Id"] for kind in ("Contact", "Lead") for row in objects[kind] if not row["IsDeleted"]}
    if system == "hubspot":
        return {row["id"] for row in state["objects"]["contacts"] if not row.get("archived")}
    if system == "microsoft365":
        return {
            f"{user}/{key}"
            for user, box in state["mailboxes"].items()
            for key, item in box["items"].items()
            if not item["folder"].startswith("recoverableitems")
        }
    return {path.lstrip("/") for path in state["files"]}


def effects(stack: LocalStack, system: str) -> int:
    """How many calls changed something there so far."""
    return sum(bool(call["effect"]) for call in stack.emulators[system].calls())


def ended(person: Person, run_id: str) -> bool:
    """Whether a run is over."""
    return person.state(DAG, run_id) in ("success", "failed")


def ended_or_asked_again(approver: Person, run_id: str, choice: str = "Approve") -> bool:
    """Whether a run is over; if the question comes up again (Airflow lost a quick answer), answer it again."""
    if approver.waits_for_answer(DAG, run_id):
        time.sleep(PERSON_HESITATES_SECONDS)
        approver.answer(DAG, run_id, choice)
    return ended(approver, run_id)


def failed_tasks(person: Person, run_id: str) -> list[str]:
    """Which tasks failed."""
    return sorted(task for (task, _), state in person.tasks(DAG, run_id).items() if state == "failed")


def one(stack: LocalStack, statement: str, *values: Any) -> dict[str, Any]:
    """One row, as the auditor."""
    with psycopg.connect(stack.ledger_url("auditor"), row_factory=dict_row) as ledger:
        row = ledger.execute(statement.encode(), values).fetchone()
    if row is None:
        raise CheckFailed("the ledger has no such row: the sweep did not get that far")
    return row


def report(stack: LocalStack, name: str, **values: str) -> list[dict[str, Any]]:
    """One of the reports in include/sql/reports, as the auditor."""
    statement = (ROOT / "include" / "sql" / "reports" / f"{name}.sql").read_text()
    for parameter in values:
        statement = statement.replace(f":{parameter}", f"%({parameter})s")
    with psycopg.connect(stack.ledger_url("auditor"), row_factory=dict_row) as ledger:
        return ledger.execute(statement.encode(), values).fetchall()


def say(text: str) -> None:
    """To the person watching."""
    print(text, flush=True)
