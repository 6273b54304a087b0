-- Links to one study. Only hashes of secret and password are kept. Times are
-- milliseconds since 1970 UTC; 0 means none.
CREATE TABLE share (
    id            TEXT    NOT NULL PRIMARY KEY,
    hash          BLOB    NOT NULL UNIQUE,  -- SHA-256 of the secret
    owner         TEXT    NOT NULL,         -- person who made it; empty: the operator of the machine
    study         TEXT    NOT NULL,         -- Study Instance UID
    deidentified  INTEGER NOT NULL,
    password_hash TEXT    NOT NULL,         -- empty: none
    created       INTEGER NOT NULL,
    expires       INTEGER NOT NULL,
    revoked       INTEGER NOT NULL,
    used          INTEGER NOT NULL          -- last
);
