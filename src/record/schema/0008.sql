-- The eighth layout: what is needed to go on with a run that broke, and to take it back.

-- Revisions that take back what another one did.
CREATE TABLE undos (
    revision INTEGER PRIMARY KEY REFERENCES revisions (number),
    undone   INTEGER NOT NULL
) STRICT;

-- Plan files, until the revision is complete: what is left of it is carried out as it was approved.
CREATE TABLE plans (
    revision INTEGER PRIMARY KEY REFERENCES revisions (number),
    body     BLOB NOT NULL
) STRICT;

-- Steps that a run which was to take something back left undone when it ended, and why.
CREATE TABLE stuck (
    ending INTEGER NOT NULL REFERENCES endings (id),
    step   INTEGER NOT NULL,
    error  TEXT NOT NULL,
    PRIMARY KEY (ending, step)
) STRICT, WITHOUT ROWID;
