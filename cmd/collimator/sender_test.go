package main

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"net"
	"os"
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
	"collimator/internal/tlsprofile"
)

// peer is an archive on loopback that does what a test says. It takes native
// syntaxes alone.
func peer(t *testing.T, mux *dimse.Mux) *dialer {
	t.Helper()
	return peerWith(t, mux, dimse.Support{TransferSyntaxes: func(string) []string { return nativeSyntaxes() }})
}

// peerWith is one that negotiates as a test says.
func peerWith(t *testing.T, mux *dimse.Mux, support dimse.Support) *dialer {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := &dimse.Server{Mux: mux, Admit: func(_ context.Context, rq *dimse.AssociateRequest) (dimse.Acceptance, error) {
		return dimse.Negotiate(rq, support), nil
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
	s.commit(t.Context(), files, &reports{}, 10*time.Second)
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
		s.commit(t.Context(), files, &reports{}, 10*time.Second)
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

// startReports listens as --listen does and calls back where the request came.
func startReports(t *testing.T, d *dialer, plain bool) (*reports, string) {
	t.Helper()
	address, err := freeAddress()
	if err != nil {
		t.Fatal(err)
	}
	c := &sendCmd{Listen: address, Commit: true}
	c.Plain = plain
	r, err := c.reports(d)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(r.close)
	return r, address
}

// callBack reports as an SCP does that opens an association for it (PS3.4 J.3.3).
func callBack(address string, cfg dimse.Config, request *dicom.DataSet) error {
	cfg.CallingAETitle, cfg.CalledAETitle = "PEER", "WS1"
	cfg.Contexts = dimse.Propose([]string{uid.StorageCommitmentPushModel}, nativeSyntaxes(), false)
	cfg.Roles = []ul.RoleSelection{{SOPClassUID: uid.StorageCommitmentPushModel, SCP: true}}
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	a, err := dimse.Dial(ctx, address, cfg)
	if err != nil {
		return err
	}
	report := dicom.NewDataSet()
	err = report.SetText(tag.TransactionUID, request.Text(tag.TransactionUID))
	report.SetItems(tag.ReferencedSOPSequence, request.Items(tag.ReferencedSOPSequence)...)
	_, err2 := a.EventReport(ctx, dimse.NRequest{
		SOPClassUID: uid.StorageCommitmentPushModel, SOPInstanceUID: uid.StorageCommitmentPushInstance, TypeID: 1, DataSet: report,
	})
	return errors.Join(err, err2, a.Release(ctx))
}

func TestCommitmentIsTakenOnAnAssociationOfThePeer(t *testing.T) {
	t.Parallel()
	for name, hangsUp := range map[string]bool{"ours stays open": false, "ours ends first": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var listen string
			mux := dimse.NewMux(dimse.Unguarded)
			mux.HandleStore(func(context.Context, *dimse.Association, *dimse.StoreRequest) dimse.Status { return dimse.Status{} })
			mux.HandleN(dimse.NAction, func(_ context.Context, a *dimse.Association, rq *dimse.NRequest) dimse.NResponse {
				request := rq.DataSet
				rq.After = func(context.Context) {
					if hangsUp {
						a.Abort()
					}
					if err := callBack(listen, dimse.Config{}, request); err != nil {
						t.Errorf("report: %v", err)
					}
				}
				return dimse.NResponse{}
			}, uid.StorageCommitmentPushModel)

			d := peer(t, mux)
			var r *reports
			r, listen = startReports(t, d, true)
			s := newSender(t, d)
			s.commitBatch = 2
			files := imageFiles(t, 3)
			s.all(t.Context(), files, 1)
			s.commit(t.Context(), files, r, 10*time.Second)
			if s.report.Committed != 3 || s.report.CommitmentUnknown != 0 || len(s.report.Failed) != 0 {
				t.Errorf("%d committed, %d unknown (%s), failed: %v", s.report.Committed, s.report.CommitmentUnknown, s.report.CommitmentReason, s.report.Failed)
			}
		})
	}
}

func TestAReportIsTakenOnlyFromThePeerThatWasAsked(t *testing.T) {
	t.Parallel()
	own, stranger := testPair(t, "WS1"), testPair(t, "STRANGER")
	d := &dialer{own: own, trust: tlsprofile.Trust{Fingerprints: []string{tlsprofile.Fingerprint(own.Leaf)}}}
	r, listen := startReports(t, d, false)
	x := r.expect()
	request := dicom.NewDataSet()
	if err := request.SetText(tag.TransactionUID, x.transaction); err != nil {
		t.Fatal(err)
	}

	for name, tc := range map[string]struct {
		cert *tls.Certificate
		ok   bool
	}{"another certificate": {stranger, false}, "the peer's certificate": {own, true}} {
		cfg := dimse.Config{TLSConfig: tlsprofile.AssociationClient(tc.cert, tlsprofile.Trust{Fingerprints: []string{tlsprofile.Fingerprint(own.Leaf)}})}
		if err := callBack(listen, cfg, request); (err == nil) != tc.ok {
			t.Errorf("%s: %v", name, err)
		}
	}
	if err := callBack(listen, dimse.Config{}, request); err == nil {
		t.Error("a caller without TLS was let in")
	}
}

func TestStoredObjectsWithoutAReportAreNotFailures(t *testing.T) {
	t.Parallel()
	mux := dimse.NewMux(dimse.Unguarded)
	mux.HandleStore(func(context.Context, *dimse.Association, *dimse.StoreRequest) dimse.Status {
		return dimse.Status{Code: dimse.ElementsDiscarded}
	})
	mux.HandleN(dimse.NAction, func(context.Context, *dimse.Association, *dimse.NRequest) dimse.NResponse {
		return dimse.NResponse{}
	}, uid.StorageCommitmentPushModel)
	s := newSender(t, peer(t, mux))
	files := imageFiles(t, 2)
	s.all(t.Context(), files, 1)
	s.commit(t.Context(), files, &reports{}, 50*time.Millisecond)

	var out bytes.Buffer
	if err := s.print(&out, "text"); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"2 stored ", "0 failed, 2 with a warning, commitment unknown.\n", "commitment: no report within 50ms", "--listen HOST:PORT", "warning: ", "B006H"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("%q is missing in:\n%s", want, &out)
		}
	}
	coded, ok := errors.AsType[*exitError](s.verdict(t.Context()))
	if !ok || coded.code != exitPartial {
		t.Errorf("verdict: %v", coded)
	}
}

// testPair is a key with a certificate that nobody vouches for.
func testPair(t *testing.T, name string) *tls.Certificate {
	t.Helper()
	cert, key := filepath.Join(t.TempDir(), name+".cert.pem"), filepath.Join(t.TempDir(), name+".key.pem")
	writeCertificate(t, cert, key, time.Now().UnixNano())
	pair, err := tls.LoadX509KeyPair(cert, key)
	if err != nil {
		t.Fatal(err)
	}
	return &pair
}
