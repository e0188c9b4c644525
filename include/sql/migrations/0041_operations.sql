-- What a sweep came to, as it was reported when it was sealed: a page of ninety nights asks for ninety rows a system, not
-- for the steps behind them.
CREATE TABLE sweep_reports (
    sweep_id text NOT NULL REFERENCES sweeps ON DELETE CASCADE,
    system   text NOT NULL,
    counts   jsonb NOT NULL,
    PRIMARY KEY (sweep_id, system)
);
GRANT SELECT ON sweep_reports TO retention_executor, retention_approver, retention_auditor;
GRANT INSERT, UPDATE, DELETE ON sweep_reports TO retention_executor;

-- What the operations page asks, page by page.
CREATE INDEX sweeps_newest ON sweeps (opened_at DESC, sweep_id);
CREATE INDEX sweeps_guarded ON sweeps (opened_at DESC) WHERE state = 'guarded';
CREATE INDEX review_items_waiting ON review_items (first_seen, item_id) WHERE state = 'waiting';
CREATE INDEX person_tasks_open ON person_tasks (due_on, task_id) WHERE state = 'open';
CREATE INDEX requests_owed ON requests (received_at, request_id) WHERE closed_at IS NULL;
CREATE INDEX incidents_newest ON incidents (at DESC, incident_id);
CREATE INDEX gaps_listed ON gaps (sweep_id, system, code, kind, what);
