-- Who had an identity shown to them, of what, and why; and how the audit log was found when it was checked.

-- The words are the looker's own and may name somebody: encrypted, and proven by the keyed digest in the audit log.
CREATE TABLE identity_views (
    view_id    bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    shown      text NOT NULL CHECK (shown IN ('request', 'step', 'review')),
    reference  text NOT NULL,                  -- of the request, the step of a plan, the item of the review queue
    purpose    text NOT NULL,
    words      bytea NOT NULL,
    looked_by  text NOT NULL,
    looked_at  timestamptz NOT NULL
);
CREATE TRIGGER identity_views_grow BEFORE UPDATE OR DELETE OR TRUNCATE ON identity_views
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
GRANT INSERT ON identity_views TO retention_approver;
GRANT SELECT (view_id, shown, reference, purpose, looked_by, looked_at) ON identity_views
    TO retention_executor, retention_approver, retention_auditor;

CREATE TABLE audit_checks (
    check_id   bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    asked_by   text NOT NULL,
    began_at   timestamptz NOT NULL,
    ended_at   timestamptz NOT NULL,
    entries    bigint NOT NULL,                -- checked before it ended
    seals      bigint NOT NULL,                -- signed heads held against them
    root       text NOT NULL,                  -- over those entries
    problem    text NOT NULL                   -- what was wrong first; empty: nothing
);
CREATE TRIGGER audit_checks_grow BEFORE UPDATE OR DELETE OR TRUNCATE ON audit_checks
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
GRANT SELECT ON audit_checks TO retention_executor, retention_approver, retention_auditor;
GRANT INSERT ON audit_checks TO retention_executor;
