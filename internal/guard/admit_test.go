package guard

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"strings"
	"testing"
	"time"

	"collimator/dicom/uid"
	"collimator/dimse"
	"collimator/dimse/ul"
	"collimator/internal/audit"
	"collimator/internal/fault"
	"collimator/internal/identity"
	"collimator/internal/lockout"
	"collimator/internal/policy"
	"collimator/internal/tlsprofile"
)

func TestAdmitRefusesAndRecords(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		request func(d *door) *dimse.AssociateRequest
		reason  string
		door    audit.Door
		pending bool
	}{
		"unknown title":             {func(d *door) *dimse.AssociateRequest { return request("STRANGER", d.device("CT1", nil)) }, "not registered", doorDIMSE, true},
		"unknown title without TLS": {func(d *door) *dimse.AssociateRequest { return request("STRANGER", nil) }, "came without TLS", doorPlain, true},
		"another's title": {func(d *door) *dimse.AssociateRequest {
			d.device("CT1", nil)
			return request("CT1", d.device("CT2", nil))
		}, "not bound to this AE title", doorDIMSE, true},
		"registered, without TLS": {func(d *door) *dimse.AssociateRequest { d.device("CT1", nil); return request("CT1", nil) }, "may not come without TLS", doorPlain, true},
		"other address": {func(d *door) *dimse.AssociateRequest {
			return request("CT1", d.device("CT1", func(x *identity.Device) { x.Address = "192.0.2.99" }))
		}, "another address", doorDIMSE, true},
		"expired certificate": {func(d *door) *dimse.AssociateRequest {
			cert := d.device("CT1", nil)
			d.clock.Advance(3 * identity.DeviceLifetime)
			return request("CT1", cert)
		}, "expired", doorDIMSE, false},
		"certificate of tomorrow": {func(d *door) *dimse.AssociateRequest {
			cert := d.device("CT1", nil)
			d.clock.Advance(-72 * time.Hour)
			return request("CT1", cert)
		}, "not valid yet", doorDIMSE, false},
		"removed device": {func(d *door) *dimse.AssociateRequest {
			cert := d.device("CT1", nil)
			if err := d.Registry.Remove(d.Context(), "CT1"); err != nil {
				d.Fatal(err)
			}
			return request("CT1", cert)
		}, "not registered", doorDIMSE, true},
		"wrong called title": {func(d *door) *dimse.AssociateRequest {
			rq := request("CT1", d.device("CT1", nil))
			rq.CalledAETitle = "OTHER"
			return rq
		}, "called AE title is not ours", doorDIMSE, false},
		"wrong passcode": {func(d *door) *dimse.AssociateRequest {
			return withIdentity(request("CT1", d.device("CT1", nil)), ul.IdentityUsernamePasscode, "anna", "a wrong passcode")
		}, "user identity was not verified", doorDIMSE, false},
		"token we cannot verify": {func(d *door) *dimse.AssociateRequest {
			return withIdentity(request("CT1", d.device("CT1", nil)), ul.IdentityJWT, "e30.e30.", "")
		}, "user identity was not verified", doorDIMSE, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := newDoor(t)
			rq := tc.request(d)
			_, err := d.admit(rq)
			rejected, ok := errors.AsType[*dimse.RejectError](err)
			if !ok || rejected.Result != ul.RejectedPermanent || rejected.Source != ul.RejectServiceUser || rejected.Reason != ul.UserNoReason {
				t.Fatalf("got %v, want the rejection that tells nothing", err)
			}
			r := d.one()
			if r.Event != audit.SecurityAlert || r.Outcome != audit.MinorFailure || !strings.Contains(r.Reason, tc.reason) || r.Door != tc.door ||
				r.Peer.CallingAETitle != rq.CallingAETitle || r.Peer.Address != "192.0.2.7" || (r.Peer.Fingerprint == "") != (rq.TLS == nil) {
				t.Errorf("recorded %+v", r)
			}
			pending, err := d.Registry.ListPending(t.Context())
			if err != nil || (len(pending) == 1) != tc.pending {
				t.Errorf("pending: %+v %v", pending, err)
			}
			if tc.pending && (pending[0].CallingAETitle != rq.CallingAETitle || !strings.Contains(pending[0].Reason, tc.reason) || pending[0].Contexts[0] != uid.Verification) {
				t.Errorf("pending: %+v", pending[0])
			}
		})
	}
}

