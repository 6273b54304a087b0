-- Made from the migrations by 'go test ./internal/db -run Snapshot -update'.

CREATE TABLE schema_version (
			version INTEGER PRIMARY KEY, name TEXT NOT NULL, applied TEXT NOT NULL);

CREATE TABLE device (
    ae_title         TEXT    NOT NULL PRIMARY KEY,
    address          TEXT    NOT NULL,  -- the peer must come from here; empty: from anywhere
    verbs            TEXT    NOT NULL,  -- joined with commas
    destinations     TEXT    NOT NULL,  -- AE titles to which C-MOVE may send, joined with backslash
    listen           TEXT    NOT NULL,  -- host:port where the device accepts associations; empty: nowhere
    plaintext_until  INTEGER NOT NULL,  -- end of the exception for associations without TLS; 0: no exception
    created          INTEGER NOT NULL,
    removed          INTEGER NOT NULL   -- 0 while the device is registered
, no_certificate_until INTEGER NOT NULL DEFAULT 0);

CREATE TABLE device_certificate (
    fingerprint  TEXT    NOT NULL PRIMARY KEY,  -- SHA-256 of the certificate, lower-case hex
    ae_title     TEXT    NOT NULL REFERENCES device (ae_title),
    subject      TEXT    NOT NULL,
    not_after    INTEGER NOT NULL,
    created      INTEGER NOT NULL,
    removed      INTEGER NOT NULL
, weakness TEXT NOT NULL DEFAULT '');

CREATE INDEX device_certificate_by_device ON device_certificate (ae_title);

CREATE TABLE pending_device (
    id                INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
    calling           TEXT    NOT NULL,
    called            TEXT    NOT NULL,
    address           TEXT    NOT NULL,
    fingerprint       TEXT    NOT NULL,  -- empty: no certificate was shown
    certificate       BLOB    NOT NULL,  -- DER
    reason            TEXT    NOT NULL,
    implementation    TEXT    NOT NULL,  -- class UID and version name
    contexts          TEXT    NOT NULL,  -- abstract syntaxes that were proposed, joined with backslash
    first_seen        INTEGER NOT NULL,
    last_seen         INTEGER NOT NULL,
    attempts          INTEGER NOT NULL,
    UNIQUE (calling, address, fingerprint)
);

CREATE INDEX pending_device_by_last_seen ON pending_device (last_seen);

CREATE TABLE person (
    name           TEXT    NOT NULL PRIMARY KEY,
    role           TEXT    NOT NULL,
    password_hash  TEXT    NOT NULL,  -- argon2id in PHC form
    created        INTEGER NOT NULL,
    disabled       INTEGER NOT NULL
);

CREATE TABLE audit_record (
    sequence   INTEGER NOT NULL PRIMARY KEY,  -- position of the leaf
    time       INTEGER NOT NULL,
    event      TEXT    NOT NULL,
    outcome    INTEGER NOT NULL,  -- 0, 4, 8 or 12 (PS3.15 A.5.2)
    principal  TEXT    NOT NULL,  -- name of who acted, as far as it is known
    address    TEXT    NOT NULL
);

CREATE INDEX audit_record_by_time ON audit_record (time);

CREATE INDEX audit_record_by_principal ON audit_record (principal, time);

CREATE TABLE ledger_leaf (
    position  INTEGER NOT NULL PRIMARY KEY,  -- from 0, without a gap
    kind      TEXT    NOT NULL,
    ref       TEXT    NOT NULL,              -- what it is about: a SOP Instance UID, or empty
    data      TEXT    NOT NULL
);

CREATE INDEX ledger_leaf_by_ref ON ledger_leaf (ref, position) WHERE ref <> '';

CREATE TABLE ledger_hash (
    position  INTEGER NOT NULL PRIMARY KEY,
    hash      BLOB    NOT NULL
);

CREATE TABLE ledger_checkpoint (
    one   INTEGER NOT NULL PRIMARY KEY CHECK (one = 1),
    note  TEXT    NOT NULL
);

CREATE TABLE study_grant (
    person   TEXT    NOT NULL REFERENCES person (name),
    study    TEXT    NOT NULL,  -- Study Instance UID
    created  INTEGER NOT NULL,
    PRIMARY KEY (person, study)
) WITHOUT ROWID;

