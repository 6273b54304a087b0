-- The rows of the archive become a function of the set of instances: what each
-- instance says of its series, study and patient is kept as a description, and
-- the rows are merged from these. No number of a row is used again.
--
-- Rows are copied with their numbers. Descriptions and values are made by the
-- archive from the headers (archive.Upgrade) before anything is served.

CREATE TABLE index_state (
    one     INTEGER NOT NULL PRIMARY KEY CHECK (one = 1),
    version INTEGER NOT NULL,             -- of the rules that made all rows; 0 while they are being made
    target  INTEGER NOT NULL DEFAULT 0    -- version that is being made
);

-- An index without instances has nothing to be made anew.
INSERT INTO index_state (one, version) SELECT 1, 1 WHERE NOT EXISTS (SELECT 1 FROM instance);

-- What instances say of an entity, each wording once.
CREATE TABLE description (
    id        INTEGER PRIMARY KEY AUTOINCREMENT,
    level     INTEGER NOT NULL,     -- 1 patient, 2 study, 3 series
    owner     INTEGER NOT NULL,     -- row of that level
    digest    BLOB    NOT NULL,     -- of the content and of the description above
    rank      TEXT    NOT NULL,     -- order in which rows are merged
    above     INTEGER NOT NULL,     -- description of the level above; 0 for a patient's
    sop_class TEXT    NOT NULL,     -- of the instances, at the level of series
    uses      INTEGER NOT NULL,     -- instances, or descriptions of the level below
    data      BLOB    NOT NULL,     -- attributes, Explicit VR Little Endian
    UNIQUE (level, owner, digest)
);
CREATE INDEX description_by_rank ON description (level, owner, rank);

CREATE TABLE patient_new (
    id          INTEGER PRIMARY KEY AUTOINCREMENT,
    identity    TEXT NOT NULL UNIQUE,   -- issuer\id, or \study\uid for a patient without an ID
    patient_id  TEXT NOT NULL,
    issuer      TEXT NOT NULL,
    birth_date  TEXT NOT NULL,          -- YYYYMMDD or empty
    sex         TEXT NOT NULL,
    studies     INTEGER NOT NULL DEFAULT 0,
    series      INTEGER NOT NULL DEFAULT 0,
    instances   INTEGER NOT NULL DEFAULT 0
);
INSERT INTO patient_new SELECT id, identity, patient_id, issuer, birth_date, sex, studies, series, instances FROM patient ORDER BY id;

CREATE TABLE patient_data_new (
    id   INTEGER PRIMARY KEY REFERENCES patient_new (id) ON DELETE CASCADE,
    data BLOB NOT NULL                  -- merged attributes, Explicit VR Little Endian
);
INSERT INTO patient_data_new SELECT id, data FROM patient_data ORDER BY id;

CREATE TABLE patient_value_new (
    kind    TEXT NOT NULL,              -- name, word
    value   TEXT NOT NULL,              -- folded: see index.Fold
    patient INTEGER NOT NULL REFERENCES patient_new (id) ON DELETE CASCADE,
    uses    INTEGER NOT NULL,           -- descriptions that have it
    PRIMARY KEY (kind, value, patient)
) WITHOUT ROWID;

CREATE TABLE study_new (
    id          INTEGER PRIMARY KEY AUTOINCREMENT,
    uid         TEXT NOT NULL UNIQUE,
    patient     INTEGER NOT NULL REFERENCES patient_new (id),
    patient_id  TEXT NOT NULL,
    issuer      TEXT NOT NULL,
    birth_date  TEXT NOT NULL,
    sex         TEXT NOT NULL,
    study_date  TEXT NOT NULL,          -- YYYYMMDD or empty
    study_time  TEXT NOT NULL,          -- HHMMSS.FFFFFF or empty
    accession   TEXT NOT NULL,
    study_id    TEXT NOT NULL,
    description TEXT NOT NULL,
    modalities  TEXT NOT NULL DEFAULT '', -- sorted, joined by backslashes
    sop_classes TEXT NOT NULL DEFAULT '',
    series      INTEGER NOT NULL DEFAULT 0,
    instances   INTEGER NOT NULL DEFAULT 0,
    size        INTEGER NOT NULL DEFAULT 0, -- bytes of the files
    received    INTEGER NOT NULL,       -- first instance, microseconds until 0021
    updated     INTEGER NOT NULL        -- last instance
);
INSERT INTO study_new SELECT id, uid, patient, patient_id, issuer, birth_date, sex, study_date, study_time, accession, study_id, description,
    modalities, sop_classes, series, instances, size, received, updated FROM study ORDER BY id;
