-- What a stolen session could leave behind. Times are milliseconds since 1970
-- UTC; 0 means none.

-- When a second factor was last shown in this session.
ALTER TABLE session ADD COLUMN proven INTEGER NOT NULL DEFAULT 0;

-- Session to which the secret that is not confirmed yet was shown: it stays the
-- same there, however often it is asked for.
ALTER TABLE totp ADD COLUMN session TEXT NOT NULL DEFAULT '';

-- 1: made at the command line, by the operator of the machine, and not in a
-- session of its owner.
ALTER TABLE access_token ADD COLUMN operator INTEGER NOT NULL DEFAULT 0;

-- Person who made a one-time link; empty: the operator of the machine.
ALTER TABLE person_link ADD COLUMN maker TEXT NOT NULL DEFAULT '';
