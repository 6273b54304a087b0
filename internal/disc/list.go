package disc

import (
	"context"

	"collimator/dicom"
	"collimator/dicom/media"
	"collimator/dicom/tag"
)

// Listing is what is on a medium. Its lists are never nil.
type Listing struct {
	Directory bool   `json:"directory"` // there is a DICOMDIR
	Objects   int    `json:"objects"`
	Missing   int    `json:"missing"`             // files that a record names and that are not there
	NotDICOM  int    `json:"notDICOM"`            // files that are no objects, where there is no DICOMDIR
	Series    []*Row `json:"series"`              // in the order of the medium
	FileSetID string `json:"fileSetID,omitempty"` // with reveal
	problems
}

// Row is a series, or what else stands next to one another. Patients, studies and
// series are numbered as they come.
type Row struct {
	Patient int    `json:"patient"`
	Study   int    `json:"study"`
	Series  int    `json:"series"`
	What    string `json:"what"` // modality; of other records their type
	Objects int    `json:"objects"`
	Missing int    `json:"missing"`

	// With reveal, as the DICOMDIR has it; without one as the first object has it.
	Name              string `json:"patientName,omitempty"`
	ID                string `json:"patientID,omitempty"`
	StudyDate         string `json:"studyDate,omitempty"`
	StudyDescription  string `json:"studyDescription,omitempty"`
	SeriesDescription string `json:"seriesDescription,omitempty"`
	StudyInstanceUID  string `json:"studyInstanceUID,omitempty"`
	SeriesInstanceUID string `json:"seriesInstanceUID,omitempty"`
}

// ListOptions say what is listed.
type ListOptions struct {
	Reveal   bool   // patients too
	Progress func() // called for each file, where it is not nil
}

// List lists what is on a medium: by its DICOMDIR, or where it has none by its files.
func List(ctx context.Context, path string, o ListOptions) (*Listing, error) {
	m, err := open(path)
	if err != nil {
		return nil, err
	}
	defer m.Close()

	l := &lister{o: o, out: &Listing{Series: []*Row{}, Directory: m.set != nil, problems: problems{List: []Problem{}}}}
	l.patients = map[string]int{}
	l.studies = map[string]int{}
	l.series = map[string]*Row{}
	if m.set != nil {
		err = l.byDirectory(ctx, m.set)
	} else {
		l.out.add(*m.wrong)
		err = l.byFiles(ctx, m)
	}
	return l.out, err
}

// lister makes a listing.
type lister struct {
	o        ListOptions
	out      *Listing
	patients map[string]int
	studies  map[string]int
	series   map[string]*Row
}

// byDirectory lists what the records lead to.
func (l *lister) byDirectory(ctx context.Context, set *media.FileSet) error {
	if l.o.Reveal {
		l.out.FileSetID = set.Directory.FileSetID()
	}
	l.out.ofDirectory(set.Directory)

	numbers := &numbering{record: map[media.Record]int{}}
	rows := map[media.Record]*Row{}
	for o := range set.Objects() {
		if ctx.Err() != nil {
			return errStopped
		}

		// Objects without a series stand together by their record and type.
		above := o.Record.Parent()
		row := rows[above]
		if row == nil || row.What != l.what(o.Record, above, row) {
			row = l.rowOf(o.Record, numbers)
			rows[above] = row
			l.out.Series = append(l.out.Series, row)
		}
		l.count(row, o)
	}
	return nil
}

// what is the modality of a row that there is, or the type of the record.
func (l *lister) what(r, above media.Record, row *Row) string {
	if above.Valid() && above.Type() == media.Series {
		return row.What
	}
	return typeName(r.Type())
}

// typeName is a type, and a word for one that is not known.
func typeName(t media.Type) string {
	if t == "" {
		return "unknown"
	}
	return string(t)
}

// numbering counts the records of each level.
type numbering struct {
	record map[media.Record]int
	last   map[media.Type]int
}

