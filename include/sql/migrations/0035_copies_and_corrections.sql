-- A copy is on record before its file is written, so that a kill leaves no file that nobody ends. Each link to it leads
-- one reader there, once; whether it was sent is known by its notice. Link and passphrase are worked out from the key of
-- the case: neither is stored.
ALTER TABLE request_copies
    ALTER COLUMN digest DROP NOT NULL,
    ALTER COLUMN bytes DROP NOT NULL,
    ADD COLUMN written_at timestamptz;         -- null: begun, and perhaps broken off
UPDATE request_copies SET written_at = made_at;
ALTER TABLE request_copies
    ADD CONSTRAINT request_copies_written_wholly
        CHECK ((written_at IS NULL) = (digest IS NULL) AND (digest IS NULL) = (bytes IS NULL));

CREATE TABLE request_copy_links (
    token_digest bytea PRIMARY KEY,
    copy_id      text NOT NULL REFERENCES request_copies,
    reader       text NOT NULL CHECK (reader IN ('subject', 'third_party')),
    notice_id    text REFERENCES request_notices,  -- null: not sent yet
    fetched_at   timestamptz,
    UNIQUE (copy_id, reader)
);
INSERT INTO request_copy_links (token_digest, copy_id, reader, fetched_at)
    SELECT token_digest, copy_id, 'subject', fetched_at FROM request_copies;
ALTER TABLE request_copies DROP COLUMN token_digest, DROP COLUMN fetched_at;

GRANT SELECT, INSERT, UPDATE ON request_copy_links TO retention_executor, retention_approver;
GRANT SELECT (copy_id, reader, notice_id, fetched_at) ON request_copy_links TO retention_auditor;
GRANT UPDATE ON request_copies TO retention_approver;

-- Corrected values stand encrypted in the case file. A step names the fields and, keyed, what they shall hold: with that
-- the approved digest covers the values. What stood there before is kept as a keyed digest, for the audit log.
ALTER TABLE steps
    ADD COLUMN values_key bytea NOT NULL DEFAULT ''::bytea,
    ADD COLUMN corrects_for text NOT NULL DEFAULT '',  -- the request
    ADD COLUMN before_digest text;
CREATE INDEX steps_corrections ON steps (corrects_for) WHERE corrects_for <> '';
