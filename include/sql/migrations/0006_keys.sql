-- Keys in generations, the suppression list with its proofs, a pseudonym key for each case, and incidents.

-- Which generations of keys this ledger was written with. A worker whose keys lack one of them would look in vain.
CREATE TABLE key_generations (
    key_id      text PRIMARY KEY,
    fingerprint text NOT NULL,                 -- of the keys themselves, derived one way
    adopted_at  timestamptz NOT NULL DEFAULT now()
);

-- The pseudonyms of older generations, for what outlives a night: holds, the erasure register, restrictions.
ALTER TABLE findings
    ADD COLUMN older_record_keys bytea[] NOT NULL DEFAULT '{}',
    ADD COLUMN older_exact_keys  bytea[] NOT NULL DEFAULT '{}',
    ADD COLUMN older_folded_keys bytea[] NOT NULL DEFAULT '{}';
ALTER TABLE catalogue
    ADD COLUMN key_id            text NOT NULL DEFAULT '',
    ADD COLUMN older_record_keys bytea[] NOT NULL DEFAULT '{}',
    ADD COLUMN older_exact_keys  bytea[] NOT NULL DEFAULT '{}',
    ADD COLUMN older_folded_keys bytea[] NOT NULL DEFAULT '{}';

-- Who is on the list stays on it, or shows which newer consent took them off.
ALTER TABLE suppressions
    ADD COLUMN entry_no       bigint GENERATED ALWAYS AS IDENTITY,
    ADD COLUMN exact_key      bytea,           -- whose word it was; null where only the folded form is known
    ADD COLUMN added_by       text NOT NULL DEFAULT '',
    ADD COLUMN consent_system text,            -- where the newer consent was found
    ADD COLUMN consent_field  text,            -- in which record kind and field
    ADD COLUMN removed_in     text;            -- sweep
ALTER TABLE suppressions ADD CONSTRAINT suppressions_end_by_newer_consent CHECK (
    removed_at IS NULL OR (removed_for > opted_out_on AND consent_system IS NOT NULL AND consent_field IS NOT NULL)
) NOT VALID;
CREATE UNIQUE INDEX suppressions_in_order ON suppressions (entry_no);

-- Which people found tonight are on the list; emptied when the sweep is sealed.
CREATE TABLE listed_subjects (
    sweep_id     text NOT NULL REFERENCES sweeps,
    exact_key    bytea NOT NULL,               -- of the subject
    folded_key   bytea NOT NULL,
    entry_key    bytea NOT NULL,               -- suppressions.folded_key
    opted_out_on date NOT NULL,
    added_at     timestamptz NOT NULL,
    surely       boolean NOT NULL,             -- by the exact form; else by the folded form or a variant of it
    PRIMARY KEY (sweep_id, exact_key, entry_key)
);

-- What the list came to each night: entries are never deleted, so what was counted must still be there.
CREATE TABLE suppression_counts (
    sweep_id text PRIMARY KEY REFERENCES sweeps,
    last_no  bigint NOT NULL,
    entries  bigint NOT NULL,                  -- ever made, up to last_no
    live     bigint NOT NULL,
    digest   text NOT NULL,                    -- SHA-256 over the keys of all entries, in order
    at       timestamptz NOT NULL DEFAULT now()
);

-- The key behind the audit log's names of records, one for each case. Destroyed: nobody can tell whom they meant.
CREATE TABLE case_keys (
    case_id      text PRIMARY KEY,             -- a sweep or a request
    sealed       bytea,                        -- encrypted; null once destroyed
    key_id       text NOT NULL,                -- the generation the case was opened under
    made_at      timestamptz NOT NULL DEFAULT now(),
    destroyed_at timestamptz,
    destroyed_by text,
    CHECK ((sealed IS NULL) = (destroyed_at IS NOT NULL))
);

CREATE TABLE incidents (
    incident_id text PRIMARY KEY,
    sweep_id    text NOT NULL REFERENCES sweeps,
    system      text NOT NULL DEFAULT '',      -- empty: none in particular
    kind        text NOT NULL,                 -- restored | re-imported | newly-collected | special-category | …
    record_key  bytea,
    records     bigint NOT NULL DEFAULT 1,
    at          timestamptz NOT NULL DEFAULT now(),
    state       text NOT NULL DEFAULT 'open',  -- open | closed
    note_code   text,                          -- how it was dealt with
    closed_by   text,
    closed_at   timestamptz
);
CREATE UNIQUE INDEX incidents_open_once ON incidents (system, kind, record_key) NULLS NOT DISTINCT
    WHERE state = 'open';

GRANT SELECT ON key_generations, listed_subjects, suppression_counts, case_keys, incidents
    TO retention_executor, retention_approver, retention_auditor;
GRANT INSERT ON key_generations, suppression_counts, case_keys, incidents TO retention_executor;
GRANT INSERT, DELETE ON listed_subjects TO retention_executor;
GRANT INSERT, UPDATE ON suppressions TO retention_approver;
GRANT UPDATE (sealed, destroyed_at, destroyed_by) ON case_keys TO retention_approver;
GRANT UPDATE (state, note_code, closed_by, closed_at) ON incidents TO retention_approver;

CREATE FUNCTION refuse_removal() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'what % holds stays there: % refused', TG_TABLE_NAME, TG_OP;
END $$;
CREATE TRIGGER suppressions_stay BEFORE DELETE OR TRUNCATE ON suppressions
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_removal();
CREATE TRIGGER suppression_counts_stay BEFORE UPDATE OR DELETE OR TRUNCATE ON suppression_counts
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_removal();
