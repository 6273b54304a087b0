-- The Merkle log (RFC 6962 2.1). Leaves are only ever added.

CREATE TABLE ledger_leaf (
    position  INTEGER NOT NULL PRIMARY KEY,  -- from 0, without a gap
    kind      TEXT    NOT NULL,
    ref       TEXT    NOT NULL,              -- what it is about: a SOP Instance UID, or empty
    data      TEXT    NOT NULL
);
CREATE INDEX ledger_leaf_by_ref ON ledger_leaf (ref, position) WHERE ref <> '';

-- Hashes of the tree in the order of the tiles' stored hashes.
CREATE TABLE ledger_hash (
    position  INTEGER NOT NULL PRIMARY KEY,
    hash      BLOB    NOT NULL
);

-- The checkpoint of the whole log; one row.
CREATE TABLE ledger_checkpoint (
    one   INTEGER NOT NULL PRIMARY KEY CHECK (one = 1),
    note  TEXT    NOT NULL
);
