-- What a sweep came to in one system. Parameters: sweep_id, system.
-- found: records the rules had to look at; flagged: those on which the policy wants something done or looked at;
-- tasks: work by hand that is open now; review_waiting: records that wait for a person now, and since how many days;
-- erased … suppressed: steps that came to their end; failed: steps that did not.
WITH f AS (
    SELECT count(*) AS found,
           count(*) FILTER (WHERE verdict IN ('erase', 'redact', 'restrict', 'release', 'review', 'task', 'held')) AS flagged,
           count(*) FILTER (WHERE verdict = 'keep') AS kept,
           count(*) FILTER (WHERE verdict = 'review') AS review,
           count(*) FILTER (WHERE verdict = 'held') AS held
    FROM findings WHERE sweep_id = :sweep_id AND system = :system
), s AS (
    SELECT count(*) FILTER (WHERE action = 'erase' AND ended) AS erased,
           count(*) FILTER (WHERE action = 'redact' AND ended) AS redacted,
           count(*) FILTER (WHERE action = 'restrict' AND ended) AS restricted,
           count(*) FILTER (WHERE action = 'release' AND ended) AS released,
           count(*) FILTER (WHERE action = 'suppress' AND ended) AS suppressed,
           count(*) FILTER (WHERE state IN ('failed', 'refused', 'contradicted')) AS failed,
           count(*) FILTER (WHERE state IN ('accepted', 'unknown', 'intended', 'done')
                            OR state IN ('planned', 'claimed') AND plan_state = 'approved') AS pending,
           count(*) FILTER (WHERE state = 'verified' AND purpose = 'retention') AS verified
    FROM (SELECT s.*, p.purpose, p.state AS plan_state, s.state IN ('done', 'verified') AS ended
          FROM steps s JOIN plans p USING (plan_id) WHERE p.sweep_id = :sweep_id AND p.system = :system) s
), g AS (
    SELECT count(*) AS gaps FROM gaps WHERE sweep_id = :sweep_id AND system = :system
), q AS (
    SELECT count(*) AS review_waiting,
           coalesce(max((SELECT as_of FROM sweeps WHERE sweep_id = :sweep_id) - first_seen), 0) AS review_oldest_days
    FROM review_queue WHERE system = :system AND state = 'waiting'
), t AS (
    SELECT count(*) AS tasks FROM person_tasks WHERE system = :system AND state = 'open'
), p AS (
    SELECT count(*) AS stopped FROM plans WHERE sweep_id = :sweep_id AND system = :system AND state IN ('stopped', 'halted')
)
SELECT found, flagged, erased, redacted, restricted, released, suppressed, kept, review, held, failed, pending, gaps,
       verified, stopped, review_waiting, review_oldest_days, tasks
FROM f, s, g, q, t, p
