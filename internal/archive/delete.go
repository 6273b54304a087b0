package archive

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"

	"collimator/internal/archive/index"
	"collimator/internal/db"
	"collimator/internal/fault"
	"collimator/internal/phrase"
)

// Deletion says what to delete of one study and why.
type Deletion struct {
	StudyUID       string // needed
	SeriesUID      string // empty: the whole study
	SOPInstanceUID string // empty: the whole series
	Why            string // 5 to 200 printable characters, for the record
	By             Source
	Scope          Scope // what the caller may see; what is outside it is not found
}

// Bounds of a reason, in characters.
const (
	minWhy = 5
	maxWhy = 200
)

// checkWhy returns a reason without blanks around it.
func checkWhy(why string) (string, error) {
	why = strings.TrimSpace(why)
	n := utf8.RuneCountInString(why)
	if n < minWhy || n > maxWhy || strings.ContainsFunc(why, func(r rune) bool { return !unicode.IsPrint(r) }) {
		return "", fault.Newf(fault.Invalid, "archive: say why it is deleted, in %d to %d printable characters", minWhy, maxWhy)
	}

	return why, nil
}

func (d *Deletion) check() (err error) {
	if d.Why, err = checkWhy(d.Why); err != nil {
		return err
	}
	if d.StudyUID == "" {
		return fault.New(fault.Invalid, "archive: a deletion names a study")
	}
	return nil
}

func (d *Deletion) query() RetrieveQuery {
	q := RetrieveQuery{StudyUIDs: []string{d.StudyUID}, Scope: d.Scope}
	if d.SeriesUID != "" {
		q.SeriesUIDs = []string{d.SeriesUID}
	}
	if d.SOPInstanceUID != "" {
		q.SOPInstanceUIDs = []string{d.SOPInstanceUID}
	}
	return q
}

// DeletedTogether is what a deletion did. It stands with the last of its events.
type DeletedTogether struct {
	StudyUID string
	// Patient and PatientIssuer were those of the study.
	Patient, PatientIssuer string

	Whole      bool           // nothing is left of the study, and nothing is held back of it
	SOPClasses map[string]int // instances of each class
	Instances  int
	Held       int // entries of the quarantine that went with it
	StillHeld  int // entries of the quarantine that belong to the study and stayed, because not all of it was deleted
	Why        string

	// AccessEnded is how many links, grants and tokens to the study were ended.
	// Options.Record does that with the last event of a whole study, and counts.
	AccessEnded int
}

// Delete removes instances and their files, and returns how many. With the last
// instance of a study goes what is held back of it. Rows and record are one
// transaction: one event for each instance, of which the last carries what they
// have in common. Nothing found is an error of kind NotFound. The files go after
// the transaction; what a killed process leaves of them SetAside removes.
func (a *Archive) Delete(ctx context.Context, d Deletion) (DeletedTogether, error) {
	if err := d.check(); err != nil {
		return DeletedTogether{}, err
	}

	var gone []InstanceRef
	var held []QuarantineEntry
	var done *DeletedTogether
	err := a.o.DB.Write(ctx, func(tx *db.Tx) (err error) {
		if gone, err = a.named(ctx, tx, d.query()); err != nil {
			return err
		}
		together := &DeletedTogether{StudyUID: d.StudyUID, Instances: len(gone), SOPClasses: map[string]int{}, Why: d.Why}
		if together.Patient, together.PatientIssuer, err = PatientIn(ctx, tx, d.StudyUID); err != nil {
			return err
		}
		if err := d.remove(ctx, tx, gone); err != nil {
			return err
		}

		done, held, err = a.recordDeletion(ctx, tx, d, gone, together)
		return err
	})
	if err != nil {
		return DeletedTogether{}, err
	}

	for _, ref := range gone {
		err = errors.Join(err, a.removeUnreferenced(ctx, ref.Digest, 0))
	}
	for _, e := range held {
		err = errors.Join(err, a.removeUnreferenced(ctx, e.Instance.Digest, 0))
	}

	return *done, err
}

// remove takes out what was named: a whole study at once.
func (d *Deletion) remove(ctx context.Context, tx *db.Tx, gone []InstanceRef) error {
	if d.SeriesUID == "" && d.SOPInstanceUID == "" {
		return index.RemoveStudy(ctx, tx, d.StudyUID)
	}
	uids := make([]string, len(gone))
	for i, ref := range gone {
		uids[i] = ref.SOPInstanceUID
	}

	return index.Remove(ctx, tx, uids...)
}

// recordDeletion writes down what was deleted, and takes what is held back of a
// study with its last instance.
func (a *Archive) recordDeletion(ctx context.Context, tx *db.Tx, d Deletion, gone []InstanceRef,
	together *DeletedTogether) (*DeletedTogether, []QuarantineEntry, error) {

	now := a.now()
	var left int
	if err := tx.QueryRow(ctx, `SELECT COUNT(*) FROM study WHERE uid = ?1`, d.StudyUID).Scan(&left); err != nil {
		return nil, nil, err
	}

	held, err := quarantinedOf(ctx, tx, d.StudyUID)
	if err != nil {
		return nil, nil, err
	}

	together.Whole = left == 0
	if !together.Whole {
		together.StillHeld = len(held)
		held = nil
	}
	together.Held = len(held)
	for _, e := range held {
		if err := a.destroy(ctx, tx, e, d.By); err != nil {
			return nil, nil, err
		}
	}

	if together.Whole {
		for _, ref := range gone {
			if _, err := tx.Exec(ctx, `DELETE FROM refusal WHERE uid = ?1`, ref.SOPInstanceUID); err != nil {
				return nil, nil, err
			}
		}
	}

	for i, ref := range gone {
		together.SOPClasses[ref.SOPClassUID]++
		e := Event{Kind: Deleted, Instance: ref, Source: d.By, Time: now}
		if i == len(gone)-1 {
			e.Together = together
		}
		if err := a.record(ctx, tx, e); err != nil {
			return nil, nil, err
		}
	}

	return together, held, nil
}

// named reads all instances of a query within a transaction.
func (a *Archive) named(ctx context.Context, tx *db.Tx, q RetrieveQuery) ([]InstanceRef, error) {
	out, err := q.Refs(ctx, tx)
	if err != nil {
		return nil, err
	}
	if len(out) == 0 {
		return nil, fault.New(fault.NotFound, "archive: nothing is stored under these UIDs")
	}

	return out, nil
}

// Text says in words what went, and what is left that somebody may look for.
func (d DeletedTogether) Text() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%d deleted.\n", d.Instances)
	if d.Held > 0 {
		fmt.Fprintf(&b, "%d held back of the study destroyed with it.\n", d.Held)
	}
	if d.StillHeld > 0 {
		fmt.Fprintf(&b, "%d held back of the study stay: collimator quarantine list, "+
			"collimator quarantine destroy --study %s\n", d.StillHeld, d.StudyUID)
	}
	if d.AccessEnded > 0 {
		fmt.Fprintf(&b, "%s for the study ended.\n", phrase.Count(d.AccessEnded, "link, grant or token", "links, grants and tokens"))
	}
	if d.Whole {
		b.WriteString("Copies elsewhere stay: backups made before, what was exported or sent on. " +
			"The same images are taken again when they are sent again.\n")
	}

	return b.String()
}