CREATE TABLE access_token (
    id       TEXT    NOT NULL PRIMARY KEY,
    hash     BLOB    NOT NULL UNIQUE,  -- SHA-256 of the secret
    owner    TEXT    NOT NULL REFERENCES person (name),
    verbs    TEXT    NOT NULL,  -- joined with commas
    studies  TEXT    NOT NULL,  -- the only ones it reaches, joined with backslash; empty: all of its owner's
    created  INTEGER NOT NULL,
    expires  INTEGER NOT NULL,
    revoked  INTEGER NOT NULL
, operator INTEGER NOT NULL DEFAULT 0);

CREATE INDEX access_token_by_owner ON access_token (owner);

CREATE TABLE session (
    hash      BLOB    NOT NULL PRIMARY KEY,  -- SHA-256 of the secret in the cookie
    id        TEXT    NOT NULL UNIQUE,       -- by which people name it; opens nothing
    person    TEXT    NOT NULL REFERENCES person (name),
    complete  INTEGER NOT NULL,              -- 0: only the password was given so far
    method    TEXT    NOT NULL,              -- password, totp, recovery, passkey, oidc
    address   TEXT    NOT NULL,
    created   INTEGER NOT NULL,
    seen      INTEGER NOT NULL,              -- written at most once a minute
    expires   INTEGER NOT NULL               -- whatever happens
, proven INTEGER NOT NULL DEFAULT 0, provider TEXT NOT NULL DEFAULT '');

CREATE INDEX session_by_person ON session (person);

CREATE TABLE totp (
    person    TEXT    NOT NULL PRIMARY KEY REFERENCES person (name),
    secret    BLOB    NOT NULL,  -- empty until one code was confirmed
    pending   BLOB    NOT NULL,  -- shown and not confirmed yet
    step      INTEGER NOT NULL   -- the last one whose code was taken
, session TEXT NOT NULL DEFAULT '');

CREATE TABLE recovery_code (
    person  TEXT NOT NULL REFERENCES person (name),
    hash    BLOB NOT NULL,  -- SHA-256
    PRIMARY KEY (person, hash)
) WITHOUT ROWID;

CREATE TABLE passkey_handle (
    person  TEXT NOT NULL PRIMARY KEY REFERENCES person (name),
    handle  BLOB NOT NULL UNIQUE
);

CREATE TABLE passkey (
    id          TEXT    NOT NULL PRIMARY KEY,  -- credential ID, base64url
    person      TEXT    NOT NULL REFERENCES person (name),
    rp          TEXT    NOT NULL,              -- relying party ID: the host name it was made for
    name        TEXT    NOT NULL,
    credential  BLOB    NOT NULL,              -- public key, counter and flags, JSON
    created     INTEGER NOT NULL,
    used        INTEGER NOT NULL
);

CREATE INDEX passkey_by_person ON passkey (person);

CREATE TABLE person_subject (
    issuer   TEXT NOT NULL,
    subject  TEXT NOT NULL,
    person   TEXT NOT NULL REFERENCES person (name),
    PRIMARY KEY (issuer, subject),
    UNIQUE (issuer, person)
) WITHOUT ROWID;

CREATE TABLE person_link (
    hash     BLOB    NOT NULL PRIMARY KEY,  -- SHA-256 of the secret
    purpose  TEXT    NOT NULL,              -- first-administrator, new-person, password
    person   TEXT    NOT NULL,              -- empty for the first administrator
    role     TEXT    NOT NULL,              -- of a person who is made by it
    factors  INTEGER NOT NULL,              -- 1: what counted as second factor is dropped
    expires  INTEGER NOT NULL
, maker TEXT NOT NULL DEFAULT '');

CREATE TABLE asset (
    id           INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
    created      INTEGER NOT NULL,
    last_seen    INTEGER NOT NULL,
    stranger     INTEGER NOT NULL,  -- 1: known only from callers that were refused; the oldest give way
    merged_into  INTEGER NOT NULL   -- 0: it stands for itself
);

CREATE INDEX asset_by_stranger ON asset (stranger, last_seen);

CREATE TABLE asset_value (
    asset       INTEGER NOT NULL REFERENCES asset (id),
    field       TEXT    NOT NULL,
    source      TEXT    NOT NULL,
    slot        TEXT    NOT NULL,
    value       TEXT    NOT NULL,
    folded      TEXT    NOT NULL,
    confidence  REAL    NOT NULL,
    first_seen  INTEGER NOT NULL,
    last_seen   INTEGER NOT NULL,
    PRIMARY KEY (asset, field, source, slot)
) WITHOUT ROWID;

CREATE INDEX asset_value_by_value ON asset_value (field, folded, asset);

