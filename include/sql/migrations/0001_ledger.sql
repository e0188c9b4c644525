-- The ledger: where every sweep, plan and step stands. Locators are encrypted; *_key columns are keyed pseudonyms.

CREATE TABLE switches (
    name        text PRIMARY KEY,              -- 'mode', 'stop', 'stop:<system>'
    value       text NOT NULL,                 -- mode: dry | rehearsal | live; stop: on | off
    changed_by  text NOT NULL,
    changed_at  timestamptz NOT NULL DEFAULT now()
);
INSERT INTO switches (name, value, changed_by) VALUES ('mode', 'dry', 'migration'), ('stop', 'off', 'migration');

CREATE TABLE sweeps (
    sweep_id      text PRIMARY KEY,
    dag_id        text NOT NULL,
    run_id        text NOT NULL,
    run_type      text NOT NULL,
    started_by    text NOT NULL,               -- Airflow user, or 'schedule'
    as_of         date NOT NULL,
    mode          text NOT NULL,               -- the mode when the sweep was opened
    state         text NOT NULL,
    policy_digest text NOT NULL,
    code_version  text NOT NULL,
    digest        text,                        -- over its plans, once guarded
    opened_at     timestamptz NOT NULL DEFAULT now(),
    sealed_at     timestamptz,
    UNIQUE (dag_id, run_id)
);

-- Which system was read in which sweep, and whether wholly: a half-read system acts on nothing.
CREATE TABLE readings (
    sweep_id  text NOT NULL REFERENCES sweeps,
    system    text NOT NULL,
    stage     text NOT NULL,                   -- gather | find
    state     text NOT NULL,                   -- whole | failed
    tenant    text NOT NULL DEFAULT '',
    read      bigint NOT NULL DEFAULT 0,       -- records the system showed
    consent_unread boolean NOT NULL DEFAULT false,  -- a hidden opt-out field: consent of this system is unknown
    reason    text NOT NULL DEFAULT '',
    at        timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (sweep_id, system, stage)
);

CREATE TABLE findings (
    sweep_id     text NOT NULL REFERENCES sweeps,
    system       text NOT NULL,
    record_key   bytea NOT NULL,
    kind         text NOT NULL,
    locator      bytea,                        -- encrypted vendor key; wiped when the sweep is sealed
    version      text NOT NULL,
    facts        jsonb NOT NULL,
    exact_keys   bytea[] NOT NULL DEFAULT '{}',
    folded_keys  bytea[] NOT NULL DEFAULT '{}',
    addresses    bytea,                        -- encrypted identifiers; wiped when the sweep is sealed
    shared       boolean NOT NULL DEFAULT false,   -- known by a shared or role address
    weak_opt_out boolean NOT NULL DEFAULT false,   -- its opt-out was set by us, on a match too weak to erase by
    verdict      text,                         -- erase | redact | restrict | keep | review | held
    reasons      text[] NOT NULL DEFAULT '{}',
    PRIMARY KEY (sweep_id, system, record_key)
);
CREATE INDEX findings_exact ON findings USING gin (exact_keys);
CREATE INDEX findings_folded ON findings USING gin (folded_keys);

-- What all systems together say of one person's consent to marketing in one sweep. Files about several people say
-- nothing of consent.
CREATE VIEW consent_signals AS
SELECT f.sweep_id, x.key, (array_agg(x.folded))[1] AS folded,
       bool_or((f.facts->>'opted_out')::bool AND NOT f.weak_opt_out) AS opted_out,
       bool_or((f.facts->>'opted_out')::bool AND NOT f.weak_opt_out AND f.facts->>'opted_out_on' IS NULL) AS undated,
       max((f.facts->>'opted_out_on')::date)
           FILTER (WHERE (f.facts->>'opted_out')::bool AND NOT f.weak_opt_out) AS opted_out_on,
       max((f.facts->>'consented_on')::date) AS consented_on
FROM findings f CROSS JOIN LATERAL unnest(f.exact_keys, f.folded_keys) AS x(key, folded)
WHERE NOT (f.facts->>'several_people')::bool
GROUP BY f.sweep_id, x.key;

