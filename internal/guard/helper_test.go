package guard

import (
	"crypto/tls"
	"crypto/x509"
	"log/slog"
	"net"
	"testing"

	"collimator/dicom/uid"
	"collimator/dimse"
	"collimator/dimse/ul"
	"collimator/internal/audit"
	"collimator/internal/db"
	"collimator/internal/house/housetest"
	"collimator/internal/identity"
	"collimator/internal/policy"
)

// door is a guard over a register and a trail of its own.
type door struct {
	*Guard
	*testing.T
	clock     *housetest.Clock
	log       *housetest.Log
	db        *db.DB
	authority *identity.Authority
	register  *housetest.Register
}

const ownTitle = "ARCHIVE"

func newDoor(t *testing.T) *door {
	t.Helper()
	r, l := housetest.NewRegister(t), housetest.NewLog(t)
	g := New(Options{
		Registry: r.Registry,
		Trail:    r.Trail,
		Log:      slog.New(slog.NewTextHandler(l, nil)),
		Pending:  10,
		Now:      r.Clock.Now,
	})
	return &door{Guard: g, T: t, clock: r.Clock, log: l, db: r.DB, authority: r.Authority, register: r}
}

// admit asks for an association with the one application entity there is.
func (d *door) admit(rq *dimse.AssociateRequest) (dimse.Acceptance, error) {
	if rq.CalledAETitle != ownTitle {
		return d.Admit(d.Context(), rq, nil)
	}
	return d.Admit(d.Context(), rq, Offer(support()))
}

// device registers a device and gives its certificate.
func (d *door) device(title string, change func(*identity.Device)) *x509.Certificate {
	d.Helper()
	x := identity.Device{AETitle: title, Verbs: policy.Verbs()}
	if change != nil {
		change(&x)
	}
	issued, err := d.authority.IssueDevice(title, 0, false)
	if err != nil {
		d.Fatal(err)
	}
	if err := d.Registry.Put(d.Context(), x); err != nil {
		d.Fatal(err)
	}
	if err := d.Registry.Bind(d.Context(), title, issued.Certificate); err != nil {
		d.Fatal(err)
	}
	return issued.Certificate
}

// request is a request with a certificate, or without TLS where it is nil.
func request(calling string, cert *x509.Certificate) *dimse.AssociateRequest {
	rq := &dimse.AssociateRequest{
		RemoteAddr: &net.TCPAddr{IP: net.IPv4(192, 0, 2, 7), Port: 40000}, CallingAETitle: calling, CalledAETitle: ownTitle,
		ImplementationClassUID: "1.2.3", ImplementationVersionName: "TEST",
		Contexts: []ul.ProposedContext{{ID: 1, AbstractSyntax: uid.Verification, TransferSyntaxes: []string{uid.ImplicitVRLittleEndian}}},
	}
	if cert != nil {
		rq.TLS = &tls.ConnectionState{PeerCertificates: []*x509.Certificate{cert}}
	}
	return rq
}

// support takes everything in implicit VR little endian.
func support() dimse.Support {
	return dimse.Support{TransferSyntaxes: func(string) []string { return []string{uid.ImplicitVRLittleEndian} }}
}

// records gives what was recorded since the last call.
func (d *door) records() []audit.Record { return d.register.Records(d.T) }

// one is the only record since the last call.
func (d *door) one() audit.Record {
	d.Helper()
	all := d.records()
	if len(all) != 1 {
		d.Fatalf("%d records, want one: %+v", len(all), all)
	}
	return all[0]
}

func (d *door) person(name string, role policy.Role) { d.register.Person(d.T, name, role) }
