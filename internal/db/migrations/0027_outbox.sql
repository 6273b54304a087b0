-- What has to arrive elsewhere: an object in a file beside the index, and its row here
-- until the destination has it. Times are milliseconds since 1970 UTC, 0 where there is
-- none.
CREATE TABLE outbox (
    id              INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,  -- the order in which they go
    destination     TEXT    NOT NULL,  -- name of the way it goes, such as a route
    study           TEXT    NOT NULL,
    uid             TEXT    NOT NULL,  -- SOP Instance UID
    class           TEXT    NOT NULL,
    syntax          TEXT    NOT NULL,  -- transfer syntax of the file
    hash            TEXT    NOT NULL,  -- SHA-256 of the data set in it
    size            INTEGER NOT NULL,
    file            TEXT    NOT NULL,
    patient         TEXT    NOT NULL,
    issuer          TEXT    NOT NULL,
    source          TEXT    NOT NULL,  -- AE title of who brought it
    state           TEXT    NOT NULL,  -- waiting, sent (stored there and not committed to), aside
    tries           INTEGER NOT NULL DEFAULT 0,
    broken          INTEGER NOT NULL DEFAULT 0,  -- associations that ended over it
    due             INTEGER NOT NULL DEFAULT 0,
    reason          TEXT    NOT NULL DEFAULT '',
    queued          INTEGER NOT NULL,
    sent            INTEGER NOT NULL DEFAULT 0,
    answer          INTEGER NOT NULL DEFAULT 0,  -- status of the C-STORE
    transaction_uid TEXT    NOT NULL DEFAULT '',
    asked           INTEGER NOT NULL DEFAULT 0,  -- for storage commitment
    UNIQUE (destination, uid)
);
CREATE INDEX outbox_state ON outbox (destination, state, id);
CREATE INDEX outbox_transaction ON outbox (destination, transaction_uid);

-- How it is with a destination as a whole.
CREATE TABLE outbox_destination (
    destination TEXT    NOT NULL PRIMARY KEY,
    tries       INTEGER NOT NULL,
    due         INTEGER NOT NULL,
    reason      TEXT    NOT NULL
) WITHOUT ROWID;

-- Requests of a modality for storage commitment by an outbound route, until they are answered.
CREATE TABLE outbound_commitment (
    route           TEXT    NOT NULL,
    transaction_uid TEXT    NOT NULL,
    instances       TEXT    NOT NULL,  -- JSON: SOP Class and Instance UIDs
    created         INTEGER NOT NULL,
    PRIMARY KEY (route, transaction_uid)
) WITHOUT ROWID;

-- In which transfer syntaxes the target of an outbound route takes a class, as it said last.
CREATE TABLE outbound_offer (
    route  TEXT NOT NULL,
    class  TEXT NOT NULL,
    syntax TEXT NOT NULL,
    taken  INTEGER NOT NULL,  -- 1: in this one
    PRIMARY KEY (route, class, syntax)
) WITHOUT ROWID;
