package outbound

import (
	"context"
	"errors"
	"fmt"
	"io"

	"collimator/dicom"
	"collimator/dimse"
	"collimator/internal/archive"
	"collimator/internal/db"
	"collimator/internal/fault"
	"collimator/internal/firstwrite"
	"collimator/internal/guard"
	"collimator/internal/outbox"
)

// objectMiB is the longest object of a route that says nothing, in MiB.
const objectMiB = 4 << 10

// headMost is the most of an object's head that is held in memory to compare it, in bytes.
const headMost = 64 << 20

// store takes an object of a modality (PS3.4 B): success means that it is durable
// here.
func (b *Outbound) store(ctx context.Context, a *dimse.Association, rq *dimse.StoreRequest) dimse.Status {
	r, err := b.of(a)
	if err != nil {
		return dimse.NotAuthorized.Because(err)
	}
	most := r.ObjectMiB
	if most == 0 {
		most = objectMiB
	}
	o, refused := b.Judge.Object(ctx, rq, int64(most)<<20)
	if refused != nil {
		return *refused
	}
	if err := guard.Through(ctx, o.Whose()); err != nil {
		return noRoom(err)
	}

	instance := o.Instance(r.Name)
	// The target is not asked what it has: what it says last week counts for nothing
	// while it is not reached, and it keeps its own rule of what it overwrites.
	known, turn, err := b.Memory.Begin(ctx, instance, func(context.Context) (firstwrite.Before, bool, error) {
		return firstwrite.Before{}, true, nil
	})
	if err != nil {
		return noRoom(err)
	}
	status, through := b.keep(ctx, a, r, rq, o, arriving{known, turn, instance})
	turn.End(through)
	return status
}

// noRoom is the status for what cannot be kept now (PS3.4 B.2.3).
func noRoom(err error) dimse.Status {
	return dimse.Status{Code: dimse.OutOfResources, Comment: "it cannot be kept now; send it again later", Cause: err}
}

// arriving is an object on its way here, and what is known of it.
type arriving struct {
	known firstwrite.Known
	turn  *firstwrite.Turn
	firstwrite.Instance
}

// keep writes an object and queues it, where it contradicts nothing that went through.
func (b *Outbound) keep(
	ctx context.Context, a *dimse.Association, r *route, rq *dimse.StoreRequest, o Object, i arriving,
) (dimse.Status, *firstwrite.Content) {
	whose := o.Whose()
	w, err := b.Outbox.Create(ctx, outbox.Item{
		Destination: r.Name, Target: r.To, Study: i.Study, SOPClassUID: rq.SOPClassUID, SOPInstanceUID: rq.SOPInstanceUID,
		TransferSyntax: rq.TransferSyntax, Patient: whose.Patient, PatientIssuer: whose.PatientIssuer, Source: a.CallingAETitle(),
	})
	if err != nil {
		return noRoom(err), nil
	}
	defer w.Abort()

	content, err := o.Write(w)
	if err != nil && fault.Of(err) == fault.Unavailable {
		return noRoom(err), nil // of the disk, not of the object
	}
	if err != nil {
		return o.Refused(err), nil
	}
	known := i.known
	if known.Conflict, err = i.turn.Last(ctx); err != nil {
		return noRoom(err), nil
	}
	if known.Conflict != firstwrite.NoConflict || known.Found && !content.Is(known.Content) {
		return b.contradicts(ctx, a, r, rq, w, known), nil
	}

	err = w.Commit(ctx, func(ctx context.Context, tx *db.Tx) error { return firstwrite.Keep(ctx, tx, i.Instance, content) })
	if err != nil { // of another content, too: somebody released this one, and the other is on its way
		return noRoom(err), nil
	}
	return dimse.Status{}, &content
}

// contradicts answers for an object that is not what went through before under its UID, in its
// study or series. What waits is compared element by element: the same in another
// coding is the same.
func (b *Outbound) contradicts(
	ctx context.Context, a *dimse.Association, r *route, rq *dimse.StoreRequest, w *outbox.Writer, known firstwrite.Known,
) dimse.Status {
	if known.Conflict == firstwrite.NoConflict && b.sameWaits(ctx, r, rq, w) {
		return dimse.Status{}
	}

	reason, status := b.Judge.Contradicts(known.Conflict)
	held, err := b.hold(ctx, a, r, rq, w, reason)
	if err != nil {
		b.Log.Error("an object could not be held back", "route", r.Name, "error", err)
	}
	what := "held: "
	if !held {
		what = "not kept: "
	}
	status.Comment = what + status.Comment
	return status
}

// sameWaits reports whether what waits under the UID has the same elements.
func (b *Outbound) sameWaits(ctx context.Context, r *route, rq *dimse.StoreRequest, w *outbox.Writer) bool {
	var item outbox.Item
	err := b.DB.Read(ctx, func(tx *db.Tx) (err error) {
		item, err = outbox.Have(ctx, tx, r.Name, rq.SOPInstanceUID)
		return err
	})
	if err != nil {
		return false
	}
	old, err := b.Outbox.Open(item)
	if err != nil {
		return false
	}
	defer old.Close()
	now, err := w.Reader()
	if err != nil {
		return false
	}
	defer now.Close()

	same, err := dicom.SameElements(
		dicom.Encoded{Data: now, TransferSyntax: rq.TransferSyntax},
		dicom.Encoded{Data: old, TransferSyntax: item.TransferSyntax},
		dicom.Limits{Header: headMost})
	return err == nil && same
}

// hold keeps an object back for somebody to decide.
func (b *Outbound) hold(
	ctx context.Context, a *dimse.Association, r *route, rq *dimse.StoreRequest, w *outbox.Writer, why archive.Reason,
) (held bool, err error) {
	data, err := w.Reader()
	if err != nil {
		return false, err
	}
	defer func() { err = errors.Join(err, data.Close()) }()

	class, version := a.PeerImplementation()
	source := archive.Source{
		AETitle: a.CallingAETitle(), Address: guard.Address(ctx), Principal: r.modality,
		ImplementationUID: class, ImplementationVersion: version,
	}
	guard.Credit(ctx, &source)
	held, err = b.Hold(ctx, r.Name, archive.Incoming{
		SOPClassUID: rq.SOPClassUID, SOPInstanceUID: rq.SOPInstanceUID, TransferSyntaxUID: rq.TransferSyntax,
		Data: io.Reader(data), Source: source,
	}, why)
	if err != nil {
		err = fmt.Errorf("hold: %w", err)
	}
	return held, err
}
