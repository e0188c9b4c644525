"""What does a ledger hold after some years? Rows by the thousand, laid down by the database itself."""

from __future__ import annotations

from sqlalchemy import Connection, text


def grow(db: Connection, *, nights: int, steps: int, requests: int, open_requests: int = 0) -> None:
    """Sealed nights with their plans, and as many gaps and catalogued items as steps; the newest requests are open."""
    given = {"nights": nights, "steps": steps, "requests": requests, "open": open_requests}
    for statement in _GROWTH:
        db.execute(text(statement), {name: value for name, value in given.items() if f":{name}" in statement})


_GROWTH = (
    """INSERT INTO sweeps (sweep_id, dag_id, run_id, run_type, started_by, as_of, mode, state, policy_digest,
    code_version, opened_at, sealed_at) SELECT 'sweep-' || n, 'nightly_retention', 'run-' || n, 'scheduled', 'schedule',
    DATE '2026-11-22' - n, 'live', 'sealed', '', '', now() - n * interval '1 day', now()
    FROM generate_series(1, :nights) n""",
    """INSERT INTO sweep_reports SELECT 'sweep-' || n, system, '{"found": 9, "flagged": 3, "erased": 1, "redacted": 0,
    "restricted": 0, "kept": 1, "failed": 0, "gaps": 2, "review": 0, "verified": 1, "stopped": 0}'
    FROM generate_series(1, :nights) n, unnest(ARRAY['crm', 'mail', 'files', 'shop']) system""",
    """INSERT INTO plans (plan_id, sweep_id, system, purpose, tenant, policy_digest, digest, state, step_count)
    SELECT 'plan-' || n, 'sweep-' || n, 'crm', 'retention', '', '', '', 'done', 10
    FROM generate_series(1, :nights) n""",
    """INSERT INTO steps (step_id, plan_id, position, system, kind, record_key, version, action, reasons, state)
    SELECT 'step-' || n, 'plan-' || 1 + n % :nights, n, 'crm', 'person', sha256(n::text::bytea), '', 'erase',
    ARRAY['RET_EXPIRED'], 'verified' FROM generate_series(1, :steps) n""",
    """INSERT INTO gaps (sweep_id, system, code, kind, record_key)
    SELECT 'sweep-' || 1 + n % :nights, 'crm', 'damaged', 'file', sha256(n::text::bytea)
    FROM generate_series(1, :steps) n""",
    """INSERT INTO catalogue (system, record_key, kind, locator, version, facts, collected_on, seen_in)
    SELECT 'crm', sha256(n::text::bytea), 'file', '', '', '{}', DATE '2015-01-01' + n % 4000, ''
    FROM generate_series(1, :steps) n""",
    """INSERT INTO requests (request_id, asks_for, channel, received_at, opened_by, state, closed_at)
    SELECT 'request-' || lpad(to_hex(n), 16, '0'), 'access', 'form', now() - n * interval '1 hour', 'operator',
    CASE WHEN n <= :open THEN 'in_progress' ELSE 'closed' END, CASE WHEN n <= :open THEN NULL ELSE now() END
    FROM generate_series(1, :requests) n""",
    """INSERT INTO incidents (incident_id, sweep_id, kind, at, state, record_key)
    SELECT 'incident-' || n, 'sweep-1', 'restored', now() - n * interval '1 hour', 'closed', sha256(n::text::bytea)
    FROM generate_series(1, 5000) n""",
)
