-- Requests for storage commitment that went through a route of the gate, until the
-- report came. Times are milliseconds since 1970 UTC.
CREATE TABLE gate_commitment (
    route           TEXT    NOT NULL,
    transaction_uid TEXT    NOT NULL,
    device          TEXT    NOT NULL,  -- AE title of who asked
    created         INTEGER NOT NULL,
    PRIMARY KEY (route, transaction_uid)
) WITHOUT ROWID;
