-- What is wrong with the key of a certificate that was bound all the same, in
-- words; empty: nothing (RFC 9325 4.5).
ALTER TABLE device_certificate ADD COLUMN weakness TEXT NOT NULL DEFAULT '';
