-- Subjects' requests: who asks for what, where it stands, what was asked and told meanwhile, and in which runs it was
-- worked on. Who it is lies in `case_file`, encrypted under a key of its own that ends with the case.

-- A run for requests is a sweep with another selector: the records of these people, not what is due.
ALTER TABLE sweeps
    ADD COLUMN selector text NOT NULL DEFAULT 'schedule' CHECK (selector IN ('schedule', 'requests'));

CREATE TABLE request_keys (
    request_id   text PRIMARY KEY,
    sealed       bytea,                        -- wrapped by the keys of the deployment; null once destroyed
    made_at      timestamptz NOT NULL DEFAULT now(),
    destroyed_at timestamptz,
    CHECK ((sealed IS NULL) = (destroyed_at IS NOT NULL))
);

-- Only what was sent is here. Which words: the digest of the letter, whose template the repository keeps.
CREATE TABLE request_notices (
    notice_id  text PRIMARY KEY,
    request_id text NOT NULL,
    template   text NOT NULL CHECK (template IN ('acknowledgement', 'identity', 'extension', 'outcome', 'refusal',
                                                 'lifting', 'recipients', 'copy')),
    template_digest text NOT NULL,
    digest     text NOT NULL,
    channel    text NOT NULL CHECK (channel IN ('email', 'post')),
    reference  text NOT NULL DEFAULT '',       -- post: of the letter
    sent_on    date NOT NULL,
    recorded_at timestamptz NOT NULL DEFAULT now(),
    UNIQUE (notice_id, request_id, template),
    CHECK (channel = 'email' OR reference <> '')
);

CREATE TABLE requests (
    request_id  text PRIMARY KEY,
    asks_for    text NOT NULL CHECK (asks_for IN ('access', 'rectification', 'erasure', 'restriction', 'portability',
                                                  'objection', 'consent_withdrawal')),
    ground      text CHECK (ground IN ('accuracy', 'unlawful', 'claims', 'objection')),
    to_marketing boolean NOT NULL DEFAULT false,   -- an objection: absolute
    channel     text NOT NULL CHECK (channel IN ('form', 'email', 'post', 'telephone')),
    received_at timestamptz NOT NULL,
    opened_by   text NOT NULL,                 -- may not approve what is done because of it
    opened_at   timestamptz NOT NULL DEFAULT now(),
    state       text NOT NULL,
    case_file   bytea,                         -- encrypted: identifiers, their own words, corrected values
    joined_to   text REFERENCES requests,
    weighed     text CHECK (weighed IN ('upheld', 'overridden')),  -- what became of an objection
    is_excessive boolean NOT NULL DEFAULT false,   -- a person decides
    restriction_id text,                       -- restriction_matters; those have a period of their own
    refusal_reasons text[] NOT NULL DEFAULT '{}',
    refusal_notice   text,
    refusal_template text NOT NULL GENERATED ALWAYS AS ('refusal') STORED,
    extension_notice   text,
    extension_template text NOT NULL GENERATED ALWAYS AS ('extension') STORED,
    outcome_notice   text,
    outcome_template text NOT NULL GENERATED ALWAYS AS ('outcome') STORED,
    closed_at   timestamptz,
    CHECK ((asks_for = 'restriction') = (ground IS NOT NULL)),
    CHECK (NOT to_marketing OR asks_for = 'objection'),
    CHECK ((state = 'joined') <= (joined_to IS NOT NULL)),
    CHECK ((state = 'closed') = (closed_at IS NOT NULL)),
    CHECK (state <> 'closed' OR case_file IS NULL),
    -- Never without their notice (Art. 12(3), 12(4)): of this request, of the right kind, on record as sent.
    CONSTRAINT requests_refused_with_notice CHECK (state NOT IN ('refusal_told', 'refused') OR refusal_notice IS NOT NULL),
    CONSTRAINT requests_extended_with_notice
        CHECK (state NOT IN ('extension_told', 'extended', 'extended_paused') OR extension_notice IS NOT NULL),
    CONSTRAINT requests_answered_with_notice CHECK (state NOT IN ('answered', 'settling') OR outcome_notice IS NOT NULL),
    FOREIGN KEY (refusal_notice, request_id, refusal_template)
        REFERENCES request_notices (notice_id, request_id, template),
    FOREIGN KEY (extension_notice, request_id, extension_template)
        REFERENCES request_notices (notice_id, request_id, template),
    FOREIGN KEY (outcome_notice, request_id, outcome_template)
        REFERENCES request_notices (notice_id, request_id, template)
);
CREATE INDEX requests_open ON requests (state) WHERE closed_at IS NULL;

