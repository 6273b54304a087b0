-- The route of the gate for which an instance came that is held back; empty: it came
-- for the archive.
ALTER TABLE quarantine ADD COLUMN route TEXT NOT NULL DEFAULT '';
