package gate

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"

	"collimator/dicom"
	"collimator/dicom/tag"
	"collimator/dicom/uid"
	"collimator/dimse"
	"collimator/dimse/ul"
	"collimator/internal/archive"
	"collimator/internal/budget"
	"collimator/internal/fault"
	"collimator/internal/firstwrite"
	"collimator/internal/guard"
	"collimator/internal/upstream"
)

// errOther refuses another content under a UID that went through.
var errOther = fault.New(fault.Conflict, "gate: other content under this SOP Instance UID went through before")

// letThrough sends an object of a caller to the system behind, once: what comes under a
// UID that is known is compared whole before any of it goes on.
func (g *Gate) letThrough(ctx context.Context, a *dimse.Association, r *route, o *object) dimse.Status {
	// What is of no study counts as one of its own.
	instance := firstwrite.Instance{Route: r.Name, Study: cmp.Or(o.StudyUID, o.request.SOPInstanceUID), UID: o.request.SOPInstanceUID}
	before, found, end, err := g.Memory.Begin(ctx, instance, func(ctx context.Context) ([]string, bool, error) {
		return g.instancesBehind(ctx, a, o)
	})
	if err != nil {
		return storeStatus(err)
	}

	o.Hash = sha256.New()
	o.most = int64(r.ObjectMiB) << 20
	var status dimse.Status
	var through *firstwrite.Content
	if found {
		status, through = g.again(ctx, a, r, o, before)
	} else {
		status, through = g.first(ctx, a, o)
	}
	end(through)
	return status
}

