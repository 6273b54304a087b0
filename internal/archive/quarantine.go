package archive

import (
	"context"
	"errors"
	"strings"
	"time"

	"collimator/dicom"
	"collimator/internal/archive/index"
	"collimator/internal/budget"
	"collimator/internal/db"
	"collimator/internal/fault"
)

// Reason is why an instance was not taken in.
type Reason = index.Reason

// The reasons.
const (
	DifferentContent = index.DifferentContent // another content is stored under the SOP Instance UID
	OtherPatient     = index.OtherPatient     // the study belongs to another patient
	OtherStudy       = index.OtherStudy       // the series belongs to another study

	AtRoute             Reason = "other-content-at-route" // another content went through a route of the gate under the SOP Instance UID
	OtherPatientAtRoute Reason = "other-patient-at-route" // what went through a route of the gate of the study is of another patient
	OtherStudyAtRoute   Reason = "other-study-at-route"   // what went through a route of the gate of the series is of another study
	Suspicious          Reason = "suspicious"             // the inspection found what does not belong there
	Replaced            Reason = "replaced"               // was stored, and gave way to one released from quarantine
)

// HeldAtRoute reports an instance that came for a route of the gate, not for the archive.
func HeldAtRoute(r Reason) bool {
	return r == AtRoute || r == OtherPatientAtRoute || r == OtherStudyAtRoute
}

// ConflictError says that an instance contradicts what is stored. Its kind is
// fault.Conflict; C-STORE answers 0111H (PS3.7 9.1.1.1.9).
type ConflictError struct {
	Reason     Reason
	Quarantine int64  // entry that holds it; zero if it was not kept because the quarantine has no room for it
	Found      string // by an inspection, see Inspection
}

// Error names no instance.
func (e *ConflictError) Error() string {
	switch e.Reason {
	case DifferentContent:
		return "archive: the SOP Instance UID already has other content"
	case OtherPatient:
		return "archive: the study belongs to another patient"
	case OtherStudy:
		return "archive: the series belongs to another study"
	case AtRoute:
		return "archive: other content went through the route under the SOP Instance UID"
	case OtherPatientAtRoute:
		return "archive: the study is of another patient at the route"
	case OtherStudyAtRoute:
		return "archive: the series is of another study at the route"
	case Suspicious:
		return "archive: the instance holds suspicious content"
	}
	return "archive: the instance contradicts what is stored"
}

// Unwrap makes it a fault.Conflict.
func (e *ConflictError) Unwrap() error { return &fault.Error{Kind: fault.Conflict, Text: e.Error()} }

// QuarantineEntry is an instance that is held back. Nothing finds or hands out
// its file but OpenQuarantined.
type QuarantineEntry struct {
	ID           int64
	Reason       Reason
	Instance     InstanceRef
	StoredDigest string // of the instance that is kept under the UID; empty if there is none
	Times        int64  // how often it was sent
	Received     time.Time
	LastReceived time.Time
	Source       Source
	CharacterSet string // that was assumed, joined by backslashes; empty for none
}

// hold puts an instance whose file is stored into quarantine. It returns the
// conflict. p.held says whether the quarantine keeps it.
func (a *Archive) hold(ctx context.Context, p *pending) error {
	kept := false
	err := a.o.DB.Write(ctx, func(tx *db.Tx) (err error) {
		event := Event{
			Reason: p.conflict.Reason, Instance: p.ref, StoredDigest: p.stored.Digest, Source: p.source, Time: p.time,
			CharacterSet: p.assumed, Why: p.conflict.Found, Whose: whoseOf(p.ds),
		}
		kept, err = a.insertQuarantine(ctx, tx, p.conflict, event)
		return err
	})
	if err != nil {
		return err
	}
	p.held = kept

	return p.conflict
}

