package media

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"iter"

	"collimator/dicom"
	"collimator/dicom/tag"
)

// ErrNoDirectory: there is no DICOMDIR in the root. Its objects are found by Scan.
var ErrNoDirectory = errors.New("media: there is no DICOMDIR in the root")

// FileSet is a medium with its directory. Not safe for concurrent use. Close it.
type FileSet struct {
	Directory *Directory
	fsys      fs.FS
	files     *resolver
	limits    Limits
	file      fs.File // the DICOMDIR; nil where it is in memory
	said      map[Type]said
}

// Open reads the directory in the root of a file system, whatever the case of its
// name: of a folder (os.Root.FS), or of a zip (*zip.Reader). Symbolic links are not
// followed as long as the file system tells of them (fs.ReadLinkFS). The error is
// ErrNoDirectory, or that of ReadDirectory.
func Open(fsys fs.FS, o Options) (*FileSet, error) {
	limits := o.Limits.withDefaults()
	s := &FileSet{fsys: fsys, files: newResolver(fsys, limits), limits: limits}
	wanted := DirectoryName
	if o.Name != "" {
		wanted = o.Name
	}

	name, kind := s.files.resolve([]string{wanted})
	if name == "" {
		if kind == Unreadable {
			return nil, fmt.Errorf("media: the root cannot be listed: %w", s.files.folder(".").err)
		}
		return nil, ErrNoDirectory
	}

	f, err := fsys.Open(name)
	if err != nil {
		return nil, fmt.Errorf("media: the DICOMDIR cannot be opened: %w", err)
	}
	if s.Directory, err = s.read(f, o); err != nil {
		return nil, errors.Join(err, s.Close())
	}
	return s, nil
}

// read reads the directory where it is, or takes it into memory.
func (s *FileSet) read(f fs.File, o Options) (*Directory, error) {
	s.file = f
	if at, ok := f.(io.ReaderAt); ok {
		info, err := f.Stat()
		if err != nil {
			return nil, err
		}
		return ReadDirectory(at, info.Size(), o)
	}

	at, size, err := inMemory(f, s.limits.InMemory)
	s.file = nil
	if err := errors.Join(err, f.Close()); err != nil {
		return nil, err
	}
	return ReadDirectory(at, size, o)
}

// Close closes the DICOMDIR; records cannot be loaded any more.
func (s *FileSet) Close() error {
	if s.file == nil {
		return nil
	}
	err := s.file.Close()
	s.file = nil
	return err
}

// Object is an object of a medium: what a record leads to, or what Scan found.
type Object struct {
	Record   Record // the zero Record where no record leads to it
	Path     string // in the file system; empty where there is no such file
	Size     int64  // bytes of the file, where it was looked at
	Problems []Problem

	// What the file says where it was looked at, and else what the record says.
	SOPClassUID       string
	SOPInstanceUID    string
	TransferSyntaxUID string
	// Head has the identity of patient, study, series and instance, as far as they
	// stand in front of the pixel data; nil where the file was not looked at.
	Head *dicom.DataSet
}

// tell adds a problem of the object.
func (o *Object) tell(kind Kind, t dicom.Tag, reason string) {
	o.Problems = append(o.Problems, Problem{Kind: kind, Offset: o.Record.Offset(), Tag: t, Reason: reason, Path: o.Path})
}

// Objects gives what the records lead to, in the order of the tree. Files are
// looked for by name and not opened.
func (s *FileSet) Objects() iter.Seq[Object] {
	return func(yield func(Object) bool) {
		for record := range s.Directory.All() {
			if o, ok := s.object(record); ok && !yield(o) {
				return
			}
		}
	}
}

// Check is Objects, and holds each file to what its record and the records above
// say. Of a file it reads the beginning only: what stands in front of the pixel data
// and names the object.
func (s *FileSet) Check() iter.Seq[Object] {
	return func(yield func(Object) bool) {
		for record := range s.Directory.All() {
			o, ok := s.object(record)
			if !ok {
				continue
			}
			if o.Path != "" {
				s.compare(&o)
			}
			if !yield(o) {
				return
			}
		}
	}
}

// Open opens the file of an object.
func (s *FileSet) Open(o Object) (fs.File, error) {
	if o.Path == "" {
		return nil, fmt.Errorf("media: the file of the record at byte %d: %w", o.Record.Offset(), fs.ErrNotExist)
	}
	return s.fsys.Open(o.Path)
}

