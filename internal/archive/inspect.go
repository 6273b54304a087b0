package archive

import (
	"context"

	"collimator/dicom"
	"collimator/internal/archive/index"
	"collimator/internal/db"
	"collimator/internal/fault"
)

// Inspected is an instance that is looked at.
type Inspected struct {
	DataSet        *dicom.DataSet
	TransferSyntax string
	Preamble       *[128]byte // that was sent in front of it; nil for none. It is never kept.
}

// Inspection is the verdict on an instance.
type Inspection struct {
	Hold   bool // into quarantine
	Refuse bool // do not keep it
	Busy   bool // it could not be looked at: do not keep it, it may come again
	// TooLong: it is longer than the virus scanner takes, and sent again it is no
	// shorter.
	TooLong bool
	// Found says what does not belong there and where, for the record; no values.
	Found string
}

// errNotInspected is the answer while instances cannot be looked at.
var errNotInspected = fault.New(fault.Unavailable, "archive: the inspection is not available; send again")

// ErrContent: the inspection refused the instance.
var ErrContent = fault.New(fault.Denied, "archive: the instance holds suspicious content")

// ErrTooLong: the inspection cannot look at an instance of this length.
var ErrTooLong = fault.New(fault.TooLarge, "archive: the instance is longer than the virus scanner takes; raise StreamMaxLength in clamd.conf")

// inspect lets Options.Inspect look at an instance whose file is stored. It
// returns a *ConflictError when the instance is held, ErrContent when it is
// refused. What is stored already was looked at, or was released by somebody.
func (a *Archive) inspect(ctx context.Context, p *pending) error {
	if a.o.Inspect == nil {
		return nil
	}

	var stored InstanceRef
	err := a.o.DB.Read(ctx, func(tx *db.Tx) (err error) {
		stored, err = index.Find(ctx, tx, p.ref.SOPInstanceUID)
		return err
	})
	if err != nil && fault.Of(err) != fault.NotFound {
		return err
	}

	if stored.Digest == p.ref.Digest {
		return nil
	}

	o, err := a.Open(ctx, p.ref)
	if err != nil {
		return err
	}
	p.spool.file = o
	p.spool.base = o.DataSetOffset

	verdict := a.o.Inspect(ctx, Inspected{p.ds, p.ref.TransferSyntaxUID, p.before})
	p.spool.file = nil
	if err := o.Close(); err != nil {
		return err
	}

	switch {
	case verdict.Busy:
		return errNotInspected
	case verdict.TooLong:
		return ErrTooLong
	case verdict.Refuse:
		return ErrContent
	case verdict.Hold:
		p.conflict = &ConflictError{Reason: Suspicious, Found: verdict.Found}
		p.stored = stored
		return a.hold(ctx, p)
	}
	return nil
}
