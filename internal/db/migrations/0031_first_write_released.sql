-- 1: somebody decided that this content counts, and it has not come again since; nobody is told that it is kept.
ALTER TABLE first_write ADD COLUMN released INTEGER NOT NULL DEFAULT 0;