// insertQuarantine keeps an instance in quarantine, or counts it once more where
// it is there. Where there is no room for it, for this source or for anybody,
// only the refusal is kept; the event is recorded in any case. The number of the
// entry goes into c.Quarantine, 0 where there is none.
func (a *Archive) insertQuarantine(ctx context.Context, tx *db.Tx, c *ConflictError, event Event) (kept bool, err error) {
	event.Kind = Quarantined
	ref := event.Instance
	s := event.Source
	at := event.Time

	err = tx.QueryRow(ctx, `UPDATE quarantine SET times = times + 1, last_received = ?4
		WHERE uid = ?1 AND digest = ?2 AND reason = ?3 RETURNING id`,
		ref.SOPInstanceUID, ref.Digest, string(c.Reason), db.Millis(at)).Scan(&c.Quarantine)
	if err == nil {
		return true, a.record(ctx, tx, event)
	}
	if fault.Of(err) != fault.NotFound {
		return false, err
	}

	room, err := a.roomInQuarantine(ctx, tx, c.Reason, ref.Size, s.Principal)
	if err != nil {
		return false, err
	}
	if !room {
		event.Kind = Refused
		if err := refuse(ctx, tx, c.Reason, ref, s, at); err != nil {
			return false, err
		}
		return false, a.record(ctx, tx, event)
	}

	if err := a.present(ctx, ref); err != nil {
		return false, err
	}

	err = tx.QueryRow(ctx, `INSERT INTO quarantine (reason, uid, sop_class, study_uid, series_uid, transfer_syntax,
		digest, size, data_offset, stored_digest, received, last_received,
		source_ae, source_address, principal, implementation, character_set, route)
		VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?11, ?12, ?13, ?14, ?15, ?16, ?17) RETURNING id`,
		string(c.Reason), ref.SOPInstanceUID, ref.SOPClassUID, ref.StudyUID, ref.SeriesUID, ref.TransferSyntaxUID, ref.Digest, ref.Size,
		ref.DataSetOffset, event.StoredDigest, db.Millis(at), s.AETitle, s.Address, s.Principal, s.Implementation(),
		event.CharacterSet, s.Route).Scan(&c.Quarantine)
	if err != nil {
		return false, err
	}
	if err := forgetRefusal(ctx, tx, ref.SOPInstanceUID, ref.Digest); err != nil {
		return false, err
	}

	return true, a.record(ctx, tx, event)
}

// record tells the hook of an event, in the transaction in which it happens.
func (a *Archive) record(ctx context.Context, tx *db.Tx, e Event) error {
	if a.o.Record == nil {
		return nil
	}
	return a.o.Record(ctx, tx, e)
}

const selectQuarantine = `SELECT id, reason, uid, sop_class, study_uid, series_uid, transfer_syntax, digest, size, data_offset,
	stored_digest, times, received, last_received, source_ae, source_address, principal, implementation, character_set, route FROM quarantine`

