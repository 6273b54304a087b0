package gate

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"slices"

	"collimator/dicom"
	"collimator/dicom/tag"
	"collimator/dicom/uid"
	"collimator/dimse"
	"collimator/internal/archive"
	"collimator/internal/fault"
	"collimator/internal/firstwrite"
	"collimator/internal/guard"
	"collimator/internal/upstream"
)

// Refusals of what contradicts what went through before.
var (
	errOther     = fault.New(fault.Conflict, "gate: other content under this SOP Instance UID went through before")
	errPatientOf = fault.New(fault.Conflict, "gate: the study is of another patient, as far as images of it went through or the system behind has it")
	errStudyOf   = fault.New(fault.Conflict, "gate: the series is of another study, as far as images of it went through or the system behind has it")
)

// letThrough sends an object of a caller to the system behind, once: what comes under a
// UID that is known is compared whole before any of it goes on, and what contradicts what went
// through is held.
func (g *Gate) letThrough(ctx context.Context, from sender, r *route, o *object) dimse.Status {
	instance := Instance(r.Name, o.Head)
	instance.System = r.system + "@" + r.address
	instance.Beside = g.beside(r)
	known, turn, err := g.Memory.Begin(ctx, instance, func(ctx context.Context) (firstwrite.Before, bool, error) {
		return g.before(ctx, from, o)
	})
	if err != nil {
		return storeStatus(err)
	}

	o.Hash = sha256.New()
	o.most = int64(r.ObjectMiB) << 20
	var status dimse.Status
	var through *firstwrite.Content
	if known.Found || known.Conflict != firstwrite.NoConflict {
		status, through = g.again(ctx, from, r, o, known)
	} else {
		o.last = func() error { return stillMay(ctx, turn) }
		status, through = g.first(ctx, from, o)
	}
	turn.End(through)
	return status
}

