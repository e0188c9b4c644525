-- Why records were kept, reviewed, held or acted on in a sweep. Parameters: sweep_id.
SELECT system, verdict, reason, records FROM sweep_counts WHERE sweep_id = :sweep_id ORDER BY system, verdict, reason
