-- When the exception ends by which a device comes with TLS and without a
-- certificate of its own, from its address alone; 0: there is none.
ALTER TABLE device ADD COLUMN no_certificate_until INTEGER NOT NULL DEFAULT 0;

-- What was appended to a file of checkpoints: whether it is there still tells
-- whether somebody emptied it.
CREATE TABLE ledger_witness (
    path         TEXT    NOT NULL PRIMARY KEY, -- absolute
    checkpoints  INTEGER NOT NULL,
    bytes        INTEGER NOT NULL,             -- the length of the file then
    note         TEXT    NOT NULL              -- the last checkpoint
);
