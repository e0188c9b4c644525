-- Legal holds over people, systems, data classes and days; Art. 18 restrictions as matters of a subject.

CREATE TABLE hold_subjects (
    hold_id      text NOT NULL REFERENCES holds ON DELETE CASCADE,
    folded_key   bytea NOT NULL,               -- the form that protects
    role_address boolean NOT NULL DEFAULT false,   -- of a role: files that name one are not keyed by it
    PRIMARY KEY (hold_id, folded_key)
);
CREATE INDEX hold_subjects_key ON hold_subjects (folded_key);
INSERT INTO hold_subjects (hold_id, folded_key) SELECT hold_id, folded_key FROM holds;

ALTER TABLE holds
    DROP COLUMN exact_key,
    DROP COLUMN folded_key,
    ADD COLUMN everyone       boolean NOT NULL DEFAULT false,  -- of whole systems or data classes, whoever it is about
    ADD COLUMN data_classes   text[] NOT NULL DEFAULT '{}',    -- empty: all
    ADD COLUMN collected_from date,
    ADD COLUMN collected_to   date,                            -- last day included
    ADD COLUMN owner          text NOT NULL DEFAULT '',
    ADD COLUMN reason         text NOT NULL DEFAULT 'litigation',
    ADD COLUMN state          text NOT NULL DEFAULT 'in_force' CHECK (state IN ('in_force', 'released'));
UPDATE holds SET owner = placed_by, state = CASE WHEN released_at IS NULL THEN 'in_force' ELSE 'released' END;
ALTER TABLE holds
    ALTER COLUMN owner DROP DEFAULT,
    ALTER COLUMN reason DROP DEFAULT,
    ALTER COLUMN state DROP DEFAULT,
    ADD CHECK ((state = 'released') = (released_at IS NOT NULL)),
    ADD CHECK (collected_from <= collected_to),
    ADD CONSTRAINT holds_never_of_everything CHECK (
        NOT everyone OR cardinality(systems) > 0 OR cardinality(data_classes) > 0
    );
CREATE INDEX holds_of_everyone ON holds (hold_id) WHERE everyone;

-- By what a hold finds a step just before its call. Both are part of the plan's digest.
ALTER TABLE steps
    ADD COLUMN parts text[] NOT NULL DEFAULT '{}',  -- what the step touches, as class=day; without a day: none proven
    ADD COLUMN weak  text[] NOT NULL DEFAULT '{}';  -- unread | shared: it may be about people we could not key
CREATE INDEX steps_begun ON steps (system) WHERE state IN ('intended', 'unknown', 'accepted');

CREATE TABLE restriction_matters (
    restriction_id text PRIMARY KEY,
    ground         text NOT NULL CHECK (ground IN ('accuracy', 'unlawful', 'claims', 'objection')),
    matter         text NOT NULL,              -- the case reference, no name
    subjects       bytea,                      -- encrypted identifiers, to look the person up; wiped once all is released
    state          text NOT NULL CHECK (state IN ('in_force', 'told', 'lifted')),
    placed_by      text NOT NULL,
    placed_at      timestamptz NOT NULL DEFAULT now(),
    notice_on      date,                       -- the day the notice of Art. 18(3) was sent
    notice_by      text,
    lifted_by      text,
    lifted_at      timestamptz,
    CHECK ((state = 'in_force') = (notice_on IS NULL)),
    CHECK ((state = 'lifted') = (lifted_at IS NOT NULL))
);
CREATE TABLE restriction_subjects (
    restriction_id text NOT NULL REFERENCES restriction_matters ON DELETE CASCADE,
    exact_key      bytea NOT NULL,
    folded_key     bytea NOT NULL,
    PRIMARY KEY (restriction_id, exact_key)
);
CREATE INDEX restriction_subjects_key ON restriction_subjects (folded_key);

-- The state a restriction found is needed until it is put back, and no longer.
ALTER TABLE restrictions ALTER COLUMN previous DROP NOT NULL;

-- Whose restricted records wait for their release: by the folded keys of the step that restricted them.
CREATE VIEW records_to_release AS
SELECT DISTINCT x.restriction_id, r.system, r.record_key
FROM restrictions r JOIN steps s USING (step_id) JOIN restriction_subjects x ON x.folded_key = ANY (s.folded_keys)
WHERE r.released_at IS NULL;

GRANT SELECT ON hold_subjects, restriction_subjects, records_to_release TO retention_executor, retention_approver, retention_auditor;
GRANT SELECT ON restriction_matters TO retention_executor, retention_approver;
GRANT SELECT (restriction_id, ground, matter, state, placed_by, placed_at, notice_on, notice_by, lifted_by, lifted_at)
    ON restriction_matters TO retention_auditor;
GRANT INSERT ON hold_subjects, restriction_subjects TO retention_approver;
GRANT INSERT, UPDATE ON restriction_matters TO retention_approver;
GRANT UPDATE (subjects), DELETE ON restriction_matters TO retention_executor;
