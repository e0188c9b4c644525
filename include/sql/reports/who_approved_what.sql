-- Every approval with what it covered, newest first: the auditor's first question.
SELECT a.approval_id, a.sweep_id, w.as_of, w.started_by, a.approver, a.answered_at, a.expires_at, a.digest,
       (SELECT count(*) FROM steps s JOIN plans p USING (plan_id)
        WHERE p.sweep_id = a.sweep_id AND p.purpose = 'retention') AS steps
FROM approvals a JOIN sweeps w USING (sweep_id) ORDER BY a.recorded_at DESC
