package pacs

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"net"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"collimator/dicom"
	"collimator/dicom/tag"
	"collimator/dicom/uid"
	"collimator/dimse"
	"collimator/dimse/ul"
	"collimator/internal/archive"
	"collimator/internal/blob"
	"collimator/internal/db/dbtest"
	"collimator/internal/fault"
	"collimator/internal/ledger"
	"collimator/internal/registers"
	"collimator/internal/synth"
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

// destinations is a register of destinations.
type destinations struct {
	mu sync.Mutex
	to map[string]dimse.Destination
}

// Destination implements Destinations.
func (d *destinations) Destination(_ context.Context, title string) (dimse.Destination, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if to, ok := d.to[title]; ok {
		return to, nil
	}
	return nil, fault.New(fault.NotFound, "test: no such destination")
}

func (d *destinations) put(title string, to dimse.Destination) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.to[title] = to
}

// broken is a destination that cannot be reached.
type broken struct{}

// Dial implements dimse.Destination.
func (broken) Dial(context.Context, []ul.ProposedContext) (*dimse.Association, error) {
	return nil, errors.New("test: unreachable")
}

// node is a service over an archive of its own, behind a server without a guard.
type node struct {
	*Service
	*testing.T
	clock   *clock
	to      *destinations
	address string
}

const (
	ownTitle    = "ARCHIVE"
	callerTitle = "CALLER"
)

func newNode(t *testing.T, change func(*Options)) *node {
	t.Helper()
	dir := t.TempDir()
	d, err := dbtest.Open(t.Context(), filepath.Join(dir, "index.db"))
	if err != nil {
		t.Fatal(err)
	}
	blobs, err := blob.OpenDir(filepath.Join(dir, "blobs"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { d.Close(); blobs.Close() })
	key, err := ledger.OpenKey(dir, "test")
	if err != nil {
		t.Fatal(err)
	}
	a, err := archive.Open(archive.Options{DB: d, Blobs: blobs, RetrieveAETitle: ownTitle})
	if err != nil {
		t.Fatal(err)
	}
	n := &node{T: t, clock: &clock{t: time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)}, to: &destinations{to: map[string]dimse.Destination{}}}
	log := &bytes.Buffer{}
	o := Options{Archive: a, Scope: func(context.Context) archive.Scope { return archive.Everything() }, Destinations: n.to, DB: d, Registers: registers.New(d, ledger.New(d, key)), Log: slog.New(slog.NewTextHandler(&locked{b: log}, nil)), AETitle: ownTitle, Now: n.clock.now}
	if change != nil {
		change(&o)
	}
	n.Service = New(o)
	mux := dimse.NewMux(dimse.Unguarded)
	n.Register(mux)
	support := n.Support()
	n.address = listen(t, &dimse.Server{Mux: mux, Admit: func(_ context.Context, rq *dimse.AssociateRequest) (dimse.Acceptance, error) {
		return dimse.Negotiate(rq, support), nil
	}})
	t.Cleanup(func() {
		if strings.Contains(log.String(), synth.Marker) {
			t.Error("the log holds patient data")
		}
	})
	return n
}

// locked is a writer for several goroutines.
type locked struct {
	mu sync.Mutex
	b  *bytes.Buffer
}

// Write implements io.Writer.
func (l *locked) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func listen(t *testing.T, server *dimse.Server) string {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() { defer close(done); server.Serve(ctx, ln) }()
	t.Cleanup(func() { cancel(); <-done })
	return ln.Addr().String()
}

// dial opens an association; change may add to the configuration.
func (n *node) dial(change func(*dimse.Config), classes ...string) *dimse.Association {
	n.Helper()
	cfg := dimse.Config{CallingAETitle: callerTitle, CalledAETitle: ownTitle, Contexts: dimse.Propose(classes, []string{uid.ExplicitVRLittleEndian}, false)}
	if change != nil {
		change(&cfg)
	}
	a, err := dimse.Dial(n.Context(), n.address, cfg)
	if err != nil {
		n.Fatal(err)
	}
	n.Cleanup(a.Abort)
	return a
}

// fill stores a study and gives its files.
func (n *node) fill(k synth.Kind, o synth.Options) (files []*dicom.File) {
	n.Helper()
	for f := range synth.Study(k, o) {
		files = append(files, f)
		_, err := n.Archive.Ingest(n.Context(), archive.Incoming{TransferSyntaxUID: f.TransferSyntax, Data: bytes.NewReader(synth.DataSet(f))})
		if err != nil {
			n.Fatal(err)
		}
	}
	return files
}

func small() synth.Options { return synth.Options{Images: 2, Rows: 16, Columns: 16, Frames: 2} }

// keys is an identifier.
func keys(t *testing.T, values map[dicom.Tag]string) *dicom.DataSet {
	t.Helper()
	ds := dicom.NewDataSet()
	for k, v := range values {
		var list []string
		if v != "" {
			list = strings.Split(v, `\`)
		}
		if err := ds.SetText(k, list...); err != nil {
			t.Fatal(err)
		}
	}
	return ds
}

func statusOf(err error) dimse.StatusCode {
	if refused, ok := errors.AsType[*dimse.StatusError](err); ok {
		return refused.Status.Code
	}
	return dimse.Success
}

func study(f *dicom.File) string { return f.DataSet.Text(tag.StudyInstanceUID) }
