-- A run for requests: which requests, which identifiers lead to their people and how, which records are theirs.

CREATE TABLE request_runs (
    sweep_id   text NOT NULL REFERENCES sweeps,
    request_id text NOT NULL REFERENCES requests,
    PRIMARY KEY (sweep_id, request_id)
);
CREATE INDEX request_runs_of ON request_runs (request_id);

CREATE TABLE request_people (
    sweep_id   text NOT NULL REFERENCES sweeps,
    request_id text NOT NULL REFERENCES requests,
    exact_key  bytea NOT NULL,
    folded_key bytea NOT NULL,
    identifier bytea,                          -- encrypted; wiped when the run is sealed
    surely     boolean NOT NULL,               -- by strong edges only, within bounds
    proven     boolean NOT NULL,               -- the person showed who they are
    path       jsonb NOT NULL,                 -- the records that led to it: pseudonyms
    PRIMARY KEY (sweep_id, request_id, exact_key)
);
CREATE INDEX request_people_keys ON request_people (sweep_id, folded_key);

-- Whom a system was already asked for in a run: the next round asks only for those found meanwhile.
CREATE TABLE request_lookups (
    sweep_id  text NOT NULL REFERENCES sweeps,
    system    text NOT NULL,
    exact_key bytea NOT NULL,
    PRIMARY KEY (sweep_id, system, exact_key)
);

CREATE TABLE request_records (
    sweep_id   text NOT NULL REFERENCES sweeps,
    request_id text NOT NULL REFERENCES requests,
    system     text NOT NULL,
    record_key bytea NOT NULL,
    path       jsonb NOT NULL,
    PRIMARY KEY (sweep_id, request_id, system, record_key)
);
CREATE INDEX request_records_of ON request_records (request_id);
CREATE INDEX request_records_here ON request_records (sweep_id, system, record_key);

-- Which earlier sweeps' plans a newer one takes the place of: those of the schedule that of the schedule, a run for a
-- request that of an earlier run for the same.
CREATE VIEW replaced_sweeps AS
SELECT t.sweep_id AS by_sweep, o.sweep_id FROM sweeps t JOIN sweeps o ON o.selector = t.selector AND o.sweep_id <> t.sweep_id
WHERE t.selector = 'schedule' OR EXISTS (
    SELECT FROM request_runs a JOIN request_runs b USING (request_id)
    WHERE a.sweep_id = o.sweep_id AND b.sweep_id = t.sweep_id
);

-- Steps that nobody asks for any more: every request they were planned for was withdrawn, refused or is over.
CREATE VIEW lapsed_steps AS
SELECT s.step_id FROM steps s JOIN plans p USING (plan_id)
JOIN request_records x ON x.sweep_id = p.sweep_id AND x.system = s.system AND x.record_key = s.record_key
JOIN requests r USING (request_id)
GROUP BY s.step_id HAVING bool_and(r.state NOT IN ('in_progress', 'extended'));

GRANT SELECT ON request_runs, request_records, request_lookups, replaced_sweeps, lapsed_steps
    TO retention_executor, retention_approver, retention_auditor;
GRANT SELECT ON request_people TO retention_executor, retention_approver;
GRANT INSERT ON request_runs TO retention_executor;
GRANT INSERT, UPDATE, DELETE ON request_people, request_records, request_lookups TO retention_executor;
