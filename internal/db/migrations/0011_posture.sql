-- How things stand, and who was told. Times are milliseconds since 1970 UTC.

-- When reports were made: the next one says what changed since.
CREATE TABLE posture_report (
    id    INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
    made  INTEGER NOT NULL
);

-- When a scheduled scan last began, so that a missed one is known.
CREATE TABLE posture_schedule (
    name   TEXT    NOT NULL PRIMARY KEY,
    began  INTEGER NOT NULL
);

-- How far each channel of alarms was told.
CREATE TABLE posture_told (
    channel   TEXT    NOT NULL PRIMARY KEY,
    sequence  INTEGER NOT NULL,  -- of the audit trail
    event     INTEGER NOT NULL   -- of the inventory
);
