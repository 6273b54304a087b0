package guard

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"log/slog"
	"net"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"collimator/dicom/uid"
	"collimator/dimse"
	"collimator/dimse/ul"
	"collimator/internal/audit"
	"collimator/internal/db"
	"collimator/internal/db/dbtest"
	"collimator/internal/identity"
	"collimator/internal/ledger"
	"collimator/internal/policy"
	"collimator/internal/registers"
)

// clock is a time that tests move.
type clock struct {
	mu sync.Mutex
	t  time.Time
}

func (c *clock) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.t
}

func (c *clock) advance(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.t = c.t.Add(d)
}

// log is a buffer for several goroutines.
type log struct {
	mu sync.Mutex
	b  bytes.Buffer
}

// Write implements io.Writer.
func (l *log) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *log) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

// door is a guard over a register and a trail of its own.
type door struct {
	*Guard
	*testing.T
	clock     *clock
	log       *log
	db        *db.DB
	authority *identity.Authority
	mark      int64 // records up to here were looked at
}

const ownTitle = "ARCHIVE"

func newDoor(t *testing.T) *door {
	t.Helper()
	dir := t.TempDir()
	c := &clock{t: time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)}
	d, err := dbtest.Open(t.Context(), filepath.Join(dir, "index.db"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { d.Close() })
	a, err := identity.OpenAuthority(filepath.Join(dir, "keys"), c.now)
	if err != nil {
		t.Fatal(err)
	}
	key, err := ledger.OpenKey(filepath.Join(dir, "keys"), "test")
	if err != nil {
		t.Fatal(err)
	}
	l, book := &log{}, ledger.New(d, key)
	g := New(Options{
		AETitle: ownTitle, Registry: identity.New(d, registers.New(d, book), c.now), Trail: audit.New(d, book, c.now),
		Log: slog.New(slog.NewTextHandler(l, nil)), Pending: 10, Now: c.now,
	})
	t.Cleanup(func() {
		if strings.Contains(l.String(), "ZZPHI") {
			t.Error("the log holds patient data")
		}
	})
	return &door{Guard: g, T: t, clock: c, log: l, db: d, authority: a, mark: -1}
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
func (d *door) records() (out []audit.Record) {
	d.Helper()
	for r, err := range d.Trail.After(context.Background(), d.mark) {
		if err != nil {
			d.Fatal(err)
		}
		out = append(out, r)
		d.mark = max(d.mark, r.Sequence)
	}
	return out
}

// one is the only record since the last call.
func (d *door) one() audit.Record {
	d.Helper()
	all := d.records()
	if len(all) != 1 {
		d.Fatalf("%d records, want one: %+v", len(all), all)
	}
	return all[0]
}
