"""What is missing before the pipeline can work with its connections? `python -m retention doctor`, and the form's Test.

Every check only reads. Nothing it prints comes from a record: names of objects, fields, folders and permissions only.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING

import click

from retention.cli.answers import as_json_option, tell
from retention.cli.surroundings import Unusable
from retention.contract import Check, ConnectorError
from retention.impediment import Impediment

if TYPE_CHECKING:
    from retention.store.logins import Duty


def examine(system: str, through: str = "") -> list[Check]:
    """Whether a system of the policy can be worked with, through its connection or another."""
    from orchestration import wiring

    def ready() -> Iterator[Check]:
        connector = wiring.connector(system, through, shares_pace=False)
        yield Check("log in")
        yield from connector.checks()

    return _judged("log in and look", ready)


def examine_as(kind: str, through: str) -> list[Check]:
    """Whether a connection serves the first system of its kind in the policy, whose fields it is held against."""
    from orchestration import wiring

    system = next((name for name, declared in wiring.policy().systems.items() if declared.kind == kind), None)
    if system is None:
        return [Check("find a system of this kind", f"systems.yaml declares no system of kind {kind}: add one first")]
    return examine(system, through)


def examine_own(recording: bool) -> list[Check]:
    """Whether ledger and keys are there; with `recording` also what only the workers of that queue need."""
    from orchestration import wiring
    from retention.store.logins import Duty

    checks = _judged("the ledger", lambda: _duty(wiring.LEDGER, Duty.EXECUTOR))
    if not recording:
        return checks
    checks += _judged("the ledger for approvals", lambda: _duty(wiring.APPROVER, Duty.APPROVER))
    checks += _judged("the signing key", _signing)
    return checks + _judged("Airflow's API", _api)


def _duty(connection: str, duty: Duty) -> Iterator[Check]:
    from orchestration import wiring
    from retention.store import logins

    held = logins.duties(wiring.desk(connection).engine)
    what = f"{connection} with the duty of the {duty} alone, and the keys"
    names = ", ".join(sorted(held)) or "none"
    yield Check(what, "" if held == {duty} else f"its login has: {names}; see `ledger login`")


def _signing() -> Iterator[Check]:
    from orchestration import wiring

    wiring.signing_key()
    yield Check("the signing key")


def _api() -> Iterator[Check]:
    from orchestration import airflow_record

    with airflow_record.sign_in():
        yield Check("Airflow's API, with its account")


def _judged(what: str, ready: Callable[[], Iterable[Check]]) -> list[Check]:
    """The checks as far as they came, and what ended them."""
    from orchestration import airflow_record, wiring

    checks: list[Check] = []
    said = (ConnectorError, Impediment, wiring.NotConnected, airflow_record.AirflowUnreadable)
    try:
        for check in ready():
            checks.append(check)
    except said as error:
        checks.append(Check(what, str(error)))
    except Exception as error:  # noqa: BLE001 - a vendor's client may raise anything; its text may hold secrets
        checks.append(Check(what, f"{type(error).__name__}: check host, port and credentials of the connection"))
    return checks


@click.command("doctor")
@click.option("--system", default="", help="Only this system of the policy.")
@click.option("--reading", is_flag=True, help="For credentials that may only read: leave out what acting needs.")
@click.option("--recording", is_flag=True, help="Also what the workers of the queue `recording` need.")
@as_json_option
def command(system: str, reading: bool, recording: bool, as_json: bool) -> None:
    """Test the connections read-only and say what is missing, a line a check; exit code 1 if anything is.

    Run it where the connections are: in production `docker compose run --rm worker-reading python -m retention doctor`.
    """
    from orchestration import wiring

    if system and system not in wiring.SYSTEMS:
        raise Unusable(f"--system: the policy has {', '.join(wiring.SYSTEMS)}")
    found = {} if system else {"retention": examine_own(recording)}
    found |= {name: examine(name) for name in ([system] if system else wiring.SYSTEMS)}
    told = [(name, check) for name, checks in found.items() for check in checks if not (reading and check.to_act)]
    rows = [{"system": name, "check": check.what, "missing": check.lacking} for name, check in told]
    tell({"checks": rows}, as_json, "\n".join(f"{name:<14} {check.line}" for name, check in told))
    if any(check.lacking for _, check in told):
        raise SystemExit(1)
