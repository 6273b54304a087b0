package pacs

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"collimator/dicom"
	"collimator/dicom/tag"
	"collimator/dicom/uid"
	"collimator/dimse"
	"collimator/dimse/ul"
	"collimator/internal/archive"
	"collimator/internal/blob"
	"collimator/internal/fault"
	"collimator/internal/house/housetest"
	"collimator/internal/synth"
)

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
	clock   *housetest.Clock
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
	r := housetest.NewRegister(t)
	blobs, err := blob.OpenDir(filepath.Join(dir, "blobs"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { blobs.Close() })
	a, err := archive.Open(archive.Options{DB: r.DB, Blobs: blobs, RetrieveAETitle: ownTitle})
	if err != nil {
		t.Fatal(err)
	}

	n := &node{T: t, clock: r.Clock, to: &destinations{to: map[string]dimse.Destination{}}}
	o := Options{
		Archive:      a,
		Scope:        func(context.Context) archive.Scope { return archive.Everything() },
		Destinations: n.to,
		DB:           r.DB,
		Registers:    r.Registers,
		Log:          slog.New(slog.NewTextHandler(housetest.NewLog(t), nil)),
		AETitle:      ownTitle,
		Now:          n.clock.Now,
	}
	if change != nil {
		change(&o)
	}
	n.Service = New(o)
	mux := dimse.NewMux(dimse.Unguarded)
	n.Register(mux)
	support := n.Support()
	n.address = housetest.Listen(t, &dimse.Server{Mux: mux, Admit: func(_ context.Context, rq *dimse.AssociateRequest) (dimse.Acceptance, error) {
		return dimse.Negotiate(rq, support), nil
	}})
	return n
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
