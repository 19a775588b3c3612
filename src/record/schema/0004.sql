-- The fourth layout: when each object last changed, and leases of parts of a record.

-- The last change of each object, those that are gone as well. What has no row has not changed since this layout.
CREATE TABLE changes (
    address  TEXT NOT NULL,
    deposed  TEXT NOT NULL,
    -- The record's serial after it, and the revision that made it.
    serial   INTEGER NOT NULL,
    revision INTEGER NOT NULL REFERENCES revisions (number),
    PRIMARY KEY (address, deposed)
) STRICT, WITHOUT ROWID;

-- What leases that are not of the whole record cover: `write` an address, `output` a name, each for one holder;
-- `read` an address with or without an instance key, or a module path, which many may hold while nobody writes it.
CREATE TABLE leased (
    token INTEGER NOT NULL REFERENCES leases (token) ON DELETE CASCADE,
    kind  TEXT NOT NULL,
    name  TEXT NOT NULL,
    PRIMARY KEY (token, kind, name)
) STRICT, WITHOUT ROWID;

INSERT INTO leased (token, kind, name) SELECT token, 'write', address FROM leased_addresses;

DROP TABLE leased_addresses;
