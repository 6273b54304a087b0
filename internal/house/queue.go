package house

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"path/filepath"
	"slices"
	"time"
	"unicode/utf8"

	"collimator/internal/audit"
	"collimator/internal/db"
	"collimator/internal/fault"
	"collimator/internal/gate"
	"collimator/internal/outbox"
	"collimator/internal/outward"
	"collimator/internal/phrase"
	"collimator/internal/shown"
	"collimator/internal/tlsprofile"
)

// RetryQueue has what waits for the target of a route, or was set aside, sent now, with a record.
// elsewhere is how many objects came while it led to another target: they go on waiting. Where
// nothing waits, or there is no such route, that is fault.NotFound; where nothing of it can be sent
// as the route stands, fault.Conflict.
func (in *Installation) RetryQueue(ctx context.Context, name string) (n, elsewhere int64, err error) {
	r, err := in.sendingRoute(ctx, name)
	if err != nil {
		return 0, 0, err
	}
	if n, err = outbox.Retry(ctx, in.DB, name, r.Outbound.To); err != nil {
		return 0, 0, err
	}
	list, err := in.Queue(ctx, name)
	if err != nil {
		return 0, 0, err
	}
	for _, s := range list {
		if s.Target != r.Outbound.To {
			elsewhere += s.Objects()
		}
	}

	switch {
	case n > 0:
		return n, elsewhere, in.noteRoute(ctx, audit.Execute, name, "queue sent again, "+phrase.Count(n, "object", "objects"))
	case elsewhere > 0:
		return 0, 0, fault.Newf(fault.Conflict, "nothing waits for %[2]s: what waits came while %[1]s led elsewhere; "+
			"'collimator gate queue retry %[1]s --redirect' sends it there now", name, r.Outbound.To)
	}
	return 0, 0, fault.Newf(fault.NotFound, "nothing waits for %s; 'collimator gate queue list' shows what does", name)
}

// RedirectQueue has what came for other targets of a route sent to the one it leads to now, with a
// record; elsewhere is 0. Errors are as those of RetryQueue.
func (in *Installation) RedirectQueue(ctx context.Context, name string) (n, elsewhere int64, err error) {
	r, err := in.sendingRoute(ctx, name)
	if err != nil {
		return 0, 0, err
	}
	if n, err = outbox.Redirect(ctx, in.DB, name, r.Outbound.To); err != nil {
		return 0, 0, err
	}
	if n == 0 {
		return 0, 0, fault.Newf(fault.NotFound,
			"nothing waits for another target of %s; 'collimator gate queue list' shows what does", name)
	}
	return n, 0, in.noteRoute(ctx, audit.Execute, name, "queue sent to "+r.Outbound.To+" instead, "+phrase.Count(n, "object", "objects"))
}

// Keeps fails where a name is not that of a route that keeps what it sends.
func (in *Installation) Keeps(ctx context.Context, name string) error {
	_, err := in.keepingRoute(ctx, name)
	return err
}

func (in *Installation) keepingRoute(ctx context.Context, name string) (r gate.Route, err error) {
	r, _, err = in.Route(ctx, name)
	if err == nil && r.Outbound == nil {
		err = fault.Newf(fault.Conflict, "%s is a route with %s, which keeps nothing", name, r.Kind())
	}
	return r, err
}

// sendingRoute is a route that sends what waits; fault.Conflict where it was removed or closed.
func (in *Installation) sendingRoute(ctx context.Context, name string) (r gate.Route, err error) {
	r, err = in.keepingRoute(ctx, name)
	if fault.Of(err) == fault.NotFound {
		if waits, lookErr := in.Waits(ctx, name); lookErr == nil && waits > 0 {
			return r, fault.Newf(fault.Conflict, "the route %s was removed, and what waits for it is sent when there is one "+
				"of this name again: 'collimator gate add %[1]s --outbound'", name)
		}
	}
	if err == nil && r.Closed {
		err = fault.Newf(fault.Conflict, "%s is closed, and sends nothing; first 'collimator gate reopen %[1]s'", name)
	}
	return r, err
}

// Waits is how many objects wait for a route, or were set aside.
func (in *Installation) Waits(ctx context.Context, route string) (n int64, err error) {
	list, err := in.Queue(ctx, route)
	for _, s := range list {
		n += s.Objects()
	}
	return n, err
}

