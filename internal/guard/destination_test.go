package guard

import (
	"context"
	"crypto/tls"
	"errors"
	"testing"
	"time"

	"collimator/dicom/uid"
	"collimator/dimse"
	"collimator/internal/fault"
	"collimator/internal/house/housetest"
	"collimator/internal/identity"
	"collimator/internal/tlsprofile"
)

// egress opens associations for a door.
func egress(d *door) *Egress {
	cert, err := identity.NewServerCertificate(d.authority, nil)
	if err != nil {
		d.Fatal(err)
	}
	return &Egress{AETitle: ownTitle, Registry: d.Registry, Certificate: cert.Get, Guard: d.Guard}
}

func TestOnlyRegisteredDevicesThatListenAreDestinations(t *testing.T) {
	t.Parallel()
	d := newDoor(t)
	e := egress(d)
	d.device("MUTE", nil)
	d.device("GONE", func(x *identity.Device) { x.Listen = "127.0.0.1:1" })
	if err := d.Registry.Remove(t.Context(), "GONE"); err != nil {
		t.Fatal(err)
	}
	for _, title := range []string{"", "EVIL", "127.0.0.1:104", "MUTE", "GONE", "mute"} {
		if to, err := e.Destination(t.Context(), title); fault.Of(err) != fault.NotFound || to != nil {
			t.Errorf("%q: %v, %v", title, to, err)
		}
	}
}

func TestPlainDestinationsNeedTheirException(t *testing.T) {
	t.Parallel()
	d := newDoor(t)
	e := egress(d)
	d.device("OLD1", func(x *identity.Device) {
		x.Address, x.Listen, x.PlaintextUntil = "127.0.0.1", "127.0.0.1:104", d.clock.Now().Add(time.Hour)
	})
	withTLS := func() bool {
		to, err := e.Destination(t.Context(), "OLD1")
		if err != nil {
			t.Fatal(err)
		}
		x := to.(dimse.Dialer)
		if x.Address != "127.0.0.1:104" || x.Config.CallingAETitle != ownTitle || x.Config.CalledAETitle != "OLD1" {
			t.Errorf("dials %s as %s to %s", x.Address, x.Config.CallingAETitle, x.Config.CalledAETitle)
		}
		return x.Config.TLSConfig != nil
	}
	if withTLS() {
		t.Error("TLS although the exception runs")
	}
	d.clock.Advance(time.Hour)
	if !withTLS() {
		t.Error("no TLS although the exception is over")
	}
}

// A destination must show the certificate that is bound to it; any other of the
// same authority is not enough.
func TestDestinationsMustShowTheirCertificate(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		shows func(d *door, bound *identity.Issued) *identity.Issued
		ok    bool
	}{
		"its own":      {func(_ *door, bound *identity.Issued) *identity.Issued { return bound }, true},
		"same subject": {func(d *door, _ *identity.Issued) *identity.Issued { return issue(d, "WS1") }, false},
		"another's":    {func(d *door, _ *identity.Issued) *identity.Issued { return issue(d, "WS2") }, false},
		"expired": {func(d *door, bound *identity.Issued) *identity.Issued {
			d.clock.Advance(3 * identity.DeviceLifetime)
			return bound
		}, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := newDoor(t)
			d.clock.Set(time.Now()) // certificates are checked against the real time in the handshake
			bound := issue(d, "WS1")
			e := egress(d)
			shown := tc.shows(d, bound)
			pair, err := tls.X509KeyPair(shown.CertPEM, shown.KeyPEM)
			if err != nil {
				t.Fatal(err)
			}
			mux := dimse.NewMux(dimse.Unguarded)
			mux.HandleEcho(nil)
			address := housetest.Listen(t, &dimse.Server{
				TLSConfig: tlsprofile.AssociationServer(func() (*tls.Certificate, error) { return &pair, nil }), Mux: mux,
				Admit: func(_ context.Context, rq *dimse.AssociateRequest) (dimse.Acceptance, error) {
					return dimse.Negotiate(rq, support()), nil
				},
			})
			if err := d.Registry.Put(t.Context(), identity.Device{AETitle: "WS1", Listen: address}); err != nil {
				t.Fatal(err)
			}
			if err := d.Registry.Bind(t.Context(), "WS1", bound.Certificate); err != nil {
				t.Fatal(err)
			}
			to, err := e.Destination(t.Context(), "WS1")
			if err != nil {
				t.Fatal(err)
			}
			a, err := to.Dial(t.Context(), dimse.Propose([]string{uid.Verification}, []string{uid.ImplicitVRLittleEndian}, false))
			if tc.ok != (err == nil) {
				t.Fatalf("dial: %v", err)
			}
			if err == nil {
				a.Abort()
			} else if !errors.Is(err, tlsprofile.ErrUntrusted) {
				t.Errorf("dial: %v", err)
			}
		})
	}
}

func issue(d *door, title string) *identity.Issued {
	d.Helper()
	i, err := d.authority.IssueDevice(title, 0, false)
	if err != nil {
		d.Fatal(err)
	}
	return i
}
