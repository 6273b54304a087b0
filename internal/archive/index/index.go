// Package index keeps the rows by which stored instances are searched and
// counted: patients, studies, series and instances (PS3.4 C.6). It works in the
// transactions it is given and knows neither files nor who calls: what a caller may
// see is a Scope.
//
// A query (PS3.4 C.4.1) becomes a plan, whose conditions are values; they are
// written as SQL in one place, at the end. What no column holds is matched row by
// row (PS3.4 C.2.2.2), and an identifier is made of each match.
//
// The index is a function of the set of instances that are stored. Each
// instance carries a description of its series, study and patient; equal
// descriptions are kept once, with a count of what refers to them. A row of a
// series, a study or a patient is merged from its descriptions in an order that
// depends on their content alone, so it is the same whatever came first, and
// what an early instance left out is filled from a later one. Storing or
// removing one instance costs the same however many there are beside it: rows
// are merged anew only when a description appears or disappears.
//
// Rows are addressed by UID, change in place, and their numbers are never used
// again.
package index

import (
	"context"
	"strings"

	"collimator/dicom"
	"collimator/internal/db"
	"collimator/internal/fault"
)

// Version is of the rules by which rows are made of data sets. An index of a
// lower version is brought up to date by Begin, Refresh for each instance, and
// Finish. It goes up with every change of the attributes of a level, of folding,
// or of merging.
const Version = 2

// BuiltVersion is the version all rows of the index have; zero for an index
// that was made before there were versions, or whose rows are being made.
func BuiltVersion(ctx context.Context, tx *db.Tx) (int, error) {
	s, err := readState(ctx, tx)

	return s.version, err
}

// SetVersion says that all rows have a version.
func SetVersion(ctx context.Context, tx *db.Tx, version int) error {
	_, err := tx.Exec(ctx, `INSERT INTO index_state (one, version) VALUES (1, ?1)
		ON CONFLICT (one) DO UPDATE SET version = excluded.version`, version)

	return err
}

// Finish counts and times every row anew and says that all rows are of this
// Version. Earlier versions took the time of whatever was inserted first.
func Finish(ctx context.Context, tx *db.Tx) error {
	for _, query := range []string{
		`UPDATE series SET (instances, updated) = (SELECT COUNT(*), COALESCE(MAX(i.received), updated)
			FROM instance i WHERE i.series = series.id)`,
		`UPDATE study SET (series, instances, updated) = (SELECT COUNT(*), COALESCE(SUM(e.instances), 0),
			COALESCE(MAX(e.updated), study.updated)
			FROM series e WHERE e.study = study.id)`,
		`UPDATE study SET (size, received) = (SELECT COALESCE(SUM(i.size), 0), COALESCE(MIN(i.received), study.received)
			FROM series e JOIN instance i ON i.series = e.id WHERE e.study = study.id)`,
		`UPDATE patient SET (studies, series, instances) = (SELECT COUNT(*), COALESCE(SUM(s.series), 0), COALESCE(SUM(s.instances), 0)
			FROM study s WHERE s.patient = patient.id)`,
		`DELETE FROM study_value WHERE kind = 'source'`,
		`INSERT INTO study_value (kind, value, study_date, study, uses)
			SELECT DISTINCT 'source', CASE WHEN i.source_ae <> '' THEN i.source_ae ELSE i.principal END, st.study_date, st.id, 1
			FROM ` + RefTables + ` WHERE i.source_ae <> '' OR i.principal <> ''`,
		`DELETE FROM patient WHERE studies = 0`,
	} {
		if _, err := tx.Exec(ctx, query); err != nil {
			return err
		}
	}

	studies, err := db.Column[int64](ctx, tx, `SELECT id FROM study`)
	if err != nil {
		return err
	}
	for _, study := range studies {
		if err := mergeSources(ctx, tx, study); err != nil {
			return err
		}
	}

	return SetVersion(ctx, tx, Version)
}

// indexState says by which rules the rows are made.
type indexState struct {
	version int // that all rows have; zero while they are being made
	target  int // that they are being made for, or rebuilding
}