// of is the number of a record among those of its type.
func (n *numbering) of(r media.Record) int {
	if n.last == nil {
		n.last = map[media.Type]int{}
	}
	if n.record[r] == 0 {
		n.last[r.Type()]++
		n.record[r] = n.last[r.Type()]
	}
	return n.record[r]
}

// rowOf makes the row of a record, with what the records above it say.
func (l *lister) rowOf(r media.Record, numbers *numbering) *Row {
	row := &Row{What: typeName(r.Type())}
	for above := r.Parent(); above.Valid(); above = above.Parent() {
		ds, _ := above.Load() // what could be read of it; that it is damaged is told by check
		if ds == nil {
			ds = dicom.NewDataSet()
		}

		switch above.Type() {
		case media.Patient:
			row.Patient = numbers.of(above)
		case media.Study:
			row.Study = numbers.of(above)
		case media.Series:
			row.Series = numbers.of(above)
			if modality := ds.Text(tag.Modality); modality != "" {
				row.What = modality
			}
		}
		if l.o.Reveal {
			row.reveal(ds)
		}
	}
	return row
}

// reveal takes what a data set says of a patient, a study and a series, where that is not
// there yet.
func (row *Row) reveal(ds *dicom.DataSet) {
	if name := ds.PersonName(tag.PatientName); row.Name == "" && !name.Empty() {
		row.Name = name.Reveal()
	}
	for _, f := range []struct {
		to *string
		t  dicom.Tag
	}{
		{&row.ID, tag.PatientID}, {&row.StudyDate, tag.StudyDate}, {&row.StudyDescription, tag.StudyDescription},
		{&row.SeriesDescription, tag.SeriesDescription}, {&row.StudyInstanceUID, tag.StudyInstanceUID},
		{&row.SeriesInstanceUID, tag.SeriesInstanceUID},
	} {
		if *f.to == "" {
			*f.to = ds.Text(f.t)
		}
	}
}

// count counts an object.
func (l *lister) count(row *Row, o media.Object) {
	l.out.Objects++
	row.Objects++
	if o.Path == "" {
		l.out.Missing++
		row.Missing++
	}
	l.out.add(o.Problems...)
	if l.o.Progress != nil {
		l.o.Progress()
	}
}

// byFiles lists the objects that are found.
func (l *lister) byFiles(ctx context.Context, m *medium) error {
	for o := range media.Scan(m.fsys, media.Options{}) {
		if ctx.Err() != nil {
			return errStopped
		}
		switch {
		case o.Head != nil:
			l.count(l.rowOfFile(o), o)
		case len(o.Problems) > 0 && o.Problems[0].Kind == media.NotDICOM:
			l.out.NotDICOM++
		default:
			l.out.add(o.Problems...)
		}
	}
	return nil
}

// rowOfFile is the row of an object, which it makes where there is none.
func (l *lister) rowOfFile(o media.Object) *Row {
	patient := o.Head.Text(tag.PatientID) + "\x00" + o.Head.Text(tag.IssuerOfPatientID) + "\x00" + o.Head.Text(tag.PatientName)
	study := patient + "\x00" + o.Head.Text(tag.StudyInstanceUID)
	series := study + "\x00" + o.Head.Text(tag.SeriesInstanceUID)
	if row := l.series[series]; row != nil {
		return row
	}

	row := &Row{
		Patient: numberOf(l.patients, patient), Study: numberOf(l.studies, study), Series: len(l.series) + 1,
		What: o.Head.Text(tag.Modality),
	}
	if row.What == "" {
		row.What = string(media.TypeOf(o.SOPClassUID))
	}
	if l.o.Reveal {
		row.reveal(o.Head)
	}
	l.series[series] = row
	l.out.Series = append(l.out.Series, row)
	return row
}

// numberOf is the number of a key, the next one where it is new.
func numberOf(known map[string]int, key string) int {
	if known[key] == 0 {
		known[key] = len(known) + 1
	}
	return known[key]
}
