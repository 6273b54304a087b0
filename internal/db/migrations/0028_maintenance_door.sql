-- Doors for maintenance: TCP to one target for one person within a time. Times are
-- milliseconds since 1970 UTC; 0 is never.
CREATE TABLE maintenance_door (
    number    INTEGER NOT NULL PRIMARY KEY,
    route     TEXT    NOT NULL,
    target    TEXT    NOT NULL,  -- IP address and port
    elsewhere INTEGER NOT NULL,  -- the target is not the system behind the route, and was named twice
    person    TEXT    NOT NULL,  -- for whom it is
    opener    TEXT    NOT NULL,
    opened    INTEGER NOT NULL,
    until     INTEGER NOT NULL,
    hash      BLOB    NOT NULL,  -- SHA-256 of the secret in the code
    claimed   INTEGER NOT NULL,  -- when the code was shown
    session   TEXT    NOT NULL,  -- in which
    address   TEXT    NOT NULL,  -- from where
    ended     INTEGER NOT NULL,
    why       TEXT    NOT NULL
);
