-- When the exception ends by which a device comes with TLS and without a
-- certificate of its own, from its address alone; 0: there is none.
ALTER TABLE device ADD COLUMN no_certificate_until INTEGER NOT NULL DEFAULT 0;