// object is what a record leads to. ok is false for a record that leads to no
// file and need not, such as one of a patient.
func (s *FileSet) object(record Record) (o Object, ok bool) {
	o.Record = record
	ref, refers, err := record.Reference()
	if err != nil {
		o.tell(Damaged, 0, "the record cannot be read to its end")
	}
	if !refers {
		if recordTypes[s.Directory.entries[record.i].kind].level != instanceLevel {
			return o, false
		}
		o.tell(BadFileID, tag.ReferencedFileID, "the record names no file")
		return o, true
	}

	o.SOPClassUID = ref.SOPClassUID
	o.SOPInstanceUID = ref.SOPInstanceUID
	o.TransferSyntaxUID = ref.TransferSyntaxUID
	s.locate(&o, ref)
	return o, true
}

// locate finds the file.
func (s *FileSet) locate(o *Object, ref Reference) {
	parts, irregular, ok := components(ref.FileID)
	if !ok {
		o.tell(BadFileID, tag.ReferencedFileID, "the file ID would lead outside of the file-set, or is none")
		return
	}

	name, kind := s.files.resolve(parts)
	o.Path = name
	if irregular {
		o.tell(Irregular, tag.ReferencedFileID, "the file ID is a path, and not one component a value (PS3.10 8.2)")
	}

	switch kind {
	case MissingFile:
		o.tell(kind, tag.ReferencedFileID, "the file is not there")
	case Link:
		o.tell(kind, tag.ReferencedFileID, "a symbolic link stands in the way, which is not followed")
	case Unreadable:
		o.tell(kind, tag.ReferencedFileID, "its folder cannot be read, or has more entries than allowed")
	case AmbiguousFile:
		o.tell(kind, tag.ReferencedFileID, "several files have this name but for upper and lower case")
	}
}

// compare holds a file to the records.
func (s *FileSet) compare(o *Object) {
	class, instance, syntax := o.SOPClassUID, o.SOPInstanceUID, o.TransferSyntaxUID
	if !look(s.fsys, s.limits, o) {
		return
	}

	for _, c := range []struct {
		t            dicom.Tag
		record, file string
		reason       string
	}{
		{tag.ReferencedSOPClassUIDInFile, class, o.SOPClassUID, "the object is of another SOP Class than its record says"},
		{tag.ReferencedSOPInstanceUIDInFile, instance, o.SOPInstanceUID, "the file holds another object than its record says"},
		{tag.ReferencedTransferSyntaxUIDInFile, syntax, o.TransferSyntaxUID, "the file is in another transfer syntax than its record says"},
	} {
		switch {
		case c.record == "":
			o.tell(MissingKey, c.t, "the record does not say it")
		case c.record != c.file:
			o.tell(WrongFile, c.t, c.reason)
		}
	}

	for above := o.Record.Parent(); above.Valid(); above = above.Parent() {
		s.compareAbove(o, above)
	}
}

// identities are the keys by which a record above an object has to agree with it.
var identities = map[Type]dicom.Tag{
	Patient: tag.PatientID, Study: tag.StudyInstanceUID, Series: tag.SeriesInstanceUID,
}

// said is what the record of a patient, study or series says, which is asked for with
// each of its objects.
type said struct {
	record Record
	value  string
}

// says is the identity in a record above an object.
func (s *FileSet) says(r Record, t dicom.Tag) string {
	if s.said == nil {
		s.said = map[Type]said{}
	}
	known := s.said[r.Type()]
	if known.record != r {
		known = said{record: r}
		if ds, err := r.Load(); err == nil { // that it is damaged is told where it is read
			known.value = ds.Text(t)
		}
		s.said[r.Type()] = known
	}
	return known.value
}

// compareAbove holds a file to a record above its own.
func (s *FileSet) compareAbove(o *Object, above Record) {
	t, ok := identities[above.Type()]
	if !ok {
		return
	}
	says, is := s.says(above, t), o.Head.Text(t)
	if says != "" && is != "" && says != is { // a writer makes a key that the object does not have
		o.tell(WrongFile, t, "the object is of another one than the record of the "+lower(above.Type())+" above it says")
	}
}
