package archive

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"

	"collimator/dicom"
	"collimator/internal/budget"
	"collimator/internal/db"
	"collimator/internal/fault"
)

// LetThrough makes the content of an entry of the quarantine the one that a route of the gate takes,
// in the transaction in which somebody decides so. hash is that of the data set as it passes.
type LetThrough func(ctx context.Context, tx *db.Tx, e QuarantineEntry, passes Passing) error

// Passing is what was held as the gate makes it of what passes: the hash of its data set, and all that
// stands in front of the pixel data.
type Passing struct {
	Hash string
	Head *dicom.DataSet
}

// HoldBack puts an instance that came for a route of the gate into quarantine, because it
// contradicts what went through. held is false where there is no room
// for it; then the refusal alone is kept.
func (a *Archive) HoldBack(ctx context.Context, in Incoming, why Reason) (held bool, err error) {
	p, err := a.receive(ctx, in, &reading{})
	if err != nil {
		return false, err
	}
	defer p.w.Abort()

	a.takeOff(p.ref.Digest)
	defer a.land(p.ref.Digest)
	if p.ours, err = a.absent(ctx, p.ref.Digest); err != nil {
		return false, err
	}
	if err := p.w.Commit(ctx, p.ref.Digest); err != nil {
		return false, err
	}

	p.conflict = &ConflictError{Reason: why}
	err = a.hold(ctx, p)
	if _, conflict := errors.AsType[*ConflictError](err); conflict {
		err = nil
	}
	if !p.held {
		err = errors.Join(err, a.takeBack(ctx, p))
	}
	return p.held, err
}

var errNoRoute = fault.New(fault.Unsupported, "archive: no gate is here that could let it through")

// letThrough decides that a route takes the content of an entry. The sender has to
// send it again: what it was told is that it was not taken.
func (a *Archive) letThrough(ctx context.Context, e QuarantineEntry, by Source) error {
	if a.o.LetThrough == nil {
		return errNoRoute
	}
	passes, err := a.passing(ctx, e.Instance)
	if err != nil {
		return err
	}

	err = a.o.DB.Write(ctx, func(tx *db.Tx) error {
		if n, err := tx.Exec(ctx, `DELETE FROM quarantine WHERE id = ?1`, e.ID); err != nil || n == 0 {
			return errors.Join(err, errNoEntry)
		}
		if err := a.o.LetThrough(ctx, tx, e, passes); err != nil {
			return err
		}
		why := "the route " + e.Source.Route + " takes it when it is sent again"
		return a.record(ctx, tx, Event{Kind: Destroyed, Reason: e.Reason, Instance: e.Instance, Source: by, Time: a.now(), Why: why})
	})
	if err != nil {
		return err
	}
	return a.removeUnreferenced(ctx, e.Instance.Digest, 0)
}

// passing is a stored data set as the gate makes it of what passes.
func (a *Archive) passing(ctx context.Context, ref InstanceRef) (p Passing, err error) {
	o, err := a.Open(ctx, ref)
	if err != nil {
		return p, err
	}
	defer o.Close()

	read, err := dicom.ReadPassage(o.DataSet(), dicom.DecodeOptions{
		TransferSyntax: ref.TransferSyntaxUID, Limits: a.dicomLimits(), Account: budget.From(ctx),
	})
	if err != nil {
		return p, fault.Wrap(fault.Invalid, err, "archive: a file of the quarantine cannot be read")
	}
	read.Hash = sha256.New()
	if _, err := read.WriteTo(io.Discard); err != nil {
		return p, fault.Wrap(fault.Invalid, err, "archive: a file of the quarantine cannot be read")
	}
	return Passing{Hash: hex.EncodeToString(read.Hash.Sum(nil)), Head: read.Head}, nil
}
