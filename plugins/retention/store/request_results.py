"""What became of a request in each system? Counted from the ledger: readings, steps, verdicts, work by hand."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date

from sqlalchemy import Connection

from retention.store.database import one, rows

ENDED_WELL = ("verified",)
UNDER_WAY = ("planned", "claimed", "intended", "unknown", "done")
ENDED_BADLY = ("failed", "refused", "contradicted")


@dataclass
class Counted:
    """One system's part in a request."""

    system: str
    reading: str = ""  # whole | failed; empty: the system was not reached at all
    done: Counter[str] = field(default_factory=Counter)  # by action
    settling: int = 0
    settles_on: date | None = None
    under_way: int = 0
    failed: int = 0
    set_aside: int = 0  # by a hold, or because what a step rested on is no longer so
    kept: Counter[str] = field(default_factory=Counter)  # by reason code
    review: int = 0
    tasks_open: int = 0
    proofs: tuple[str, ...] = ()
    gaps: int = 0


def of_request(db: Connection, request_id: str, systems: Iterable[str]) -> list[Counted]:
    """A request's results by system of the policy, over all its runs; what the newest run says of the rest."""
    counted = {system: Counted(system) for system in systems}
    newest = _newest_run(db, request_id)
    if newest is not None:
        _readings(db, newest, counted)
        _steps(db, request_id, newest, counted)
        _verdicts(db, request_id, newest, counted)
    _tasks(db, request_id, counted)
    return list(counted.values())


def _newest_run(db: Connection, request_id: str) -> str | None:
    row = one(
        db,
        "SELECT sweep_id FROM request_runs JOIN sweeps USING (sweep_id) WHERE request_id = :id"
        " ORDER BY opened_at DESC LIMIT 1",
        id=request_id,
    )
    return str(row.sweep_id) if row else None


def _readings(db: Connection, newest: str, counted: dict[str, Counted]) -> None:
    found = rows(
        db,
        "SELECT r.system, r.state, (SELECT count(*) FROM gaps g WHERE g.sweep_id = :s AND g.system = r.system) AS gaps"
        " FROM readings r WHERE r.sweep_id = :s AND r.stage = 'find'",
        s=newest,
    )
    for row in found:
        counted[row.system].reading, counted[row.system].gaps = row.state, row.gaps


def _steps(db: Connection, request_id: str, newest: str, counted: dict[str, Counted]) -> None:
    """What earlier runs began counts with its end; what they only planned, or did in vain, the newest has replaced."""
    found = rows(
        db,
        "SELECT s.system, s.action, s.state, count(*) AS n, max(s.settle_on) AS settle_on,"
        " bool_or(p.sweep_id = :newest) AS is_newest FROM request_records x JOIN plans p USING (sweep_id)"
        " JOIN steps s ON s.plan_id = p.plan_id AND s.system = x.system AND s.record_key = x.record_key"
        " WHERE x.request_id = :id AND (p.sweep_id = :newest"
        " OR s.state IN ('verified', 'accepted', 'claimed', 'intended', 'unknown', 'done'))"
        # A record under a hold is not marked in its system either; the suppression list stops marketing to it.
        " AND NOT (p.purpose = 'suppression' AND s.state = 'held')"
        " GROUP BY s.system, s.action, s.state",
        id=request_id,
        newest=newest,
    )
    for row in found:
        mine = counted[row.system]
        if row.state in ENDED_WELL:
            mine.done[row.action] += row.n
        elif row.state == "accepted":
            mine.settling += row.n
            mine.settles_on = max(filter(None, (mine.settles_on, row.settle_on)), default=None)
        elif row.state in UNDER_WAY:
            mine.under_way += row.n
        elif row.state in ENDED_BADLY:
            mine.failed += row.n
        else:
            mine.set_aside += row.n


def _verdicts(db: Connection, request_id: str, newest: str, counted: dict[str, Counted]) -> None:
    found = rows(
        db,
        "SELECT f.system, f.verdict, f.reasons, count(*) AS n FROM request_records x"
        " JOIN findings f USING (sweep_id, system, record_key) WHERE x.request_id = :id AND x.sweep_id = :newest"
        " GROUP BY 1, 2, 3",
        id=request_id,
        newest=newest,
    )
    for row in found:
        mine = counted[row.system]
        if row.verdict == "review":
            mine.review += row.n
        elif row.verdict in ("keep", "held") and "pending-at-vendor" in row.reasons:
            mine.under_way += row.n
        elif row.verdict in ("keep", "held"):
            mine.kept.update(dict.fromkeys(row.reasons, row.n))


def _tasks(db: Connection, request_id: str, counted: dict[str, Counted]) -> None:
    found = rows(
        db,
        "SELECT system, count(*) FILTER (WHERE state = 'open') AS open,"
        " array_agg(proof ORDER BY proof) FILTER (WHERE state IN ('done', 'dropped')) AS proofs"
        " FROM person_tasks"
        " WHERE detail = :id AND what <> 'tell-recipients' GROUP BY system",
        id=request_id,
    )
    for row in found:
        counted[row.system].tasks_open, counted[row.system].proofs = row.open, tuple(row.proofs or ())


def given_to_people(db: Connection, request_ids: Sequence[str], system: str) -> set[str]:
    """For which requests a person was asked about a system as a whole already, whatever came of it."""
    found = rows(
        db,
        "SELECT DISTINCT detail FROM person_tasks WHERE system = :system AND detail = ANY (:ids)"
        " AND record_key IS NULL AND what <> 'tell-recipients' AND state IN ('open', 'done', 'dropped')",
        system=system,
        ids=list(request_ids),
    )
    return {row.detail for row in found}


def open_tasks(db: Connection, request_id: str) -> int:
    """What people still have to do because of a request."""
    count: int = one(
        db, "SELECT count(*) AS n FROM person_tasks WHERE detail = :id AND state = 'open'", id=request_id
    ).n
    return count


def plan_digests(db: Connection, request_id: str) -> Sequence[str]:
    """The digests that were approved because of a request, oldest first."""
    found = rows(
        db,
        "SELECT a.digest FROM request_runs r JOIN approvals a USING (sweep_id) WHERE r.request_id = :id"
        " ORDER BY a.recorded_at",
        id=request_id,
    )
    return [row.digest for row in found]
