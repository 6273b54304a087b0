package dicomweb

import (
	"context"
	"io"
	"iter"

	"collimator/dicom"
)

// Backend is an archive behind a Handler. Methods are called concurrently.
// Errors that are an *Error are answered as they say; all others with 500 and
// no detail. In each selection Restriction is what the interceptor put into
// Call.Restriction: what it excludes has to look as if it were not there.
type Backend interface {
	// Search yields the data sets of a level that match, in a stable order,
	// with the attributes of Keys that are known. A key that it does not match by
	// at that level it gives without a value (PS3.4 C.2.2.1.3), by which the
	// answer can say so.
	Search(context.Context, Search) iter.Seq2[*dicom.DataSet, error]
	// Instances yields the instances of a selection, series by series. One that
	// names nothing yields nothing.
	Instances(context.Context, Selection) iter.Seq2[Instance, error]
	// Headers is Instances with data sets in which long values may have been
	// left out; these can be opened until ctx ends.
	Headers(context.Context, Selection) iter.Seq2[Header, error]
	// Open gives the Part 10 file of an instance in one of its TransferSyntaxes.
	Open(ctx context.Context, i Instance, transferSyntax string) (io.ReadCloser, error)
	// Store takes an instance in and returns when it is durable. Data is read to
	// its end unless there is an error.
	Store(context.Context, Incoming) (Stored, error)
	// Delete removes a selection. A backend that does not may return an *Error
	// with status 405.
	Delete(context.Context, Selection) error
}

// Search asks for entities of a level.
type Search struct {
	Level       Level
	Keys        *dicom.DataSet // what has a value is matched; each attribute is returned
	All         bool           // return what is known of the level, not only the keys
	Fuzzy       bool           // person names match by the beginning of each word
	Limit       int            // most matches
	Offset      int            // matches to leave out at the start
	Restriction any
}

// Selection names a study, series or instance; deeper fields narrow.
type Selection struct {
	Resource
	Restriction any
	Reason      string // of a deletion, as the peer gave it: free text
}

// Resource is the identification of a study, series or instance. Fields below
// its level are empty.
type Resource struct{ StudyUID, SeriesUID, SOPInstanceUID string }

// Level is the level of what is named.
func (r Resource) Level() Level {
	switch {
	case r.SOPInstanceUID != "":
		return InstanceLevel
	case r.SeriesUID != "":
		return SeriesLevel
	}
	return StudyLevel
}

// path is the resource as in PS3.18 10.1, from "/studies" on.
func (r Resource) path() string {
	p := "/studies"
	for _, s := range []struct{ name, uid string }{{"", r.StudyUID}, {"/series", r.SeriesUID}, {"/instances", r.SOPInstanceUID}} {
		if s.uid == "" {
			break
		}
		p += s.name + "/" + s.uid
	}
	return p
}

// Instance is an instance of a Backend.
type Instance struct {
	Resource
	SOPClassUID       string
	TransferSyntaxUID string
	TransferSyntaxes  []string // in which Open can give it: the stored one first, then others
	Size              int64    // bytes of the file as stored; 0 if not known
	Version           string   // another one whenever the content is another, such as a digest; without quotes
	Ref               any      // the backend's own
}

// String says nothing that identifies an image.
func (i Instance) String() string { return "instance in " + i.TransferSyntaxUID }

// Header is an instance and its data set.
type Header struct {
	Instance
	DataSet *dicom.DataSet
}

// Incoming is an instance on its way in. Data is its data set, without meta
// information. The UIDs are those of the data set, as far as they stand in its
// first 256 KiB, and else empty; one that contradicts the URL of the request
// never gets here.
type Incoming struct {
	SOPClassUID       string
	SOPInstanceUID    string
	StudyUID          string
	TransferSyntaxUID string
	// Meta is the meta information that was sent, for an inspection; its UIDs may
	// be others than those of the data set. Nil where there was none.
	Meta *dicom.DataSet
	// Preamble is the 128 bytes in front of it (PS3.10 7.1); nil where there was none.
	Preamble *[128]byte
	Data     io.Reader
}

// Stored says where an instance is that was taken in.
type Stored struct {
	Resource
	SOPClassUID string
	Warning     uint16 // Warning Reason (0008,1196); 0 for none
}