// rebuilding is the target while the rows are made anew from the ledger and the
// files.
const rebuilding = -1

func readState(ctx context.Context, tx *db.Tx) (s indexState, err error) {
	err = tx.QueryRow(ctx, `SELECT version, target FROM index_state WHERE one = 1`).Scan(&s.version, &s.target)
	if fault.Of(err) == fault.NotFound {
		return indexState{}, nil
	}

	return s, err
}

// setTarget says that the rows are being made. SetVersion ends it.
func setTarget(ctx context.Context, tx *db.Tx, target int) error {
	_, err := tx.Exec(ctx, `INSERT INTO index_state (one, version, target) VALUES (1, 0, ?1)
		ON CONFLICT (one) DO UPDATE SET version = 0, target = excluded.target`, target)

	return err
}

// MarkRebuild says that the rows are being made anew from the ledger and the
// files. SetVersion ends it.
func MarkRebuild(ctx context.Context, tx *db.Tx) error { return setTarget(ctx, tx, rebuilding) }

// Rebuilding reports that MarkRebuild was called and SetVersion not yet.
func Rebuilding(ctx context.Context, tx *db.Tx) (bool, error) {
	s, err := readState(ctx, tx)

	return s == indexState{target: rebuilding}, err
}

// Resuming reports rows of which some have been made by the rules of this
// version (Begin), and others not yet.
func Resuming(ctx context.Context, tx *db.Tx) (bool, error) {
	s, err := readState(ctx, tx)

	return s == indexState{target: Version}, err
}

// Clear removes all rows but those of the quarantine. Numbers are not used
// again.
func Clear(ctx context.Context, tx *db.Tx) error {
	for _, table := range []string{"instance", "series", "study", "patient", "description"} {
		if _, err := tx.Exec(ctx, `DELETE FROM `+table); err != nil {
			return err
		}
	}

	return nil
}

// Begin makes ready for all rows to be made anew by the rules of this Version: no
// instance has a description then. Where that had begun already it goes on as it
// is.
func Begin(ctx context.Context, tx *db.Tx) error {
	begun, err := Resuming(ctx, tx)
	if err != nil || begun {
		return err
	}

	for _, query := range []string{
		`DELETE FROM description`,
		`DELETE FROM study_value`,
		`DELETE FROM patient_value`,
		`UPDATE instance SET description = 0`,
	} {
		if _, err := tx.Exec(ctx, query); err != nil {
			return err
		}
	}

	return setTarget(ctx, tx, Version)
}

// Refresh gives an instance, by the number of its row, a description anew.
func Refresh(ctx context.Context, tx *db.Tx, row int64, ref Ref, d *Description, accepted bool, header []byte) error {
	p := placed{studyUID: ref.StudyUID}
	err := tx.QueryRow(ctx, `SELECT i.series, se.study, st.patient FROM `+RefTables+` WHERE i.id = ?1`,
		row).Scan(&p.series, &p.study, &p.patient)
	if err != nil {
		return err
	}
	description, err := refer(ctx, tx, ref.SOPClassUID, d, &p)
	if err != nil {
		return err
	}

	_, err = tx.Exec(ctx, `UPDATE instance SET description = ?2, number = ?3, accepted = ?4 WHERE id = ?1`, row,
		description, d.number, flag(accepted))
	if err != nil {
		return err
	}
	if header == nil {
		_, err = tx.Exec(ctx, `DELETE FROM instance_data WHERE id = ?1`, row)
		return err
	}

	return setData(ctx, tx, "instance_data", row, header)
}

// Identity is what makes two patients the same, as a data set has it.
func Identity(ds *dicom.DataSet, studyUID string) string {
	c := readColumns(ds).patient

	return c.identity(studyUID)
}

// ContradictsPatient reports a data set of another patient than the one with
// an identity.
func ContradictsPatient(ds *dicom.DataSet, identity string) bool {
	c := readColumns(ds).patient
	if strings.HasPrefix(identity, `\study\`) {
		return c.id != ""
	}
	issuer, id, _ := strings.Cut(identity, `\`)

	return !c.same(&patientColumns{id: id, issuer: issuer})
}
