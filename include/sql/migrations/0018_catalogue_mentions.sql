-- Who is named by which catalogued item, a line each: a hundred thousand people's items are one join. An index over
-- arrays finds one person as fast, and a hundred thousand only in minutes (docs/performance.md).
CREATE TABLE catalogue_mentions (
    system     text NOT NULL,
    key        bytea NOT NULL,                 -- folded pseudonym
    record_key bytea NOT NULL,
    PRIMARY KEY (system, key, record_key),
    FOREIGN KEY (system, record_key) REFERENCES catalogue ON DELETE CASCADE
);
CREATE INDEX catalogue_mentions_of ON catalogue_mentions (system, record_key);
INSERT INTO catalogue_mentions SELECT DISTINCT system, unnest(folded_keys), record_key FROM catalogue;
DROP INDEX catalogue_people;

GRANT SELECT ON catalogue_mentions TO retention_executor, retention_approver, retention_auditor;
GRANT INSERT, DELETE ON catalogue_mentions TO retention_executor;

-- No question was ever put to these two, and keeping them was most of the time that saving findings took.
DROP INDEX findings_exact;
DROP INDEX findings_folded;
