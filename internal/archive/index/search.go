package index

import (
	"context"
	"iter"
	"strconv"

	"collimator/dicom"
	"collimator/internal/db"
	"collimator/internal/fault"
)

// Search answers queries from the index. It is safe for concurrent use where its
// functions are.
type Search struct {
	// Read runs a function in a transaction that reads.
	Read func(ctx context.Context, f func(tx *db.Tx) error) error
	// Header makes the data set of an instance from what is stored of it, of which
	// assumed is the character set; data is nil where nothing is.
	Header func(ctx context.Context, ref Ref, data []byte, assumed string) (*dicom.DataSet, error)

	DB              *db.DB // knows how patterns are written
	RetrieveAETitle string // stands in each answer where it is not empty
	Keys            int    // keys of a query, at all depths
	Scanned         int    // rows a query may look at that it cannot find by an index
}

// pageSize is how many rows are read at a time. Between pages no transaction
// is open, so a slow peer holds nothing up.
const pageSize = 256

// Find yields the identifiers that match a query, in a stable order: studies
// from the newest, series and instances of one study or series by their
// number, everything else as it came in. Rows are read a page at a time, and
// no transaction is open while the caller works. It ends after the first
// error. Errors name keys, never values; a query that breaks the rules is
// fault.Invalid.
func (s *Search) Find(ctx context.Context, q Query) iter.Seq2[*dicom.DataSet, error] {
	return func(yield func(*dicom.DataSet, error) bool) {
		for m, err := range s.find(ctx, q) {
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
func (s *Search) FindPage(ctx context.Context, q Query) (page []*dicom.DataSet, next Cursor, err error) {
	if q.Limit <= 0 {
		q.Limit = 100
	}
	limit := q.Limit
	q.Limit++

	var last Cursor

	for m, err := range s.find(ctx, q) {
		if err != nil {
			return nil, "", err
		}

		if len(page) == limit {
			return page, last, nil
		}
		page = append(page, m.ds)
		last = m.row.cursor
	}
	return page, "", nil
}

type match struct {
	ds  *dicom.DataSet
	row *row
}

func (s *Search) find(ctx context.Context, q Query) iter.Seq2[match, error] {
	return func(yield func(match, error) bool) {
		p, err := s.makePlan(q)
		if err != nil {
			yield(match{}, err)
			return
		}

		if p.Offset > 0 && len(p.post) == 0 {
			if more, err := s.skip(ctx, p); err != nil || !more {
				if err != nil {
					yield(match{}, err)
				}
				return
			}
		}

		found, scanned := 0, 0
		for {
			size := p.pageSize(found)
			rows, err := s.page(ctx, p, size)
			if err != nil {
				yield(match{}, err)
				return
			}

			for _, r := range rows {
				ds, ok, err := s.answer(ctx, p, r)
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
			if scanned += len(rows); len(p.post) > 0 && scanned >= s.Scanned {
				yield(match{}, fault.Newf(fault.TooLarge, "index: query looked at %d rows; add a key such as StudyDate", scanned))
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
	instance     Ref
	instanceData []byte
	assumed      string // character set of the instance
	patientData  []byte
}

// page reads the next rows of a plan, at most size, in one state of the database.
func (s *Search) page(ctx context.Context, p *plan, size int) (out []*row, err error) {
	where, err := p.behind()
	if err != nil {
		return nil, err
	}
	query, args := p.page(where, size)
	err = s.Read(ctx, func(tx *db.Tx) error {
		out, err = db.All(ctx, tx, p.scan, query, args...)

		return err
	})

	return out, err
}

// skip turns the offset of a plan into a cursor, the last row that is left out. more is
// false where the rows end before.
func (s *Search) skip(ctx context.Context, p *plan) (more bool, err error) {
	where, err := p.behind()
	if err != nil {
		return false, err
	}
	query, args := p.offset(where, p.Offset-1)

	var key any
	var id int64
	err = s.Read(ctx, func(tx *db.Tx) error { return tx.QueryRow(ctx, query, args...).Scan(&key, &id) })
	if fault.Of(err) == fault.NotFound {
		return false, nil
	}
	p.After = rowCursor(key, id)
	p.Offset = 0

	return err == nil, err
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
		dest = append(dest, &i.SOPInstanceUID, &i.SOPClassUID, &i.TransferSyntaxUID, &i.Digest, &i.Size, &i.DataSetOffset)
		dest = append(dest, &r.assumed, &r.instanceData)
	}

	if err := scan(dest...); err != nil {
		return nil, err
	}

	r.instance.StudyUID = r.study.uid
	r.instance.SeriesUID = r.series.uid
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
