-- A system may tell only of a whole (a mail folder) that it is gone, or read anew: its items go with it, unless they
-- were met elsewhere since. A digest: the name of a folder says nothing here.
ALTER TABLE catalogue ADD COLUMN in_group bytea;
CREATE INDEX catalogue_groups ON catalogue (system, in_group) WHERE in_group IS NOT NULL;
