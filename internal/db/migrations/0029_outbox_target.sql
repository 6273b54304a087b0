-- An object waits for the target its route had when it came: another one gets it only when a person
-- says so. Rows of before have none.
ALTER TABLE outbox ADD COLUMN target TEXT NOT NULL DEFAULT '';
DROP INDEX outbox_state;
CREATE INDEX outbox_state ON outbox (destination, target, state, id);
CREATE INDEX outbox_study ON outbox (destination, target, study, state, due);

-- How much waits for a destination, kept by the index itself: it is asked with each object.
CREATE TABLE outbox_volume (
    destination TEXT    NOT NULL PRIMARY KEY,
    items       INTEGER NOT NULL,
    bytes       INTEGER NOT NULL
) WITHOUT ROWID;
INSERT INTO outbox_volume (destination, items, bytes) SELECT destination, COUNT(*), SUM(size) FROM outbox GROUP BY destination;
CREATE TRIGGER outbox_comes AFTER INSERT ON outbox BEGIN
    INSERT INTO outbox_volume (destination, items, bytes) VALUES (NEW.destination, 1, NEW.size)
        ON CONFLICT (destination) DO UPDATE SET items = items + 1, bytes = bytes + NEW.size;
END;
CREATE TRIGGER outbox_goes AFTER DELETE ON outbox BEGIN
    UPDATE outbox_volume SET items = items - 1, bytes = bytes - OLD.size WHERE destination = OLD.destination;
    DELETE FROM outbox_volume WHERE destination = OLD.destination AND items <= 0;
END;
