-- What proves that a request was answered: certificates; what was made for its subject: copies.

CREATE TABLE request_certificates (
    certificate_id text PRIMARY KEY,
    request_id     text NOT NULL REFERENCES requests,
    document       text NOT NULL,              -- signed JSON; names nobody
    issued_at      timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX request_certificates_of ON request_certificates (request_id);
CREATE TRIGGER request_certificates_grow BEFORE UPDATE OR DELETE OR TRUNCATE ON request_certificates
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

-- The file lies in a folder of its own; here is only how it is found, until when, and that it was destroyed.
CREATE TABLE request_copies (
    copy_id      text PRIMARY KEY,
    request_id   text NOT NULL REFERENCES requests,
    digest       text NOT NULL,                -- SHA-256 of the encrypted file
    bytes        bigint NOT NULL,
    token_digest bytea NOT NULL,               -- of the link by which it is fetched
    made_at      timestamptz NOT NULL,
    expires_at   timestamptz NOT NULL,
    fetched_at   timestamptz,
    destroyed_at timestamptz
);
CREATE INDEX request_copies_of ON request_copies (request_id);

GRANT SELECT ON request_certificates, request_copies TO retention_executor, retention_approver, retention_auditor;
GRANT INSERT ON request_certificates TO retention_executor;
GRANT INSERT, UPDATE ON request_copies TO retention_executor;
