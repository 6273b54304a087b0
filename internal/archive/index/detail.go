package index

import (
	"context"
	"slices"
	"time"

	"collimator/dicom"
	"collimator/dicom/tag"
	"collimator/internal/db"
	"collimator/internal/fault"
)

// Bounds of what is read of one study.
const (
	seriesMost = 1_000
	priorsMost = 50
)

// StudyDetail is a study with what belongs to it.
type StudyDetail struct {
	Study
	SeriesList []Series // the first thousand by number
	Priors     []Study  // other studies of the patient, the newest fifty
	MorePriors bool
	Held       int64 // entries of the quarantine
}

// Series is a series of a study.
type Series struct {
	UID, Modality         string
	Number                *int64 // nil: it has none
	Description, BodyPart string
	Instances, Bytes      int64
	Received              time.Time // first instance
	Sources               []string
	SOPClasses            []Counted
	TransferSyntaxes      []Counted

	row int64
}

// Counted is how many instances have a UID.
type Counted struct {
	UID   string
	Count int64
}

// Study reads one study. fault.NotFound where there is none that the scope holds.
func (s *Search) Study(ctx context.Context, uid string, scope Scope) (d StudyDetail, err error) {
	page, err := s.List(ctx, ListQuery{Filter: StudyFilter{UIDs: []string{uid}}, Limit: 1, Scope: scope, Uncounted: true})
	if err != nil {
		return d, err
	}
	if len(page.Studies) == 0 {
		return d, errNoStudy
	}
	d.Study = page.Studies[0]

	err = s.Read(ctx, func(tx *db.Tx) error {
		if d.SeriesList, err = seriesOf(ctx, tx, uid); err != nil {
			return err
		}

		return tx.QueryRow(ctx, `SELECT COUNT(*) FROM quarantine WHERE study_uid = ?1 AND route = ''`, uid).Scan(&d.Held)
	})
	if err != nil {
		return d, err
	}

	others, err := s.List(ctx, ListQuery{Filter: StudyFilter{patient: d.patient}, Limit: priorsMost + 1, Scope: scope, Uncounted: true})
	d.Priors = slices.DeleteFunc(others.Studies, func(x Study) bool { return x.UID == uid })
	d.MorePriors = others.Next != ""

	return d, err
}

var errNoStudy = fault.New(fault.NotFound, "index: nothing is stored under this Study Instance UID")

func seriesOf(ctx context.Context, tx *db.Tx, study string) ([]Series, error) {
	list, err := db.All(ctx, tx, scanSeries, `SELECT se.id, se.uid, se.modality, se.number, se.description, se.body_part, se.instances
		FROM study st JOIN series se ON se.study = st.id WHERE st.uid = ?1 ORDER BY se.number, se.id LIMIT ?2`, study, seriesMost)
	if err != nil {
		return nil, err
	}
	at := map[int64]*Series{}
	for i := range list {
		at[list[i].row] = &list[i]
	}

	err = db.Each(ctx, tx, func(scan db.Scan) error {
		var row, count, bytes, first int64
		var class, syntax, from string
		if err := scan(&row, &class, &syntax, &from, &count, &bytes, &first); err != nil {
			return err
		}
		if x := at[row]; x != nil {
			x.add(class, syntax, from, count, bytes, db.Instant(first))
		}

		return nil
	}, `SELECT se.id, i.sop_class, i.transfer_syntax, CASE WHEN i.source_ae <> '' THEN i.source_ae ELSE i.principal END AS origin,
		COUNT(*), SUM(i.size), MIN(i.received)
		FROM study st JOIN series se ON se.study = st.id JOIN instance i ON i.series = se.id
		WHERE st.uid = ?1 GROUP BY se.id, i.sop_class, i.transfer_syntax, origin ORDER BY 1, 2, 3, 4`, study)

	return list, err
}

func scanSeries(scan db.Scan) (x Series, err error) {
	var number int64
	err = scan(&x.row, &x.UID, &x.Modality, &number, &x.Description, &x.BodyPart, &x.Instances)
	if number != noNumber {
		x.Number = &number
	}

	return x, err
}

// add takes in instances that have all of this in common.
func (x *Series) add(class, syntax, from string, count, bytes int64, first time.Time) {
	x.Bytes += bytes
	if x.Received.IsZero() || first.Before(x.Received) {
		x.Received = first
	}
	if from != "" && !slices.Contains(x.Sources, from) {
		x.Sources = append(x.Sources, from)
	}
	x.SOPClasses = tally(x.SOPClasses, class, count)
	x.TransferSyntaxes = tally(x.TransferSyntaxes, syntax, count)
}

