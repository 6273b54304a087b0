package house_test

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"net"
	"strings"
	"sync/atomic"
	"testing"

	"collimator/internal/db"
	"collimator/internal/house"
	"collimator/internal/house/sitetest"
	"collimator/internal/tlsprofile"
)

func TestATargetIsMetWithoutShowingOurCertificate(t *testing.T) {
	t.Parallel()
	certPEM, keyPEM, err := sitetest.SelfSigned(11)
	if err != nil {
		t.Fatal(err)
	}
	pair, err := tls.X509KeyPair(certPEM, keyPEM)
	if err != nil {
		t.Fatal(err)
	}
	var got atomic.Bool // anything beyond the handshake
	ln, err := tls.Listen("tcp", "127.0.0.1:0", tlsprofile.AssociationServer(func() (*tls.Certificate, error) { return &pair, nil }))
	if err != nil {
		t.Fatal(err)
	}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		conn, err := ln.Accept()
		if err != nil {
			return
		}
		defer conn.Close()
		got.Store(conn.(*tls.Conn).Handshake() == nil)
	}()
	t.Cleanup(func() { ln.Close(); <-ended })

	met, err := house.MeetTarget(t.Context(), ln.Addr().String())
	block, _ := pem.Decode(certPEM)
	leaf, parseErr := x509.ParseCertificate(block.Bytes)
	if err != nil || parseErr != nil || met.Fingerprint != tlsprofile.Fingerprint(leaf) {
		t.Errorf("%+v %v %v", met, err, parseErr)
	}
	<-ended
	if got.Load() {
		t.Error("the handshake went on")
	}
}

func TestATargetThatIsNotThereIsSaid(t *testing.T) {
	t.Parallel()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := ln.Addr().String()
	ln.Close()
	if _, err := house.MeetTarget(t.Context(), address); err == nil || !strings.Contains(err.Error(), "nobody listens there") {
		t.Errorf("%v", err)
	}
}

const outboundRoutes = `routes:
  - {name: CT2, outbound: {from: "CT2@10.0.0.9", to: "PACS2@127.0.0.1:105", plain: true}}
  - {name: SHUT, closed: true, outbound: {from: "CT3@10.0.0.9", to: "PACS3@127.0.0.1:105", plain: true}}
  - {name: PACS, protect: "OLDPACS@127.0.0.1:104", rules: [{name: all, registered: true}]}
`

// waiting puts an object into the queue of a route, as it came for a target.
func waiting(in *house.Installation, t *testing.T, route, target, uid string) {
	t.Helper()
	err := in.DB.Write(t.Context(), func(tx *db.Tx) error {
		_, err := tx.Exec(t.Context(), `INSERT INTO outbox (destination, target, study, uid, class, syntax, hash, size, file, patient, issuer,
			source, state, queued) VALUES (?1, ?2, '1.2', ?3, '1.2', '1.2', '', 1, ?3, '', '', 'CT2', 'waiting', 1)`, route, target, uid)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

// What a retry counts is what is sent by it; what is not is named, with what would send it.
func TestARetryCountsWhatCanBeSent(t *testing.T) {
	t.Parallel()
	in := withRoutes(t, outboundRoutes)
	ctx := t.Context()
	waiting(in, t, "CT2", "OTHER@127.0.0.1:105", "1.1")
	waiting(in, t, "SHUT", "PACS3@127.0.0.1:105", "1.2")
	waiting(in, t, "GONE", "PACS4@127.0.0.1:105", "1.3")
	for route, want := range map[string]string{
		"CT2": "retry CT2 --redirect", "SHUT": "gate reopen SHUT", "GONE": "was removed", "PACS": "keeps nothing", "NONE": "there is no route NONE",
	} {
		n, elsewhere, err := in.RetryQueue(ctx, route)
		if err == nil || n+elsewhere != 0 || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %d, %d, %v", route, n, elsewhere, err)
		}
	}

	waiting(in, t, "CT2", "PACS2@127.0.0.1:105", "1.4")
	if n, elsewhere, err := in.RetryQueue(ctx, "CT2"); n != 1 || elsewhere != 1 || err != nil {
		t.Errorf("%d, %d, %v", n, elsewhere, err)
	}
	if n, _, err := in.RedirectQueue(ctx, "CT2"); n != 1 || err != nil {
		t.Errorf("%d, %v", n, err)
	}
	if n, elsewhere, err := in.RetryQueue(ctx, "CT2"); n != 2 || elsewhere != 0 || err != nil {
		t.Errorf("%d, %d, %v", n, elsewhere, err)
	}
}

// How often a target was tried is said where something waits for it, and of what waits for another one or
// without a route why it does.
func TestTheQueueSaysWhyItWaits(t *testing.T) {
	t.Parallel()
	in := withRoutes(t, outboundRoutes)
	waiting(in, t, "CT2", "OTHER@127.0.0.1:105", "1.1")
	waiting(in, t, "CT2", "PACS2@127.0.0.1:105", "1.2")
	waiting(in, t, "GONE", "PACS4@127.0.0.1:105", "1.3")
	waiting(in, t, "SHUT", "PACS3@127.0.0.1:105", "1.4")
	err := in.DB.Write(t.Context(), func(tx *db.Tx) error {
		_, err := tx.Exec(t.Context(), `INSERT INTO outbox_destination (destination, tries, due, reason, tried)
			VALUES ('CT2', 3, 9000, 'nobody listens', 5000), ('SHUT', 3, 9000, 'nobody listens', 5000)`)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}

	list, err := in.Queue(t.Context(), "")
	if err != nil || len(list) != 4 {
		t.Fatalf("%+v, %v", list, err)
	}
	for i, want := range []struct {
		tries  int
		reason string
	}{{0, "leads elsewhere now"}, {3, "nobody listens"}, {0, "was removed"}, {0, "gate reopen SHUT"}} {
		s := list[i]
		if s.Tries != want.tries || !strings.Contains(s.Reason, want.reason) || s.Tried.IsZero() != (want.tries == 0) {
			t.Errorf("%+v", s)
		}
	}
}
