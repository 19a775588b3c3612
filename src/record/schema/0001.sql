-- The first layout of a record. Text is UTF-8; times are milliseconds since the Unix epoch; JSON is kept as text.

-- One row: whose record this is.
CREATE TABLE record (
    one         INTEGER PRIMARY KEY CHECK (one = 1),
    id          TEXT NOT NULL,
    environment TEXT NOT NULL,
    created_ms  INTEGER NOT NULL,
    -- Counts the changes of resources and outputs: what a plan is bound to.
    serial      INTEGER NOT NULL DEFAULT 0
) STRICT;

-- The data key, wrapped for each recipient by age.
CREATE TABLE keys (
    recipient TEXT PRIMARY KEY,
    wrapped   BLOB NOT NULL
) STRICT, WITHOUT ROWID;

-- Every object that Formwork owns, as last seen. `deposed` is empty for the current object of an address.
CREATE TABLE resources (
    id                    INTEGER PRIMARY KEY,
    address               TEXT NOT NULL,
    deposed               TEXT NOT NULL,
    provider              TEXT NOT NULL,
    schema_version        INTEGER NOT NULL,
    value                 TEXT NOT NULL,
    private               BLOB NOT NULL,
    dependencies          TEXT NOT NULL,
    create_before_destroy INTEGER NOT NULL,
    tainted               INTEGER NOT NULL,
    UNIQUE (address, deposed)
) STRICT;

-- A resource as it stood before a revision first touched it; all null where there was none.
CREATE TABLE images (
    address               TEXT NOT NULL,
    deposed               TEXT NOT NULL,
    revision              INTEGER NOT NULL REFERENCES revisions (number),
    present               INTEGER NOT NULL,
    provider              TEXT,
    schema_version        INTEGER,
    value                 TEXT,
    private               BLOB,
    dependencies          TEXT,
    create_before_destroy INTEGER,
    tainted               INTEGER,
    PRIMARY KEY (address, deposed, revision)
) STRICT, WITHOUT ROWID;

CREATE TABLE revisions (
    number      INTEGER PRIMARY KEY,
    kind        TEXT NOT NULL,
    status      TEXT NOT NULL,
    plan_digest TEXT NOT NULL,
    variables   TEXT NOT NULL,
    pinned      TEXT NOT NULL,
    git_commit  TEXT,
    git_clean   INTEGER NOT NULL,
    actor       TEXT NOT NULL,
    started_ms  INTEGER NOT NULL,
    ended_ms    INTEGER,
    -- The lease of the run that writes to it.
    token       INTEGER NOT NULL
) STRICT;

CREATE INDEX unended_revisions ON revisions (number) WHERE status = 'open';

-- Files of blueprints, once per content.
CREATE TABLE contents (
    digest BLOB PRIMARY KEY,
    body   BLOB NOT NULL
) STRICT;

CREATE TABLE revision_files (
    revision INTEGER NOT NULL REFERENCES revisions (number),
    name     TEXT NOT NULL,
    digest   BLOB NOT NULL REFERENCES contents (digest),
    PRIMARY KEY (revision, name)
) STRICT, WITHOUT ROWID;

-- Each time that a run of a revision ended, and the outputs then.
CREATE TABLE endings (
    id       INTEGER PRIMARY KEY,
    revision INTEGER NOT NULL REFERENCES revisions (number),
    status   TEXT NOT NULL,
    outputs  TEXT NOT NULL,
    at_ms    INTEGER NOT NULL
) STRICT;

CREATE INDEX endings_by_revision ON endings (revision, id);

CREATE TABLE steps (
    revision INTEGER NOT NULL REFERENCES revisions (number),
    step     INTEGER NOT NULL,
    address  TEXT NOT NULL,
    deposed  TEXT NOT NULL,
    action   TEXT NOT NULL,
    status   TEXT NOT NULL,
    -- The key under which what stands at the address is kept once this step has made its successor.
    deposes  TEXT,
    -- The journal row of the latest intent.
    intent   INTEGER,
    PRIMARY KEY (revision, step)
) STRICT, WITHOUT ROWID;

CREATE INDEX open_steps ON steps (revision, step) WHERE status IN ('intended', 'unknown');

-- Steps of a revision by action, so that a history costs by its revisions and not by their steps.
CREATE TABLE step_counts (
    revision INTEGER NOT NULL REFERENCES revisions (number),
    action   TEXT NOT NULL,
    planned  INTEGER NOT NULL,
    done     INTEGER NOT NULL,
    PRIMARY KEY (revision, action)
) STRICT, WITHOUT ROWID;

CREATE TABLE journal (
    id         INTEGER PRIMARY KEY,
    revision   INTEGER NOT NULL,
    step       INTEGER NOT NULL,
    kind       TEXT NOT NULL,
    attempt    TEXT,
    provider   TEXT,
    prior      TEXT,
    planned    TEXT,
    private    BLOB,
    message    TEXT,
    -- What the event made of the resource: its digest, empty when it is gone, null when it was not touched.
    result     BLOB,
    moved_from TEXT,
    -- The key under which the object that stood at the address was kept.
    deposed_to TEXT
) STRICT;

CREATE TABLE leases (
    token       INTEGER PRIMARY KEY AUTOINCREMENT,
    holder      TEXT NOT NULL,
    whole       INTEGER NOT NULL,
    acquired_ms INTEGER NOT NULL,
    expires_ms  INTEGER NOT NULL
) STRICT;

CREATE TABLE leased_addresses (
    address TEXT PRIMARY KEY,
    token   INTEGER NOT NULL REFERENCES leases (token) ON DELETE CASCADE
) STRICT, WITHOUT ROWID;

CREATE INDEX leased_by_token ON leased_addresses (token);

-- A chain: each hash covers its row and the hash before it, each content the rows that the entry stands for.
CREATE TABLE audit (
    seq      INTEGER PRIMARY KEY,
    at_ms    INTEGER NOT NULL,
    kind     TEXT NOT NULL,
    revision INTEGER NOT NULL,
    first    INTEGER NOT NULL,
    last     INTEGER NOT NULL,
    content  BLOB NOT NULL,
    hash     BLOB NOT NULL
) STRICT;
