-- When may the next call to an account go out? One row per account and allowance, shared by all workers on all machines.
-- Unlogged: after a crash of the server everybody starts from the present, which is right.

CREATE UNLOGGED TABLE turns (
    account     text NOT NULL,           -- the Airflow connection that leads to it
    allowance   text NOT NULL,
    next_at     timestamptz NOT NULL,    -- when the next turn begins
    PRIMARY KEY (account, allowance)
);

GRANT SELECT ON turns TO retention_executor, retention_approver, retention_auditor;
GRANT INSERT, UPDATE ON turns TO retention_executor;
