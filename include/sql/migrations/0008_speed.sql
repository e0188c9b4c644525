-- A step in hand changes its state three times. As long as no index looks at the state itself, PostgreSQL writes such a
-- change into the same page and touches no index; that takes a quarter of the time (docs/performance.md).

ALTER TABLE steps
    ADD COLUMN is_unanswered boolean GENERATED ALWAYS AS (state IN ('planned', 'claimed', 'intended')) STORED,
    ADD COLUMN is_unsettled  boolean GENERATED ALWAYS AS (state IN ('accepted', 'unknown')) STORED;

DROP INDEX steps_one_open;
CREATE UNIQUE INDEX steps_one_open ON steps (system, record_key) WHERE is_unanswered OR is_unsettled;
DROP INDEX steps_claimable;
CREATE INDEX steps_claimable ON steps (plan_id, position) WHERE is_unanswered;
CREATE INDEX steps_unsettled ON steps (system) WHERE is_unsettled;

-- Room for the next state beside the present one.
ALTER TABLE steps SET (fillfactor = 50);

-- Every row of attempts is written from the step it names, in one statement; nothing deletes a step that was begun.
ALTER TABLE attempts DROP CONSTRAINT attempts_step_id_fkey;
CREATE INDEX attempts_unanswered ON attempts (step_id) WHERE status IS NULL;
