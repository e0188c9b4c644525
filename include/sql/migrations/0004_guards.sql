-- What stops a plan as a whole, who may let it pass, and what may never be deleted.

-- How many records a system holds, where a reading tells; `read` counts what it showed, `shown` what counts as found.
ALTER TABLE readings ADD COLUMN shown bigint NOT NULL DEFAULT 0;
ALTER TABLE readings ADD COLUMN population bigint;

CREATE TABLE guard_breaches (
    breach_id  bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    sweep_id   text NOT NULL REFERENCES sweeps,
    system     text NOT NULL,
    guard      text NOT NULL,
    data_class text NOT NULL DEFAULT '',
    value      double precision NOT NULL,
    allowed    double precision NOT NULL,
    at         timestamptz NOT NULL DEFAULT now()
);
CREATE UNIQUE INDEX guard_breaches_once ON guard_breaches (sweep_id, system, guard, data_class);

-- A limit raised for a time, by somebody who may approve. Several may be in force: the widest counts.
CREATE TABLE guard_overrides (
    override_id text PRIMARY KEY,
    system      text NOT NULL,
    guard       text NOT NULL,
    up_to       double precision NOT NULL,
    given_by    text NOT NULL,
    given_at    timestamptz NOT NULL DEFAULT now(),
    ends_at     timestamptz NOT NULL,
    revoked_by  text,
    revoked_at  timestamptz
);

-- The never-delete list: people by the folded form of an address, records by their pseudonym. No plan may touch them.
CREATE TABLE protected (
    entry_id   text PRIMARY KEY,
    what       text NOT NULL CHECK (what IN ('person', 'record')),
    key        bytea NOT NULL,
    system     text NOT NULL DEFAULT '',       -- of a record
    key_id     text NOT NULL,
    added_by   text NOT NULL,
    added_at   timestamptz NOT NULL DEFAULT now(),
    removed_by text,
    removed_at timestamptz
);
CREATE INDEX protected_keys ON protected (key) WHERE removed_at IS NULL;

-- The account first seen behind each system; another one stops everything until somebody who may approve accepts it.
CREATE TABLE tenants (
    system      text PRIMARY KEY,
    tenant      text NOT NULL,
    accepted_by text NOT NULL,
    accepted_at timestamptz NOT NULL DEFAULT now()
);

-- A first-time backlog is worked in narrower selections. What falls outside is found and judged, and not planned.
CREATE TABLE tranches (
    system           text PRIMARY KEY,
    kinds            text[] NOT NULL DEFAULT '{}',   -- empty: all
    data_classes     text[] NOT NULL DEFAULT '{}',   -- empty: all
    collected_before date,
    set_by           text NOT NULL,
    set_at           timestamptz NOT NULL DEFAULT now()
);

GRANT SELECT ON guard_breaches, guard_overrides, protected, tenants, tranches
    TO retention_executor, retention_approver, retention_auditor;
GRANT INSERT ON guard_breaches, tenants TO retention_executor;
GRANT INSERT, UPDATE ON guard_overrides, protected, tenants TO retention_approver;
GRANT INSERT, UPDATE, DELETE ON tranches TO retention_approver;
