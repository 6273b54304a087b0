package main

import (
	"context"
	"errors"
	"net"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"collimator/dicom"
	"collimator/dicom/tag"
	"collimator/dicom/uid"
	"collimator/dimse"
)

// peer is an archive on loopback that does what a test says.
func peer(t *testing.T, mux *dimse.Mux) *dialer {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	syntaxes := []string{uid.ExplicitVRLittleEndian, uid.ImplicitVRLittleEndian}
	s := &dimse.Server{Mux: mux, Admit: func(_ context.Context, rq *dimse.AssociateRequest) (dimse.Acceptance, error) {
		return dimse.Negotiate(rq, dimse.Support{TransferSyntaxes: func(string) []string { return syntaxes }}), nil
	}}
	done := make(chan struct{})
	go func() { defer close(done); s.Serve(context.Background(), l) }()
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		defer cancel()
		s.Shutdown(ctx)
		<-done
	})
	d, err := (&connectFlags{Peer: "PEER@" + l.Addr().String(), Plain: true, Timeout: 10 * time.Second}).dialer()
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// imageFiles writes n small images and reads what they are.
func imageFiles(t *testing.T, n int) []*sendFile {
	t.Helper()
	var files []*sendFile
	for range n {
		b, err := smallImage(nil)
		if err != nil {
			t.Fatal(err)
		}
		path := filepath.Join(t.TempDir(), "a.dcm")
		if err := os.WriteFile(path, b, 0o600); err != nil {
			t.Fatal(err)
		}
		f, err := inspectFile(path)
		if err != nil {
			t.Fatal(err)
		}
		files = append(files, f)
	}
	return files
}

func newSender(t *testing.T, d *dialer) *sender {
	t.Helper()
	return &sender{d: d, commitBatch: commitBatch, progress: newProgress(&env{stderr: t.Output()}, "sent", 0)}
}

func TestOneFileThatBreaksTheAssociationDoesNotTakeTheOthersAlong(t *testing.T) {
	t.Parallel()
	for place := range 3 {
		files := imageFiles(t, 3)
		bad := files[place].instance
		mux := dimse.NewMux(dimse.Unguarded)
		mux.HandleStore(func(_ context.Context, a *dimse.Association, rq *dimse.StoreRequest) dimse.Status {
			if rq.SOPInstanceUID == bad {
				a.Abort()
			}
			return dimse.Status{}
		})
		s := newSender(t, peer(t, mux))
		s.all(t.Context(), files, 1)
		if s.report.Stored != 2 || len(s.report.Failed) != 1 || s.report.Failed[0].File != files[place].path {
			t.Errorf("bad file at %d: %d stored, failed: %v", place, s.report.Stored, s.report.Failed)
		}
	}
}

func TestAPeerThatBreaksEveryAssociationIsGivenUp(t *testing.T) {
	t.Parallel()
	mux := dimse.NewMux(dimse.Unguarded)
	var mu sync.Mutex
	tried := 0
	mux.HandleStore(func(_ context.Context, a *dimse.Association, _ *dimse.StoreRequest) dimse.Status {
		mu.Lock()
		defer mu.Unlock()
		tried++
		a.Abort()
		return dimse.Status{}
	})
	s := newSender(t, peer(t, mux))
	s.all(t.Context(), imageFiles(t, maxStuck+3), 1)
	if s.report.Stored != 0 || len(s.report.Failed) != maxStuck+3 || tried != maxStuck || s.fatal == nil {
		t.Errorf("%d stored, %d failed, %d tried, fatal: %v", s.report.Stored, len(s.report.Failed), tried, s.fatal)
	}
}

func TestEachRequestForCommitmentHasATransactionOfItsOwn(t *testing.T) {
	t.Parallel()
	mux := dimse.NewMux(dimse.Unguarded)
	mux.HandleStore(func(context.Context, *dimse.Association, *dimse.StoreRequest) dimse.Status { return dimse.Status{} })
	seen := map[string]int{}
	mux.HandleN(dimse.NAction, func(_ context.Context, a *dimse.Association, rq *dimse.NRequest) dimse.NResponse {
		seen[rq.DataSet.Text(tag.TransactionUID)]++
		rq.After = func(ctx context.Context) { reportCommitted(ctx, t, a, rq.DataSet) }
		return dimse.NResponse{}
	}, uid.StorageCommitmentPushModel)
	s := newSender(t, peer(t, mux))
	s.commitBatch = 2
	files := imageFiles(t, 5)
	s.all(t.Context(), files, 1)
	s.commit(t.Context(), files, 10*time.Second)
	if s.report.Committed != 5 || len(s.report.Failed) != 0 {
		t.Errorf("%d committed, failed: %v", s.report.Committed, s.report.Failed)
	}
	if len(seen) != 3 {
		t.Errorf("3 requests had %d transaction UIDs", len(seen))
	}
}

func TestCommitmentIsKnownAlsoWhereThePeerHangsUp(t *testing.T) {
	t.Parallel()
	mux := dimse.NewMux(dimse.Unguarded)
	mux.HandleStore(func(context.Context, *dimse.Association, *dimse.StoreRequest) dimse.Status { return dimse.Status{} })
	mux.HandleN(dimse.NAction, func(_ context.Context, a *dimse.Association, rq *dimse.NRequest) dimse.NResponse {
		rq.After = func(ctx context.Context) {
			reportCommitted(ctx, t, a, rq.DataSet) // has its answer
			a.Abort()
		}
		return dimse.NResponse{}
	}, uid.StorageCommitmentPushModel)
	for range 20 {
		s := newSender(t, peer(t, mux))
		files := imageFiles(t, 2)
		s.all(t.Context(), files, 1)
		s.commit(t.Context(), files, 10*time.Second)
		if s.report.Committed != 2 || len(s.report.Failed) != 0 {
			t.Fatalf("%d committed, failed: %v", s.report.Committed, s.report.Failed)
		}
	}
}

// reportCommitted answers that all is safe.
func reportCommitted(ctx context.Context, t *testing.T, a *dimse.Association, request *dicom.DataSet) {
	report := dicom.NewDataSet()
	err := report.SetText(tag.TransactionUID, request.Text(tag.TransactionUID))
	report.SetItems(tag.ReferencedSOPSequence, request.Items(tag.ReferencedSOPSequence)...)
	_, err2 := a.EventReport(ctx, dimse.NRequest{
		SOPClassUID: uid.StorageCommitmentPushModel, SOPInstanceUID: uid.StorageCommitmentPushInstance, TypeID: 1, DataSet: report,
	})
	if err := errors.Join(err, err2); err != nil {
		t.Errorf("report: %v", err)
	}
}
