-- Which policy may act, and what the ledger itself may forget.

-- Nothing is carried out under a policy whose digest nobody on its list approved, or whose approval was withdrawn.
CREATE TABLE policy_approvals (
    approval_id   text PRIMARY KEY,
    policy_digest text NOT NULL,
    approvers     text[] NOT NULL,             -- whom this policy lets approve; one of them approves the next
    approved_by   text NOT NULL,
    approved_at   timestamptz NOT NULL,
    effect        jsonb NOT NULL,              -- the counts that were shown: by system, rule and verdict
    withdrawn_by  text,
    withdrawn_at  timestamptz
);
CREATE UNIQUE INDEX policy_approvals_one_in_force ON policy_approvals (policy_digest) WHERE withdrawn_at IS NULL;
CREATE TRIGGER policy_approvals_grow BEFORE DELETE OR TRUNCATE ON policy_approvals
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

GRANT SELECT ON policy_approvals TO retention_executor, retention_approver, retention_auditor;
GRANT INSERT, UPDATE (withdrawn_by, withdrawn_at) ON policy_approvals TO retention_approver;

-- From when the period of a sweep's own data counts. One that nobody sealed ends after the longest time an answer
-- to its question is waited for.
CREATE VIEW ended_sweeps AS
SELECT sweep_id, coalesce(sealed_at, opened_at + interval '7 days') AS ended_at FROM sweeps;
GRANT SELECT ON ended_sweeps TO retention_executor, retention_approver, retention_auditor;

CREATE INDEX steps_located ON steps (plan_id) WHERE locator IS NOT NULL;

-- Whoever may prune released holds can still not remove one in force.
CREATE FUNCTION refuse_to_forget_a_hold_in_force() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF OLD.released_at IS NULL THEN
        RAISE EXCEPTION 'hold % is in force: it cannot be deleted', OLD.hold_id;
    END IF;
    RETURN OLD;
END $$;
CREATE TRIGGER holds_end_by_release BEFORE DELETE ON holds
    FOR EACH ROW EXECUTE FUNCTION refuse_to_forget_a_hold_in_force();

GRANT DELETE ON attempts, restrictions, erasures, holds TO retention_executor;
