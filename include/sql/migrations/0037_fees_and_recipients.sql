-- What a person decides on a request that asks too much (Art. 12(5)), and who was told what was done (Art. 19).

ALTER TABLE requests
    ADD COLUMN excess_reason    text CHECK (excess_reason IN ('excessive', 'manifestly-unfounded')),
    ADD COLUMN excess_reference text,          -- where the demonstration lies: the burden of proof is the controller's
    ADD COLUMN fee              text,          -- as asked for, like "10.00 GBP"
    ADD COLUMN fee_notice       text,
    ADD COLUMN fee_template     text NOT NULL GENERATED ALWAYS AS ('fee') STORED,
    ADD CONSTRAINT requests_excess_by_a_person CHECK (NOT is_excessive OR excess_reason IS NOT NULL),
    ADD CONSTRAINT requests_excess_is_shown CHECK ((excess_reason IS NULL) = (excess_reference IS NULL)),
    ADD CONSTRAINT requests_charged_with_notice CHECK (fee IS NULL OR fee_notice IS NOT NULL),
    ADD FOREIGN KEY (fee_notice, request_id, fee_template)
        REFERENCES request_notices (notice_id, request_id, template);

-- Recipients by their name in the policy; an empty one: the policy does not say to whom a system's data is passed.
CREATE TABLE request_recipients (
    request_id text NOT NULL REFERENCES requests,
    system     text NOT NULL,
    recipient  text NOT NULL,
    what       text NOT NULL CHECK (what IN ('erased', 'restricted', 'corrected', 'released')),
    how        text NOT NULL CHECK (how IN ('mail', 'person')),
    asked_on   date NOT NULL,
    told_on    date,                           -- by mail; what a person did stands in person_tasks
    notice     text REFERENCES request_notices,
    PRIMARY KEY (request_id, system, recipient, what),
    CHECK ((told_on IS NULL) = (notice IS NULL))
);

GRANT SELECT (excess_reason, excess_reference, fee, fee_notice) ON requests TO retention_auditor;
GRANT SELECT ON request_recipients TO retention_executor, retention_approver, retention_auditor;
GRANT INSERT, UPDATE ON request_recipients TO retention_executor, retention_approver;
