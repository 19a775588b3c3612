-- The third layout: states of Terraform that revisions of the kind `adopt` took over.

CREATE TABLE adoptions (
    revision INTEGER PRIMARY KEY REFERENCES revisions (number),
    -- Names one history of states; it stays the same as they change.
    lineage  TEXT NOT NULL,
    -- How often that state had changed.
    serial   INTEGER NOT NULL
) STRICT;
