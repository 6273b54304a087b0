-- What people and tokens may reach. Times are milliseconds since 1970 UTC; 0
-- means none.

-- Studies that were granted to a person whose role sees only these.
CREATE TABLE study_grant (
    person   TEXT    NOT NULL REFERENCES person (name),
    study    TEXT    NOT NULL,  -- Study Instance UID
    created  INTEGER NOT NULL,
    PRIMARY KEY (person, study)
) WITHOUT ROWID;

-- Bearer tokens. Only the hash of the secret is kept.
CREATE TABLE access_token (
    id       TEXT    NOT NULL PRIMARY KEY,
    hash     BLOB    NOT NULL UNIQUE,  -- SHA-256 of the secret
    owner    TEXT    NOT NULL REFERENCES person (name),
    verbs    TEXT    NOT NULL,  -- joined with commas
    studies  TEXT    NOT NULL,  -- the only ones it reaches, joined with backslash; empty: all of its owner's
    created  INTEGER NOT NULL,
    expires  INTEGER NOT NULL,
    revoked  INTEGER NOT NULL
);
CREATE INDEX access_token_by_owner ON access_token (owner);
