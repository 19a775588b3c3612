-- The fifth layout: who may open the record, and since when with which key.

-- What a recipient is called, for people; empty where nothing was given.
ALTER TABLE keys ADD COLUMN name TEXT NOT NULL DEFAULT '';

-- Each time that the data key was wrapped anew or exchanged.
CREATE TABLE rekeys (
    id         INTEGER PRIMARY KEY,
    at_ms      INTEGER NOT NULL,
    actor      TEXT NOT NULL,
    -- A new data key took the place of the old one, and everything was sealed anew.
    rotated    INTEGER NOT NULL,
    -- Names of the data keys before and after: they tell keys apart and nothing else about them.
    key_before TEXT NOT NULL,
    key_after  TEXT NOT NULL,
    -- Who can open the record since then: a list of public keys.
    recipients TEXT NOT NULL
) STRICT;

-- What an entry's rows hash to since they were sealed anew; `content` is what they hashed to when they were written.
ALTER TABLE audit ADD COLUMN resealed BLOB;
