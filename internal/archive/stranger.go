package archive

import (
	"bufio"
	"context"
	"errors"
	"io"
	"slices"
	"strings"
	"time"

	"collimator/dicom"
	"collimator/dicom/tag"
	"collimator/internal/archive/index"
	"collimator/internal/blob"
	"collimator/internal/db"
	"collimator/internal/fault"
	"collimator/internal/stream"
)

// A stranger is a file of the store, or one that was set aside, that no row
// names. It is what a lost or older index leaves, and what a killed process does.

// Fate says what the ledger holds of a file last, by its SOP Instance UID and
// digest; empty where it holds nothing.
type Fate func(ctx context.Context, sopInstanceUID, digest string) (EventKind, error)

// Stranger is a file that no row names.
type Stranger struct {
	Digest string
	Size   int64 // bytes
	Time   time.Time
	Aside  bool // it was set aside; else it lies among the others
	// SOPClassUID is empty where the file cannot be read.
	SOPClassUID string
}

// farAhead is how many years a clock may have been ahead when a file was written.
const farAhead = 1000

// Strangers lists the files that no row names, those written first in front:
// of two contents under one UID the first one counts.
func (a *Archive) Strangers(ctx context.Context) (list []Stranger, err error) {
	for info, err := range a.orphans(ctx, a.now().AddDate(farAhead, 0, 0)) {
		if err != nil {
			return nil, err
		}
		list = append(list, Stranger{Digest: info.Key, Size: info.Size, Time: info.Time})
	}
	aside, err := a.Aside(ctx)
	if err != nil {
		return nil, err
	}
	list = append(list, aside...)

	slices.SortStableFunc(list, func(x, y Stranger) int {
		if c := x.Time.Compare(y.Time); c != 0 {
			return c
		}
		return strings.Compare(x.Digest, y.Digest)
	})

	return list, nil
}

// Aside lists the files that were set aside, in order of digest.
func (a *Archive) Aside(ctx context.Context) (list []Stranger, err error) {
	for info, err := range a.o.Blobs.Aside().List(ctx, "") {
		if err != nil {
			return nil, err
		}
		list = append(list, Stranger{Digest: info.Key, Size: info.Size, Time: info.Time, Aside: true})
	}

	return list, nil
}

// Describe says of which SOP Class a file is, as far as it can be read.
func (a *Archive) Describe(ctx context.Context, s Stranger) (Stranger, error) {
	ref, err := a.refOf(ctx, s)
	s.SOPClassUID = ref.SOPClassUID

	return s, err
}

// refOf is what the meta information of a file says of it; without UIDs where it
// cannot be read.
func (a *Archive) refOf(ctx context.Context, s Stranger) (InstanceRef, error) {
	ref := InstanceRef{Digest: s.Digest, Size: s.Size}
	o, err := a.openStranger(ctx, s)
	if err != nil {
		return ref, err
	}
	defer o.Close()

	meta, n, err := dicom.ReadMeta(bufio.NewReader(io.NewSectionReader(o, 0, o.Size())), dicom.Limits{})
	if err != nil {
		return ref, nil
	}
	ref.SOPClassUID = meta.Text(tag.MediaStorageSOPClassUID)
	ref.SOPInstanceUID = meta.Text(tag.MediaStorageSOPInstanceUID)
	ref.TransferSyntaxUID = meta.Text(tag.TransferSyntaxUID)
	ref.DataSetOffset = n

	return ref, nil
}

func (a *Archive) openStranger(ctx context.Context, s Stranger) (blob.Object, error) {
	if s.Aside {
		return a.o.Blobs.Aside().Open(ctx, s.Digest)
	}

	return a.o.Blobs.Open(ctx, s.Digest)
}

// Taken is what became of a stranger.
type Taken string

// What may become of a stranger. Where it is not TakenIn or TakenHeld, the file
// is aside afterwards; one that was to be deleted stays where it is.
const (
	TakenIn      Taken = "taken in"
	TakenHeld    Taken = "held in quarantine"
	NotDeleted   Taken = "deleted before"         // the ledger says so: it stays out
	NotDuplicate Taken = "same as what is stored" // the same elements with the same values
	NotReadable  Taken = "damaged"                // its digest is wrong, or it is not a data set
	NotWanted    Taken = "refused"                // by the inspection, or the quarantine has no room
	NotUnknown   Taken = "known to the ledger"    // Rebuild brings it back
)

// TakeIn stores a stranger as Ingest would have: it is inspected, what
// contradicts it goes into quarantine, and it is recorded, as coming from source.
// What the ledger says was deleted stays out; a nil fate knows nothing.
func (a *Archive) TakeIn(ctx context.Context, s Stranger, source Source, fate Fate) (Taken, error) {
	last, err := a.lastOf(ctx, s, fate)
	if err != nil {
		return "", err
	}
	switch {
	case last.Removes():
		return NotDeleted, nil
	case last != "" && last != Refused:
		return NotUnknown, a.leave(ctx, s)
	}

	p, err := a.readStranger(ctx, s, source)
	if ctx.Err() != nil {
		return "", ctx.Err()
	}
	if fault.Of(err).Temporary() {
		return "", err // it says nothing about the content
	}
	if err != nil {
		return NotReadable, a.leave(ctx, s)
	}

	a.takeOff(s.Digest)
	defer a.land(s.Digest)
	if s.Aside {
		if err := a.o.Blobs.Aside().Return(ctx, s.Digest); err != nil {
			return "", err
		}
	}

	return a.takeInStranger(ctx, p)
}

