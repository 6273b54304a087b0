-- Studies that were granted to a group of the identity provider. Times are
-- milliseconds since 1970 UTC.
CREATE TABLE group_grant (
    name     TEXT    NOT NULL,  -- of the group, as the provider spells it
    study    TEXT    NOT NULL,  -- Study Instance UID
    created  INTEGER NOT NULL,
    PRIMARY KEY (name, study)
) WITHOUT ROWID;

-- The groups a person had at the last sign-in at the provider, of those to which
-- something was granted then. They count until they end.
CREATE TABLE person_group (
    person   TEXT    NOT NULL REFERENCES person (name),
    name     TEXT    NOT NULL,
    expires  INTEGER NOT NULL,
    PRIMARY KEY (person, name)
) WITHOUT ROWID;
