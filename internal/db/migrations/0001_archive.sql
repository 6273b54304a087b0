-- The archive's index: patients, studies, series, instances, and what is held
-- back. Columns are what is searched and counted; the attributes to answer with
-- stand in the _data tables, so that a scan of the columns stays small. Study
-- and patient rows are denormalised: counts, modalities and SOP Classes are
-- kept up to date with every instance.

CREATE TABLE patient (
    id          INTEGER PRIMARY KEY,
    identity    TEXT NOT NULL UNIQUE,   -- issuer\id, or \study\uid for a patient without an ID
    patient_id  TEXT NOT NULL,
    issuer      TEXT NOT NULL,
    birth_date  TEXT NOT NULL,          -- YYYYMMDD or empty
    sex         TEXT NOT NULL,
    studies     INTEGER NOT NULL DEFAULT 0,
    series      INTEGER NOT NULL DEFAULT 0,
    instances   INTEGER NOT NULL DEFAULT 0
);
CREATE INDEX patient_by_patient_id ON patient (patient_id, id);

CREATE TABLE patient_data (
    id   INTEGER PRIMARY KEY REFERENCES patient (id) ON DELETE CASCADE,
    data BLOB NOT NULL                  -- data set, explicit VR little endian
);

CREATE TABLE patient_value (
    kind    TEXT NOT NULL,              -- name, word
    value   TEXT NOT NULL,              -- folded: see archive.fold
    patient INTEGER NOT NULL REFERENCES patient (id) ON DELETE CASCADE,
    PRIMARY KEY (kind, value, patient)
) WITHOUT ROWID;
CREATE INDEX patient_value_by_patient ON patient_value (patient);

CREATE TABLE study (
    id          INTEGER PRIMARY KEY AUTOINCREMENT, -- a number is never used again
    uid         TEXT NOT NULL UNIQUE,
    patient     INTEGER NOT NULL REFERENCES patient (id),
    patient_id  TEXT NOT NULL,
    issuer      TEXT NOT NULL,
    birth_date  TEXT NOT NULL,
    sex         TEXT NOT NULL,
    study_date  TEXT NOT NULL,          -- YYYYMMDD or empty
    study_time  TEXT NOT NULL,          -- HHMMSS.FFFFFF or empty
    accession   TEXT NOT NULL,
    study_id    TEXT NOT NULL,
    description TEXT NOT NULL,
    modalities  TEXT NOT NULL DEFAULT '', -- joined by backslashes
    sop_classes TEXT NOT NULL DEFAULT '',
    series      INTEGER NOT NULL DEFAULT 0,
    instances   INTEGER NOT NULL DEFAULT 0,
    size        INTEGER NOT NULL DEFAULT 0, -- bytes of the files
    received    INTEGER NOT NULL,       -- first instance, microseconds until 0021
    updated     INTEGER NOT NULL        -- last instance
);
CREATE INDEX study_by_date       ON study (study_date, id);
CREATE INDEX study_by_patient    ON study (patient, id);
CREATE INDEX study_by_patient_id ON study (patient_id, study_date, id);
CREATE INDEX study_by_accession  ON study (accession, id);
CREATE INDEX study_by_study_id   ON study (study_id, id);
CREATE INDEX study_by_received   ON study (received, id);

CREATE TABLE study_data (
    id   INTEGER PRIMARY KEY REFERENCES study (id) ON DELETE CASCADE,
    data BLOB NOT NULL
);

-- What a study has several of. The date comes second so that the newest studies
-- with a value are found without a sort.
CREATE TABLE study_value (
    kind       TEXT NOT NULL,           -- modality, sopclass, name, word, referring
    value      TEXT NOT NULL,
    study_date TEXT NOT NULL,
    study      INTEGER NOT NULL REFERENCES study (id) ON DELETE CASCADE,
    PRIMARY KEY (kind, value, study_date, study)
) WITHOUT ROWID;
CREATE INDEX study_value_by_study ON study_value (study);

CREATE TABLE series (
    id          INTEGER PRIMARY KEY,
    uid         TEXT NOT NULL UNIQUE,
    study       INTEGER NOT NULL REFERENCES study (id),
    modality    TEXT NOT NULL,
    number      INTEGER NOT NULL,       -- 0 where there is none
    description TEXT NOT NULL,
    body_part   TEXT NOT NULL,
    start_date  TEXT NOT NULL,          -- of the performed procedure step
    start_time  TEXT NOT NULL,
    instances   INTEGER NOT NULL DEFAULT 0,
    updated     INTEGER NOT NULL
);
CREATE INDEX series_by_study    ON series (study, number, id);
CREATE INDEX series_by_modality ON series (modality, id);

CREATE TABLE series_data (
    id   INTEGER PRIMARY KEY REFERENCES series (id) ON DELETE CASCADE,
    data BLOB NOT NULL
);

CREATE TABLE instance (
    id              INTEGER PRIMARY KEY,
    uid             TEXT NOT NULL UNIQUE,
    series          INTEGER NOT NULL REFERENCES series (id),
    sop_class       TEXT NOT NULL,
    number          INTEGER NOT NULL,
    transfer_syntax TEXT NOT NULL,
    digest          TEXT NOT NULL,      -- SHA-256 of the file: the key of the blob
    size            INTEGER NOT NULL,   -- bytes of the file
    data_offset     INTEGER NOT NULL,   -- bytes in front of the data set
    received        INTEGER NOT NULL,
    source_ae       TEXT NOT NULL,
    source_address  TEXT NOT NULL,
    principal       TEXT NOT NULL,
    implementation  TEXT NOT NULL       -- class UID and version name of the sender, joined by a backslash
);
CREATE INDEX instance_by_series ON instance (series, number, id);
CREATE INDEX instance_by_digest ON instance (digest);

CREATE TABLE instance_data (
    id   INTEGER PRIMARY KEY REFERENCES instance (id) ON DELETE CASCADE,
    data BLOB NOT NULL                  -- header: see archive.packHeader
);

CREATE TABLE quarantine (
    id              INTEGER PRIMARY KEY,
    reason          TEXT NOT NULL,      -- different-content, other-patient, other-study, replaced
    uid             TEXT NOT NULL,
    sop_class       TEXT NOT NULL,
    study_uid       TEXT NOT NULL,
    series_uid      TEXT NOT NULL,
    transfer_syntax TEXT NOT NULL,
    digest          TEXT NOT NULL,
    size            INTEGER NOT NULL,
    data_offset     INTEGER NOT NULL,
    stored_digest   TEXT NOT NULL,      -- of the instance that is kept under the UID; empty if there is none
    times           INTEGER NOT NULL DEFAULT 1, -- how often it was sent
    received        INTEGER NOT NULL,
    last_received   INTEGER NOT NULL,
    source_ae       TEXT NOT NULL,
    source_address  TEXT NOT NULL,
    principal       TEXT NOT NULL,
    implementation  TEXT NOT NULL,
    UNIQUE (uid, digest, reason)
);
CREATE INDEX quarantine_by_digest ON quarantine (digest);
