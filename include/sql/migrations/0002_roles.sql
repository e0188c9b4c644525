-- Separation of duties in the store itself: who runs cannot approve, who approves cannot run, who audits only reads.

DO $$
DECLARE role text;
BEGIN
    FOREACH role IN ARRAY ARRAY['retention_executor', 'retention_approver', 'retention_auditor'] LOOP
        IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = role) THEN
            EXECUTE format('CREATE ROLE %I NOLOGIN', role);
        END IF;
    END LOOP;
END $$;

GRANT USAGE ON SCHEMA public TO retention_executor, retention_approver, retention_auditor;
GRANT SELECT ON ALL TABLES IN SCHEMA public TO retention_executor, retention_approver, retention_auditor;

GRANT INSERT, UPDATE, DELETE ON readings, findings, gaps, catalogue, tokens, sweep_counts, plans, steps TO retention_executor;
GRANT INSERT, UPDATE ON sweeps, attempts, suppressions, erasures, restrictions TO retention_executor;
GRANT INSERT ON audit_entries, audit_checkpoints TO retention_executor;

GRANT INSERT, UPDATE ON audit_head TO retention_executor, retention_approver;

GRANT INSERT ON approvals, audit_entries TO retention_approver;
GRANT INSERT, UPDATE ON switches, holds, standing_approvals TO retention_approver;
