-- How long records have waited for a person: "unknown" must be no way to keep for ever. Parameters: day.
SELECT count(*) AS waiting,
       coalesce(percentile_disc(0.5) WITHIN GROUP (ORDER BY CAST(:day AS date) - first_seen), 0) AS median_days,
       coalesce(max(CAST(:day AS date) - first_seen), 0) AS oldest_days,
       count(*) FILTER (WHERE CAST(:day AS date) - first_seen > 30) AS over_30_days,
       count(*) FILTER (WHERE CAST(:day AS date) - first_seen > 90) AS over_90_days
FROM review_queue WHERE state = 'waiting'