CREATE TABLE gaps (
    gap_id      bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    sweep_id    text NOT NULL REFERENCES sweeps,
    system      text NOT NULL,
    code        text NOT NULL,
    kind        text NOT NULL,
    what        text NOT NULL DEFAULT '',
    record_key  bytea,
    locator     bytea
);
CREATE UNIQUE INDEX gaps_once ON gaps (sweep_id, system, code, kind, what, record_key) NULLS NOT DISTINCT;

-- Keyed facts of every item of catalogued systems. No verdicts: a record falls due by time alone.
CREATE TABLE catalogue (
    system       text NOT NULL,
    record_key   bytea NOT NULL,
    kind         text NOT NULL,
    locator      bytea NOT NULL,
    version      text NOT NULL,
    facts        jsonb NOT NULL,
    collected_on date,                         -- the earliest date of any class; null: none proven
    exact_keys   bytea[] NOT NULL DEFAULT '{}',
    folded_keys  bytea[] NOT NULL DEFAULT '{}',
    addresses    bytea,
    shared       boolean NOT NULL DEFAULT false, -- names people we cannot key: telephones, role addresses
    gap_code     text NOT NULL DEFAULT '',     -- why the item could not be read wholly
    seen_in      text NOT NULL,                -- sweep that saw it last
    PRIMARY KEY (system, record_key)
);
CREATE INDEX catalogue_due ON catalogue (system, collected_on);
CREATE INDEX catalogue_people ON catalogue USING gin (folded_keys);

