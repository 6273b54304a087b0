package gate

import (
	"context"
	"io"

	"collimator/dicom/tag"
	"collimator/dicom/uid"
	"collimator/dimse"
	"collimator/internal/fault"
	"collimator/internal/guard"
	"collimator/internal/policy"
	"collimator/internal/upstream"
)

// Brought is an instance that somebody stores by DICOMweb: its data set, and what it is as far as
// that is known.
type Brought struct {
	SOPClassUID, SOPInstanceUID, TransferSyntaxUID string
	Data                                           io.Reader
}

// Filed says where an instance is that the system behind took.
type Filed struct {
	guard.Passing
	SeriesUID string
}

// Store lets an instance of somebody through to the system behind, by C-STORE, once: see
// letThrough. The status is that system's own, or why it did not get all of it.
func (f *Face) Store(ctx context.Context, in Brought) (at Filed, status dimse.Status) {
	r, err := f.route()
	if err != nil {
		return at, storeStatus(err)
	}
	if in.SOPClassUID == "" || in.SOPInstanceUID == "" {
		return at, storeStatus(errUID)
	}
	rq := &dimse.StoreRequest{
		SOPClassUID: in.SOPClassUID, SOPInstanceUID: in.SOPInstanceUID, TransferSyntax: in.TransferSyntaxUID, Data: in.Data,
	}
	from := &pace{every: f.gate.paceEvery}
	rq.Data = pacedReader{from, rq.Data}

	o, err := f.gate.receive(ctx, rq, policy.Sight{Everything: true}, r.patches) // whoever may store may store anything
	if err != nil {
		return at, storeStatus(err)
	}
	o.from = from
	at = Filed{Passing: o.Passing, SeriesUID: o.Head.Text(tag.SeriesInstanceUID)}
	if err := guard.Through(ctx, o.Passing); err != nil {
		return at, storeStatus(err)
	}

	who, _ := guard.Principal(ctx)
	name := string(who.Kind) + " " + who.Name
	return at, f.gate.letThrough(ctx, sender{
		route: r.Name, name: name, seenAs: r.WebTitle(),
		lease: func(ctx context.Context) (*upstream.Lease, error) { return f.leaseToStore(ctx, in) },
	}, r, o)
}

// leaseToStore is an association on which an instance can go as it is. Where the system behind
// takes none such it is fault.Unsupported.
func (f *Face) leaseToStore(ctx context.Context, in Brought) (*upstream.Lease, error) {
	r, err := f.route()
	if err != nil {
		return nil, err
	}
	ask := upstream.Ask{Contexts: dimse.Propose([]string{in.SOPClassUID}, []string{in.TransferSyntaxUID}, false)}
	if _, may := understood(ask.Contexts[0], r.rules, r.patches); !may {
		return nil, r.keptAway(in.TransferSyntaxUID)
	}
	lease, err := f.lease(ctx, ask)
	if err != nil {
		return nil, err
	}
	if len(lease.TransferSyntaxes(in.SOPClassUID)) == 0 {
		lease.Return()
		return nil, fault.Newf(fault.Unsupported, "gate: the system behind the route takes no %s in %s",
			uid.Name(in.SOPClassUID), uid.Name(in.TransferSyntaxUID))
	}
	return lease, nil
}
