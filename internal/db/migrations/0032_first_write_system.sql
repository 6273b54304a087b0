-- AE title and address of the system behind the route that was asked; empty: it is not known, or none is asked.
ALTER TABLE first_write_study ADD COLUMN system TEXT NOT NULL DEFAULT '';
