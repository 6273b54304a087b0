-- Whose what went through a route of the gate is, so that an image does not come into
-- the study of somebody else: a study is of one patient, and a series of one study
-- (PS3.3 A.1.2). Several rows stand where somebody decided so.
CREATE TABLE first_write_patient (
    route      TEXT NOT NULL,
    study      TEXT NOT NULL,  -- Study Instance UID
    patient_id TEXT NOT NULL,
    issuer     TEXT NOT NULL,  -- empty: none was named
    name       TEXT NOT NULL,  -- of a patient without an ID, folded; else empty
    PRIMARY KEY (route, study, patient_id, issuer, name)
) WITHOUT ROWID;

CREATE TABLE first_write_series (
    route  TEXT NOT NULL,
    series TEXT NOT NULL,  -- Series Instance UID
    study  TEXT NOT NULL,
    PRIMARY KEY (route, series, study)
) WITHOUT ROWID;
