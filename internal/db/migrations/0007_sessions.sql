-- How people sign in. Of secrets only hashes are kept, except where the server
-- must compute with them (TOTP). Times are milliseconds since 1970 UTC; 0 means
-- none.

-- Browsers that are signed in.
CREATE TABLE session (
    hash      BLOB    NOT NULL PRIMARY KEY,  -- SHA-256 of the secret in the cookie
    id        TEXT    NOT NULL UNIQUE,       -- by which people name it; opens nothing
    person    TEXT    NOT NULL REFERENCES person (name),
    complete  INTEGER NOT NULL,              -- 0: only the password was given so far
    method    TEXT    NOT NULL,              -- password, totp, recovery, passkey, oidc
    address   TEXT    NOT NULL,
    created   INTEGER NOT NULL,
    seen      INTEGER NOT NULL,              -- written at most once a minute
    expires   INTEGER NOT NULL               -- whatever happens
);
CREATE INDEX session_by_person ON session (person);

CREATE TABLE totp (
    person    TEXT    NOT NULL PRIMARY KEY REFERENCES person (name),
    secret    BLOB    NOT NULL,  -- empty until one code was confirmed
    pending   BLOB    NOT NULL,  -- shown and not confirmed yet
    step      INTEGER NOT NULL   -- the last one whose code was taken
);

CREATE TABLE recovery_code (
    person  TEXT NOT NULL REFERENCES person (name),
    hash    BLOB NOT NULL,  -- SHA-256
    PRIMARY KEY (person, hash)
) WITHOUT ROWID;

-- Passkeys; the handle names a person to an authenticator without telling who.
CREATE TABLE passkey_handle (
    person  TEXT NOT NULL PRIMARY KEY REFERENCES person (name),
    handle  BLOB NOT NULL UNIQUE
);
CREATE TABLE passkey (
    id          TEXT    NOT NULL PRIMARY KEY,  -- credential ID, base64url
    person      TEXT    NOT NULL REFERENCES person (name),
    rp          TEXT    NOT NULL,              -- relying party ID: the host name it was made for
    name        TEXT    NOT NULL,
    credential  BLOB    NOT NULL,              -- public key, counter and flags, JSON
    created     INTEGER NOT NULL,
    used        INTEGER NOT NULL
);
CREATE INDEX passkey_by_person ON passkey (person);

-- Who somebody is at an identity provider. The first sign-in binds.
CREATE TABLE person_subject (
    issuer   TEXT NOT NULL,
    subject  TEXT NOT NULL,
    person   TEXT NOT NULL REFERENCES person (name),
    PRIMARY KEY (issuer, subject),
    UNIQUE (issuer, person)
) WITHOUT ROWID;

-- One-time links by which somebody sets a password.
CREATE TABLE person_link (
    hash     BLOB    NOT NULL PRIMARY KEY,  -- SHA-256 of the secret
    purpose  TEXT    NOT NULL,              -- first-administrator, new-person, password
    person   TEXT    NOT NULL,              -- empty for the first administrator
    role     TEXT    NOT NULL,              -- of a person who is made by it
    factors  INTEGER NOT NULL,              -- 1: what counted as second factor is dropped
    expires  INTEGER NOT NULL
);
