-- Who may come in. Times are milliseconds since 1970 UTC; 0 means none.

CREATE TABLE device (
    ae_title         TEXT    NOT NULL PRIMARY KEY,
    address          TEXT    NOT NULL,  -- the peer must come from here; empty: from anywhere
    verbs            TEXT    NOT NULL,  -- joined with commas
    destinations     TEXT    NOT NULL,  -- AE titles to which C-MOVE may send, joined with backslash
    listen           TEXT    NOT NULL,  -- host:port where the device accepts associations; empty: nowhere
    plaintext_until  INTEGER NOT NULL,  -- end of the exception for associations without TLS; 0: no exception
    created          INTEGER NOT NULL,
    removed          INTEGER NOT NULL   -- 0 while the device is registered
);

CREATE TABLE device_certificate (
    fingerprint  TEXT    NOT NULL PRIMARY KEY,  -- SHA-256 of the certificate, lower-case hex
    ae_title     TEXT    NOT NULL REFERENCES device (ae_title),
    subject      TEXT    NOT NULL,
    not_after    INTEGER NOT NULL,
    created      INTEGER NOT NULL,
    removed      INTEGER NOT NULL
);
CREATE INDEX device_certificate_by_device ON device_certificate (ae_title);

-- Callers that were refused and might be approved. One row for each calling AE
-- title, address and certificate; the oldest give way. A number is never used
-- again: who approves one must not get another caller that came meanwhile.
CREATE TABLE pending_device (
    id                INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
    calling           TEXT    NOT NULL,
    called            TEXT    NOT NULL,
    address           TEXT    NOT NULL,
    fingerprint       TEXT    NOT NULL,  -- empty: no certificate was shown
    certificate       BLOB    NOT NULL,  -- DER
    reason            TEXT    NOT NULL,
    implementation    TEXT    NOT NULL,  -- class UID and version name
    contexts          TEXT    NOT NULL,  -- abstract syntaxes that were proposed, joined with backslash
    first_seen        INTEGER NOT NULL,
    last_seen         INTEGER NOT NULL,
    attempts          INTEGER NOT NULL,
    UNIQUE (calling, address, fingerprint)
);
CREATE INDEX pending_device_by_last_seen ON pending_device (last_seen);

CREATE TABLE person (
    name           TEXT    NOT NULL PRIMARY KEY,
    role           TEXT    NOT NULL,
    password_hash  TEXT    NOT NULL,  -- argon2id in PHC form
    created        INTEGER NOT NULL,
    disabled       INTEGER NOT NULL
);