DELETE FROM sqlite_sequence WHERE name = 'study_new';
INSERT INTO sqlite_sequence (name, seq) SELECT 'study_new', seq FROM sqlite_sequence WHERE name = 'study';

CREATE TABLE study_data_new (
    id   INTEGER PRIMARY KEY REFERENCES study_new (id) ON DELETE CASCADE,
    data BLOB NOT NULL
);
INSERT INTO study_data_new SELECT id, data FROM study_data ORDER BY id;

-- What a study has several of. The date comes second so that the newest studies
-- with a value are found without a sort.
CREATE TABLE study_value_new (
    kind       TEXT NOT NULL,           -- modality, sopclass, name, word, referring
    value      TEXT NOT NULL,
    study_date TEXT NOT NULL,
    study      INTEGER NOT NULL REFERENCES study_new (id) ON DELETE CASCADE,
    uses       INTEGER NOT NULL,        -- descriptions that have it
    PRIMARY KEY (kind, value, study_date, study)
) WITHOUT ROWID;

CREATE TABLE series_new (
    id          INTEGER PRIMARY KEY AUTOINCREMENT,
    uid         TEXT NOT NULL UNIQUE,
    study       INTEGER NOT NULL REFERENCES study_new (id),
    modality    TEXT NOT NULL,
    number      INTEGER NOT NULL,       -- see index.noNumber where there is none
    description TEXT NOT NULL,
    body_part   TEXT NOT NULL,
    start_date  TEXT NOT NULL,          -- of the performed procedure step
    start_time  TEXT NOT NULL,
    instances   INTEGER NOT NULL DEFAULT 0,
    updated     INTEGER NOT NULL
);
INSERT INTO series_new SELECT id, uid, study, modality, number, description, body_part, start_date, start_time, instances, updated FROM series ORDER BY id;

CREATE TABLE series_data_new (
    id   INTEGER PRIMARY KEY REFERENCES series_new (id) ON DELETE CASCADE,
    data BLOB NOT NULL
);
INSERT INTO series_data_new SELECT id, data FROM series_data ORDER BY id;

CREATE TABLE instance_new (
    id              INTEGER PRIMARY KEY AUTOINCREMENT,
    uid             TEXT NOT NULL UNIQUE,
    series          INTEGER NOT NULL REFERENCES series_new (id),
    description     INTEGER NOT NULL DEFAULT 0, -- of the series; 0 until the archive made it
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
    implementation  TEXT NOT NULL,      -- class UID and version name of the sender, joined by a backslash
    accepted        INTEGER NOT NULL DEFAULT 0, -- 1: let in by somebody's decision
    character_set   TEXT NOT NULL DEFAULT ''    -- terms assumed where the data set declares none
);
INSERT INTO instance_new SELECT id, uid, series, 0, sop_class, number, transfer_syntax, digest, size, data_offset, received, source_ae, source_address,
    principal, implementation, 0, '' FROM instance ORDER BY id;

CREATE TABLE instance_data_new (
    id   INTEGER PRIMARY KEY REFERENCES instance_new (id) ON DELETE CASCADE,
    data BLOB NOT NULL                  -- header: see archive.packHeader
);
INSERT INTO instance_data_new SELECT id, data FROM instance_data ORDER BY id;

-- From the leaves to the root: a dropped table deletes its rows first.
DROP TABLE instance_data;
DROP TABLE instance;
DROP TABLE series_data;
DROP TABLE series;
DROP TABLE study_value;
DROP TABLE study_data;
DROP TABLE study;
DROP TABLE patient_value;
DROP TABLE patient_data;
DROP TABLE patient;

