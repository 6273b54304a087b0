package sender

import (
	"context"
	"crypto/tls"
	"errors"
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

func TestOneFileThatBreaksTheAssociationDoesNotTakeTheOthersAlong(t *testing.T) {
	t.Parallel()
	for place := range 3 {
		files := imageFiles(t, 3)
		bad := files[place].SOPInstanceUID
		mux := dimse.NewMux(dimse.Unguarded)
		mux.HandleStore(func(_ context.Context, a *dimse.Association, rq *dimse.StoreRequest) dimse.Status {
			if rq.SOPInstanceUID == bad {
				a.Abort()
			}
			return dimse.Status{}
		})
		s := newTransfer(peer(t, mux))
		s.Send(t.Context(), files, 1)
		if s.report.Stored != 2 || len(s.report.Failed) != 1 || s.report.Failed[0].File != files[place].Path {
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
	s := newTransfer(peer(t, mux))
	s.Send(t.Context(), imageFiles(t, maxStuck+3), 1)
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
	s := newTransfer(peer(t, mux))
	s.CommitBatch = 2
	files := imageFiles(t, 5)
	s.Send(t.Context(), files, 1)
	s.Commit(t.Context(), files, &Reports{Advice: "listen"}, 10*time.Second)
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
		s := newTransfer(peer(t, mux))
		files := imageFiles(t, 2)
		s.Send(t.Context(), files, 1)
		s.Commit(t.Context(), files, &Reports{Advice: "listen"}, 10*time.Second)
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

// startReports listens and says where.
func startReports(t *testing.T, c Caller) (*Reports, string) {
	t.Helper()
	r, err := Listen("127.0.0.1:0", c)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(r.Close)
	return r, r.Address()
}

// callBack reports as an SCP does that opens an association for it (PS3.4 J.3.3).
func callBack(address string, cfg dimse.Config, request *dicom.DataSet) error {
	cfg.CallingAETitle, cfg.CalledAETitle = "PEER", "WS1"
	cfg.Contexts = dimse.Propose([]string{uid.StorageCommitmentPushModel}, NativeSyntaxes(), false)
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

			dial := peer(t, mux)
			var r *Reports
			r, listen = startReports(t, Caller{})
			s := newTransfer(dial)
			s.CommitBatch = 2
			files := imageFiles(t, 3)
			s.Send(t.Context(), files, 1)
			s.Commit(t.Context(), files, r, 10*time.Second)
			if s.report.Committed != 3 || s.report.CommitmentUnknown != 0 || len(s.report.Failed) != 0 {
				t.Errorf("%d committed, %d unknown (%s), failed: %v", s.report.Committed, s.report.CommitmentUnknown, s.report.CommitmentReason, s.report.Failed)
			}
		})
	}
}

func TestAReportIsTakenOnlyFromThePeerThatWasAsked(t *testing.T) {
	t.Parallel()
	own, stranger := testPair(t, "WS1"), testPair(t, "STRANGER")
	trust := tlsprofile.Trust{Fingerprints: []string{tlsprofile.Fingerprint(own.Leaf)}}
	r, listen := startReports(t, Caller{Own: own, Trust: trust})
	x := r.expect()
	request := dicom.NewDataSet()
	if err := request.SetText(tag.TransactionUID, x.transaction); err != nil {
		t.Fatal(err)
	}

	for name, tc := range map[string]struct {
		cert *tls.Certificate
		ok   bool
	}{"another certificate": {stranger, false}, "the peer's certificate": {own, true}} {
		cfg := dimse.Config{TLSConfig: tlsprofile.AssociationClient(tc.cert, trust)}
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
	s := newTransfer(peer(t, mux))
	files := imageFiles(t, 2)
	s.Send(t.Context(), files, 1)
	s.Commit(t.Context(), files, &Reports{Advice: "listen"}, 50*time.Millisecond)

	r, fatal := s.Outcome()
	if r.Stored != 2 || len(r.Failed) != 0 || r.Warnings != 2 || r.CommitmentUnknown != 2 || fatal != nil {
		t.Errorf("%+v, fatal: %v", r, fatal)
	}
	if !strings.HasPrefix(r.CommitmentReason, "no report within 50ms") || !strings.HasSuffix(r.CommitmentReason, "; listen") {
		t.Errorf("the reason is %q", r.CommitmentReason)
	}
	if !strings.Contains(r.Warned[0].Reason, "B006H") {
		t.Errorf("the warning is %q", r.Warned[0].Reason)
	}
}
