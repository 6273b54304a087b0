-- What a list of studies is sorted by, and what people say of a study.
ALTER TABLE study ADD COLUMN name TEXT NOT NULL DEFAULT '';     -- the first group of the patient's name, folded, cut short
ALTER TABLE study ADD COLUMN sources TEXT NOT NULL DEFAULT '';  -- from where its instances came, sorted, joined by backslashes

-- Each ends with the id: a page begins behind a place in one of them. What has no
-- bound of its own stands in them with its beginning alone.
CREATE INDEX study_by_moment     ON study (study_date, study_time, id);
CREATE INDEX study_by_name       ON study (name, id);
CREATE INDEX study_list_patient  ON study (substr(patient_id, 1, 64), id);
CREATE INDEX study_list_accession ON study (substr(accession, 1, 64), id);
CREATE INDEX study_list_modality ON study (substr(modalities, 1, 64), id);
CREATE INDEX study_list_source   ON study (substr(sources, 1, 64), id);
CREATE INDEX study_by_instances  ON study (instances, id);
CREATE INDEX study_by_size       ON study (size, id);

-- Whether a study has a value is asked for study by study.
DROP INDEX study_value_by_study;
CREATE INDEX study_value_by_study ON study_value (study, kind, value);

-- What people say of a study. It stands beside the index and is no part of it.
CREATE TABLE study_mark (
    study   TEXT    NOT NULL PRIMARY KEY,  -- Study Instance UID
    status  TEXT    NOT NULL,              -- empty: none
    note    TEXT    NOT NULL,
    labels  TEXT    NOT NULL,              -- JSON, sorted
    changed INTEGER NOT NULL,
    person  TEXT    NOT NULL               -- who said so last
);
CREATE INDEX study_mark_by_status ON study_mark (status, study);
CREATE TABLE study_label (
    label TEXT NOT NULL,
    study TEXT NOT NULL REFERENCES study_mark (study) ON DELETE CASCADE,
    PRIMARY KEY (label, study)
) WITHOUT ROWID;
CREATE INDEX study_label_by_study ON study_label (study);
