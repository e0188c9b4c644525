"""How does each table of ours forget what is past its period? Counts only; what is in use is never touched."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from datetime import datetime

from sqlalchemy import Connection

from retention.policy import StoreName
from retention.store.database import run

Forget = Callable[[Connection, str, datetime, Collection[str]], int]
"""Takes a period in PostgreSQL's words, the present moment and the systems of the policy; returns how many went."""

SETTLED = ("verified", "contradicted", "held", "dropped", "refused", "failed")
UNDER_WAY = ("planned", "claimed", "intended", "accepted", "unknown", "done")


def _catalogue(db: Connection, period: str, now: datetime, systems: Collection[str]) -> int:
    given = {"systems": list(systems), "period": period, "now": now}
    rows = run(
        db,
        "DELETE FROM catalogue c WHERE c.system <> ALL (:systems) AND NOT EXISTS (SELECT FROM tokens t"
        " WHERE t.system = c.system AND t.saved_at + CAST(:period AS interval) > :now)",
        **given,
    )
    run(
        db,
        "DELETE FROM catalogue_folders f WHERE f.system <> ALL (:systems) AND NOT EXISTS (SELECT FROM catalogue c"
        " WHERE c.system = f.system)",
        systems=list(systems),
    )
    return rows + run(
        db,
        "DELETE FROM tokens WHERE system <> ALL (:systems) AND saved_at + CAST(:period AS interval) <= :now",
        **given,
    )


def _findings(db: Connection, period: str, now: datetime, systems: Collection[str]) -> int:
    _lay_out_past_sweeps(db, period, now)
    gaps = run(db, "DELETE FROM gaps WHERE sweep_id IN (SELECT sweep_id FROM past_sweeps)")
    return gaps + run(db, "DELETE FROM findings WHERE sweep_id IN (SELECT sweep_id FROM past_sweeps)")


def _readings(db: Connection, period: str, now: datetime, systems: Collection[str]) -> int:
    run(db, "DELETE FROM alerts WHERE raised_at + CAST(:period AS interval) <= :now", period=period, now=now)
    _lay_out_past_sweeps(db, period, now)
    run(db, "DELETE FROM sweep_reports WHERE sweep_id IN (SELECT sweep_id FROM past_sweeps)")
    run(db, "DELETE FROM reading_parts WHERE sweep_id IN (SELECT sweep_id FROM past_sweeps)")
    return run(db, "DELETE FROM readings WHERE sweep_id IN (SELECT sweep_id FROM past_sweeps)")


def _record_locators(db: Connection, period: str, now: datetime, systems: Collection[str]) -> int:
    """What settled after its sweep was sealed, and what lies with a sweep that nobody ever sealed."""
    given = {"period": period, "now": now}
    wiped = run(
        db,
        "UPDATE steps s SET locator = NULL, subjects = NULL FROM plans p JOIN ended_sweeps e USING (sweep_id)"
        " WHERE p.plan_id = s.plan_id AND s.locator IS NOT NULL AND s.state = ANY (:settled)"
        " AND e.ended_at + CAST(:period AS interval) <= :now",
        settled=list(SETTLED),
        **given,
    )
    wiped += run(
        db,
        "UPDATE findings f SET locator = NULL, addresses = NULL FROM sweeps w JOIN ended_sweeps e USING (sweep_id)"
        " WHERE f.sweep_id = w.sweep_id AND w.sealed_at IS NULL AND f.locator IS NOT NULL"
        " AND e.ended_at + CAST(:period AS interval) <= :now",
        **given,
    )
    return wiped + run(
        db,
        "UPDATE gaps g SET locator = NULL FROM sweeps w JOIN ended_sweeps e USING (sweep_id)"
        " WHERE g.sweep_id = w.sweep_id AND w.sealed_at IS NULL AND g.locator IS NOT NULL"
        " AND e.ended_at + CAST(:period AS interval) <= :now",
        **given,
    )


def _steps(db: Connection, period: str, now: datetime, systems: Collection[str]) -> int:
    """Not those that stopped marketing: from them a later night knows which opt-outs were set by us."""
    _lay_out_past_sweeps(db, period, now)
    run(db, "DROP TABLE IF EXISTS pg_temp.past_plans")
    run(
        db,
        "CREATE TEMP TABLE past_plans ON COMMIT DROP AS SELECT p.plan_id FROM plans p"
        " WHERE p.purpose = 'retention' AND p.sweep_id IN (SELECT sweep_id FROM past_sweeps) AND NOT EXISTS"
        " (SELECT FROM restrictions r JOIN steps s USING (step_id) WHERE s.plan_id = p.plan_id)",
    )
    run(
        db,
        "DELETE FROM attempts WHERE step_id IN"
        " (SELECT step_id FROM steps WHERE plan_id IN (SELECT plan_id FROM past_plans))",
    )
    gone = run(db, "DELETE FROM steps WHERE plan_id IN (SELECT plan_id FROM past_plans)")
    run(db, "DELETE FROM plans WHERE plan_id IN (SELECT plan_id FROM past_plans)")
    return gone


