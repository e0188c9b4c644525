-- A system that cannot say what changed is walked, by several workers at once: each row knows how its record looked when
-- it was read, and by which listing it was met last. Rows are what a worker that starts anew goes on from.
ALTER TABLE catalogue
    ADD COLUMN mark    bytea NOT NULL DEFAULT '',          -- a digest: how the record looked; empty: read it again
    ADD COLUMN listed  bigint NOT NULL DEFAULT 0,          -- number of the listing that named it last
    ADD COLUMN read_at timestamptz NOT NULL DEFAULT now(); -- when its content was read
CREATE SEQUENCE listings;

-- Each group (folder) that was named to its end: by which listing, and how much lay in it. Digests, no names.
CREATE TABLE catalogue_folders (
    system   text NOT NULL,
    in_group bytea NOT NULL,
    within   bytea,
    listed   bigint NOT NULL,
    records  bigint NOT NULL,
    size     bigint NOT NULL,
    PRIMARY KEY (system, in_group)
);
CREATE INDEX catalogue_folders_within ON catalogue_folders (system, within);

-- How a system was divided in a sweep, and which parts were walked to their end.
CREATE TABLE reading_parts (
    sweep_id text NOT NULL REFERENCES sweeps ON DELETE CASCADE,
    system   text NOT NULL,
    number   integer NOT NULL,
    part     bytea NOT NULL,                   -- encrypted: folders have names
    began    bigint NOT NULL,                  -- number drawn before the division: what is older was not met
    state    text NOT NULL CHECK (state IN ('open', 'walked')),
    whole    boolean NOT NULL DEFAULT false,
    read     bigint NOT NULL DEFAULT 0,
    PRIMARY KEY (sweep_id, system, number)
);

GRANT USAGE ON SEQUENCE listings TO retention_executor;
GRANT SELECT ON catalogue_folders, reading_parts TO retention_executor, retention_approver, retention_auditor;
GRANT INSERT, UPDATE, DELETE ON catalogue_folders, reading_parts TO retention_executor;

-- Positions of document servers are of no use any more: what was read is read once again.
DELETE FROM tokens t WHERE NOT EXISTS (SELECT FROM catalogue c WHERE c.system = t.system AND c.in_group IS NOT NULL);
