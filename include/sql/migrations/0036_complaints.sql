-- Complaints of data subjects (UK: DPA 2018 s.164A): acknowledged within thirty days, kept informed, answered. Whom it is
-- about lies in `case_file`, under a key in `request_keys`; a hold over them stands from the first moment to the close.

ALTER TABLE request_notices
    DROP CONSTRAINT request_notices_template_check,
    ADD CONSTRAINT request_notices_template_check CHECK (template IN (
        'acknowledgement', 'identity', 'extension', 'outcome', 'refusal', 'lifting', 'recipients', 'copy', 'fee',
        'recipients-named', 'complaint-acknowledgement', 'complaint-progress', 'complaint-answer'));

CREATE TABLE complaints (
    complaint_id  text PRIMARY KEY,
    channel       text NOT NULL CHECK (channel IN ('form', 'email', 'post', 'telephone')),
    received_at   timestamptz NOT NULL,
    about_request text REFERENCES requests,    -- where it is about how a request was answered
    opened_by     text NOT NULL,
    opened_at     timestamptz NOT NULL DEFAULT now(),
    state         text NOT NULL,
    case_file     bytea,                       -- encrypted: identifiers and their own words
    hold_id       text NOT NULL,               -- holds have a period of their own
    outcome       text CHECK (outcome IN ('upheld', 'upheld-in-part', 'not-upheld')),
    acknowledgement_notice   text,
    acknowledgement_template text NOT NULL GENERATED ALWAYS AS ('complaint-acknowledgement') STORED,
    answer_notice   text,
    answer_template text NOT NULL GENERATED ALWAYS AS ('complaint-answer') STORED,
    closed_at     timestamptz,
    CHECK ((state = 'closed') = (closed_at IS NOT NULL)),
    CHECK (state <> 'closed' OR case_file IS NULL),
    CONSTRAINT complaints_acknowledged_with_notice
        CHECK (state NOT IN ('acknowledged', 'answered') OR acknowledgement_notice IS NOT NULL),
    CONSTRAINT complaints_answered_with_notice
        CHECK (state <> 'answered' OR answer_notice IS NOT NULL AND outcome IS NOT NULL),
    FOREIGN KEY (acknowledgement_notice, complaint_id, acknowledgement_template)
        REFERENCES request_notices (notice_id, request_id, template),
    FOREIGN KEY (answer_notice, complaint_id, answer_template)
        REFERENCES request_notices (notice_id, request_id, template)
);
CREATE INDEX complaints_open ON complaints (state) WHERE closed_at IS NULL;

-- Only added to: by when the next word is due is worked out from it.
CREATE TABLE complaint_events (
    event_no     bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    complaint_id text NOT NULL REFERENCES complaints,
    event        text NOT NULL,
    on_day       date NOT NULL,                -- at the controller's place
    what         text NOT NULL DEFAULT '',     -- of an answer: its outcome; of a close: the hold it released
    by_whom      text NOT NULL,
    recorded_at  timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX complaint_events_of ON complaint_events (complaint_id, event_no);
CREATE TRIGGER complaint_events_grow BEFORE UPDATE OR DELETE OR TRUNCATE ON complaint_events
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

CREATE TABLE complaint_alarms (
    complaint_id text NOT NULL REFERENCES complaints,
    mark_on      date NOT NULL,
    raised_at    timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (complaint_id, mark_on)
);

GRANT SELECT ON complaint_events, complaint_alarms TO retention_executor, retention_approver, retention_auditor;
GRANT SELECT ON complaints TO retention_executor, retention_approver;
GRANT SELECT (complaint_id, channel, received_at, about_request, opened_by, opened_at, state, hold_id, outcome,
              acknowledgement_notice, answer_notice, closed_at) ON complaints TO retention_auditor;
GRANT INSERT, UPDATE ON complaints TO retention_executor, retention_approver;
GRANT INSERT ON complaint_events, complaint_alarms TO retention_executor, retention_approver;
-- Who complains is protected at once; ending that stays with the approver.
GRANT INSERT ON holds, hold_subjects TO retention_executor;
