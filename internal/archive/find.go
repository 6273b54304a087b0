package archive

import (
	"context"
	"iter"
	"strconv"
	"strings"

	"collimator/dicom"
	"collimator/internal/archive/index"
	"collimator/internal/db"
	"collimator/internal/fault"
)

// Find yields the identifiers that match a query, in a stable order: studies
// from the newest, series and instances of one study or series by their
// number, everything else as it came in. Rows are read a page at a time, and
// no transaction is open while the caller works. It ends after the first
// error. Errors name keys, never values; a query that breaks the rules is
// fault.Invalid.
func (a *Archive) Find(ctx context.Context, q Query) iter.Seq2[*dicom.DataSet, error] {
	return func(yield func(*dicom.DataSet, error) bool) {
		for m, err := range a.find(ctx, q) {
			if err != nil {
				yield(nil, err)
				return
			}
			if !yield(m.ds, nil) {
				return
			}
		}
	}
}

// FindPage returns up to q.Limit matches and the cursor to continue behind
// them; it is empty when there is nothing more. A limit of zero means 100.
func (a *Archive) FindPage(ctx context.Context, q Query) (page []*dicom.DataSet, next Cursor, err error) {
	if q.Limit <= 0 {
		q.Limit = 100
	}
	limit := q.Limit
	q.Limit++
	var last Cursor
	for m, err := range a.find(ctx, q) {
		if err != nil {
			return nil, "", err
		}
		if len(page) == limit {
			return page, last, nil
		}
		page, last = append(page, m.ds), m.row.cursor
	}
	return page, "", nil
}

type match struct {
	ds  *dicom.DataSet
	row *row
}

func (a *Archive) find(ctx context.Context, q Query) iter.Seq2[match, error] {
	return func(yield func(match, error) bool) {
		p, err := a.makePlan(q)
		if err != nil {
			yield(match{}, err)
			return
		}

		if p.Offset > 0 && len(p.post) == 0 {
			if more, err := a.skip(ctx, p); err != nil || !more {
				if err != nil {
					yield(match{}, err)
				}
				return
			}
		}

		found, scanned := 0, 0
		for {
			size := p.pageSize(found)
			rows, err := a.page(ctx, p, size)
			if err != nil {
				yield(match{}, err)
				return
			}

			for _, r := range rows {
				ds, ok, err := a.answer(ctx, p, r)
				if err != nil {
					yield(match{}, err)
					return
				}
				if !ok {
					continue
				}
				if p.Offset > 0 {
					p.Offset--
					continue
				}
				if !yield(match{ds, r}, nil) {
					return
				}
				if found++; found == q.Limit {
					return
				}
			}

			if len(rows) < size {
				return
			}
			p.After = rows[len(rows)-1].cursor
			if scanned += len(rows); len(p.post) > 0 && scanned >= a.limits.Scanned {
				yield(match{}, fault.Newf(fault.TooLarge, "archive: query looked at %d rows; add a key such as StudyDate", scanned))
				return
			}
		}
	}
}

// pageSize is how many rows are read next, when so many were found. Where all
// that are read are answers, no more than are wanted.
func (p *plan) pageSize(found int) int {
	if p.Limit > 0 && len(p.post) == 0 {
		return min(pageSize, p.Limit-found)
	}

	return pageSize
}

// row is what the index knows of a match.
type row struct {
	cursor Cursor
	id     int64

	patient struct{ studies, series, instances int64 }
	study   struct {
		uid, modalities, sopClasses string
		series, instances           int64
		data                        []byte
	}
	series struct {
		uid       string
		instances int64
		data      []byte
	}
	instance     InstanceRef
	instanceData []byte
	assumed      string // character set of the instance
	patientData  []byte
}

// page reads the next rows of a query.
func (a *Archive) page(ctx context.Context, p *plan, size int) (out []*row, err error) {
	b := builder{conditions: append([]string(nil), p.builder.conditions...), args: append([]any(nil), p.builder.args...)}
	if err := p.behind(&b); err != nil {
		return nil, err
	}
	query := p.selection() + b.where() + p.orderBy() + " LIMIT " + b.bind(size)
	err = a.search(ctx, func(tx *db.Tx) error {
		out, err = db.All(ctx, tx, p.scan, query, b.args...)

		return err
	})

	return out, err
}

// skip turns an offset into a cursor. It reads the sort keys alone, which for
// most queries stand in an index together.
func (a *Archive) skip(ctx context.Context, p *plan) (more bool, err error) {
	b := builder{conditions: append([]string(nil), p.builder.conditions...), args: append([]any(nil), p.builder.args...)}
	if err := p.behind(&b); err != nil {
		return false, err
	}
	from := p.tables()
	if where := b.where(); !strings.Contains(where, "p.") {
		from = strings.TrimSuffix(from, patientJoin)
	}
	query := "SELECT " + p.sortKey() + ", " + p.order[1] + from + b.where() + p.orderBy() + " LIMIT 1 OFFSET " + b.bind(p.Offset-1)
	var key any
	var id int64
	err = a.search(ctx, func(tx *db.Tx) error { return tx.QueryRow(ctx, query, b.args...).Scan(&key, &id) })
	if fault.Of(err) == fault.NotFound {
		return false, nil
	}
	p.After, p.Offset = rowCursor(key, id), 0
	return err == nil, err
}

