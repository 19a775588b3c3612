-- Signatures that a revision was approved by, each over the bytes of its plan file.

CREATE TABLE approvals (
    revision    INTEGER NOT NULL REFERENCES revisions (number),
    place       INTEGER NOT NULL,
    -- The name that the key signs as.
    signer      TEXT NOT NULL,
    -- Of the key: `SHA256:` and base64.
    fingerprint TEXT NOT NULL,
    -- In the armored form of ssh-keygen.
    signature   TEXT NOT NULL,
    PRIMARY KEY (revision, place)
) STRICT, WITHOUT ROWID;
