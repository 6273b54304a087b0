package index

import (
	"context"

	"collimator/internal/db"
	"collimator/internal/fault"
)

// refer counts one more instance of a description and returns its number. The
// description of a series refers to that of the study, and this to that of the
// patient; a level is touched only where its description is new, and then its
// row is merged anew. p follows the study where it moves to another patient.
func refer(ctx context.Context, tx *db.Tx, sopClass string, d *Description, p *placed) (int64, error) {
	id, err := useAgain(ctx, tx, SeriesLevel, p.series, d.series.digest)
	if fault.Of(err) != fault.NotFound {
		return id, err
	}

	study, err := referStudy(ctx, tx, d, p)
	if err != nil {
		return 0, err
	}
	if id, err = addDescription(ctx, tx, SeriesLevel, p.series, study, sopClass, d.series.stored()); err != nil {
		return 0, err
	}
	if err := mergeSeries(ctx, tx, p.series); err != nil {
		return 0, err
	}
	for kind, value := range map[string]string{"modality": d.columns.series.modality, "sopclass": sopClass} {
		if err := addStudyValues(ctx, tx, p.study, kind, value); err != nil {
			return 0, err
		}
	}

	return id, mergeLists(ctx, tx, p.study)
}

// referStudy does the same for the study's description.
func referStudy(ctx context.Context, tx *db.Tx, d *Description, p *placed) (int64, error) {
	id, err := useAgain(ctx, tx, StudyLevel, p.study, d.study.digest)
	if fault.Of(err) != fault.NotFound {
		return id, err
	}

	about, err := d.patient()
	if err != nil {
		return 0, err
	}
	patient, err := referPatient(ctx, tx, p.patient, about.stored(), &d.columns.patient)
	if err != nil {
		return 0, err
	}
	if id, err = addDescription(ctx, tx, StudyLevel, p.study, patient, "", d.study.stored()); err != nil {
		return 0, err
	}
	if err := addStudyNames(ctx, tx, p.study, &d.columns); err != nil {
		return 0, err
	}
	p.patient, err = mergeStudy(ctx, tx, p.study)

	return id, err
}

// referPatient does the same for the patient's description.
func referPatient(ctx context.Context, tx *db.Tx, patient int64, l stored, c *patientColumns) (int64, error) {
	id, err := useAgain(ctx, tx, PatientLevel, patient, l.digest)
	if fault.Of(err) != fault.NotFound {
		return id, err
	}

	if id, err = addDescription(ctx, tx, PatientLevel, patient, 0, "", l); err != nil {
		return 0, err
	}
	if err := addPatientNames(ctx, tx, patient, c); err != nil {
		return 0, err
	}

	return id, mergePatient(ctx, tx, patient)
}

// useAgain counts one more use of a description that is there already;
// fault.NotFound if there is none.
func useAgain(ctx context.Context, tx *db.Tx, level Level, owner int64, digest []byte) (id int64, err error) {
	err = tx.QueryRow(ctx, `UPDATE description SET uses = uses + 1 WHERE level = ?1 AND owner = ?2 AND digest = ?3 RETURNING id`,
		int64(level), owner, digest).Scan(&id)

	return id, err
}

func addDescription(ctx context.Context, tx *db.Tx, level Level, owner, above int64, sopClass string, l stored) (id int64, err error) {
	err = tx.QueryRow(ctx, `INSERT INTO description (level, owner, digest, rank, above, sop_class, uses, data)
		VALUES (?1, ?2, ?3, ?4, ?5, ?6, 1, ?7) RETURNING id`,
		int64(level), owner, l.digest, l.rank, above, sopClass, l.data).Scan(&id)

	return id, err
}

// stored is a description as it is kept.
type stored struct {
	data, digest []byte
	rank         string
}

func (l *layer) stored() stored { return stored{data: l.data, digest: l.digest, rank: l.rank()} }

// release counts one use less of a series' description, and takes out of the
// rows above what nothing refers to any more.
func release(ctx context.Context, tx *db.Tx, id int64, p *placed) error {
	gone, err := dropUse(ctx, tx, id)
	if err != nil || gone == nil {
		return err
	}
	if err := mergeSeries(ctx, tx, p.series); err != nil {
		return err
	}
	for kind, value := range map[string]string{"modality": gone.columns.series.modality, "sopclass": gone.sopClass} {
		if err := removeStudyValues(ctx, tx, p.study, kind, value); err != nil {
			return err
		}
	}
	if err := mergeLists(ctx, tx, p.study); err != nil {
		return err
	}

	return releaseStudy(ctx, tx, gone.above, p)
}

func releaseStudy(ctx context.Context, tx *db.Tx, id int64, p *placed) error {
	gone, err := dropUse(ctx, tx, id)
	if err != nil || gone == nil {
		return err
	}
	if err := removeStudyNames(ctx, tx, p.study, &gone.columns); err != nil {
		return err
	}
	if err := releasePatient(ctx, tx, gone.above, p.patient); err != nil {
		return err
	}
	p.patient, err = mergeStudy(ctx, tx, p.study)

	return err
}

func releasePatient(ctx context.Context, tx *db.Tx, id, patient int64) error {
	gone, err := dropUse(ctx, tx, id)
	if err != nil || gone == nil {
		return err
	}
	if err := removePatientNames(ctx, tx, patient, &gone.columns.patient); err != nil {
		return err
	}

	return mergePatient(ctx, tx, patient)
}

// dropped is a description that nothing refers to any more.
type dropped struct {
	above    int64
	sopClass string
	columns  columns
}

// dropUse counts one use less. It returns the description when that was the
// last one, and nil otherwise.
func dropUse(ctx context.Context, tx *db.Tx, id int64) (*dropped, error) {
	var uses int64
	err := tx.QueryRow(ctx, `UPDATE description SET uses = uses - 1 WHERE id = ?1 RETURNING uses`, id).Scan(&uses)
	if err != nil || uses > 0 {
		return nil, err
	}

	var d dropped
	var data []byte
	err = tx.QueryRow(ctx, `DELETE FROM description WHERE id = ?1 RETURNING above, sop_class, data`, id).Scan(&d.above, &d.sopClass, &data)
	if err != nil {
		return nil, err
	}
	ds, err := Decode(data)
	if err != nil {
		return nil, damaged(err)
	}
	d.columns = readColumns(ds)

	return &d, nil
}

// damaged is a description that cannot be read back.
func damaged(err error) error {
	return fault.Wrap(fault.Internal, err, "index: stored description is damaged; run 'collimator reindex'")
}
