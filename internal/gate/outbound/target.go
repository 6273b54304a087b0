package outbound

import (
	"cmp"
	"context"
	"fmt"
	"net"
	"slices"
	"time"

	"collimator/dicom/uid"
	"collimator/dimse"
	"collimator/dimse/ul"
	"collimator/internal/audit"
	"collimator/internal/db"
	"collimator/internal/fault"
	"collimator/internal/guard"
	"collimator/internal/outbox"
	"collimator/internal/policy"
	"collimator/internal/tlsprofile"
)

// Deadlines of a target.
const (
	connectMost = 15 * time.Second
	patience    = time.Minute
)

// mark tells two ways to a target apart.
func (r *Route) mark() string {
	return fmt.Sprintf("%s|%s|%s|%s|%t|%s", r.To, r.as(), r.CA, r.trust().Pin(), r.Plain, r.Commit)
}

// way is how the outbox reaches the target of a route.
func (b *Outbound) way(r *route) outbox.Way {
	commit := outbox.Commit(r.Commit)
	if commit == "" {
		commit = outbox.IfOffered
	}
	return outbox.Way{
		Target: r.To,
		Commit: commit,
		Mark:   r.mark(),
		Open: func(ctx context.Context, contexts []ul.ProposedContext) (outbox.Session, error) {
			a, err := b.dial(ctx, r, contexts)
			if err != nil {
				return nil, err // not as an interface that holds nothing
			}
			return a, nil
		},
	}
}

// dial opens an association to the target of a route. What it sends on it passes the guard.
func (b *Outbound) dial(ctx context.Context, r *route, contexts []ul.ProposedContext) (*dimse.Association, error) {
	host, _, _ := net.SplitHostPort(r.address)
	config := dimse.Config{
		CallingAETitle: r.as(), CalledAETitle: r.target, Contexts: contexts, Mux: b.Mux, Log: b.Log,
		Principal: b.Outgoing(b.forTarget(r), host, r.target),
		Limits:    dimse.Limits{ARTIM: connectMost, Response: cmp.Or(b.Patience, patience)},
	}
	if !r.Plain {
		own, err := b.Certificate()
		if err != nil {
			return nil, err
		}
		trust, err := r.trust().Profile(r.address)
		if err != nil {
			return nil, err
		}
		config.TLSConfig = tlsprofile.AssociationClient(own, trust)
	}
	return dimse.Dial(ctx, r.address, config)
}

// isTarget reports whether who asks for an association is the target of a route: over
// TLS by its certificate, without by its address, where the way there is without, too.
func (b *Outbound) isTarget(r *route, rq *dimse.AssociateRequest) bool {
	if rq.TLS != nil {
		trust, err := r.trust().Profile(r.address)
		trust.ServerName = "" // it is the caller here
		return err == nil && !r.Plain && trust.VerifyCaller(*rq.TLS) == nil
	}
	if !r.Plain {
		return false
	}
	host, _, _ := net.SplitHostPort(r.address)
	addresses, err := b.names.Addresses(context.Background(), host)
	return err == nil && slices.Contains(addresses, guard.AddressOf(rq.RemoteAddr))
}

// forTarget is the service for the target of a route, which reports storage commitment
// and may do nothing else.
func (b *Outbound) forTarget(was *route) *guard.Service {
	s := guard.Behind(was.Name, func() (string, *policy.Route, error) {
		r, err := b.currentTo(was)
		if err != nil {
			return "", nil, err
		}
		return r.target, &policy.Route{Name: r.Name}, nil
	})
	s.Expects = func(call *dimse.Call) bool {
		return call.Operation == dimse.NEventReport // for a transaction that is known: see report
	}

	s.Negotiate = func(_ context.Context, rq *dimse.AssociateRequest, _ policy.Principal) (dimse.Acceptance, error) {
		acc := dimse.Negotiate(rq, reporting())
		acc.Mux = b.Mux
		return acc, nil
	}
	return s
}

