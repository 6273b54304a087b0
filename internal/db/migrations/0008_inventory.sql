-- What stands in the house, and what is wrong with it. Times are milliseconds
-- since 1970 UTC; 0 means none.

CREATE TABLE asset (
    id           INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
    created      INTEGER NOT NULL,
    last_seen    INTEGER NOT NULL,
    stranger     INTEGER NOT NULL,  -- 1: known only from callers that were refused; the oldest give way
    merged_into  INTEGER NOT NULL   -- 0: it stands for itself
);
CREATE INDEX asset_by_stranger ON asset (stranger, last_seen);

-- What a source says about an asset. slot is empty for a field that has one
-- value for each source, else the value in the form it is compared in.
CREATE TABLE asset_value (
    asset       INTEGER NOT NULL REFERENCES asset (id),
    field       TEXT    NOT NULL,
    source      TEXT    NOT NULL,
    slot        TEXT    NOT NULL,
    value       TEXT    NOT NULL,
    folded      TEXT    NOT NULL,
    confidence  REAL    NOT NULL,
    first_seen  INTEGER NOT NULL,
    last_seen   INTEGER NOT NULL,
    PRIMARY KEY (asset, field, source, slot)
) WITHOUT ROWID;
CREATE INDEX asset_value_by_value ON asset_value (field, folded, asset);

-- Answers of people to the questions of the warning; the latest counts.
CREATE TABLE asset_statement (
    id        INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
    asset     INTEGER NOT NULL REFERENCES asset (id),
    question  TEXT    NOT NULL,  -- patched, protected, gate
    answer    TEXT    NOT NULL,  -- yes, no
    since     INTEGER NOT NULL,
    who       TEXT    NOT NULL,
    note      TEXT    NOT NULL,
    made      INTEGER NOT NULL
);
CREATE INDEX asset_statement_by_asset ON asset_statement (asset, question, id);

CREATE TABLE issue (
    id              INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
    asset           INTEGER NOT NULL REFERENCES asset (id),
    key             TEXT    NOT NULL,
    check_id        TEXT    NOT NULL,
    address         TEXT    NOT NULL,
    port            INTEGER NOT NULL,
    severity        INTEGER NOT NULL,
    body            TEXT    NOT NULL,  -- the finding, JSON
    state           TEXT    NOT NULL,  -- open, accepted, fixed
    first_seen      INTEGER NOT NULL,
    last_seen       INTEGER NOT NULL,
    fixed           INTEGER NOT NULL,
    accepted_until  INTEGER NOT NULL,
    accepted_by     TEXT    NOT NULL,
    accepted_why    TEXT    NOT NULL,
    UNIQUE (asset, key)
);
CREATE INDEX issue_by_state ON issue (state, severity);

-- Times somebody looked: an import, a scan, a check against the advisories.
CREATE TABLE inventory_run (
    id       INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
    source   TEXT    NOT NULL,
    detail   TEXT    NOT NULL,
    started  INTEGER NOT NULL
);

-- What changed; from this differences over time are told.
CREATE TABLE inventory_event (
    id     INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
    at     INTEGER NOT NULL,
    run    INTEGER NOT NULL,  -- 0: none
    asset  INTEGER NOT NULL,
    kind   TEXT    NOT NULL,
    field  TEXT    NOT NULL,
    old    TEXT    NOT NULL,
    new    TEXT    NOT NULL
);
CREATE INDEX inventory_event_by_time ON inventory_event (at);

-- Imported advisories: the facts as rules, not the text.
CREATE TABLE advisory_document (
    id         TEXT    NOT NULL PRIMARY KEY,
    version    TEXT    NOT NULL,
    source     TEXT    NOT NULL,
    sha256     TEXT    NOT NULL,
    hash       TEXT    NOT NULL,  -- how the hash was checked: sha256, sha512, none
    signature  TEXT    NOT NULL,  -- fingerprint of the key that signed it; empty: unsigned or not checked
    imported   INTEGER NOT NULL,
    body       TEXT    NOT NULL   -- JSON
);

-- What was fetched from a source, so that it is asked for again only when it changed.
CREATE TABLE advisory_fetch (
    url            TEXT    NOT NULL PRIMARY KEY,
    etag           TEXT    NOT NULL,
    last_modified  TEXT    NOT NULL,
    fetched        INTEGER NOT NULL
);
