-- What people were told of, so that nobody is told the same twice. No names: a kind, and which run or state it was
-- about.
CREATE TABLE alerts (
    kind      text NOT NULL,
    about     text NOT NULL,
    raised_at timestamptz NOT NULL
);
CREATE INDEX alerts_latest ON alerts (kind, raised_at DESC);

GRANT SELECT ON alerts TO retention_executor, retention_approver, retention_auditor;
GRANT INSERT, DELETE ON alerts TO retention_executor;