// beside names the other routes to the system behind a route.
func (g *Gate) beside(r *route) (names []string) {
	g.mu.Lock()
	defer g.mu.Unlock()
	for name, other := range g.routes {
		if name != r.Name && other.system == r.system && other.address == r.address {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}

// stillMay fails where something that contradicts an instance went through while that was under way:
// sent again it is held.
func stillMay(ctx context.Context, turn *firstwrite.Turn) error {
	conflict, err := turn.Last(ctx)
	if err == nil && conflict != firstwrite.NoConflict {
		err = fault.Wrap(fault.Busy, contradictions[conflict].cause,
			"gate: what went through meanwhile contradicts the object; sent again it is held")
	}
	return err
}

// Instance is an object as the memory of a route knows it.
func Instance(route string, head *dicom.DataSet) firstwrite.Instance {
	own := head.Text(tag.SOPInstanceUID)
	return firstwrite.Instance{
		Route:   route,
		Study:   cmp.Or(head.Text(tag.StudyInstanceUID), own), // what is of no study counts as one of its own
		Series:  head.Text(tag.SeriesInstanceUID),
		UID:     own,
		Patient: patientOf(head),
	}
}

// first streams an object whose UID is new. What was sent whole and not refused counts
// as gone through, also where the answer was lost.
func (g *Gate) first(ctx context.Context, from sender, o *object) (dimse.Status, *firstwrite.Content) {
	lease, err := from.lease(ctx)
	if err != nil {
		return storeStatus(err), nil
	}

	end := o.from.watch(lease)
	status, err := o.send(ctx, lease)
	end()
	lease.Finish(err)
	if _, refused := errors.AsType[*dimse.StatusError](err); refused || !o.whole {
		return status, nil
	}
	return status, o.content()
}

// content is what went through, once the object was written whole.
func (o *object) content() *firstwrite.Content {
	return &firstwrite.Content{Syntax: o.request.TransferSyntax, Hash: hex.EncodeToString(o.Hash.Sum(nil))}
}

// again spools an object whose UID is known, and sends it where it is the same as
// before. Another one is held, and so is one that contradicts what went through.
func (g *Gate) again(
	ctx context.Context, from sender, r *route, o *object, known firstwrite.Known,
) (dimse.Status, *firstwrite.Content) {
	kept, err := g.spoolFor(from.name)
	if err != nil {
		return storeStatus(err), nil
	}
	defer kept.close()
	if err := o.write(kept); err != nil {
		return answered(err), nil
	}

	if known.Conflict != firstwrite.NoConflict {
		return g.hold(ctx, from, r, o, kept, contradictions[known.Conflict]), nil
	}
	now := o.content()
	if !now.Is(known.Content) {
		same, err := g.sameBehind(ctx, from, o, kept)
		if err != nil {
			return storeStatus(err), nil
		}
		if !same {
			return g.hold(ctx, from, r, o, kept, otherContent), nil
		}
	}

	lease, err := from.lease(ctx)
	if err != nil {
		return storeStatus(err), nil
	}
	rq := *o.request
	rq.Data = kept.reader()
	answer, err := lease.Store(ctx, rq)
	lease.Finish(err)
	if err != nil {
		return answered(err), nil
	}
	if now.Is(known.Content) {
		now = nil // nothing new is known
	}
	return dimse.Status{Code: answer.Code}, now
}

// contradiction is why an object is held.
type contradiction struct {
	reason archive.Reason
	code   dimse.StatusCode
	text   string
	cause  error
}

// What an object may contradict.
var (
	otherContent   = contradiction{archive.AtRoute, dimse.DuplicateSOPInstance, "other content under this SOP Instance UID", errOther}
	contradictions = map[firstwrite.Conflict]contradiction{
		firstwrite.OtherPatient: {archive.OtherPatientAtRoute, dimse.InvalidSOPInstance, "the study is of another patient", errPatientOf},
		firstwrite.OtherStudy:   {archive.OtherStudyAtRoute, dimse.InvalidSOPInstance, "the series is of another study", errStudyOf},
	}
)

// hold keeps an object back, for somebody to decide, and tells the sender.
func (g *Gate) hold(ctx context.Context, from sender, r *route, o *object, kept *spool, why contradiction) dimse.Status {
	in := archive.Incoming{
		SOPClassUID:       o.request.SOPClassUID,
		SOPInstanceUID:    o.request.SOPInstanceUID,
		TransferSyntaxUID: o.request.TransferSyntax,
		Data:              kept.reader(),
		Source:            from.source(ctx),
	}
	what := "held: "
	held, err := g.Hold(ctx, r.Name, in, why.reason)
	if err != nil {
		g.Log.Error("an object could not be held back", "route", r.Name, "error", err)
	}
	if !held {
		what = "not kept: "
	}
	return dimse.Status{Code: why.code, Comment: what + why.text, Cause: why.cause}
}

// sameBehind fetches what the system behind has under a UID and compares it with a
// spooled object. Where it cannot be fetched nobody knows, and it is not the same.
func (g *Gate) sameBehind(ctx context.Context, from sender, o *object, kept *spool) (same bool, err error) {
	identifier, err := Identifier("IMAGE", map[tag.Tag]string{
		tag.StudyInstanceUID: o.StudyUID, tag.SeriesInstanceUID: o.Head.Text(tag.SeriesInstanceUID),
		tag.SOPInstanceUID: o.request.SOPInstanceUID,
	})
	if err != nil {
		return false, err
	}

	syntaxes := append([]string{o.request.TransferSyntax}, uid.NativeSyntaxes()...)
	lease, err := g.leaseOwn(ctx, from, askToGet([]string{o.request.SOPClassUID}, syntaxes, true))
	if err != nil {
		return false, unanswered(err)
	}
	_, err = lease.Get(ctx, dimse.GetRequest{
		SOPClassUID: uid.StudyRootGet, Identifier: identifier,
		Store: func(_ context.Context, _ *dimse.Association, rq *dimse.StoreRequest) dimse.Status {
			if rq.SOPInstanceUID != o.request.SOPInstanceUID {
				return dimse.Status{Code: dimse.NotAuthorized}
			}
			same, _ = dicom.SameElements(
				dicom.Encoded{Data: rq.Data, TransferSyntax: rq.TransferSyntax},
				dicom.Encoded{Data: kept.reader(), TransferSyntax: o.request.TransferSyntax},
				dicom.Limits{Header: headMost})
			return dimse.Status{}
		},
	})
	lease.Finish(err)
	return same, unanswered(err)
}

// leaseOwn is an association to the system behind the route for a question of the gate's
// own, in the name of who sends.
func (g *Gate) leaseOwn(ctx context.Context, from sender, ask upstream.Ask) (*upstream.Lease, error) {
	r, err := g.at(from.route)
	if err != nil {
		return nil, err
	}
	who, _ := guard.Principal(ctx)
	ask.Caller = who.Name
	ask.CallingAETitle = from.seenAs
	lease, err := r.pool.Take(ctx, ask)
	g.tellSystem(r, err)
	return lease, err
}