// behind adds the condition that a row comes after the cursor.
func (p *plan) behind(b *builder) error {
	if p.After == "" {
		return nil
	}
	key, id, err := p.cursorArgs()
	if err != nil {
		return err
	}
	than := " > "
	if p.desc {
		than = " < "
	}
	if p.order[0] == "" {
		b.and(p.order[1] + than + b.bind(id))
		return nil
	}
	b.and("(" + p.order[0] + ", " + p.order[1] + ")" + than + "(" + b.bind(key) + ", " + b.bind(id) + ")")
	return nil
}

func (p *plan) orderBy() string {
	direction := ""
	if p.desc {
		direction = " DESC"
	}
	if p.order[0] == "" {
		return " ORDER BY " + p.order[1] + direction
	}
	return " ORDER BY " + p.order[0] + direction + ", " + p.order[1] + direction
}

// selection is the columns and tables of the level. Attributes are read only
// where an answer or a match needs them.
func (p *plan) selection() string {
	data := func(table, id string) string {
		if !p.need && len(p.post) == 0 && !p.AllAttributes {
			return "NULL"
		}
		return "(SELECT data FROM " + table + " WHERE id = " + id + ")"
	}
	head := "SELECT " + p.sortKey() + ", " + p.order[1] + ", " + strings.Join(p.counts[:], ", ")
	study := ", st.uid, st.modalities, st.sop_classes, st.series, st.instances"
	series := ", se.uid, se.instances"
	switch p.Level {
	case PatientLevel:
		if !p.Scope.everything {
			return head + ", " + data("study_data", "st.id") + p.tables()
		}
		return head + ", " + data("patient_data", "p.id") + p.tables()
	case StudyLevel:
		return head + study + ", " + data("study_data", "st.id") + p.tables()
	case SeriesLevel:
		return head + study + ", " + data("study_data", "st.id") + series + ", " + data("series_data", "se.id") + p.tables()
	}
	return head + study + series + ", i.uid, i.sop_class, i.transfer_syntax, i.digest, i.size, i.data_offset, i.character_set, " + data("instance_data", "i.id") + p.tables()
}

// patientJoin comes last in the tables of every level below the patient's, and
// leaves out no row.
const patientJoin = " JOIN patient p ON p.id = st.patient"

func (p *plan) tables() string {
	switch {
	case p.Level == PatientLevel && !p.Scope.everything:
		return " FROM patient p JOIN study st ON st.id = " + p.shown
	case p.Level == PatientLevel:
		return " FROM patient p"
	case p.Level == StudyLevel && p.driver != "":
		return " FROM study_value v CROSS JOIN study st ON st.id = v.study" + patientJoin
	case p.Level == StudyLevel:
		return " FROM study st" + patientJoin
	case p.Level == SeriesLevel:
		return " FROM series se JOIN study st ON st.id = se.study" + patientJoin
	}
	return " FROM " + index.RefTables + patientJoin
}

func (p *plan) sortKey() string {
	if p.order[0] == "" {
		return "0"
	}
	return p.order[0]
}

func (p *plan) scan(scan db.Scan) (*row, error) {
	r := &row{}
	var key any
	dest := []any{&key, &r.id, &r.patient.studies, &r.patient.series, &r.patient.instances}

	if p.Level == PatientLevel {
		dest = append(dest, &r.patientData)
	}
	if p.Level >= StudyLevel {
		dest = append(dest, &r.study.uid, &r.study.modalities, &r.study.sopClasses, &r.study.series, &r.study.instances)
	}
	if p.Level == StudyLevel || p.Level == SeriesLevel {
		dest = append(dest, &r.study.data)
	}
	if p.Level >= SeriesLevel {
		dest = append(dest, &r.series.uid, &r.series.instances)
	}
	if p.Level == SeriesLevel {
		dest = append(dest, &r.series.data)
	}
	if p.Level == ImageLevel {
		i := &r.instance
		dest = append(dest, &i.SOPInstanceUID, &i.SOPClassUID, &i.TransferSyntaxUID, &i.Digest, &i.Size, &i.DataSetOffset, &r.assumed, &r.instanceData)
	}

	if err := scan(dest...); err != nil {
		return nil, err
	}
	r.instance.StudyUID, r.instance.SeriesUID = r.study.uid, r.series.uid
	r.cursor = rowCursor(key, r.id)
	return r, nil
}

// rowCursor is the cursor of a row by its sort key, as the driver gives it.
func rowCursor(key any, id int64) Cursor {
	switch k := key.(type) {
	case string:
		return makeCursor(k, id)
	case []byte:
		return makeCursor(string(k), id)
	}
	n, _ := key.(int64)
	return makeCursor(strconv.FormatInt(n, 10), id)
}