func withIdentity(rq *dimse.AssociateRequest, kind ul.IdentityType, name, passcode string) *dimse.AssociateRequest {
	rq.Identity = &ul.UserIdentity{Kind: kind, PositiveResponseRequested: true, Primary: ul.NewSecret([]byte(name)), Secondary: ul.NewSecret([]byte(passcode))}
	return rq
}

func TestAdmitLetsRegisteredDevicesIn(t *testing.T) {
	t.Parallel()
	const passcode = "correct horse battery"
	for name, tc := range map[string]struct {
		request  func(d *door) *dimse.AssociateRequest
		door     audit.Door
		person   string
		positive bool
	}{
		"with its certificate": {func(d *door) *dimse.AssociateRequest { return request("CT1", d.device("CT1", nil)) }, doorDIMSE, "", false},
		"from its address": {func(d *door) *dimse.AssociateRequest {
			return request("CT1", d.device("CT1", func(x *identity.Device) { x.Address = "192.0.2.7" }))
		}, doorDIMSE, "", false},
		"without TLS while its exception runs": {func(d *door) *dimse.AssociateRequest {
			d.device("CT1", func(x *identity.Device) { x.Address, x.PlaintextUntil = "192.0.2.7", d.clock.Now().Add(time.Hour) })
			return request("CT1", nil)
		}, doorPlain, "", false},
		"a name without proof is not answered": {func(d *door) *dimse.AssociateRequest {
			return withIdentity(request("CT1", d.device("CT1", nil)), ul.IdentityUsername, "anna", "")
		}, doorDIMSE, "", false},
		"with the right passcode": {func(d *door) *dimse.AssociateRequest {
			if err := d.Registry.AddPerson(d.Context(), "anna", identity.Administrator, passcode); err != nil {
				d.Fatal(err)
			}
			return withIdentity(request("CT1", d.device("CT1", nil)), ul.IdentityUsernamePasscode, "anna", passcode)
		}, doorDIMSE, "anna", true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := newDoor(t)
			acc, err := d.admit(tc.request(d))
			if err != nil {
				t.Fatal(err)
			}
			if len(acc.Contexts) != 1 || acc.Contexts[0].Result != ul.Acceptance || (acc.Identity != nil) != tc.positive {
				t.Errorf("accepted %+v", acc)
			}
			r := d.one()
			if r.Event != audit.UserAuthenticated || r.Outcome != audit.Success || r.Door != tc.door || r.Principal != "CT1" {
				t.Errorf("recorded %+v", r)
			}
			if person := len(r.Objects) == 1 && r.Objects[0].Person == tc.person; person != (tc.person != "") {
				t.Errorf("recorded %+v", r.Objects)
			}
		})
	}
}

func TestADeviceThatGuessesPasscodesHasToWait(t *testing.T) {
	t.Parallel()
	const passcode = "correct horse battery"
	d := newDoor(t)
	if err := d.Registry.AddPerson(t.Context(), "anna", identity.Administrator, passcode); err != nil {
		t.Fatal(err)
	}
	cert, other := d.device("CT1", nil), d.device("CT2", nil)
	try := func(title string, cert *x509.Certificate, passcode string) error {
		_, err := d.admit(withIdentity(request(title, cert), ul.IdentityUsernamePasscode, "anna", passcode))
		return err
	}
	for range lockout.Free + 1 {
		if try("CT1", cert, "guess") == nil {
			t.Fatal("a guess counts")
		}
	}
	if try("CT1", cert, passcode) == nil {
		t.Error("the next guess is looked at at once")
	}
	if err := try("CT2", other, passcode); err != nil {
		t.Errorf("another device has to wait, too: %v", err)
	}
	d.clock.Advance(lockout.Most)
	if err := try("CT1", cert, passcode); err != nil {
		t.Errorf("after the wait: %v", err)
	}
}

