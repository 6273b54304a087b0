-- What goes through the routes of the gate, in numbers: who did what. Times are
-- milliseconds since 1970 UTC.
CREATE TABLE gate_flow (
    route    TEXT    NOT NULL,
    device   TEXT    NOT NULL,  -- AE title of the caller
    verb     TEXT    NOT NULL,
    class    TEXT    NOT NULL,  -- SOP Class UID
    syntax   TEXT    NOT NULL,  -- transfer syntax UID of what was stored; empty for other verbs
    hour     INTEGER NOT NULL,  -- of the week at the server, 0 is Sunday 00:00
    day      INTEGER NOT NULL,  -- the last on which it happened, days since 1970
    requests INTEGER NOT NULL,
    bytes    INTEGER NOT NULL,  -- of objects stored
    PRIMARY KEY (route, device, verb, class, syntax, hour)
) WITHOUT ROWID;
