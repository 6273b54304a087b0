-- The audit trail: one row for each event of PS3.15 A.5.3. The record itself is
-- a leaf of the ledger; this is the index over it. Rows are only ever added.
-- Times are milliseconds since 1970 UTC.

CREATE TABLE audit_record (
    sequence   INTEGER NOT NULL PRIMARY KEY,  -- position of the leaf
    time       INTEGER NOT NULL,
    event      TEXT    NOT NULL,
    outcome    INTEGER NOT NULL,  -- 0, 4, 8 or 12 (PS3.15 A.5.2)
    principal  TEXT    NOT NULL,  -- name of who acted, as far as it is known
    address    TEXT    NOT NULL
);
CREATE INDEX audit_record_by_time ON audit_record (time);
CREATE INDEX audit_record_by_principal ON audit_record (principal, time);
