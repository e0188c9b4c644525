-- What was begun and is not at its end: the operator's list in the morning.
SELECT s.system, s.step_id, s.action, s.state, s.reason, s.tries, s.settle_on, s.lease_until
FROM steps s WHERE s.state IN ('claimed', 'intended', 'accepted', 'unknown') ORDER BY s.system, s.step_id
