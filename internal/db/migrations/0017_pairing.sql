-- Which index this is: by it a data directory knows its own index from one that
-- was made by accident in its place.
CREATE TABLE pairing (
  one INTEGER PRIMARY KEY CHECK (one = 1),
  id  TEXT NOT NULL
);
INSERT INTO pairing (one, id) VALUES (1, hex(randomblob(16)));
