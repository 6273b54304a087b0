-- The archive kept its times in microseconds, everything else in milliseconds.
-- From here on there is one unit in the database: milliseconds since 1970 UTC.
UPDATE study SET received = received / 1000, updated = updated / 1000;
UPDATE series SET updated = updated / 1000;
UPDATE instance SET received = received / 1000;
UPDATE quarantine SET received = received / 1000, last_received = last_received / 1000;
UPDATE refusal SET last = last / 1000;