// reporting is what a target that calls may do: ask whether somebody is here, and report
// storage commitment in the role of SCP.
func reporting() dimse.Support {
	return dimse.Support{
		TransferSyntaxes: func(class string) []string {
			if class == uid.Verification || class == uid.StorageCommitmentPushModel {
				return uid.NativeSyntaxes()
			}
			return nil
		},
		Roles: func(class string) (scu, scp bool) { return true, class == uid.StorageCommitmentPushModel },
	}
}

// report takes a report of storage commitment of a target (PS3.4 J.3.3).
func (b *Outbound) report(ctx context.Context, a *dimse.Association, rq *dimse.NRequest) dimse.NResponse {
	if rq.DataSet == nil {
		return dimse.NResponse{Status: dimse.MissingAttribute.With("the data set is missing")}
	}
	if err := b.Judge.DataSet(ctx, rq.DataSet); err != nil {
		return dimse.NResponse{Status: dimse.ProcessingFailure.Because(err)}
	}

	who, _ := guard.Principal(ctx)
	err := error(errGone)
	for _, name := range b.towards(who.Name, a) {
		if err = b.Outbox.Report(ctx, name, rq.DataSet); fault.Of(err) != fault.Denied {
			break
		}
	}
	switch {
	case fault.Of(err) == fault.Denied || err == errGone:
		return dimse.NResponse{Status: dimse.InvalidArgumentValue.Because(err)}
	case err != nil:
		return dimse.NResponse{Status: dimse.ProcessingFailure.Because(err)}
	}
	return dimse.NResponse{}
}

// towards names the routes to a target under the AE title that an association is about; of one that
// called, those whose target it is.
func (b *Outbound) towards(target string, a *dimse.Association) (names []string) {
	own := a.CalledAETitle()
	if a.Requestor() {
		own = a.CallingAETitle()
	}
	b.mu.Lock()
	var routes []*route
	for _, r := range b.routes {
		if r.target == target && r.as() == own && !r.Closed {
			routes = append(routes, r)
		}
	}
	b.mu.Unlock()

	for _, r := range routes { // a name may be looked up, which takes its time
		if a.Requestor() || b.isTarget(r, a.Request()) {
			names = append(names, r.Name)
		}
	}
	return names
}

// Handed records what was handed over, in the transaction in which it is dropped.
func (b *Outbound) Handed(ctx context.Context, tx *db.Tx, list []outbox.Item) error {
	record := audit.Record{Event: audit.Transferred, Action: audit.Read, Principal: list[0].Source, Kind: string(policy.System)}
	name := list[0].Destination
	b.mu.Lock()
	r := b.routes[name]
	b.mu.Unlock()
	if r != nil {
		host, _, _ := net.SplitHostPort(r.address)
		record.Peer = audit.Peer{Address: host, CallingAETitle: r.as(), CalledAETitle: name, Destination: r.target}
	}

	for _, part := range audit.ByPatient(studiesOf(list), 100) {
		record.Objects = part
		if err := b.Trail.WriteTx(ctx, tx, record); err != nil {
			return err
		}
	}
	return nil
}

// studiesOf are objects by study, in the order in which the studies came.
func studiesOf(list []outbox.Item) (studies []audit.Object) {
	at := map[string]int{}
	for _, i := range list {
		n, known := at[i.Study]
		if !known {
			n = len(studies)
			at[i.Study] = n
			studies = append(studies, audit.Object{
				Study: i.Study, Patient: i.Patient, PatientIssuer: i.PatientIssuer, SOPClasses: map[string]int{},
			})
		}
		o := &studies[n]
		o.SOPClasses[i.SOPClassUID]++
		o.Instances++
		o.Detail = handedText(i)
	}
	return studies
}

// handedText says what the target answered.
func handedText(i outbox.Item) string {
	text := fmt.Sprintf("handed over on %s, answered %s", i.Sent.UTC().Format(time.RFC3339), i.Answer)
	if i.Transaction != "" {
		text += ", its storage committed to"
	}
	return text
}
