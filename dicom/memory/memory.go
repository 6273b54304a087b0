// Package memory is an archive of data sets in memory, for the tests and examples
// of programs that speak DICOM: packages dimse/dimsetest and dicomweb/webtest put
// it behind a server. It keeps instances, finds patients, studies, series and
// instances by keys as PS3.4 C.2.2 has it, and gives instances as files.
//
// It is not an archive for patients: what it holds is gone with the process, a search
// looks at every instance, and nobody is asked who they are.
package memory

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"slices"
	"sync"

	"collimator/dicom"
	"collimator/dicom/tag"
	"collimator/dicom/uid"
)

// Errors a caller may test for with errors.Is.
var (
	// ErrFull: there is no room for another instance.
	ErrFull = errors.New("dicom/memory: the archive is full")
	// ErrUID: a UID of the instance, its series, its study or its SOP Class is
	// missing or malformed.
	ErrUID = errors.New("dicom/memory: a UID is missing or malformed")
	// ErrConflict: another data set is kept under the SOP Instance UID; it stays.
	ErrConflict = errors.New("dicom/memory: another data set is kept under this SOP Instance UID")
)

// DefaultMost is the bytes that an Archive holds where nothing else is said.
const DefaultMost = 256 << 20

// Archive keeps instances. The zero value is empty and ready. It is safe for
// concurrent use.
type Archive struct {
	// Most is the bytes of data sets that are kept, as they came; 0 is DefaultMost.
	// Set it before the archive is used.
	Most int64

	mu        sync.Mutex
	instances []*Instance // in the order in which they came
	held      int64       // bytes
}

// Instance is one instance that an Archive keeps. Do not change it.
type Instance struct {
	PatientID         string
	StudyInstanceUID  string
	SeriesInstanceUID string
	SOPInstanceUID    string
	SOPClassUID       string
	TransferSyntax    string
	DataSet           *dicom.DataSet

	raw []byte // the data set in TransferSyntax
}

// Read reads a data set without meta information from r to its end and keeps it.
// The same data set again is not an error. ErrFull, ErrUID, ErrConflict, the
// *dicom.SyntaxError of what cannot be decoded, or the error of r.
func (a *Archive) Read(r io.Reader, transferSyntax string) (*Instance, error) {
	// Memory is bounded by what arrives, and what arrives by the room there is.
	room := a.room()
	raw, err := io.ReadAll(io.LimitReader(r, room+1))
	if err != nil {
		return nil, err
	}
	if int64(len(raw)) > room {
		return nil, ErrFull
	}

	ds, err := dicom.Decode(bytes.NewReader(raw), dicom.DecodeOptions{TransferSyntax: transferSyntax})
	if err != nil {
		return nil, err
	}
	return a.keep(ds, transferSyntax, raw)
}

// Add keeps a data set that is to be stored in a transfer syntax; it is taken over.
// Errors are those of Read, and that of encoding it.
func (a *Archive) Add(ds *dicom.DataSet, transferSyntax string) (*Instance, error) {
	even, err := ds.Evened()
	if err != nil {
		return nil, err
	}

	var b bytes.Buffer
	if err := dicom.Encode(&b, even, transferSyntax); err != nil {
		return nil, err
	}
	return a.keep(even, transferSyntax, b.Bytes())
}

func (a *Archive) room() int64 {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.most() - a.held
}

func (a *Archive) most() int64 {
	if a.Most == 0 {
		return DefaultMost
	}
	return a.Most
}

func (a *Archive) keep(ds *dicom.DataSet, transferSyntax string, raw []byte) (*Instance, error) {
	i := &Instance{
		PatientID:         ds.Text(tag.PatientID),
		StudyInstanceUID:  ds.Text(tag.StudyInstanceUID),
		SeriesInstanceUID: ds.Text(tag.SeriesInstanceUID),
		SOPInstanceUID:    ds.Text(tag.SOPInstanceUID),
		SOPClassUID:       ds.Text(tag.SOPClassUID),
		TransferSyntax:    transferSyntax,
		DataSet:           ds,
		raw:               raw,
	}
	for _, u := range []string{i.StudyInstanceUID, i.SeriesInstanceUID, i.SOPInstanceUID, i.SOPClassUID, transferSyntax} {
		if !uid.Tolerable(u) {
			return nil, ErrUID
		}
	}

	a.mu.Lock()
	defer a.mu.Unlock()
	for _, there := range a.instances {
		if there.SOPInstanceUID != i.SOPInstanceUID {
			continue
		}
		if there.DataSet.Equal(ds) {
			return there, nil
		}
		return nil, ErrConflict
	}

	// Room is looked at again: another Read may have come in between.
	if a.held+int64(len(raw)) > a.most() {
		return nil, ErrFull
	}
	a.held += int64(len(raw))
	a.instances = append(a.instances, i)
	return i, nil
}

// All is every instance, in the order in which they came.
func (a *Archive) All() []*Instance {
	a.mu.Lock()
	defer a.mu.Unlock()
	return slices.Clone(a.instances)
}

// Remove forgets the instances for which which is true and says how many they were.
func (a *Archive) Remove(which func(*Instance) bool) int {
	a.mu.Lock()
	defer a.mu.Unlock()

	before := len(a.instances)
	a.instances = slices.DeleteFunc(a.instances, func(i *Instance) bool {
		gone := which(i)
		if gone {
			a.held -= int64(len(i.raw))
		}
		return gone
	})
	return before - len(a.instances)
}

// TransferSyntaxes are those in which Encode gives the instance: the one in which
// it is kept, and of an instance with native pixel data the other native ones.
func (i *Instance) TransferSyntaxes() []string {
	list := []string{i.TransferSyntax}
	if ts, known := dicom.LookupTransferSyntax(i.TransferSyntax); !known || ts.Encapsulated {
		return list
	}
	for _, ts := range uid.NativeSyntaxes() {
		if ts != i.TransferSyntax {
			list = append(list, ts)
		}
	}
	return list
}

// Encode gives the data set in one of TransferSyntaxes, without meta information.
// The bytes may be those that are kept: do not change them.
func (i *Instance) Encode(transferSyntax string) ([]byte, error) {
	if transferSyntax == i.TransferSyntax {
		return i.raw, nil
	}
	if !slices.Contains(i.TransferSyntaxes(), transferSyntax) {
		return nil, fmt.Errorf("dicom/memory: an instance in %s is not given in %s",
			uid.Name(i.TransferSyntax), uid.Name(transferSyntax))
	}

	even, err := i.DataSet.Evened()
	if err != nil {
		return nil, err
	}
	var b bytes.Buffer
	if err := dicom.Encode(&b, even, transferSyntax); err != nil {
		return nil, err
	}
	return b.Bytes(), nil
}

// File gives the Part 10 file in one of TransferSyntaxes (PS3.10 7).
func (i *Instance) File(transferSyntax string) ([]byte, error) {
	data, err := i.Encode(transferSyntax)
	if err != nil {
		return nil, err
	}

	meta := dicom.AppendMeta(nil, dicom.Meta{
		SOPClassUID:               i.SOPClassUID,
		SOPInstanceUID:            i.SOPInstanceUID,
		TransferSyntaxUID:         transferSyntax,
		ImplementationClassUID:    dicom.ImplementationClassUID,
		ImplementationVersionName: dicom.ImplementationVersionName,
	})
	return append(meta, data...), nil
}

// String says nothing that identifies an image.
func (i *Instance) String() string {
	return fmt.Sprintf("instance of %s in %s, %d bytes", uid.Name(i.SOPClassUID), uid.Name(i.TransferSyntax), len(i.raw))
}
