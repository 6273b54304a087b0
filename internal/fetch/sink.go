package fetch

import (
	"bufio"
	"context"
	"io"
	"path/filepath"
	"sync"

	"collimator/dicom"
	"collimator/dicom/tag"
	"collimator/dicom/uid"
	"collimator/dimse"
	"collimator/internal/durable"
)

// fileSink writes received instances as Part 10 files. Safe for concurrent use.
type fileSink struct {
	dir string

	mu    sync.Mutex
	made  durable.Directories
	files map[string]bool // SOP Instance UIDs that were written
	err   error           // the first that was ours
}

func newFileSink(dir string) *fileSink {
	return &fileSink{dir: dir, made: durable.Directories{}, files: map[string]bool{}}
}

// written counts the instances that are on disk. One that came twice is one.
func (s *fileSink) written() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.files)
}

// has reports whether an instance is on disk.
func (s *fileSink) has(instance string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.files[instance]
}

func (s *fileSink) store(_ context.Context, a *dimse.Association, rq *dimse.StoreRequest) dimse.Status {
	if !uid.Tolerable(rq.SOPInstanceUID) {
		return dimse.InvalidSOPInstance.With("malformed UID")
	}
	err := s.write(a, rq)

	s.mu.Lock()
	defer s.mu.Unlock()

	if err != nil {
		if s.err == nil {
			s.err = err
		}
		return dimse.OutOfResources.Because(err)
	}
	s.files[rq.SOPInstanceUID] = true
	return dimse.Status{}
}

// Place is the directory below dir for the instances of a series: dir/STUDY/SERIES
// by the UIDs of ds. What has none lies in no-study or no-series.
func Place(dir string, ds *dicom.DataSet) string {
	study := FileName(ds.Text(tag.StudyInstanceUID), "no-study")
	return filepath.Join(dir, study, FileName(ds.Text(tag.SeriesInstanceUID), "no-series"))
}

// FileName is a UID as the name of a file or directory. An object may have none, and a value
// that is not a UID could lead anywhere.
func FileName(u, otherwise string) string {
	if uid.Tolerable(u) {
		return u
	}
	return otherwise
}

func (s *fileSink) make(dir string) error {
	s.mu.Lock()
	defer s.mu.Unlock()

	return s.made.Make(dir)
}

// write streams an instance into a new file and gives it its name when it is
// whole.
func (s *fileSink) write(a *dimse.Association, rq *dimse.StoreRequest) error {
	if err := s.make(s.dir); err != nil {
		return err
	}

	tmp, err := durable.Create(s.dir, 0o600)
	if err != nil {
		return err
	}
	defer tmp.Abort()

	w := bufio.NewWriterSize(tmp, 256<<10)
	_, err = w.Write(dicom.AppendMeta(nil, dicom.Meta{
		SOPClassUID:               rq.SOPClassUID,
		SOPInstanceUID:            rq.SOPInstanceUID,
		TransferSyntaxUID:         rq.TransferSyntax,
		ImplementationClassUID:    dicom.ImplementationClassUID,
		ImplementationVersionName: dicom.ImplementationVersionName,
		SourceAETitle:             a.Request().CalledAETitle,
	}))
	if err != nil {
		return err
	}

	// The header is read along, for the names of study and series.
	ds, err := dicom.Decode(io.TeeReader(rq.Data, w), dicom.DecodeOptions{TransferSyntax: rq.TransferSyntax, BulkThreshold: 4 << 10})
	if err != nil {
		return err
	}
	if err := w.Flush(); err != nil {
		return err
	}

	dir := Place(s.dir, ds)
	if err := s.make(dir); err != nil {
		return err
	}
	return tmp.Whole(filepath.Join(dir, rq.SOPInstanceUID+".dcm"))
}
