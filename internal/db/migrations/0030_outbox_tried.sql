-- When a destination was tried last in vain, in milliseconds since 1970 UTC; 0 where it is not known.
ALTER TABLE outbox_destination ADD COLUMN tried INTEGER NOT NULL DEFAULT 0;
