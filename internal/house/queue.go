package house

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"path/filepath"
	"time"
	"unicode/utf8"

	"collimator/internal/audit"
	"collimator/internal/db"
	"collimator/internal/fault"
	"collimator/internal/outbox"
	"collimator/internal/outward"
	"collimator/internal/phrase"
	"collimator/internal/policy"
	"collimator/internal/shown"
	"collimator/internal/tlsprofile"
)

// RetryQueue has what waits for a route, or was set aside, sent now, with a record. A
// route of which nothing waits is fault.NotFound.
func (in *Installation) RetryQueue(ctx context.Context, route string) (n int64, err error) {
	if n, err = outbox.Retry(ctx, in.DB, route); err != nil {
		return 0, err
	}
	if n == 0 {
		return 0, fault.Newf(fault.NotFound, "nothing waits for %s; 'collimator gate queue list' shows what does", route)
	}
	return n, in.noteRoute(ctx, audit.Execute, route, "queue sent again, "+phrase.Count(n, "object", "objects"))
}

// RedirectQueue has what came for other targets of a route sent to the one it leads to now, with a
// record. Where there is none, or no such route, that is fault.NotFound.
func (in *Installation) RedirectQueue(ctx context.Context, name string) (n int64, err error) {
	r, _, err := in.Route(ctx, name)
	if err != nil {
		return 0, err
	}
	if r.Outbound == nil {
		return 0, fault.Newf(fault.Invalid, "%s is a route with %s, which keeps nothing", name, r.Kind())
	}
	if n, err = outbox.Redirect(ctx, in.DB, name, r.Outbound.To); err != nil {
		return 0, err
	}
	if n == 0 {
		return 0, fault.Newf(fault.NotFound, "nothing waits for another target of %s; 'collimator gate queue list' shows what does", name)
	}
	return n, in.noteRoute(ctx, audit.Execute, name, "queue sent to "+r.Outbound.To+" instead, "+phrase.Count(n, "object", "objects"))
}

// Waits is how many objects wait for a route, or were set aside.
func (in *Installation) Waits(ctx context.Context, route string) (n int64, err error) {
	list, err := outbox.Summaries(ctx, in.DB)
	for _, s := range list {
		if s.Destination == route {
			n += s.Waiting + s.Sent + s.Aside
		}
	}
	return n, err
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
		return in.Trail.WriteTx(ctx, tx, audit.Record{
			Event: audit.InstancesDeleted, Action: audit.Delete, Door: audit.DoorCommand, Principal: Operator(),
			Kind: string(policy.Person), Reason: reason, Peer: audit.Peer{CalledAETitle: i.Destination},
			Objects: []audit.Object{{
				Study: i.Study, Patient: i.Patient, PatientIssuer: i.PatientIssuer, Instances: 1,
				SOPClasses: map[string]int{i.SOPClassUID: 1},
				Detail:     fmt.Sprintf("from the queue of the route %s: SOP Instance UID %s", i.Destination, i.SOPInstanceUID),
			}},
		})
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