-- A lift through a request names its notice, too; one by hand names the day (restriction_matters.notice_on).
ALTER TABLE requests ADD COLUMN lifting_notice text,
    ADD COLUMN lifting_template text NOT NULL GENERATED ALWAYS AS ('lifting') STORED,
    ADD COLUMN lifted_at timestamptz,
    ADD CONSTRAINT requests_lifted_with_notice CHECK (lifted_at IS NULL OR lifting_notice IS NOT NULL),
    ADD FOREIGN KEY (lifting_notice, request_id, lifting_template)
        REFERENCES request_notices (notice_id, request_id, template);

-- By whom a request is recognised: duplicates join, an open one for a copy protects.
CREATE TABLE request_subjects (
    request_id  text NOT NULL REFERENCES requests ON DELETE CASCADE,
    exact_key   bytea NOT NULL,
    folded_key  bytea NOT NULL,
    verified_on date,                          -- the person showed that the address is theirs
    PRIMARY KEY (request_id, exact_key)
);
CREATE INDEX request_subjects_exact ON request_subjects (exact_key);
CREATE INDEX request_subjects_folded ON request_subjects (folded_key);

-- Everything that moved a request or its clock, only added to: due dates are worked out from it, never stored.
CREATE TABLE request_events (
    event_no   bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    request_id text NOT NULL REFERENCES requests,
    event      text NOT NULL,
    on_day     date NOT NULL,                  -- at the controller's place
    what       text NOT NULL DEFAULT '',       -- of a pause: clarification | fee
    by_whom    text NOT NULL,
    recorded_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX request_events_of ON request_events (request_id, event_no);
CREATE TRIGGER request_events_grow BEFORE UPDATE OR DELETE OR TRUNCATE ON request_events
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE TRIGGER request_notices_grow BEFORE UPDATE OR DELETE OR TRUNCATE ON request_notices
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

-- One-time links: only a digest is kept, so that nobody can use one who reads the ledger.
CREATE TABLE request_tokens (
    token_digest bytea PRIMARY KEY,
    request_id   text NOT NULL REFERENCES requests,
    exact_key    bytea NOT NULL,               -- the address it was sent to
    issued_at    timestamptz NOT NULL,
    expires_at   timestamptz NOT NULL,
    used_at      timestamptz
);

-- Which alarms were raised already: each mark of a due date once.
CREATE TABLE request_alarms (
    request_id text NOT NULL REFERENCES requests,
    mark_on    date NOT NULL,
    raised_at  timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (request_id, mark_on)
);

GRANT SELECT ON request_notices, request_subjects, request_events, request_alarms
    TO retention_executor, retention_approver, retention_auditor;
GRANT SELECT ON requests, request_keys, request_tokens TO retention_executor, retention_approver;
GRANT SELECT (request_id, asks_for, ground, to_marketing, channel, received_at, opened_by, opened_at, state, joined_to,
              weighed, is_excessive, restriction_id, refusal_reasons, refusal_notice, extension_notice, outcome_notice,
              lifting_notice, lifted_at, closed_at) ON requests TO retention_auditor;
GRANT SELECT (request_id, made_at, destroyed_at) ON request_keys TO retention_auditor;

GRANT INSERT, UPDATE ON requests, request_subjects, request_keys, request_tokens
    TO retention_executor, retention_approver;
GRANT INSERT ON request_notices, request_events, request_alarms TO retention_executor, retention_approver;
GRANT INSERT ON case_keys TO retention_approver;
-- Who asks for restriction is protected at once; ending it stays with the approver.
GRANT INSERT ON restriction_matters, restriction_subjects TO retention_executor;
