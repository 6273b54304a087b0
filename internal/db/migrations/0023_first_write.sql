-- What went through a route of the gate, so that another content under the same UID
-- is noticed. Times are milliseconds since 1970 UTC.
CREATE TABLE first_write_study (
    route    TEXT    NOT NULL,
    study    TEXT    NOT NULL,  -- Study Instance UID
    asked    INTEGER NOT NULL,  -- when the system behind was asked what it has of it
    open     INTEGER NOT NULL,  -- 1: instances may have gone through whose rows are not written
    PRIMARY KEY (route, study)
) WITHOUT ROWID;

CREATE TABLE first_write (
    route    TEXT    NOT NULL,
    uid      TEXT    NOT NULL,  -- SOP Instance UID
    study    TEXT    NOT NULL,
    syntax   TEXT    NOT NULL,  -- transfer syntax the hash belongs to
    hash     TEXT    NOT NULL,  -- SHA-256 of the data set as it went through, hexadecimal; empty: the system behind had it already
    PRIMARY KEY (route, uid)
) WITHOUT ROWID;
