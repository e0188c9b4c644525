-- What waits for a person: records that the rules could not settle, and work that no connector does.

CREATE TABLE review_items (
    item_id      text PRIMARY KEY,
    system       text NOT NULL,
    record_key   bytea NOT NULL,
    kind         text NOT NULL,
    locator      bytea,                        -- encrypted vendor key; wiped when the item is closed
    version      text NOT NULL,
    data_classes text[] NOT NULL,
    reasons      text[] NOT NULL,              -- what a person is asked about, sorted
    rules        text[] NOT NULL,              -- the schedule's rules that cover those classes
    first_seen   date NOT NULL,                -- kept while the question is the same: how long it has waited
    last_sweep   text NOT NULL,
    last_seen    date NOT NULL,
    round        int NOT NULL DEFAULT 1,       -- grows when an answer no longer fits; older answers count no more
    state        text NOT NULL CHECK (state IN ('waiting', 'settled', 'gone')),
    UNIQUE (system, record_key)
);

-- Answers only grow, and only the approver's role gives them. The newest of the item's round counts.
CREATE TABLE review_decisions (
    decision_id  bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    item_id      text NOT NULL REFERENCES review_items,
    round        int NOT NULL,
    decision     text NOT NULL CHECK (decision IN ('erase', 'keep', 'restrict', 'collected-on', 'not-the-person')),
    reasons      text[] NOT NULL,              -- the question it answers; another question is not answered by it
    version      text NOT NULL,
    until        date,
    collected_on date,
    decided_by   text NOT NULL,
    decided_at   timestamptz NOT NULL DEFAULT now(),
    CHECK ((decision = 'keep') = (until IS NOT NULL)),
    CHECK ((decision = 'collected-on') = (collected_on IS NOT NULL))
);
CREATE INDEX review_decisions_of ON review_decisions (item_id, round, decision_id);
CREATE TRIGGER review_decisions_grow BEFORE UPDATE OR DELETE OR TRUNCATE ON review_decisions
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

-- Who looked up where a record lies.
CREATE TABLE review_reveals (
    item_id     text NOT NULL REFERENCES review_items,
    revealed_by text NOT NULL,
    revealed_at timestamptz NOT NULL DEFAULT now()
);

CREATE FUNCTION refuse_earlier_round() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'a review item does not go back to an earlier round: its old answers have lapsed';
END $$;
CREATE TRIGGER review_items_go_on BEFORE UPDATE ON review_items
    FOR EACH ROW WHEN (NEW.round < OLD.round) EXECUTE FUNCTION refuse_earlier_round();

-- The queue as people see it: a waiting item with an answer in its round is decided.
CREATE VIEW review_queue AS
SELECT i.item_id, i.system, i.record_key, i.kind, i.version, i.data_classes, i.reasons, i.rules, i.first_seen,
       i.last_seen, i.round, d.decision, d.reasons AS answered, d.version AS answered_version, d.until,
       d.collected_on, d.decided_by, d.decided_at,
       CASE WHEN i.state = 'waiting' AND d.item_id IS NOT NULL THEN 'decided' ELSE i.state END AS state
FROM review_items i LEFT JOIN LATERAL (
    SELECT * FROM review_decisions d WHERE d.item_id = i.item_id AND d.round = i.round
    ORDER BY d.decision_id DESC LIMIT 1
) d ON true;

CREATE TABLE person_tasks (
    task_id     text PRIMARY KEY,
    system      text NOT NULL,
    what        text NOT NULL,                 -- an action, or the code of a gap
    kind        text NOT NULL DEFAULT '',      -- of record
    detail      text NOT NULL DEFAULT '',      -- the hidden field, where there is one
    record_key  bytea,                         -- null: about the system as a whole
    locator     bytea,                         -- encrypted vendor key; wiped when the task is closed
    reasons     text[] NOT NULL DEFAULT '{}',
    items       bigint NOT NULL DEFAULT 1,     -- how many records it is about
    owner       text NOT NULL,
    opened_on   date NOT NULL,
    due_on      date NOT NULL,
    last_sweep  text NOT NULL,
    last_seen   date NOT NULL,
    state       text NOT NULL CHECK (state IN ('open', 'done', 'dropped', 'gone')),
    proof       text NOT NULL DEFAULT '',      -- done: a reference; dropped: a code
    done_by     text NOT NULL DEFAULT '',
    closed_at   timestamptz,
    quiet_until date,                          -- the same need opens no new task before
    CHECK (state IN ('open', 'gone') OR (proof <> '' AND done_by <> ''))
);
CREATE UNIQUE INDEX person_tasks_once ON person_tasks (system, what, kind, detail, record_key) NULLS NOT DISTINCT
    WHERE state = 'open';

GRANT SELECT ON review_items, review_decisions, review_reveals, review_queue, person_tasks
    TO retention_executor, retention_approver;
GRANT SELECT ON review_decisions, review_reveals, review_queue TO retention_auditor;
GRANT SELECT (item_id, system, record_key, kind, version, data_classes, reasons, rules, first_seen,
              last_sweep, last_seen, round, state) ON review_items TO retention_auditor;
GRANT SELECT (task_id, system, what, kind, detail, record_key, reasons, items, owner, opened_on, due_on, last_sweep,
              last_seen, state, proof, done_by, closed_at, quiet_until) ON person_tasks TO retention_auditor;

GRANT INSERT, UPDATE ON review_items TO retention_executor;
GRANT INSERT (task_id, system, what, kind, detail, record_key, locator, reasons, items, owner, opened_on, due_on,
              last_sweep, last_seen, state) ON person_tasks TO retention_executor;
GRANT UPDATE (locator, reasons, items, last_sweep, last_seen, state, closed_at) ON person_tasks TO retention_executor;

GRANT INSERT ON review_decisions, review_reveals TO retention_approver;
GRANT UPDATE (locator, state, proof, done_by, closed_at, quiet_until) ON person_tasks TO retention_approver;