// first streams an object whose UID is new. What was sent whole and not refused counts
// as gone through, also where the answer was lost.
func (g *Gate) first(ctx context.Context, a *dimse.Association, o *object) (dimse.Status, *firstwrite.Content) {
	lease, err := g.leaseFor(ctx, a)
	if err != nil {
		return storeStatus(err), nil
	}

	end := o.from.watch(lease)
	status, err := o.send(ctx, lease)
	end()
	g.finish(lease, err)
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
// before. Another one is held.
func (g *Gate) again(
	ctx context.Context, a *dimse.Association, r *route, o *object, before firstwrite.Content,
) (dimse.Status, *firstwrite.Content) {
	kept, err := g.spoolFor(a.CallingAETitle())
	if err != nil {
		return storeStatus(err), nil
	}
	defer kept.close()
	if err := o.write(kept); err != nil {
		return answered(err), nil
	}

	now := o.content()
	if !now.Is(before) {
		same, err := g.sameBehind(ctx, a, o, kept)
		if err != nil {
			return storeStatus(err), nil
		}
		if !same {
			return g.hold(ctx, a, r, o, kept), nil
		}
	}

	lease, err := g.leaseFor(ctx, a)
	if err != nil {
		return storeStatus(err), nil
	}
	rq := *o.request
	rq.Data = kept.reader()
	answer, err := lease.Store(ctx, rq)
	g.finish(lease, err)
	if err != nil {
		return answered(err), nil
	}
	if now.Is(before) {
		now = nil // nothing new is known
	}
	return dimse.Status{Code: answer.Code}, now
}

// hold keeps an object back, for somebody to decide, and tells the sender.
func (g *Gate) hold(ctx context.Context, a *dimse.Association, r *route, o *object, kept *spool) dimse.Status {
	in := archive.Incoming{
		SOPClassUID:       o.request.SOPClassUID,
		SOPInstanceUID:    o.request.SOPInstanceUID,
		TransferSyntaxUID: o.request.TransferSyntax,
		Data:              kept.reader(),
		Source:            source(ctx, a, r),
	}
	what := "held: "
	held, err := g.Hold(ctx, r.Name, in)
	if err != nil {
		g.Log.Error("an object could not be held back", "route", r.Name, "error", err)
	}
	if !held {
		what = "not kept: "
	}
	return dimse.Status{Code: dimse.DuplicateSOPInstance, Comment: what + "other content under this SOP Instance UID", Cause: errOther}
}

// source is where an object came from, for the quarantine.
func source(ctx context.Context, a *dimse.Association, r *route) archive.Source {
	class, version := a.PeerImplementation()
	who, _ := guard.Principal(ctx)
	s := archive.Source{
		AETitle:               a.CallingAETitle(),
		Address:               guard.Address(ctx),
		Principal:             who.Name,
		ImplementationUID:     class,
		ImplementationVersion: version,
	}
	guard.Credit(ctx, &s)
	return s
}

// Bounds of what the system behind says it has of one study.
const (
	instancesMost = 200_000
	seriesMost    = 10_000
	keptUID       = 64 // bytes that a UID takes in memory besides its own
)

var errStudy = fault.Newf(fault.TooLarge, "gate: the system behind has more than %d series or %d instances of one study", seriesMost, instancesMost)

// instancesBehind lists what the system behind has of the study of an object; false where it does
// not answer queries.
func (g *Gate) instancesBehind(ctx context.Context, a *dimse.Association, o *object) (uids []string, ok bool, err error) {
	lease, err := g.leaseOwn(ctx, a, upstream.Ask{Contexts: dimse.Propose([]string{uid.StudyRootFind}, uid.NativeSyntaxes()[:2], false)})
	if err != nil {
		return nil, false, unanswered(err)
	}

	uids, err = queryInstances(ctx, lease, o)
	g.finish(lease, err)
	if err != nil {
		return nil, false, unanswered(err)
	}
	return uids, true, nil
}

// unanswered is nil for the error of a system that is there and does not answer
// queries. One that ends the association may have broken down, or lets this title do
// nothing of the kind: nobody knows what it has.
func unanswered(err error) error {
	_, refused := errors.AsType[*dimse.StatusError](err)
	_, rejected := errors.AsType[*dimse.RejectError](err)
	if refused || rejected || errors.Is(err, dimse.ErrNoContext) {
		return nil
	}
	if _, aborted := errors.AsType[*dimse.AbortError](err); aborted {
		return fault.Wrap(fault.Unavailable, err, "gate: the system behind ends the association over the question what it has; "+
			"it has to let this AE title query and retrieve, or 'as' of the route names one that may")
	}
	return err
}

// queryInstances asks level by level: not everybody answers relational queries
// (PS3.4 C.4.1.2.2.1). Of an object without a study only the object itself is asked for: a query
// without a study would ask for all there is.
func queryInstances(ctx context.Context, lease *upstream.Lease, o *object) (uids []string, err error) {
	study := o.StudyUID
	if study == "" {
		return queryLevel(ctx, lease, instancesMost, "IMAGE", tag.SOPInstanceUID, map[tag.Tag]string{
			tag.StudyInstanceUID: "", tag.SeriesInstanceUID: "", tag.SOPInstanceUID: o.request.SOPInstanceUID,
		})
	}

	studies, err := queryLevel(ctx, lease, seriesMost, "STUDY", tag.StudyInstanceUID, map[tag.Tag]string{tag.StudyInstanceUID: study})
	if err != nil || len(studies) == 0 {
		return nil, err
	}

	series, err := queryLevel(ctx, lease, seriesMost, "SERIES", tag.SeriesInstanceUID, map[tag.Tag]string{
		tag.StudyInstanceUID: study, tag.SeriesInstanceUID: "",
	})
	if err != nil {
		return nil, err
	}
	for _, one := range series {
		images, err := queryLevel(ctx, lease, instancesMost-len(uids), "IMAGE", tag.SOPInstanceUID, map[tag.Tag]string{
			tag.StudyInstanceUID: study, tag.SeriesInstanceUID: one, tag.SOPInstanceUID: "",
		})
		if err != nil {
			return nil, err
		}
		uids = append(uids, images...)
	}
	return uids, nil
}

// queryLevel gives the values of a unique key, as many as may be. They are kept out of the
// account of the request.
func queryLevel(
	ctx context.Context, lease *upstream.Lease, most int, level string, of tag.Tag, keys map[tag.Tag]string,
) (values []string, err error) {
	identifier := dicom.NewDataSet()
	keys[tag.QueryRetrieveLevel] = level
	for t, value := range keys {
		if err := identifier.SetText(t, value); err != nil {
			return nil, err
		}
	}

	came := 0
	for m, err := range lease.Find(ctx, dimse.FindRequest{SOPClassUID: uid.StudyRootFind, Identifier: identifier}) {
		if err != nil {
			return nil, err
		}
		if came++; came > most {
			return nil, errStudy
		}
		value := m.Identifier.Text(of)
		if err := budget.From(ctx).Grow(int64(len(value)) + keptUID); err != nil {
			return nil, err
		}
		if uid.Tolerable(value) {
			values = append(values, value)
		}
	}
	return values, nil
}

// sameBehind fetches what the system behind has under a UID and compares it with a
// spooled object. Where it cannot be fetched nobody knows, and it is not the same.
func (g *Gate) sameBehind(ctx context.Context, a *dimse.Association, o *object, kept *spool) (same bool, err error) {
	syntaxes := append([]string{o.request.TransferSyntax}, uid.NativeSyntaxes()...)
	ask := upstream.Ask{
		Contexts: append(dimse.Propose([]string{uid.StudyRootGet}, uid.NativeSyntaxes()[:2], false),
			dimse.Propose([]string{o.request.SOPClassUID}, syntaxes, true)...),
		Roles: []ul.RoleSelection{{SOPClassUID: o.request.SOPClassUID, SCP: true}},
	}
	for i := range ask.Contexts {
		ask.Contexts[i].ID = uint8(2*i + 1)
	}
	lease, err := g.leaseOwn(ctx, a, ask)
	if err != nil {
		return false, unanswered(err)
	}

	identifier := dicom.NewDataSet()
	for t, value := range map[tag.Tag]string{
		tag.QueryRetrieveLevel: "IMAGE", tag.StudyInstanceUID: o.StudyUID,
		tag.SeriesInstanceUID: o.Head.Text(tag.SeriesInstanceUID), tag.SOPInstanceUID: o.request.SOPInstanceUID,
	} {
		if err := identifier.SetText(t, value); err != nil {
			lease.Return()
			return false, err
		}
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
	g.finish(lease, err)
	return same, unanswered(err)
}

// leaseOwn is an association to the system behind the route for a question of the gate's
// own, in the name of the caller.
func (g *Gate) leaseOwn(ctx context.Context, a *dimse.Association, ask upstream.Ask) (*upstream.Lease, error) {
	r, err := g.at(a.CalledAETitle())
	if err != nil {
		return nil, err
	}
	who, _ := guard.Principal(ctx)
	ask.Caller = who.Name
	ask.CallingAETitle = r.seenAs(a.CallingAETitle())
	lease, err := r.pool.Take(ctx, ask)
	g.tellSystem(r, err)
	return lease, err
}
