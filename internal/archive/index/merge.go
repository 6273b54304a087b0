package index

import (
	"bytes"
	"context"
	"strings"

	"collimator/dicom"
	"collimator/dicom/tag"
	"collimator/dicom/uid"
	"collimator/internal/db"
)

// mergedMost is how many descriptions a row is merged from, the first by rank.
// One is usual, and the most complete ones come first, so that the bound is a
// guard against a study made to have thousands.
const mergedMost = 64

// merged is the attributes of a row: those of the first description, with what
// it leaves empty filled from the next. Descriptions of another patient, which
// somebody let in, fill nothing as long as there is one of the patient. nil
// when there is no description.
func merged(ctx context.Context, tx *db.Tx, level Level, owner int64) ([]byte, *dicom.DataSet, error) {
	list, err := descriptions(ctx, tx, level, owner)
	if err != nil || len(list) == 0 {
		return nil, nil, err
	}
	first, err := Decode(list[0])
	if err != nil {
		return nil, nil, damaged(err)
	}
	if len(list) == 1 {
		return list[0], first, nil
	}

	patient := readColumns(first).patient
	for _, data := range list[1:] {
		ds, err := Decode(data)
		if err != nil {
			return nil, nil, damaged(err)
		}
		other := readColumns(ds).patient
		if level == SeriesLevel || patient.same(&other) {
			fill(first, ds)
		}
	}
	var buf bytes.Buffer
	err = dicom.Encode(&buf, first, uid.ExplicitVRLittleEndian)

	return buf.Bytes(), first, err
}

func descriptions(ctx context.Context, tx *db.Tx, level Level, owner int64) ([][]byte, error) {
	return db.Column[[]byte](ctx, tx,
		`SELECT data FROM description WHERE level = ?1 AND owner = ?2 ORDER BY rank LIMIT ?3`, int64(level), owner, mergedMost)
}

// fill takes over what to leaves empty. Text in a character set that to cannot
// write makes it UTF-8, which can.
func fill(to, from *dicom.DataSet) {
	for el := range from.All() {
		have, ok := to.Get(el.Tag)
		if el.Tag == tag.SpecificCharacterSet || empty(el) || ok && !empty(have) {
			continue
		}
		if foreign(to, from) {
			// Where a damaged text stands in the way, it is taken over as it is.
			_ = to.SetCharacterSet("ISO_IR 192")
		}
		to.Set(el)
	}
}