CREATE TABLE asset_statement (
    id        INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
    asset     INTEGER NOT NULL REFERENCES asset (id),
    question  TEXT    NOT NULL,  -- patched, protected, gate
    answer    TEXT    NOT NULL,  -- yes, no
    since     INTEGER NOT NULL,
    who       TEXT    NOT NULL,
    note      TEXT    NOT NULL,
    made      INTEGER NOT NULL
);

CREATE INDEX asset_statement_by_asset ON asset_statement (asset, question, id);

CREATE TABLE issue (
    id              INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
    asset           INTEGER NOT NULL REFERENCES asset (id),
    key             TEXT    NOT NULL,
    check_id        TEXT    NOT NULL,
    address         TEXT    NOT NULL,
    port            INTEGER NOT NULL,
    severity        INTEGER NOT NULL,
    body            TEXT    NOT NULL,  -- the finding, JSON
    state           TEXT    NOT NULL,  -- open, accepted, fixed
    first_seen      INTEGER NOT NULL,
    last_seen       INTEGER NOT NULL,
    fixed           INTEGER NOT NULL,
    accepted_until  INTEGER NOT NULL,
    accepted_by     TEXT    NOT NULL,
    accepted_why    TEXT    NOT NULL,
    UNIQUE (asset, key)
);

CREATE INDEX issue_by_state ON issue (state, severity);

CREATE TABLE inventory_run (
    id       INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
    source   TEXT    NOT NULL,
    detail   TEXT    NOT NULL,
    started  INTEGER NOT NULL
);

CREATE TABLE inventory_event (
    id     INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
    at     INTEGER NOT NULL,
    run    INTEGER NOT NULL,  -- 0: none
    asset  INTEGER NOT NULL,
    kind   TEXT    NOT NULL,
    field  TEXT    NOT NULL,
    old    TEXT    NOT NULL,
    new    TEXT    NOT NULL
);

CREATE INDEX inventory_event_by_time ON inventory_event (at);

CREATE TABLE advisory_document (
    id         TEXT    NOT NULL PRIMARY KEY,
    version    TEXT    NOT NULL,
    source     TEXT    NOT NULL,
    sha256     TEXT    NOT NULL,
    hash       TEXT    NOT NULL,  -- how the hash was checked: sha256, sha512, none
    signature  TEXT    NOT NULL,  -- fingerprint of the key that signed it; empty: unsigned or not checked
    imported   INTEGER NOT NULL,
    body       TEXT    NOT NULL   -- JSON
);

CREATE TABLE advisory_fetch (
    url            TEXT    NOT NULL PRIMARY KEY,
    etag           TEXT    NOT NULL,
    last_modified  TEXT    NOT NULL,
    fetched        INTEGER NOT NULL
);

CREATE TABLE audit_delivery (
    repository TEXT    NOT NULL PRIMARY KEY,  -- host:port
    sequence   INTEGER NOT NULL               -- of the last record that counts as delivered
);

CREATE TABLE share (
    id            TEXT    NOT NULL PRIMARY KEY,
    hash          BLOB    NOT NULL UNIQUE,  -- SHA-256 of the secret
    owner         TEXT    NOT NULL,         -- person who made it; empty: the operator of the machine
    study         TEXT    NOT NULL,         -- Study Instance UID
    deidentified  INTEGER NOT NULL,
    password_hash TEXT    NOT NULL,         -- empty: none
    created       INTEGER NOT NULL,
    expires       INTEGER NOT NULL,
    revoked       INTEGER NOT NULL,
    used          INTEGER NOT NULL          -- last
);

CREATE TABLE share_session (
    hash     BLOB    NOT NULL PRIMARY KEY,  -- SHA-256 of the secret in the cookie
    share    TEXT    NOT NULL REFERENCES share (id),
    expires  INTEGER NOT NULL
);

CREATE TABLE posture_report (
    id    INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
    made  INTEGER NOT NULL
);

CREATE TABLE posture_schedule (
    name   TEXT    NOT NULL PRIMARY KEY,
    began  INTEGER NOT NULL
);

CREATE TABLE posture_told (
    channel   TEXT    NOT NULL PRIMARY KEY,
    sequence  INTEGER NOT NULL,  -- of the audit trail
    event     INTEGER NOT NULL   -- of the inventory
);