func tally(list []Counted, uid string, count int64) []Counted {
	for i := range list {
		if list[i].UID == uid {
			list[i].Count += count
			return list
		}
	}

	return append(list, Counted{uid, count})
}

// InstanceQuery asks for a page of the instances of a study, series by series, by number.
type InstanceQuery struct {
	StudyUID       string
	SeriesUID      string // empty: all series
	SOPInstanceUID string // empty: all instances
	Limit          int
	Cursor         Cursor
	Scope          Scope
}

// Instance is an instance as a list shows it.
type Instance struct {
	Ref
	Number                *int64
	Frames, Rows, Columns int64 // zero: it has none
	Received              time.Time
	Source                string
}

// instanceOrder is the order of a list of instances.
var instanceOrder = order{name: "instances", columns: []expression{
	{table: inSeries, column: "number"}, {table: inSeries, column: "id"}, {table: instances, column: "number"}, {table: instances, column: "id"},
}}

// Instances reads a page of instances and the cursor of the next one. fault.NotFound where there
// is no such study that the scope holds.
func (s *Search) Instances(ctx context.Context, q InstanceQuery) (page []Instance, next Cursor, err error) {
	if q.Limit <= 0 || q.Limit > ListMost {
		return nil, "", fault.Newf(fault.Invalid, "index: a page has 1 to %d instances", ListMost)
	}
	if !q.Scope.Holds(q.StudyUID) {
		return nil, "", errNoStudy
	}

	st := &statement{db: s.DB}
	st.write("SELECT ")
	st.columns(instanceOrder.columns)
	st.write(", ", RefColumns, ", i.received, i.source_ae, i.principal, i.character_set, (SELECT data FROM instance_data WHERE id = i.id)",
		" FROM study st CROSS JOIN series se ON se.study = st.id CROSS JOIN instance i ON i.series = se.id")
	where := []condition{compare(expression{table: inStudy, column: "uid"}, equalTo, q.StudyUID)}
	if q.SeriesUID != "" {
		where = append(where, compare(expression{table: inSeries, column: "uid"}, equalTo, q.SeriesUID))
	}
	if q.SOPInstanceUID != "" {
		where = append(where, compare(expression{table: instances, column: "uid"}, equalTo, q.SOPInstanceUID))
	}
	if q.Cursor != "" {
		at, _, err := instanceOrder.parse(q.Cursor)
		if err != nil {
			return nil, "", err
		}
		where = append(where, instanceOrder.behind(at, false))
	}
	st.where(where)
	st.ordered(instanceOrder, false, 0)
	st.write(" LIMIT ", st.bind(q.Limit+1))

	var rows []instanceRow
	err = s.Read(ctx, func(tx *db.Tx) error {
		rows, err = db.All(ctx, tx, scanInstance, st.text.String(), st.args...)
		return err
	})
	if err != nil {
		return nil, "", err
	}
	if len(rows) == 0 && q.Cursor == "" {
		return nil, "", errNoStudy
	}
	if len(rows) > q.Limit {
		rows = rows[:q.Limit]
		next = instanceOrder.cursor(&rows[q.Limit-1].at, false)
	}
	for i := range rows {
		if err := rows[i].describe(ctx, s); err != nil {
			return nil, "", err
		}
		page = append(page, rows[i].Instance)
	}

	return page, next, nil
}

// instanceRow is an instance as it was read.
type instanceRow struct {
	Instance
	at      spot
	assumed string
	data    []byte
}

func scanInstance(scan db.Scan) (r instanceRow, err error) {
	var from Source
	var received int64
	r.at = make(spot, len(instanceOrder.columns))
	dest := r.at.dest()
	r.Ref, err = ScanRef(func(more ...any) error { return scan(append(dest, more...)...) },
		&received, &from.AETitle, &from.Principal, &r.assumed, &r.data)
	r.Received = db.Instant(received)
	r.Source = from.Name()
	if n, ok := r.at[2].(int64); ok && n != noNumber {
		r.Number = &n
	}

	return r, err
}

// describe takes over what stands in no column.
func (r *instanceRow) describe(ctx context.Context, s *Search) error {
	ds, err := s.Header(ctx, r.Ref, r.data, r.assumed)
	if err != nil {
		return err
	}
	for _, x := range []struct {
		tag dicom.Tag
		to  *int64
	}{{tag.NumberOfFrames, &r.Frames}, {tag.Rows, &r.Rows}, {tag.Columns, &r.Columns}} {
		*x.to, _ = ds.Int(x.tag)
	}

	return nil
}