// foreign reports character sets that differ, the first not being UTF-8.
func foreign(to, from *dicom.DataSet) bool {
	have := strings.Join(to.CharacterSet(), `\`)

	return have != "ISO_IR 192" && have != strings.Join(from.CharacterSet(), `\`)
}

// mergeSeries writes the row of a series.
func mergeSeries(ctx context.Context, tx *db.Tx, series int64) error {
	data, ds, err := merged(ctx, tx, SeriesLevel, series)
	if err != nil || ds == nil {
		return err
	}

	c := readColumns(ds).series
	_, err = tx.Exec(ctx, `UPDATE series SET modality = ?2, number = ?3, description = ?4, body_part = ?5,
		start_date = ?6, start_time = ?7 WHERE id = ?1`,
		series, c.modality, c.number, c.description, c.bodyPart, c.startDate, c.startTime)
	if err != nil {
		return err
	}

	return setData(ctx, tx, "series_data", series, data)
}

// mergeLists writes the modalities and SOP classes of a study.
func mergeLists(ctx context.Context, tx *db.Tx, study int64) error {
	modalities, err := values(ctx, tx, study, "modality")
	if err != nil {
		return err
	}
	classes, err := values(ctx, tx, study, "sopclass")
	if err != nil {
		return err
	}
	_, err = tx.Exec(ctx, `UPDATE study SET modalities = ?2, sop_classes = ?3 WHERE id = ?1`,
		study, strings.Join(modalities, `\`), strings.Join(classes, `\`))

	return err
}

// mergeStudy writes the row of a study and moves it to the patient whom its
// descriptions name now. It returns the patient's row.
func mergeStudy(ctx context.Context, tx *db.Tx, study int64) (patient int64, err error) {
	var studyUID, dateBefore, identityBefore string
	err = tx.QueryRow(ctx, `SELECT st.uid, st.patient, st.study_date, p.identity
		FROM study st JOIN patient p ON p.id = st.patient WHERE st.id = ?1`, study).
		Scan(&studyUID, &patient, &dateBefore, &identityBefore)
	if err != nil {
		return 0, err
	}
	data, ds, err := merged(ctx, tx, StudyLevel, study)
	if err != nil || ds == nil {
		return patient, err
	}

	c := readColumns(ds)
	_, err = tx.Exec(ctx, `UPDATE study SET patient_id = ?2, issuer = ?3, birth_date = ?4, sex = ?5, study_date = ?6, study_time = ?7,
		accession = ?8, study_id = ?9, description = ?10, name = ?11 WHERE id = ?1`,
		study, c.patient.id, c.patient.issuer, c.patient.birthDate, c.patient.sex, c.study.date, c.study.time,
		c.study.accession, c.study.id, c.study.description, c.patient.sortName())
	if err != nil {
		return 0, err
	}
	if err := setData(ctx, tx, "study_data", study, data); err != nil {
		return 0, err
	}

	// The date is part of the key of the values.
	if c.study.date != dateBefore {
		if _, err := tx.Exec(ctx, `UPDATE study_value SET study_date = ?2 WHERE study = ?1`, study, c.study.date); err != nil {
			return 0, err
		}
	}
	if identity := c.patient.identity(studyUID); identity != identityBefore {
		return moveStudy(ctx, tx, study, patient, identity, &c.patient)
	}

	return patient, nil
}

// moveStudy gives a study to another patient: the issuer of its Patient ID came
// with a later instance, or the instances of one patient gave way to those of
// another.
func moveStudy(ctx context.Context, tx *db.Tx, study, from int64, identity string, c *patientColumns) (to int64, err error) {
	if to, err = patientOf(ctx, tx, c, identity); err != nil {
		return 0, err
	}
	above, err := patientDescriptions(ctx, tx, study)
	if err != nil {
		return 0, err
	}
	for _, d := range above {
		if err := d.move(ctx, tx, from, to); err != nil {
			return 0, err
		}
	}

	_, err = tx.Exec(ctx, `UPDATE study SET patient = ?2 WHERE id = ?1`, study, to)
	if err != nil {
		return 0, err
	}
	for _, step := range []struct {
		patient int64
		sign    int
	}{{from, -1}, {to, 1}} {
		_, err := tx.Exec(ctx, `UPDATE patient SET studies = studies + ?2,
			series = series + ?2 * (SELECT series FROM study WHERE id = ?3),
			instances = instances + ?2 * (SELECT instances FROM study WHERE id = ?3) WHERE id = ?1`, step.patient, step.sign, study)
		if err != nil {
			return 0, err
		}
	}

	return to, dropEmptyPatient(ctx, tx, from)
}

// above is a description of a study with what it refers to.
type above struct {
	id, patient int64 // descriptions
	layer       stored
}

func patientDescriptions(ctx context.Context, tx *db.Tx, study int64) ([]above, error) {
	return db.All(ctx, tx, scanAbove, `SELECT d.id, p.id, p.digest, p.rank, p.data FROM description d JOIN description p ON p.id = d.above
		WHERE d.level = ?1 AND d.owner = ?2`, int64(StudyLevel), study)
}

func scanAbove(scan db.Scan) (a above, err error) {
	err = scan(&a.id, &a.patient, &a.layer.digest, &a.layer.rank, &a.layer.data)
	return a, err
}

// move lets a study's description refer to the same words at another patient.
func (a *above) move(ctx context.Context, tx *db.Tx, from, to int64) error {
	ds, err := Decode(a.layer.data)
	if err != nil {
		return damaged(err)
	}
	c := readColumns(ds)
	there, err := referPatient(ctx, tx, to, a.layer, &c.patient)
	if err != nil {
		return err
	}
	if _, err := tx.Exec(ctx, `UPDATE description SET above = ?2 WHERE id = ?1`, a.id, there); err != nil {
		return err
	}

	return releasePatient(ctx, tx, a.patient, from)
}

// mergePatient writes the row of a patient.
func mergePatient(ctx context.Context, tx *db.Tx, patient int64) error {
	data, ds, err := merged(ctx, tx, PatientLevel, patient)
	if err != nil || ds == nil {
		return err
	}

	c := readColumns(ds).patient
	if _, err := tx.Exec(ctx, `UPDATE patient SET birth_date = ?2, sex = ?3 WHERE id = ?1`, patient, c.birthDate, c.sex); err != nil {
		return err
	}

	return setData(ctx, tx, "patient_data", patient, data)
}

// setData writes the attributes of a row. The table is one of ours.
func setData(ctx context.Context, tx *db.Tx, table string, id int64, data []byte) error {
	if data == nil {
		data = []byte{} // nothing is said; nil would be NULL
	}
	_, err := tx.Exec(ctx, `INSERT INTO `+table+` (id, data) VALUES (?1, ?2) ON CONFLICT (id) DO UPDATE SET data = excluded.data`, id, data)

	return err
}

// dropEmptyPatient removes a patient without studies.
func dropEmptyPatient(ctx context.Context, tx *db.Tx, patient int64) error {
	_, err := tx.Exec(ctx, `DELETE FROM patient WHERE id = ?1 AND studies = 0`, patient)

	return err
}
