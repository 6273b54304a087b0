package media

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"iter"
	"strings"

	"collimator/dicom"
	"collimator/dicom/tag"
)

// ErrNotDirectory: the file is no DICOMDIR.
var ErrNotDirectory = errors.New("media: the file is no DICOMDIR: it has no Directory Record Sequence")

// Directory is a DICOMDIR (PS3.3 F). It does not change: it is safe for concurrent
// use as far as what it reads from is.
type Directory struct {
	r         io.ReaderAt
	base      int64 // of the data set, in bytes
	syntax    dicom.TransferSyntax
	class     string
	uid       string
	fileSetID string
	first     uint32
	last      uint32
	root      int32
	entries   []entry
	problems  problems
	limits    Limits
	inactive  bool
}

// ReadDirectory reads a DICOMDIR of size bytes: once from front to end to find the
// records, and then a record at a time from r when its keys are asked for. What is
// wrong and could be read all the same stands in Problems. The error is
// ErrNotDirectory, that it is larger than allowed, or that r cannot be read.
func ReadDirectory(r io.ReaderAt, size int64, o Options) (*Directory, error) {
	limits := o.Limits.withDefaults()
	d := &Directory{r: r, root: noRecord, limits: limits, inactive: o.Inactive, problems: problems{most: limits.Problems}}
	if err := d.begin(r, size, limits); err != nil {
		return nil, err
	}

	x := &indexer{r: r, size: size, d: d, limits: limits}
	if err := x.index(); err != nil {
		return nil, fmt.Errorf("media: the DICOMDIR cannot be read: %w", err)
	}
	if !x.whole {
		return nil, ErrNotDirectory
	}

	l := &linker{d: d, limits: limits}
	l.link()
	return d, nil
}

// FileSetID is the File-set ID; it may be empty, and it may be anything.
func (d *Directory) FileSetID() string { return d.fileSetID }

// UID is the Media Storage SOP Instance UID of the directory, which names the file-set.
func (d *Directory) UID() string { return d.uid }

// TransferSyntax is that of the DICOMDIR itself.
func (d *Directory) TransferSyntax() string { return d.syntax.UID }

// Len is how many records the file has, those that are not in use included.
func (d *Directory) Len() int { return len(d.entries) }

// Problems are what is wrong with the directory, the first Limits.Problems of it,
// and how many there are in all.
func (d *Directory) Problems() (list []Problem, all int) { return d.problems.list, d.problems.all }

// Roots gives the records of the root entity.
func (d *Directory) Roots() iter.Seq[Record] { return d.siblings(d.root) }

// All gives the records of the tree, each before those below it.
func (d *Directory) All() iter.Seq[Record] {
	return func(yield func(Record) bool) {
		for i := d.usable(d.root); i != noRecord; i = d.following(i) {
			if !yield(Record{d, i}) {
				return
			}
		}
	}
}

// Check reads every record and tells which are damaged, and which lack a key of
// type 1 (PS3.3 F.5). It tells nothing of what Problems has.
func (d *Directory) Check() iter.Seq[Problem] {
	return func(yield func(Problem) bool) {
		for r := range d.All() {
			ds, err := r.Load()
			if err != nil && !yield(Problem{Kind: Damaged, Offset: r.Offset(), Reason: "the record cannot be read to its end"}) {
				return
			}
			for _, k := range keysOf[r.Type()] {
				if _, ok := keyOf(ds, k.tag); ok || k.need != one || err != nil {
					continue
				}
				missing := Problem{Kind: MissingKey, Offset: r.Offset(), Tag: k.tag, Reason: "a record of this type has to have it"}
				if !yield(missing) {
					return
				}
			}
		}
	}
}

// following is the record behind one in the order of All.
func (d *Directory) following(i int32) int32 {
	if child := d.usable(d.entries[i].child); child != noRecord {
		return child
	}
	for ; i != noRecord; i = d.entries[i].parent {
		if next := d.usable(d.entries[i].sibling); next != noRecord {
			return next
		}
	}
	return noRecord
}

// usable is a record, or the next of its siblings that is in use.
func (d *Directory) usable(i int32) int32 {
	for i != noRecord && d.entries[i].flags&inactive != 0 && !d.inactive {
		i = d.entries[i].sibling
	}
	return i
}

func (d *Directory) siblings(first int32) iter.Seq[Record] {
	return func(yield func(Record) bool) {
		for i := d.usable(first); i != noRecord; i = d.usable(d.entries[i].sibling) {
			if !yield(Record{d, i}) {
				return
			}
		}
	}
}

