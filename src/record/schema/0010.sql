-- The tenth layout: what somebody let pass that would have stopped a revision's plan.

CREATE TABLE waivers (
    revision  INTEGER NOT NULL REFERENCES revisions (number),
    place     INTEGER NOT NULL,
    -- `protection`, `loss` or `policy`.
    kind      TEXT NOT NULL,
    -- The object that it is about; null for a policy that names none.
    address   TEXT,
    -- What would have stopped the plan: the rule of a policy, what is lost.
    what      TEXT,
    -- Who signed; null for a loss, which whoever applied the plan accepted.
    signer    TEXT,
    reason    TEXT,
    -- As it is written.
    until     TEXT,
    -- The file that says so, its bytes, and the signature that counted, in the armored form of ssh-keygen.
    file      TEXT,
    body      BLOB,
    signature TEXT,
    PRIMARY KEY (revision, place)
) STRICT, WITHOUT ROWID;
