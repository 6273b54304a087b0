package archive

import (
	"encoding/json"
	"time"

	"collimator/internal/fault"
)

// LeafKind is the kind of the ledger's leaves that say what became of an
// instance; their data are a Statement as JSON.
const LeafKind = "instance"

// Statement is what the ledger keeps of an event: enough to hold a file and its
// row against it later.
type Statement struct {
	Event          EventKind `json:"event"`
	Reason         Reason    `json:"reason,omitempty"`
	SOPClassUID    string    `json:"sopClass"`
	SOPInstanceUID string    `json:"sopInstance"`
	StudyUID       string    `json:"study"`
	SeriesUID      string    `json:"series"`
	TransferSyntax string    `json:"transferSyntax"`
	Digest         string    `json:"sha256"` // of the file
	Size           int64     `json:"size"`   // bytes of the file
	DataSetOffset  int64     `json:"dataSetOffset"`
	StoredDigest   string    `json:"stored,omitempty"` // of the file that is kept, for a quarantine
	Accepted       bool      `json:"accepted,omitempty"`
	Version        int       `json:"v,omitempty"` // 1: Accepted says whether it was let in; earlier ones do not say
	CharacterSet   string    `json:"assumedCharacterSet,omitempty"`
	Source         Source    `json:"source"`
	Time           time.Time `json:"time"`
}

// ReadStatement reads the data of a leaf of LeafKind. What cannot be read is of
// kind Invalid.
func ReadStatement(data string) (s Statement, err error) {
	err = json.Unmarshal([]byte(data), &s)

	return s, fault.Wrap(fault.Invalid, err, "archive: a statement of the ledger cannot be read")
}

// Statement is the event as the ledger keeps it.
func (e Event) Statement() Statement {
	i := e.Instance
	return Statement{
		Event:          e.Kind,
		Reason:         e.Reason,
		SOPClassUID:    i.SOPClassUID,
		SOPInstanceUID: i.SOPInstanceUID,
		StudyUID:       i.StudyUID,
		SeriesUID:      i.SeriesUID,
		TransferSyntax: i.TransferSyntaxUID,
		Digest:         i.Digest,
		Size:           i.Size,
		DataSetOffset:  i.DataSetOffset,
		StoredDigest:   e.StoredDigest,
		Accepted:       e.Accepted,
		Version:        1,
		CharacterSet:   e.CharacterSet,
		Source:         e.Source,
		Time:           e.Time.UTC(),
	}
}

// Instance is the reference the statement is about.
func (s Statement) Instance() InstanceRef {
	return InstanceRef{
		SOPClassUID: s.SOPClassUID, SOPInstanceUID: s.SOPInstanceUID, StudyUID: s.StudyUID, SeriesUID: s.SeriesUID,
		TransferSyntaxUID: s.TransferSyntax, Digest: s.Digest, Size: s.Size, DataSetOffset: s.DataSetOffset,
	}
}