func TestPlaintextExceptionEnds(t *testing.T) {
	t.Parallel()
	d := newDoor(t)
	d.device("OLD1", func(x *identity.Device) { x.Address, x.PlaintextUntil = "192.0.2.7", d.clock.Now().Add(time.Hour) })
	admit := func() error { _, err := d.admit(request("OLD1", nil)); return err }
	d.clock.Advance(time.Hour - time.Millisecond)
	if err := admit(); err != nil {
		t.Errorf("refused before its end: %v", err)
	}
	d.clock.Advance(time.Millisecond)
	if err := admit(); err == nil {
		t.Error("let in after its end")
	}
	other := request("OLD1", nil)
	other.RemoteAddr = &net.TCPAddr{IP: net.IPv4(192, 0, 2, 8)}
	d.clock.Advance(-time.Minute)
	if _, err := d.admit(other); err == nil {
		t.Error("let in from another address")
	}
}

func TestOurOwnFaultIsATransientRejection(t *testing.T) {
	t.Parallel()
	d := newDoor(t)
	cert := d.device("CT1", nil)
	d.db.Close()
	_, err := d.admit(request("CT1", cert))
	if rejected, ok := errors.AsType[*dimse.RejectError](err); !ok || rejected.Result != ul.RejectedTransient {
		t.Errorf("got %v", err)
	}
}

func TestFloodOfRefusalsIsCountedNotWritten(t *testing.T) {
	t.Parallel()
	d := newDoor(t)
	for range 50 {
		d.admit(request("STRANGER", nil))
	}
	if n := len(d.records()); n != sampleBurst {
		t.Errorf("%d records of 50 refusals", n)
	}
	d.clock.Advance(2 * sampleWindow)
	d.admit(request("STRANGER", nil))
	if r := d.one(); len(r.Objects) != 1 || r.Objects[0].Failed != 40 {
		t.Errorf("the rest is not counted: %+v", r)
	}
	if p, err := d.Registry.ListPending(t.Context()); err != nil || len(p) != 1 || p[0].Attempts != 51 {
		t.Errorf("pending: %+v %v", p, err)
	}
}

func TestPendingCallersAreBounded(t *testing.T) {
	t.Parallel()
	d := newDoor(t)
	for i := range 30 {
		d.clock.Advance(time.Second)
		d.admit(request("STRANGER"+strings.Repeat("X", i%8)+string(rune('A'+i)), nil))
	}
	if p, err := d.Registry.ListPending(t.Context()); err != nil || len(p) != d.Pending {
		t.Errorf("%d pending, want %d: %v", len(p), d.Pending, err)
	}
}

func TestConnectionsThatNeverAskedAreRecorded(t *testing.T) {
	t.Parallel()
	from := &net.TCPAddr{IP: net.IPv4(192, 0, 2, 7)}
	for kind, tc := range map[dimse.RefusalKind]struct {
		request *dimse.AssociateRequest
		reason  string // empty: not recorded here
		pending bool
	}{
		dimse.RefusedCap:       {nil, "too many connections", false},
		dimse.RefusedTimeout:   {nil, "in time", false},
		dimse.RefusedTLS:       {nil, "TLS handshake", false},
		dimse.RefusedGarbage:   {nil, "neither DICOM nor TLS", false},
		dimse.RefusedMalformed: {nil, "cannot be read", false},
		dimse.RefusedPlaintext: {request("OLD1", nil), "without TLS", true},
		dimse.RefusedRejected:  {request("OLD1", nil), "", false},
		dimse.RefusedClosed:    {nil, "", false},
	} {
		t.Run(kind.String(), func(t *testing.T) {
			t.Parallel()
			d := newDoor(t)
			d.Refused(dimse.Refusal{Kind: kind, RemoteAddr: from, Request: tc.request})
			if tc.reason == "" {
				if n := len(d.records()); n != 0 {
					t.Errorf("%d records", n)
				}
				return
			}
			if r := d.one(); r.Event != audit.SecurityAlert || !strings.Contains(r.Reason, tc.reason) || r.Peer.Address != "192.0.2.7" {
				t.Errorf("recorded %+v", r)
			}
			if p, err := d.Registry.ListPending(t.Context()); err != nil || (len(p) == 1) != tc.pending {
				t.Errorf("pending: %+v %v", p, err)
			}
		})
	}
}

