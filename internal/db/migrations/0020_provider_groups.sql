-- Issuer of the identity provider at which a session began; empty: it began by
-- what the archive itself knows of the person.
ALTER TABLE session ADD COLUMN provider TEXT NOT NULL DEFAULT '';

-- The groups a person had at the last sign-in at a provider, of those to which
-- something was granted then, with who named them and in which claim. What was
-- kept before knew neither, and is named anew at the next sign-in.
CREATE TABLE provider_group (
    person   TEXT    NOT NULL REFERENCES person (name),
    issuer   TEXT    NOT NULL,
    claim    TEXT    NOT NULL,
    name     TEXT    NOT NULL,
    PRIMARY KEY (person, issuer, claim, name)
) WITHOUT ROWID;
DROP TABLE person_group;