CREATE TABLE tokens (
    system   text PRIMARY KEY,
    token    bytea NOT NULL,                   -- encrypted
    saved_at timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE plans (
    plan_id       text PRIMARY KEY,
    sweep_id      text NOT NULL REFERENCES sweeps,
    system        text NOT NULL,
    purpose       text NOT NULL,               -- retention | suppression
    tenant        text NOT NULL,
    policy_digest text NOT NULL,
    digest        text NOT NULL,
    state         text NOT NULL,
    step_count    bigint NOT NULL,
    made_at       timestamptz NOT NULL DEFAULT now(),
    UNIQUE (sweep_id, system, purpose)
);

CREATE TABLE steps (
    step_id     text PRIMARY KEY,
    plan_id     text NOT NULL REFERENCES plans,
    position    bigint NOT NULL,
    system      text NOT NULL,
    kind        text NOT NULL,
    record_key  bytea NOT NULL,
    locator     bytea,                         -- wiped after settlement; the key remains
    subjects    bytea,                         -- encrypted identifiers the action needs
    subject_keys bytea[] NOT NULL DEFAULT '{}',-- exact keys of the record's subjects, for the re-read of holds
    folded_keys bytea[] NOT NULL DEFAULT '{}',
    version     text NOT NULL,
    action      text NOT NULL,
    fields      text[] NOT NULL DEFAULT '{}',
    data_classes text[] NOT NULL DEFAULT '{}',
    reasons     text[] NOT NULL DEFAULT '{}',
    rests_on_opt_out boolean NOT NULL DEFAULT false,
    state       text NOT NULL,
    fence       bigint NOT NULL DEFAULT 0,     -- grows with every claim; an older claimant can write nothing
    tries       int NOT NULL DEFAULT 0,        -- how often it was sent
    lease_until timestamptz,
    handle      text,                          -- the vendor's job, once noted
    status      text,                          -- last outcome
    reason      text,
    evidence    jsonb,
    settle_on   date,
    verified_at timestamptz,
    UNIQUE (plan_id, position)
);
CREATE UNIQUE INDEX steps_one_open ON steps (system, record_key)
    WHERE state IN ('planned', 'claimed', 'intended', 'accepted', 'unknown');
CREATE INDEX steps_claimable ON steps (plan_id, state, position);

-- Intent before effect, outcome after: an intent without outcome is settled by re-reading, never repeated blindly.
CREATE TABLE attempts (
    step_id     text NOT NULL REFERENCES steps,
    fence       bigint NOT NULL,
    intended_at timestamptz NOT NULL DEFAULT now(),
    status      text,
    reason      text,
    evidence    jsonb,
    ended_at    timestamptz,
    PRIMARY KEY (step_id, fence)
);

CREATE TABLE approvals (
    approval_id text PRIMARY KEY,
    sweep_id    text NOT NULL REFERENCES sweeps,
    digest      text NOT NULL,
    approver    text NOT NULL,                 -- Airflow user id, or 'standing:<name>'
    answered_at timestamptz NOT NULL,
    expires_at  timestamptz NOT NULL,
    recorded_at timestamptz NOT NULL DEFAULT now(),
    UNIQUE (sweep_id, digest)
);

CREATE TABLE standing_approvals (
    name          text PRIMARY KEY,
    reasons       text[] NOT NULL,             -- reason codes it covers
    systems       text[] NOT NULL,
    max_steps     bigint NOT NULL,             -- per sweep and system
    policy_digest text NOT NULL,
    given_by      text NOT NULL,
    given_at      timestamptz NOT NULL DEFAULT now(),
    ends_on       date NOT NULL,
    revoked_at    timestamptz
);

CREATE TABLE suppressions (
    folded_key  bytea NOT NULL,
    key_id      text NOT NULL,
    channel     text NOT NULL,
    opted_out_on date NOT NULL,
    reason      text NOT NULL,
    sweep_id    text,
    added_at    timestamptz NOT NULL DEFAULT now(),
    removed_at  timestamptz,                   -- only by consent newer than the opt-out
    removed_for date,                          -- the day of that consent
    PRIMARY KEY (folded_key, channel)
);

CREATE TABLE erasures (
    system      text NOT NULL,
    record_key  bytea NOT NULL,
    data_class  text NOT NULL,
    exact_keys  bytea[] NOT NULL DEFAULT '{}',
    key_id      text NOT NULL,
    erased_at   timestamptz NOT NULL,
    sweep_id    text,
    PRIMARY KEY (system, record_key, data_class)
);

CREATE TABLE holds (
    hold_id     text PRIMARY KEY,
    matter      text NOT NULL,                 -- the case reference, no name
    exact_key   bytea NOT NULL,
    folded_key  bytea NOT NULL,
    systems     text[] NOT NULL DEFAULT '{}',  -- empty: all
    placed_by   text NOT NULL,
    placed_at   timestamptz NOT NULL DEFAULT now(),
    review_on   date NOT NULL,
    released_by text,
    released_at timestamptz
);
CREATE INDEX holds_active ON holds (folded_key) WHERE released_at IS NULL;

-- What RELEASE must put back: recorded once, never overwritten.
CREATE TABLE restrictions (
    system        text NOT NULL,
    record_key    bytea NOT NULL,
    locator       bytea NOT NULL,
    kind          text NOT NULL,
    previous      bytea NOT NULL,              -- encrypted
    step_id       text NOT NULL REFERENCES steps,
    restricted_at timestamptz NOT NULL,
    released_at   timestamptz,
    PRIMARY KEY (system, record_key)
);

CREATE TABLE sweep_counts (
    sweep_id text NOT NULL REFERENCES sweeps,
    system   text NOT NULL,
    reason   text NOT NULL,                    -- reason code
    verdict  text NOT NULL,
    records  bigint NOT NULL,
    PRIMARY KEY (sweep_id, system, verdict, reason)
);

CREATE TABLE audit_entries (
    seq       bigint PRIMARY KEY,
    body      bytea NOT NULL,                  -- canonical bytes
    leaf_hash bytea NOT NULL
);

-- The head of the log: locked by each writer, so that the chain never forks.
CREATE TABLE audit_head (
    one    boolean PRIMARY KEY DEFAULT true CHECK (one),
    packed bytea NOT NULL
);

CREATE TABLE audit_checkpoints (
    size      bigint PRIMARY KEY,
    note      text NOT NULL,
    made_at   timestamptz NOT NULL DEFAULT now()
);

CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'the audit log only grows: % on % refused', TG_OP, TG_TABLE_NAME;
END $$;
CREATE TRIGGER audit_entries_grow BEFORE UPDATE OR DELETE OR TRUNCATE ON audit_entries
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE TRIGGER audit_checkpoints_grow BEFORE UPDATE OR DELETE OR TRUNCATE ON audit_checkpoints
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE TRIGGER approvals_grow BEFORE UPDATE OR DELETE OR TRUNCATE ON approvals
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