func scanQuarantine(scan db.Scan) (e QuarantineEntry, err error) {
	r := &e.Instance
	s := &e.Source
	var received, last int64
	var implementation string
	err = scan(&e.ID, &e.Reason, &r.SOPInstanceUID, &r.SOPClassUID, &r.StudyUID, &r.SeriesUID, &r.TransferSyntaxUID, &r.Digest, &r.Size,
		&r.DataSetOffset, &e.StoredDigest, &e.Times, &received, &last, &s.AETitle, &s.Address, &s.Principal,
		&implementation, &e.CharacterSet, &s.Route)
	e.Received = db.Instant(received)
	e.LastReceived = db.Instant(last)
	s.ImplementationUID, s.ImplementationVersion, _ = strings.Cut(implementation, `\`)
	return e, err
}

// Quarantine lists up to limit entries with an ID below before, the newest
// first; before zero starts at the newest.
func (a *Archive) Quarantine(ctx context.Context, before int64, limit int) (out []QuarantineEntry, err error) {
	if before <= 0 {
		before = 1<<63 - 1
	}
	err = a.o.DB.Read(ctx, func(tx *db.Tx) error {
		out, err = db.All(ctx, tx, scanQuarantine, selectQuarantine+` WHERE id < ?1 ORDER BY id DESC LIMIT ?2`, before, limit)

		return err
	})
	return out, err
}

// Quarantined gets one entry; fault.NotFound if there is none.
func (a *Archive) Quarantined(ctx context.Context, id int64) (e QuarantineEntry, err error) {
	err = a.o.DB.Read(ctx, func(tx *db.Tx) error {
		e, err = quarantined(ctx, tx, id)
		return err
	})
	return e, err
}

var errNoEntry = fault.New(fault.NotFound, "archive: no such entry in the quarantine; see 'collimator quarantine list'")

func quarantined(ctx context.Context, tx *db.Tx, id int64) (QuarantineEntry, error) {
	e, err := scanQuarantine(tx.QueryRow(ctx, selectQuarantine+` WHERE id = ?1`, id).Scan)
	if fault.Of(err) == fault.NotFound {
		err = errNoEntry
	}
	return e, err
}

// OpenQuarantined opens the file of an entry, for whoever examines it.
func (a *Archive) OpenQuarantined(ctx context.Context, id int64) (*Object, error) {
	e, err := a.Quarantined(ctx, id)
	if err != nil {
		return nil, err
	}
	return a.Open(ctx, e.Instance)
}

// Release takes an entry into the archive after all; one that came for a route of the
// gate is let through there when it is sent again, and removed here. Where another content is
// stored under its UID the two change places: the stored one goes into
// quarantine as replaced. Where the study belongs to another patient it stays
// that patient's as long as an image of that patient is left. A series cannot be
// in two studies: that entry is refused. by says who decided.
func (a *Archive) Release(ctx context.Context, id int64, by Source) (Receipt, error) {
	e, err := a.Quarantined(ctx, id)
	if err != nil {
		return Receipt{}, err
	}
	if HeldAtRoute(e.Reason) {
		return Receipt{}, a.letThrough(ctx, e, by)
	}
	if e.Reason == OtherStudy {
		return Receipt{}, fault.New(fault.Unsupported, "archive: a series cannot be in two studies; correct the series and send it again")
	}
	p, err := a.reread(ctx, e, true)
	if err != nil {
		return Receipt{}, err
	}

	a.takeOff(p.ref.Digest)
	defer a.land(p.ref.Digest)
	err = a.o.DB.Write(ctx, func(tx *db.Tx) error {
		if n, err := tx.Exec(ctx, `DELETE FROM quarantine WHERE id = ?1`, id); err != nil || n == 0 {
			return errors.Join(err, errNoEntry)
		}
		if err := a.giveWay(ctx, tx, p, by); err != nil {
			return err
		}
		if err := a.insert(ctx, tx, p); err != nil {
			return err
		}
		if p.conflict != nil {
			return p.conflict
		}

		return a.record(ctx, tx, Event{Kind: Released, Reason: e.Reason, Instance: p.ref, Source: by, Time: p.time})
	})

	return Receipt{Instance: p.ref, Duplicate: p.duplicate, Time: p.time}, err
}

// reread makes the rows of an instance from its file. accepted says that
// somebody decides to store it.
func (a *Archive) reread(ctx context.Context, e QuarantineEntry, accepted bool) (*pending, error) {
	o, err := a.Open(ctx, e.Instance)
	if err != nil {
		return nil, err
	}
	defer o.Close()

	sp := &spool{}
	ds, err := dicom.Decode(o.DataSet(), dicom.DecodeOptions{
		TransferSyntax: e.Instance.TransferSyntaxUID,
		BulkThreshold:  bulkThreshold,
		Limits:         a.dicomLimits(),
		Source:         sp,
		Account:        budget.From(ctx),
	})
	if err != nil {
		return nil, err
	}
	sp.ds = ds
	p := &pending{ref: e.Instance, source: e.Source, time: a.now(), ds: ds, accept: accepted}
	p.assumed = assume(ds, index.SplitValues(e.CharacterSet))

	ts, _ := dicom.LookupTransferSyntax(e.Instance.TransferSyntaxUID)
	if p.header, err = packHeader(ds, ts, e.Instance.Size-e.Instance.DataSetOffset); err != nil {
		return nil, err
	}
	p.description, err = index.Describe(ds, p.ref, accepted)

	return p, err
}

// giveWay moves a stored instance of another content into quarantine, where
// there is one.
func (a *Archive) giveWay(ctx context.Context, tx *db.Tx, p *pending, by Source) error {
	stored, err := index.Find(ctx, tx, p.ref.SOPInstanceUID)
	if fault.Of(err) == fault.NotFound || err == nil && stored.Digest == p.ref.Digest {
		return nil
	}
	if err != nil {
		return err
	}

	// It must come back as it was read.
	var assumed string
	err = tx.QueryRow(ctx, `SELECT character_set FROM instance WHERE uid = ?1`, stored.SOPInstanceUID).Scan(&assumed)
	if err != nil {
		return err
	}
	_, err = a.insertQuarantine(ctx, tx, &ConflictError{Reason: Replaced}, Event{
		Reason: Replaced, Instance: stored, StoredDigest: p.ref.Digest, Source: by, Time: p.time, CharacterSet: assumed,
	})
	if err != nil {
		return err
	}

	return index.Remove(ctx, tx, stored.SOPInstanceUID)
}

// Destroy removes an entry and its file. by says who decided.
func (a *Archive) Destroy(ctx context.Context, id int64, by Source) error {
	var e QuarantineEntry
	err := a.o.DB.Write(ctx, func(tx *db.Tx) (err error) {
		if e, err = quarantined(ctx, tx, id); err != nil {
			return err
		}

		return a.destroy(ctx, tx, e, by)
	})
	if err != nil {
		return err
	}

	return a.removeUnreferenced(ctx, e.Instance.Digest, 0)
}

func (a *Archive) destroy(ctx context.Context, tx *db.Tx, e QuarantineEntry, by Source) error {
	if _, err := tx.Exec(ctx, `DELETE FROM quarantine WHERE id = ?1`, e.ID); err != nil {
		return err
	}

	return a.record(ctx, tx, Event{Kind: Destroyed, Reason: e.Reason, Instance: e.Instance, Source: by, Time: a.now()})
}

// QuarantinedOf lists all entries of a study, the oldest first.
func (a *Archive) QuarantinedOf(ctx context.Context, studyUID string) (out []QuarantineEntry, err error) {
	err = a.o.DB.Read(ctx, func(tx *db.Tx) error {
		out, err = quarantinedOf(ctx, tx, studyUID)
		return err
	})

	return out, err
}

func quarantinedOf(ctx context.Context, tx *db.Tx, studyUID string) ([]QuarantineEntry, error) {
	return db.All(ctx, tx, scanQuarantine, selectQuarantine+` WHERE study_uid = ?1 ORDER BY id`, studyUID)
}
