package firstwrite

import (
	"context"
	"strings"

	"collimator/internal/db"
)

// Patient is whose a study is. Without an ID the name says so.
type Patient struct{ ID, Issuer, Name string }

// Same reports whether two descriptions mean one patient: by ID, and by issuer where both
// name one. Without an ID the names decide, where both have one.
func (p Patient) Same(o Patient) bool {
	if p.ID != o.ID || p.Issuer != "" && o.Issuer != "" && p.Issuer != o.Issuer {
		return false
	}
	return p.ID != "" || p.Name == "" || o.Name == "" || folded(p.Name) == folded(o.Name)
}

// folded is a name as it is compared: in capitals, without empty components at the end
// (PS3.5 6.2.1).
func folded(name string) string { return strings.ToUpper(strings.TrimRight(name, "^= ")) }

// row is a patient as it is written: a name only where nothing else says who it is.
func (p Patient) row() Patient {
	if p.ID != "" {
		p.Name = ""
	}
	p.Name = folded(p.Name)
	return p
}

// claims are whose the study of an instance is and of which study its series.
type claims struct {
	patient *claim[Patient]
	series  *claim[string] // nil where it names none
}

// belongs says what of an instance contradicts what went through: a study is of one
// patient, a series of one study. Where nothing does, end of the claims has to be called.
func (m *Memory) belongs(ctx context.Context, i Instance) (Conflict, *claims, error) {
	may, patient, err := m.patients.begin(ctx, name{i.place(), i.Study}, i.routes(), i.Patient)
	if err != nil {
		return NoConflict, nil, err
	}
	if !may {
		return OtherPatient, nil, nil
	}
	if i.Series == "" {
		return NoConflict, &claims{patient: patient}, nil
	}

	may, series, err := m.series.begin(ctx, name{i.place(), i.Series}, i.routes(), i.Study)
	if err != nil || !may {
		patient.end(false)
		return OtherStudy, nil, err
	}
	return NoConflict, &claims{patient, series}, nil
}

// last says what of the instance contradicts what went through since. The patient comes first, for
// everybody: nobody waits for who waits.
func (c *claims) last(ctx context.Context) (Conflict, error) {
	if may, err := c.patient.last(ctx); err != nil || !may {
		return OtherPatient, err
	}
	if c.series == nil {
		return NoConflict, nil
	}
	if may, err := c.series.last(ctx); err != nil || !may {
		return OtherStudy, err
	}
	return NoConflict, nil
}

func (c *claims) end(through bool) {
	if c.series != nil {
		c.series.end(through)
	}
	c.patient.end(through)
}

func (m *Memory) loadPatients(ctx context.Context, route, study string) (list []Patient, err error) {
	err = m.db.Read(ctx, func(tx *db.Tx) error {
		return db.Each(ctx, tx, func(scan db.Scan) error {
			var p Patient
			err := scan(&p.ID, &p.Issuer, &p.Name)
			list = append(list, p)
			return err
		}, `SELECT patient_id, issuer, name FROM first_write_patient WHERE route = ?1 AND study = ?2`, route, study)
	})
	return list, err
}

func (m *Memory) loadSeries(ctx context.Context, route, series string) (list []string, err error) {
	err = m.db.Read(ctx, func(tx *db.Tx) error {
		return db.Each(ctx, tx, func(scan db.Scan) error {
			var study string
			err := scan(&study)
			list = append(list, study)
			return err
		}, `SELECT study FROM first_write_series WHERE route = ?1 AND series = ?2`, route, series)
	})
	return list, err
}

// writeOwners writes what the system behind a route said of a study, as far as nothing went
// through that says otherwise.
func writeOwners(ctx context.Context, tx *db.Tx, s study, has Before) error {
	for _, p := range has.Patients[:min(1, len(has.Patients))] {
		if err := ownPatient(ctx, tx, s.route, s.uid, p); err != nil {
			return err
		}
	}
	for _, series := range has.Series {
		if err := ownSeries(ctx, tx, s.route, series, s.uid); err != nil {
			return err
		}
	}
	return nil
}

// keepOwners writes whose studies and series are that went through, at each route that leads there.
func keepOwners(ctx context.Context, tx *db.Tx, patients map[name]fresh[Patient], series map[name]fresh[string]) error {
	for study, f := range patients {
		for _, route := range f.routes {
			if err := ownPatient(ctx, tx, route, study.uid, f.owner); err != nil {
				return err
			}
		}
	}
	for one, f := range series {
		for _, route := range f.routes {
			if err := ownSeries(ctx, tx, route, one.uid, f.owner); err != nil {
				return err
			}
		}
	}
	return nil
}

// ownPatient gives a study to a patient, unless it is somebody's.
func ownPatient(ctx context.Context, tx *db.Tx, route, study string, p Patient) error {
	p = p.row()
	_, err := tx.Exec(ctx, `INSERT INTO first_write_patient (route, study, patient_id, issuer, name) SELECT ?1, ?2, ?3, ?4, ?5
		WHERE NOT EXISTS (SELECT 1 FROM first_write_patient WHERE route = ?1 AND study = ?2)`,
		route, study, p.ID, p.Issuer, p.Name)
	return err
}

// ownSeries gives a series to a study, unless it is of one.
func ownSeries(ctx context.Context, tx *db.Tx, route, series, study string) error {
	_, err := tx.Exec(ctx, `INSERT INTO first_write_series (route, series, study) SELECT ?1, ?2, ?3
		WHERE NOT EXISTS (SELECT 1 FROM first_write_series WHERE route = ?1 AND series = ?2)`, route, series, study)
	return err
}

// acceptOwners lets a study be of one patient more, and a series of one study more.
func acceptOwners(ctx context.Context, tx *db.Tx, i Instance) error {
	p := i.Patient.row()
	_, err := tx.Exec(ctx, `INSERT INTO first_write_patient (route, study, patient_id, issuer, name) VALUES (?1, ?2, ?3, ?4, ?5)
		ON CONFLICT DO NOTHING`, i.Route, i.Study, p.ID, p.Issuer, p.Name)
	if err != nil || i.Series == "" {
		return err
	}
	_, err = tx.Exec(ctx, `INSERT INTO first_write_series (route, series, study) VALUES (?1, ?2, ?3) ON CONFLICT DO NOTHING`,
		i.Route, i.Series, i.Study)
	return err
}
