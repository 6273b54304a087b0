-- Storage commitment reports (PS3.4 J) that are still to be delivered. Times
-- are milliseconds since 1970 UTC.

CREATE TABLE commitment_report (
    id          INTEGER NOT NULL PRIMARY KEY,
    ae_title    TEXT    NOT NULL,  -- who asked
    report      BLOB    NOT NULL,  -- event information, Explicit VR Little Endian
    event_type  INTEGER NOT NULL,  -- 1: all committed; 2: failures exist
    created     INTEGER NOT NULL,
    attempts    INTEGER NOT NULL,
    next        INTEGER NOT NULL   -- not before
);
CREATE INDEX commitment_report_by_next ON commitment_report (next);
CREATE INDEX commitment_report_by_device ON commitment_report (ae_title);