ALTER TABLE patient_new RENAME TO patient;
ALTER TABLE patient_data_new RENAME TO patient_data;
ALTER TABLE patient_value_new RENAME TO patient_value;
ALTER TABLE study_new RENAME TO study;
ALTER TABLE study_data_new RENAME TO study_data;
ALTER TABLE study_value_new RENAME TO study_value;
ALTER TABLE series_new RENAME TO series;
ALTER TABLE series_data_new RENAME TO series_data;
ALTER TABLE instance_new RENAME TO instance;
ALTER TABLE instance_data_new RENAME TO instance_data;

CREATE INDEX patient_by_patient_id ON patient (patient_id, id);
CREATE INDEX patient_value_by_patient ON patient_value (patient);
CREATE INDEX study_by_date       ON study (study_date, id);
CREATE INDEX study_by_patient    ON study (patient, id);
CREATE INDEX study_by_patient_id ON study (patient_id, study_date, id);
CREATE INDEX study_by_accession  ON study (accession, id);
CREATE INDEX study_by_study_id   ON study (study_id, id);
CREATE INDEX study_by_received   ON study (received, id);
CREATE INDEX study_value_by_study ON study_value (study);
CREATE INDEX series_by_study    ON series (study, number, id);
CREATE INDEX series_by_modality ON series (modality, id);
CREATE INDEX instance_by_series ON instance (series, number, id);
CREATE INDEX instance_by_digest ON instance (digest);

-- Held back. A number is never used again: who repeats a command must not
-- decide about another entry.
CREATE TABLE quarantine_new (
    id              INTEGER PRIMARY KEY AUTOINCREMENT,
    reason          TEXT NOT NULL,      -- different-content, other-patient, other-study, suspicious, replaced
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
    character_set   TEXT NOT NULL DEFAULT '',
    UNIQUE (uid, digest, reason)
);
INSERT INTO quarantine_new SELECT id, reason, uid, sop_class, study_uid, series_uid, transfer_syntax, digest, size, data_offset, stored_digest, times,
    received, last_received, source_ae, source_address, principal, implementation, '' FROM quarantine ORDER BY id;
DROP TABLE quarantine;
ALTER TABLE quarantine_new RENAME TO quarantine;
CREATE INDEX quarantine_by_digest ON quarantine (digest);
CREATE INDEX quarantine_by_study ON quarantine (study_uid, id);
CREATE INDEX quarantine_by_principal ON quarantine (principal, id);

-- Contents that were refused without being kept, because the quarantine was
-- full. The archive does not promise to keep what was refused.
CREATE TABLE refusal (
    id        INTEGER PRIMARY KEY AUTOINCREMENT,
    uid       TEXT    NOT NULL,
    digest    TEXT    NOT NULL,
    reason    TEXT    NOT NULL,
    principal TEXT    NOT NULL,
    times     INTEGER NOT NULL,
    last      INTEGER NOT NULL,         -- microseconds until 0021
    UNIQUE (uid, digest)
);

-- Reports of storage commitment: a report that was delivered in two ways at once
-- is removed twice, and the second must not remove another one.
CREATE TABLE commitment_report_new (
    id          INTEGER PRIMARY KEY AUTOINCREMENT,
    ae_title    TEXT    NOT NULL,  -- who asked
    report      BLOB    NOT NULL,  -- event information, Explicit VR Little Endian
    event_type  INTEGER NOT NULL,  -- 1: all committed; 2: failures exist
    created     INTEGER NOT NULL,
    attempts    INTEGER NOT NULL,
    next        INTEGER NOT NULL   -- not before
);
INSERT INTO commitment_report_new SELECT id, ae_title, report, event_type, created, attempts, next FROM commitment_report ORDER BY id;
DROP TABLE commitment_report;
ALTER TABLE commitment_report_new RENAME TO commitment_report;
CREATE INDEX commitment_report_by_next ON commitment_report (next);
CREATE INDEX commitment_report_by_device ON commitment_report (ae_title);
