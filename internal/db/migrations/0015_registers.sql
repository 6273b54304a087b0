-- From here on each change of a register is recorded in the ledger, by the
-- program. This table holds nothing: its schema version keeps an older program,
-- which would change registers without recording it, from opening the database.
CREATE TABLE registers_covered (
    one  INTEGER NOT NULL PRIMARY KEY CHECK (one = 1)
);
