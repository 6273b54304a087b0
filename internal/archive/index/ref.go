package index

import (
	"context"
	"fmt"
	"log/slog"

	"collimator/dicom/uid"
	"collimator/internal/db"
)

// Ref names a stored instance and its file.
type Ref struct {
	SOPClassUID       string
	SOPInstanceUID    string
	StudyUID          string
	SeriesUID         string
	TransferSyntaxUID string
	Digest            string // SHA-256 of the file, hex
	Size              int64  // bytes of the file
	DataSetOffset     int64  // bytes of the file in front of the data set
}

// String says what kind of instance it is. The UIDs identify a patient's
// images and stay out of logs.
func (r Ref) String() string {
	return fmt.Sprintf("instance of %s, %d bytes", uid.Name(r.SOPClassUID), r.Size)
}

// LogValue is the same for slog.
func (r Ref) LogValue() slog.Value { return slog.StringValue(r.String()) }

// Door is the way in by which an instance came. Its values are those of audit.Door,
// which stands beside this package: the index hands them on and asks nothing of
// them. Empty is a command at the machine.
type Door string

// Source says where an instance came from.
type Source struct {
	AETitle               string `json:"aeTitle,omitempty"`
	Address               string `json:"address,omitempty"`
	Principal             string `json:"principal,omitempty"`
	ImplementationUID     string `json:"implementationUID,omitempty"` // Implementation Class UID of the sender (PS3.7 D.3.3.2)
	ImplementationVersion string `json:"implementationVersion,omitempty"`
	// Route is the route of the gate it came for; empty: for the archive.
	Route string `json:"route,omitempty"`
	// Door, Kind of principal, Rule of the policy, the Person for whom a device or
	// a token acts, and the Association are for the record of the event; they are
	// not kept with the instance.
	Door        Door   `json:"-"`
	Kind        string `json:"-"`
	Rule        string `json:"-"`
	Person      string `json:"-"`
	Association string `json:"-"`
}

// Implementation is class UID and version name in one column.
func (s *Source) Implementation() string {
	if s.ImplementationUID == "" && s.ImplementationVersion == "" {
		return ""
	}

	return s.ImplementationUID + `\` + s.ImplementationVersion
}

// What a query for ScanRef is made of.
const (
	// RefColumns are the columns that ScanRef reads; more may follow.
	RefColumns = `i.uid, i.sop_class, st.uid, se.uid, i.transfer_syntax, i.digest, i.size, i.data_offset`
	// RefTables are i (instance), se (series) and st (study).
	RefTables = `instance i JOIN series se ON se.id = i.series JOIN study st ON st.id = se.study`
	// SelectRef selects no more than a Ref. Conditions follow.
	SelectRef = `SELECT ` + RefColumns + ` FROM ` + RefTables
)

// ScanRef reads RefColumns, and more behind them.
func ScanRef(scan db.Scan, more ...any) (r Ref, err error) {
	err = scan(append([]any{
		&r.SOPInstanceUID, &r.SOPClassUID, &r.StudyUID, &r.SeriesUID, &r.TransferSyntaxUID, &r.Digest, &r.Size, &r.DataSetOffset,
	}, more...)...)

	return r, err
}

// Find finds an instance by its UID; fault.NotFound if there is none.
func Find(ctx context.Context, tx *db.Tx, sopInstanceUID string) (Ref, error) {
	return ScanRef(tx.QueryRow(ctx, SelectRef+` WHERE i.uid = ?1`, sopInstanceUID).Scan)
}