func TestTheReasonOfARefusedHandshakeIsTold(t *testing.T) {
	t.Parallel()
	issued, err := newDoor(t).authority.IssueDevice("SERVER", 0, false)
	if err != nil {
		t.Fatal(err)
	}
	server, err := tls.X509KeyPair(issued.CertPEM, issued.KeyPEM)
	if err != nil {
		t.Fatal(err)
	}
	for name, tc := range map[string]struct {
		client *tls.Config
		reason string
	}{
		"old version":       {&tls.Config{MaxVersion: tls.VersionTLS11, MinVersion: tls.VersionTLS10}, "unsupported versions"},
		"no common suite":   {&tls.Config{MaxVersion: tls.VersionTLS12, CipherSuites: []uint16{tls.TLS_RSA_WITH_AES_128_CBC_SHA}}, "no cipher suite supported by both"},
		"no certificate":    {&tls.Config{}, "didn't provide a certificate"},
		"does not trust us": {&tls.Config{RootCAs: x509.NewCertPool()}, "the peer says: "},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			tc.client.InsecureSkipVerify = tc.client.RootCAs == nil
			tc.client.ServerName = "localhost"
			near, far := net.Pipe()
			go func() { // ends with the pipe
				conn := tls.Client(far, tc.client)
				conn.Handshake()
				conn.Read(make([]byte, 1))
				far.Close()
			}()
			err := tls.Server(near, tlsprofile.AssociationServer(func() (*tls.Certificate, error) { return &server, nil })).Handshake()
			near.Close()

			d := newDoor(t)
			d.Refused(dimse.Refusal{Kind: dimse.RefusedTLS, RemoteAddr: &net.TCPAddr{IP: net.IPv4(192, 0, 2, 7)}, Err: fmt.Errorf("dimse: TLS handshake: %w", err)})
			if r := d.one(); !strings.Contains(r.Reason, tc.reason) || strings.ContainsAny(r.Reason, "[0123456789") {
				t.Errorf("reason is %q, want one with %q", r.Reason, tc.reason)
			}
		})
	}
}

func TestAddressesAreBare(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		from net.Addr
		want string
	}{
		{&net.TCPAddr{IP: net.ParseIP("::ffff:192.0.2.7"), Port: 1}, "192.0.2.7"},
		{&net.TCPAddr{IP: net.ParseIP("2001:db8::1"), Port: 1}, "2001:db8::1"},
		{&net.UnixAddr{Name: "x"}, "invalid IP"},
	} {
		if got := AddressOf(tc.from).String(); got != tc.want {
			t.Errorf("%v: %s", tc.from, got)
		}
	}
	if fingerprintOf((*x509.Certificate)(nil)) != "" {
		t.Error("a fingerprint of nothing")
	}
}

// A device that is let in and finds nobody behind the door tries again and again.
func TestAFloodOfCallsToWhatTakesNobodyIsCounted(t *testing.T) {
	t.Parallel()
	d := newDoor(t)
	rq := request("CT1", d.device("CT1", nil))
	closed := &Service{Negotiate: func(context.Context, *dimse.AssociateRequest, policy.Principal) (dimse.Acceptance, error) {
		return dimse.Acceptance{}, fault.New(fault.Unavailable, "gate: the route is closed")
	}}
	call := func() {
		_, err := d.Admit(t.Context(), rq, closed)
		if rejected, ok := errors.AsType[*dimse.RejectError](err); !ok || rejected.Result != ul.RejectedTransient {
			t.Fatalf("got %v, want a transient rejection", err)
		}
	}
	for range 5 * sampleBurst {
		call()
	}
	if n := len(d.records()); n != sampleBurst {
		t.Errorf("%d records, want %d", n, sampleBurst)
	}

	d.clock.Advance(2 * sampleWindow)
	call()
	if r := d.one(); r.Reason != "The route is closed." || len(r.Objects) != 1 || r.Objects[0].Failed != 4*sampleBurst {
		t.Errorf("the rest is not counted: %+v", r)
	}
}
