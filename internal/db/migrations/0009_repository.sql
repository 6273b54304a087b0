-- How far the trail was delivered to an audit record repository (IHE ITI-20).
CREATE TABLE audit_delivery (
    repository TEXT    NOT NULL PRIMARY KEY,  -- host:port
    sequence   INTEGER NOT NULL               -- of the last record that counts as delivered
);