// takeInStranger decides about a file that lies in the store.
func (a *Archive) takeInStranger(ctx context.Context, p *pending) (Taken, error) {
	receipt, err := a.takeIn(ctx, p)
	result := TakenIn
	var conflict *ConflictError
	switch {
	case p.held:
		return TakenHeld, nil
	case errors.As(err, &conflict), errors.Is(err, ErrContent):
		result = NotWanted
	case err != nil:
		return "", err
	case receipt.Duplicate:
		result = NotDuplicate
	default:
		return result, nil
	}

	_, err = a.unreferenced(ctx, p.ref.Digest, 1, a.o.Blobs.Aside().Put)

	return result, err
}

// leave puts a file aside that is not taken in, where it is not yet.
func (a *Archive) leave(ctx context.Context, s Stranger) error {
	if s.Aside {
		return nil
	}
	_, err := a.unreferenced(ctx, s.Digest, 0, a.o.Blobs.Aside().Put)

	return err
}

func (a *Archive) lastOf(ctx context.Context, s Stranger, fate Fate) (EventKind, error) {
	if fate == nil {
		return "", nil
	}
	ref, err := a.refOf(ctx, s)
	if err != nil || ref.SOPInstanceUID == "" {
		return "", err
	}

	return fate(ctx, ref.SOPInstanceUID, s.Digest)
}

// readStranger makes the rows of an instance from a file of which nothing is
// known but its name.
func (a *Archive) readStranger(ctx context.Context, s Stranger, source Source) (*pending, error) {
	o, err := a.openStranger(ctx, s)
	if err != nil {
		return nil, err
	}
	defer o.Close()

	digest, err := digestOf(ctx, o)
	if err != nil {
		return nil, fault.Wrap(fault.Unavailable, err, "archive: read a file")
	}

	if digest != s.Digest {
		return nil, fault.New(fault.Invalid, "archive: the content of a file has changed")
	}

	br := bufio.NewReader(io.NewSectionReader(o, 0, o.Size()))
	meta, offset, err := dicom.ReadMeta(br, dicom.Limits{})
	if err != nil {
		return nil, fault.Wrap(fault.Invalid, err, "archive: a file has no meta information")
	}
	syntax := meta.Text(tag.TransferSyntaxUID)

	sp := &spool{}
	ds, err := dicom.Decode(stream.While(ctx, br), dicom.DecodeOptions{
		TransferSyntax: syntax, BulkThreshold: bulkThreshold, Limits: a.dicomLimits(), Source: sp})
	if err != nil {
		return nil, fault.Wrap(fault.Invalid, err, "archive: a data set cannot be read")
	}
	sp.ds = ds

	p := &pending{source: source, time: a.now(), ds: ds, spool: sp}
	in := Incoming{
		SOPClassUID:       meta.Text(tag.MediaStorageSOPClassUID),
		SOPInstanceUID:    meta.Text(tag.MediaStorageSOPInstanceUID),
		TransferSyntaxUID: syntax,
	}

	return p, a.describeStranger(ctx, p, in, InstanceRef{DataSetOffset: offset, Size: o.Size(), Digest: s.Digest})
}

// describeStranger does what receive does once the data set is there.
func (a *Archive) describeStranger(ctx context.Context, p *pending, in Incoming, file InstanceRef) (err error) {
	if err := unambiguous(p.ds); err != nil {
		return err
	}
	if p.ref, err = identify(in, p.ds); err != nil {
		return err
	}
	p.ref.DataSetOffset = file.DataSetOffset
	p.ref.Size = file.Size
	p.ref.Digest = file.Digest
	if a.o.CharacterSet != nil {
		p.assumed = assume(p.ds, a.o.CharacterSet(p.source))
	}

	ts, _ := dicom.LookupTransferSyntax(in.TransferSyntaxUID)
	if p.header, err = packHeader(p.ds, ts, file.Size-file.DataSetOffset); err != nil {
		return err
	}
	p.description, err = index.Describe(p.ds, p.ref, false)

	return err
}

// Unneeded is the reason in the record of a file that was set aside and then
// removed by somebody.
const Unneeded Reason = "set-aside"

// Discard removes a file that was set aside, and records it: who decided, and
// why, in as many words as a Deletion needs.
func (a *Archive) Discard(ctx context.Context, s Stranger, by Source, why string) error {
	why, err := checkWhy(why)
	if err != nil {
		return err
	}
	if !s.Aside {
		return fault.New(fault.Invalid, "archive: only what was set aside is removed so")
	}
	ref, err := a.refOf(ctx, s)
	if err != nil {
		return err
	}

	// The record first: a file that is gone must have one.
	err = a.o.DB.Write(ctx, func(tx *db.Tx) error {
		return a.record(ctx, tx, Event{Kind: Destroyed, Reason: Unneeded, Instance: ref, Source: by, Time: a.now(), Why: why})
	})
	if err != nil {
		return err
	}

	return a.o.Blobs.Aside().Delete(ctx, s.Digest)
}
