-- The same steps as before, each asked about by its own record: a worker asks before every single call, so the answer
-- must not cost more the more requests share a run.
CREATE OR REPLACE VIEW lapsed_steps AS
SELECT s.step_id FROM steps s JOIN plans p USING (plan_id) CROSS JOIN LATERAL (
    SELECT bool_and(r.state NOT IN ('in_progress', 'extended')) AS by_all
    FROM request_records x JOIN requests r USING (request_id)
    WHERE x.sweep_id = p.sweep_id AND x.system = s.system AND x.record_key = s.record_key
) lapsed WHERE lapsed.by_all;

-- One index that leads to a record, in place of two of which a planner without statistics took the wrong one.
ALTER TABLE request_records DROP CONSTRAINT request_records_pkey,
    ADD PRIMARY KEY (sweep_id, system, record_key, request_id);
DROP INDEX request_records_here;