CREATE TABLE index_state (
    one     INTEGER NOT NULL PRIMARY KEY CHECK (one = 1),
    version INTEGER NOT NULL,             -- of the rules that made all rows; 0 while they are being made
    target  INTEGER NOT NULL DEFAULT 0    -- version that is being made
);

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

CREATE TABLE "patient" (
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

CREATE TABLE "patient_data" (
    id   INTEGER PRIMARY KEY REFERENCES "patient" (id) ON DELETE CASCADE,
    data BLOB NOT NULL                  -- merged attributes, Explicit VR Little Endian
);

CREATE TABLE "patient_value" (
    kind    TEXT NOT NULL,              -- name, word
    value   TEXT NOT NULL,              -- folded: see index.Fold
    patient INTEGER NOT NULL REFERENCES "patient" (id) ON DELETE CASCADE,
    uses    INTEGER NOT NULL,           -- descriptions that have it
    PRIMARY KEY (kind, value, patient)
) WITHOUT ROWID;

CREATE TABLE "study" (
    id          INTEGER PRIMARY KEY AUTOINCREMENT,
    uid         TEXT NOT NULL UNIQUE,
    patient     INTEGER NOT NULL REFERENCES "patient" (id),
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
, name TEXT NOT NULL DEFAULT '', sources TEXT NOT NULL DEFAULT '');

CREATE TABLE "study_data" (
    id   INTEGER PRIMARY KEY REFERENCES "study" (id) ON DELETE CASCADE,
    data BLOB NOT NULL
);

CREATE TABLE "study_value" (
    kind       TEXT NOT NULL,           -- modality, sopclass, name, word, referring
    value      TEXT NOT NULL,
    study_date TEXT NOT NULL,
    study      INTEGER NOT NULL REFERENCES "study" (id) ON DELETE CASCADE,
    uses       INTEGER NOT NULL,        -- descriptions that have it
    PRIMARY KEY (kind, value, study_date, study)
) WITHOUT ROWID;

CREATE TABLE "series" (
    id          INTEGER PRIMARY KEY AUTOINCREMENT,
    uid         TEXT NOT NULL UNIQUE,
    study       INTEGER NOT NULL REFERENCES "study" (id),
    modality    TEXT NOT NULL,
    number      INTEGER NOT NULL,       -- see index.noNumber where there is none
    description TEXT NOT NULL,
    body_part   TEXT NOT NULL,
    start_date  TEXT NOT NULL,          -- of the performed procedure step
    start_time  TEXT NOT NULL,
    instances   INTEGER NOT NULL DEFAULT 0,
    updated     INTEGER NOT NULL
);

CREATE TABLE "series_data" (
    id   INTEGER PRIMARY KEY REFERENCES "series" (id) ON DELETE CASCADE,
    data BLOB NOT NULL
);

CREATE TABLE "instance" (
    id              INTEGER PRIMARY KEY AUTOINCREMENT,
    uid             TEXT NOT NULL UNIQUE,
    series          INTEGER NOT NULL REFERENCES "series" (id),
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

CREATE TABLE "instance_data" (
    id   INTEGER PRIMARY KEY REFERENCES "instance" (id) ON DELETE CASCADE,
    data BLOB NOT NULL                  -- header: see archive.packHeader
);

CREATE INDEX patient_by_patient_id ON patient (patient_id, id);

CREATE INDEX patient_value_by_patient ON patient_value (patient);

CREATE INDEX study_by_date       ON study (study_date, id);

CREATE INDEX study_by_patient    ON study (patient, id);

CREATE INDEX study_by_patient_id ON study (patient_id, study_date, id);

CREATE INDEX study_by_accession  ON study (accession, id);

CREATE INDEX study_by_study_id   ON study (study_id, id);

CREATE INDEX study_by_received   ON study (received, id);

CREATE INDEX series_by_study    ON series (study, number, id);

CREATE INDEX series_by_modality ON series (modality, id);

CREATE INDEX instance_by_series ON instance (series, number, id);

CREATE INDEX instance_by_digest ON instance (digest);

CREATE TABLE "quarantine" (
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
    character_set   TEXT NOT NULL DEFAULT '', route TEXT NOT NULL DEFAULT '',
    UNIQUE (uid, digest, reason)
);

CREATE INDEX quarantine_by_digest ON quarantine (digest);

CREATE INDEX quarantine_by_study ON quarantine (study_uid, id);

CREATE INDEX quarantine_by_principal ON quarantine (principal, id);

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

CREATE TABLE "commitment_report" (
    id          INTEGER PRIMARY KEY AUTOINCREMENT,
    ae_title    TEXT    NOT NULL,  -- who asked
    report      BLOB    NOT NULL,  -- event information, Explicit VR Little Endian
    event_type  INTEGER NOT NULL,  -- 1: all committed; 2: failures exist
    created     INTEGER NOT NULL,
    attempts    INTEGER NOT NULL,
    next        INTEGER NOT NULL   -- not before
);

CREATE INDEX commitment_report_by_next ON commitment_report (next);

CREATE INDEX commitment_report_by_device ON commitment_report (ae_title);

CREATE TABLE registers_covered (
    one  INTEGER NOT NULL PRIMARY KEY CHECK (one = 1)
);

CREATE TABLE pairing (
  one INTEGER PRIMARY KEY CHECK (one = 1),
  id  TEXT NOT NULL
);

CREATE TABLE ledger_witness (
    path         TEXT    NOT NULL PRIMARY KEY, -- absolute
    checkpoints  INTEGER NOT NULL,
    bytes        INTEGER NOT NULL,             -- the length of the file then
    note         TEXT    NOT NULL              -- the last checkpoint
);

CREATE TABLE group_grant (
    name     TEXT    NOT NULL,  -- of the group, as the provider spells it
    study    TEXT    NOT NULL,  -- Study Instance UID
    created  INTEGER NOT NULL,
    PRIMARY KEY (name, study)
) WITHOUT ROWID;

CREATE TABLE provider_group (
    person   TEXT    NOT NULL REFERENCES person (name),
    issuer   TEXT    NOT NULL,
    claim    TEXT    NOT NULL,
    name     TEXT    NOT NULL,
    PRIMARY KEY (person, issuer, claim, name)
) WITHOUT ROWID;

CREATE TABLE gate_commitment (
    route           TEXT    NOT NULL,
    transaction_uid TEXT    NOT NULL,
    device          TEXT    NOT NULL,  -- AE title of who asked
    created         INTEGER NOT NULL,
    PRIMARY KEY (route, transaction_uid)
) WITHOUT ROWID;

CREATE TABLE first_write_study (
    route    TEXT    NOT NULL,
    study    TEXT    NOT NULL,  -- Study Instance UID
    asked    INTEGER NOT NULL,  -- when the system behind was asked what it has of it
    open     INTEGER NOT NULL, system TEXT NOT NULL DEFAULT '',  -- 1: instances may have gone through whose rows are not written
    PRIMARY KEY (route, study)
) WITHOUT ROWID;

CREATE TABLE first_write (
    route    TEXT    NOT NULL,
    uid      TEXT    NOT NULL,  -- SOP Instance UID
    study    TEXT    NOT NULL,
    syntax   TEXT    NOT NULL,  -- transfer syntax the hash belongs to
    hash     TEXT    NOT NULL, released INTEGER NOT NULL DEFAULT 0,  -- SHA-256 of the data set as it went through, hexadecimal; empty: the system behind had it already
    PRIMARY KEY (route, uid)
) WITHOUT ROWID;

CREATE TABLE gate_flow (
    route    TEXT    NOT NULL,
    device   TEXT    NOT NULL,  -- AE title of the caller
    verb     TEXT    NOT NULL,
    class    TEXT    NOT NULL,  -- SOP Class UID
    syntax   TEXT    NOT NULL,  -- transfer syntax UID of what was stored; empty for other verbs
    hour     INTEGER NOT NULL,  -- of the week at the server, 0 is Sunday 00:00
    day      INTEGER NOT NULL,  -- the last on which it happened, days since 1970
    requests INTEGER NOT NULL,
    bytes    INTEGER NOT NULL,  -- of objects stored
    PRIMARY KEY (route, device, verb, class, syntax, hour)
) WITHOUT ROWID;

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

CREATE TABLE outbox (
    id              INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,  -- the order in which they go
    destination     TEXT    NOT NULL,  -- name of the way it goes, such as a route
    study           TEXT    NOT NULL,
    uid             TEXT    NOT NULL,  -- SOP Instance UID
    class           TEXT    NOT NULL,
    syntax          TEXT    NOT NULL,  -- transfer syntax of the file
    hash            TEXT    NOT NULL,  -- SHA-256 of the data set in it
    size            INTEGER NOT NULL,
    file            TEXT    NOT NULL,
    patient         TEXT    NOT NULL,
    issuer          TEXT    NOT NULL,
    source          TEXT    NOT NULL,  -- AE title of who brought it
    state           TEXT    NOT NULL,  -- waiting, sent (stored there and not committed to), aside
    tries           INTEGER NOT NULL DEFAULT 0,
    broken          INTEGER NOT NULL DEFAULT 0,  -- associations that ended over it
    due             INTEGER NOT NULL DEFAULT 0,
    reason          TEXT    NOT NULL DEFAULT '',
    queued          INTEGER NOT NULL,
    sent            INTEGER NOT NULL DEFAULT 0,
    answer          INTEGER NOT NULL DEFAULT 0,  -- status of the C-STORE
    transaction_uid TEXT    NOT NULL DEFAULT '',
    asked           INTEGER NOT NULL DEFAULT 0, target TEXT NOT NULL DEFAULT '',  -- for storage commitment
    UNIQUE (destination, uid)
);

CREATE INDEX outbox_transaction ON outbox (destination, transaction_uid);

CREATE TABLE outbox_destination (
    destination TEXT    NOT NULL PRIMARY KEY,
    tries       INTEGER NOT NULL,
    due         INTEGER NOT NULL,
    reason      TEXT    NOT NULL
, tried INTEGER NOT NULL DEFAULT 0) WITHOUT ROWID;

CREATE TABLE outbound_commitment (
    route           TEXT    NOT NULL,
    transaction_uid TEXT    NOT NULL,
    instances       TEXT    NOT NULL,  -- JSON: SOP Class and Instance UIDs
    created         INTEGER NOT NULL,
    PRIMARY KEY (route, transaction_uid)
) WITHOUT ROWID;

CREATE TABLE outbound_offer (
    route  TEXT NOT NULL,
    class  TEXT NOT NULL,
    syntax TEXT NOT NULL,
    taken  INTEGER NOT NULL,  -- 1: in this one
    PRIMARY KEY (route, class, syntax)
) WITHOUT ROWID;

CREATE TABLE maintenance_door (
    number    INTEGER NOT NULL PRIMARY KEY,
    route     TEXT    NOT NULL,
    target    TEXT    NOT NULL,  -- IP address and port
    elsewhere INTEGER NOT NULL,  -- the target is not the system behind the route, and was named twice
    person    TEXT    NOT NULL,  -- for whom it is
    opener    TEXT    NOT NULL,
    opened    INTEGER NOT NULL,
    until     INTEGER NOT NULL,
    hash      BLOB    NOT NULL,  -- SHA-256 of the secret in the code
    claimed   INTEGER NOT NULL,  -- when the code was shown
    session   TEXT    NOT NULL,  -- in which
    address   TEXT    NOT NULL,  -- from where
    ended     INTEGER NOT NULL,
    why       TEXT    NOT NULL
);

CREATE INDEX outbox_state ON outbox (destination, target, state, id);

CREATE INDEX outbox_study ON outbox (destination, target, study, state, due);

CREATE TABLE outbox_volume (
    destination TEXT    NOT NULL PRIMARY KEY,
    items       INTEGER NOT NULL,
    bytes       INTEGER NOT NULL
) WITHOUT ROWID;

CREATE TRIGGER outbox_comes AFTER INSERT ON outbox BEGIN
    INSERT INTO outbox_volume (destination, items, bytes) VALUES (NEW.destination, 1, NEW.size)
        ON CONFLICT (destination) DO UPDATE SET items = items + 1, bytes = bytes + NEW.size;
END;

CREATE TRIGGER outbox_goes AFTER DELETE ON outbox BEGIN
    UPDATE outbox_volume SET items = items - 1, bytes = bytes - OLD.size WHERE destination = OLD.destination;
    DELETE FROM outbox_volume WHERE destination = OLD.destination AND items <= 0;
END;

CREATE INDEX study_by_moment     ON study (study_date, study_time, id);

CREATE INDEX study_by_name       ON study (name, id);

CREATE INDEX study_list_patient  ON study (substr(patient_id, 1, 64), id);

CREATE INDEX study_list_accession ON study (substr(accession, 1, 64), id);

CREATE INDEX study_list_modality ON study (substr(modalities, 1, 64), id);

CREATE INDEX study_list_source   ON study (substr(sources, 1, 64), id);

CREATE INDEX study_by_instances  ON study (instances, id);

CREATE INDEX study_by_size       ON study (size, id);

CREATE INDEX study_value_by_study ON study_value (study, kind, value);

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

INSERT INTO index_state (one, version) VALUES (1, 1);
INSERT INTO pairing (one, id) VALUES (1, hex(randomblob(16)));