// Queue is what waits for a route, or was set aside, by target; for all routes where none is named.
func (in *Installation) Queue(ctx context.Context, route string) (list []outbox.Summary, err error) {
	if list, err = outbox.Summaries(ctx, in.DB); err != nil {
		return nil, err
	}
	routes, err := gate.Load(RoutesFile(in.Config))
	if err != nil {
		return nil, fault.Misuse(err)
	}

	list = slices.DeleteFunc(list, func(s outbox.Summary) bool { return route != "" && s.Destination != route })
	for n := range list {
		why := strands(routes, list[n])
		if why == "" {
			continue
		}
		// What is known of the target is known of the one that the route has now.
		list[n].Reason = why
		list[n].Tries = 0
		list[n].Tried = time.Time{}
		list[n].Due = time.Time{}
	}
	return list, nil
}

// strands says why nothing is sent, though nothing is wrong with the target; empty where it is sent.
func strands(routes []gate.Route, s outbox.Summary) string {
	r, err := gate.Find(routes, s.Destination)
	switch {
	case err != nil || r.Outbound == nil:
		return "the route was removed; one of the same name sends it"
	case r.Closed:
		return fmt.Sprintf("the route is closed; 'collimator gate reopen %s'", r.Name)
	case r.Outbound.To != s.Target:
		return fmt.Sprintf("the route leads elsewhere now; 'collimator gate queue retry %s --redirect' sends it there", r.Name)
	}
	return ""
}

// CheckReason fails where nobody could learn anything from a reason.
func CheckReason(reason string) error {
	if n := utf8.RuneCountInString(reason); n < 5 || n > 200 {
		return fault.New(fault.Invalid, "the reason has 5 to 200 characters")
	}
	return nil
}

// DropQueued removes an object that has not arrived, with a record in the same
// transaction. That it went through is forgotten: nobody may be told that it is kept.
func (in *Installation) DropQueued(ctx context.Context, i outbox.Item, reason string) error {
	if err := CheckReason(reason); err != nil {
		return err
	}
	return outbox.Drop(ctx, in.DB, filepath.Join(in.Config.Data, outbox.Dir), i, func(ctx context.Context, tx *db.Tx) error {
		_, err := tx.Exec(ctx, `DELETE FROM first_write WHERE route = ?1 AND uid = ?2`, i.Destination, i.SOPInstanceUID)
		if err != nil {
			return err
		}
		return in.Trail.WriteTx(ctx, tx, attributed(ctx, audit.Record{
			Event: audit.InstancesDeleted, Action: audit.Delete,
			Reason: reason, Peer: audit.Peer{CalledAETitle: i.Destination},
			Objects: []audit.Object{{
				Study: i.Study, Patient: i.Patient, PatientIssuer: i.PatientIssuer, Instances: 1,
				SOPClasses: map[string]int{i.SOPClassUID: 1},
				Detail:     fmt.Sprintf("from the queue of the route %s: SOP Instance UID %s", i.Destination, i.SOPInstanceUID),
			}},
		}))
	})
}

// Met is a certificate that somebody showed. Nobody vouched for it.
type Met struct {
	Subject     string
	Fingerprint string // SHA-256, lower-case hex
}

// meetMost is how long a target may take to show its certificate.
const meetMost = 10 * time.Second

// MeetTarget connects to an address once, to see its certificate. Nothing is sent there
// but a TLS handshake, which ends before our own certificate is shown.
func MeetTarget(ctx context.Context, address string) (met Met, err error) {
	ctx, cancel := context.WithTimeout(ctx, meetMost)
	defer cancel()
	var shownBy *x509.Certificate
	enough := errors.New("seen")
	config := tlsprofile.AssociationClient(nil, tlsprofile.Trust{})
	config.VerifyConnection = func(cs tls.ConnectionState) error {
		if len(cs.PeerCertificates) > 0 {
			shownBy = cs.PeerCertificates[0]
		}
		return enough
	}

	conn, err := new(net.Dialer).DialContext(ctx, "tcp", address)
	if err == nil {
		defer conn.Close()
		err = tls.Client(conn, config).HandshakeContext(ctx)
	}
	if shownBy != nil {
		return Met{Subject: shown.Text(shownBy.Subject.String()), Fingerprint: tlsprofile.Fingerprint(shownBy)}, nil
	}
	if reason := outward.Reason(err); reason != "" {
		return met, &outward.Unanswered{Text: address + " is not reached: " + reason, Err: err}
	}
	return met, fmt.Errorf("%s shows no certificate: %w", address, err)
}
