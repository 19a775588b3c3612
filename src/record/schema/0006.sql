-- What happened to the waves of a revision and to the gates between them. Times are milliseconds since the Unix epoch.

CREATE TABLE release_events (
    id        INTEGER PRIMARY KEY,
    revision  INTEGER NOT NULL REFERENCES revisions (number),
    -- Counts from 1.
    wave      INTEGER NOT NULL,
    wave_name TEXT NOT NULL,
    -- Null for the wave itself.
    gate      TEXT,
    event     TEXT NOT NULL,
    -- What was asked or answered.
    message   TEXT,
    -- Of an approval: who gave it, and what was signed, where something was.
    approver  TEXT,
    signature TEXT,
    at_ms     INTEGER NOT NULL
) STRICT;

CREATE INDEX release_events_by_revision ON release_events (revision, id);