// Record is a directory record (PS3.3 F.3). The zero Record is none. It can be compared.
type Record struct {
	d *Directory
	i int32
}

// Valid reports that it is a record.
func (r Record) Valid() bool { return r.d != nil }

// Type is the record type; empty where the standard does not have it.
func (r Record) Type() Type { return recordTypes[r.d.entries[r.i].kind].name }

// Offset is where the record begins in the DICOMDIR, in bytes; -1 of the zero Record.
func (r Record) Offset() int64 {
	if r.d == nil {
		return -1
	}
	return int64(r.d.entries[r.i].at)
}

// InUse reports that the record is not marked as out of use.
func (r Record) InUse() bool { return r.d.entries[r.i].flags&inactive == 0 }

// Parent is the record above; the zero Record where it is one of the root.
func (r Record) Parent() Record {
	if p := r.d.entries[r.i].parent; p != noRecord {
		return Record{r.d, p}
	}
	return Record{}
}

// Children gives the records directly below.
func (r Record) Children() iter.Seq[Record] { return r.d.siblings(r.d.entries[r.i].child) }

// Load reads the record: its keys, with text in the Specific Character Set of the
// record. Beside an error, that it is damaged, stands what was read until then.
func (r Record) Load() (*dicom.DataSet, error) {
	e := r.d.entries[r.i]
	n := int64(e.end) - int64(e.content)
	section := io.NewSectionReader(r.d.r, int64(e.content), n)
	br := bufio.NewReaderSize(section, int(min(max(n, 1<<10), 16<<10))) // most records are of a few hundred bytes
	ds, err := dicom.Decode(br, dicom.DecodeOptions{
		TransferSyntax: r.d.syntax.UID,
		Limits:         dicom.Limits{Depth: 16, Elements: 100_000, Header: r.d.limits.Record},
	})
	if err != nil {
		return ds, fmt.Errorf("media: the record at byte %d: %w", e.at, err)
	}
	return ds, nil
}

// Reference is what a record says of its file. Where a value is missing it is empty.
type Reference struct {
	FileID            []string // components, as they are written
	SOPClassUID       string
	SOPInstanceUID    string
	TransferSyntaxUID string
}

// ReferenceOf is the reference in a record that was loaded. An indirect one (MRDR,
// retired in 2004) is followed by Record.Reference only.
func ReferenceOf(ds *dicom.DataSet) Reference {
	return Reference{
		FileID:            ds.Texts(tag.ReferencedFileID),
		SOPClassUID:       ds.Text(tag.ReferencedSOPClassUIDInFile),
		SOPInstanceUID:    ds.Text(tag.ReferencedSOPInstanceUIDInFile),
		TransferSyntaxUID: ds.Text(tag.ReferencedTransferSyntaxUIDInFile),
	}
}

// Reference reads what the record says of its file. ok is false where it
// refers to none. The error is that of Load.
func (r Record) Reference() (ref Reference, ok bool, err error) {
	ds, err := r.Load()
	if ds == nil {
		return Reference{}, false, err
	}

	ref = ReferenceOf(ds)
	if len(ref.FileID) == 0 {
		if at, there := ds.Int(tag.MRDRDirectoryRecordOffset); there && at > 0 && at <= int64(^uint32(0)) {
			ref.follow(r.d, uint32(at))
		}
	}
	return ref, len(ref.FileID) > 0, err
}

// follow takes the file of a multi-referenced file directory record.
func (ref *Reference) follow(d *Directory, at uint32) {
	i := d.starting(at)
	if i == noRecord {
		return
	}
	if ds, err := (Record{d, i}).Load(); err == nil {
		*ref = ReferenceOf(ds)
	}
}

// inMemory reads at most so many bytes, for files that cannot be read at an offset.
func inMemory(r io.Reader, most int64) (io.ReaderAt, int64, error) {
	var b bytes.Buffer
	n, err := b.ReadFrom(io.LimitReader(r, most+1))
	switch {
	case err != nil:
		return nil, 0, err
	case n > most:
		return nil, 0, fmt.Errorf("media: the DICOMDIR has more than the %d bytes that are allowed in memory", most)
	}
	return bytes.NewReader(b.Bytes()), n, nil
}

// plain is a component of a file ID without what ISO 9660 puts behind a name: a
// version, and the point in front of no extension. It is in upper case.
func plain(name string) string {
	name, _, _ = strings.Cut(name, ";")
	return strings.ToUpper(strings.TrimSuffix(name, "."))
}
