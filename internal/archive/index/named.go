package index

import (
	"context"
	"strconv"
	"strings"

	"collimator/internal/db"
	"collimator/internal/fault"
)

// RetrieveQuery names instances by unique keys (PS3.4 C.4.2.1.4). A list
// narrows what the lists above it name; at least one of them must not be
// empty. A PatientID alone names all studies of the patient.
type RetrieveQuery struct {
	PatientID         string
	IssuerOfPatientID string // narrows PatientID; without it an ID of several patients is refused
	StudyUIDs         []string
	SeriesUIDs        []string
	SOPInstanceUIDs   []string
	Scope             Scope // what the caller may see; the zero Scope is nothing
}

// conditions is what an instance has to fulfil to be named.
func (q *RetrieveQuery) conditions() ([]condition, error) {
	if q.PatientID == "" && len(q.StudyUIDs) == 0 && len(q.SeriesUIDs) == 0 && len(q.SOPInstanceUIDs) == 0 {
		return nil, fault.New(fault.Invalid, "index: no unique key names what to retrieve")
	}

	var where []condition
	if q.PatientID != "" {
		where = append(where, compare(expression{table: inStudy, column: "patient_id"}, equalTo, q.PatientID))
		if q.IssuerOfPatientID != "" {
			where = append(where, compare(expression{table: inStudy, column: "issuer"}, equalTo, q.IssuerOfPatientID))
		}
	}

	for _, l := range []struct {
		table  string
		values []string
	}{{inStudy, q.StudyUIDs}, {inSeries, q.SeriesUIDs}, {instances, q.SOPInstanceUIDs}} {
		if len(l.values) == 0 {
			continue
		}
		c, err := among(expression{table: l.table, column: "uid"}, l.values)
		if err != nil {
			return nil, err
		}
		where = append(where, c)
	}

	scope, err := q.Scope.bind()

	return append(where, scope.of(inStudy)...), err
}

// Rows lists the rows of the instances a query names, series by series in order
// of Instance Number.
func (q *RetrieveQuery) Rows(ctx context.Context, tx *db.Tx) ([]int64, error) {
	where, err := q.conditions()
	if err != nil {
		return nil, err
	}

	s := &statement{}
	s.write(`SELECT i.id FROM study st JOIN series se ON se.study = st.id JOIN instance i ON i.series = se.id`)
	s.where(where)
	s.write(` ORDER BY st.id, se.number, se.id, i.number, i.id`)

	return db.Column[int64](ctx, tx, s.text.String(), s.args...)
}

// Refs lists the instances a query names, in the order in which they came in.
func (q *RetrieveQuery) Refs(ctx context.Context, tx *db.Tx) ([]Ref, error) {
	where, err := q.conditions()
	if err != nil {
		return nil, err
	}

	s := &statement{}
	s.write(SelectRef)
	s.where(where)
	s.write(` ORDER BY i.id`)

	return db.All(ctx, tx, func(scan db.Scan) (Ref, error) { return ScanRef(scan) }, s.text.String(), s.args...)
}

// Patients counts the patients that a Patient ID alone names, as far as the
// scope sees a study of them; 1 where the query says more than that.
func (q *RetrieveQuery) Patients(ctx context.Context, tx *db.Tx) (n int, err error) {
	if q.PatientID == "" || q.IssuerOfPatientID != "" || len(q.StudyUIDs)+len(q.SeriesUIDs)+len(q.SOPInstanceUIDs) > 0 {
		return 1, nil
	}

	where, err := q.conditions()
	if err != nil {
		return 0, err
	}
	s := &statement{}
	s.write(`SELECT COUNT(DISTINCT st.patient) FROM study st`)
	s.where(where)
	err = tx.QueryRow(ctx, s.text.String(), s.args...).Scan(&n)

	return n, err
}

// EachRef calls a function with the instances of some rows, in no order.
func EachRef(ctx context.Context, tx *db.Tx, rows []int64, each func(row int64, ref Ref) error) error {
	numbers := make([]string, len(rows))
	for i, row := range rows {
		numbers[i] = strconv.FormatInt(row, 10)
	}

	s := &statement{}
	s.write(`SELECT ` + RefColumns + `, i.id FROM ` + RefTables)
	s.where([]condition{{
		kind: numbered, of: expression{table: instances, column: "id"}, values: []any{"[" + strings.Join(numbers, ",") + "]"},
	}})

	return db.Each(ctx, tx, func(scan db.Scan) error {
		var row int64
		ref, err := ScanRef(scan, &row)
		if err != nil {
			return err
		}

		return each(row, ref)
	}, s.text.String(), s.args...)
}