def _previous_values(db: Connection, period: str, now: datetime, systems: Collection[str]) -> int:
    """Of restrictions that were released, and of records that were erased since."""
    return run(
        db,
        "DELETE FROM restrictions r WHERE r.released_at + CAST(:period AS interval) <= :now OR EXISTS"
        " (SELECT FROM steps s WHERE s.system = r.system AND s.record_key = r.record_key AND s.action = 'erase'"
        " AND s.state = 'verified' AND s.verified_at > r.restricted_at"
        " AND s.verified_at + CAST(:period AS interval) <= :now)",
        period=period,
        now=now,
    )


def _legal_holds(db: Connection, period: str, now: datetime, systems: Collection[str]) -> int:
    held = run(db, "DELETE FROM holds WHERE released_at + CAST(:period AS interval) <= :now", period=period, now=now)
    lifted = "DELETE FROM restriction_matters WHERE state = 'lifted' AND subjects IS NULL"
    return held + run(db, f"{lifted} AND lifted_at + CAST(:period AS interval) <= :now", period=period, now=now)


def _erasure_register(db: Connection, period: str, now: datetime, systems: Collection[str]) -> int:
    return run(db, "DELETE FROM erasures WHERE erased_at + CAST(:period AS interval) <= :now", period=period, now=now)


def _lay_out_past_sweeps(db: Connection, period: str, now: datetime) -> None:
    """Sweeps past a period. One with a step under way keeps all it knows: the register is written from its findings."""
    run(db, "DROP TABLE IF EXISTS pg_temp.past_sweeps")
    run(db, "CREATE TEMP TABLE past_sweeps (sweep_id text) ON COMMIT DROP")
    run(
        db,
        "INSERT INTO past_sweeps SELECT e.sweep_id FROM ended_sweeps e"
        " WHERE e.ended_at + CAST(:period AS interval) <= :now AND NOT EXISTS (SELECT FROM plans p"
        " JOIN steps s USING (plan_id) WHERE p.sweep_id = e.sweep_id AND s.state = ANY (:under_way))",
        period=period,
        now=now,
        under_way=list(UNDER_WAY),
    )


FORGET: Mapping[StoreName, Forget] = {
    StoreName.CATALOGUE: _catalogue,
    StoreName.FINDINGS: _findings,
    StoreName.READINGS: _readings,
    StoreName.RECORD_LOCATORS: _record_locators,
    StoreName.PREVIOUS_VALUES: _previous_values,
    StoreName.STEPS: _steps,
    StoreName.LEGAL_HOLDS: _legal_holds,
    StoreName.ERASURE_REGISTER: _erasure_register,
}
"""How each store that is ended by `ledger tidy` is pruned, in an order that leaves nothing pointing at nothing."""

TABLES: Mapping[StoreName, tuple[str, ...]] = {
    StoreName.CATALOGUE: ("catalogue", "catalogue_mentions", "catalogue_folders", "tokens"),
    StoreName.FINDINGS: ("findings", "gaps", "listed_subjects", "request_lookups", "request_people", "request_records"),
    StoreName.READINGS: ("readings", "reading_parts", "sweep_reports", "turns", "alerts"),
    StoreName.STEPS: ("plans", "steps", "attempts"),
    StoreName.PREVIOUS_VALUES: ("restrictions",),
    StoreName.LEGAL_HOLDS: ("holds", "hold_subjects", "restriction_matters", "restriction_subjects"),
    StoreName.SUPPRESSION_LIST: ("suppressions", "suppression_counts"),
    StoreName.ERASURE_REGISTER: ("erasures",),
    StoreName.APPROVALS: (
        *("approvals", "standing_approvals", "policy_approvals", "switches", "sweeps", "sweep_counts"),
        *("guard_breaches", "guard_overrides", "protected", "tenants", "tranches", "incidents"),
        *("review_items", "review_decisions", "review_reveals", "person_tasks"),
        "identity_views",
        *("complaints", "complaint_events", "complaint_alarms"),
        *("requests", "request_events", "request_alarms", "request_runs", "request_recipients", "request_certificates"),
    ),
    StoreName.EXPORTS: ("request_copies", "request_copy_links"),
    StoreName.NOTICES: ("request_notices",),
    StoreName.CASE_IDENTITIES: ("request_keys", "request_subjects", "request_tokens"),
    StoreName.AUDIT_LOG: (
        "audit_entries",
        "audit_head",
        "audit_checkpoints",
        "case_keys",
        "key_generations",
        "audit_checks",
    ),
}
"""Which tables of the ledger make up which store: every table belongs to one, and so has a period."""
