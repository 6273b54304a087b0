package dimse_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"collimator/dicom"
	"collimator/dicom/tag"
	"collimator/dicom/uid"
	"collimator/dimse"
	"collimator/dimse/ul"
)

func TestEchoIsAnsweredOverPlainAndTLS(t *testing.T) {
	t.Parallel()
	for _, secure := range []bool{false, true} {
		t.Run(fmt.Sprintf("tls=%v", secure), func(t *testing.T) {
			mux := dimse.NewMux(dimse.Unguarded)
			mux.HandleEcho(nil)
			s := &dimse.Server{Admit: admitAll, Mux: mux}
			cfg := config(uid.Verification)
			if secure {
				s.TLSConfig, cfg.TLSConfig = tlsPair(t)
			}
			a := dial(t, serve(t, s), cfg)
			for range 3 {
				if err := a.Echo(context.Background()); err != nil {
					t.Fatal(err)
				}
			}
			if (a.TLS() != nil) != secure {
				t.Error("TLS state does not tell the truth")
			}
			if err := a.Release(context.Background()); err != nil {
				t.Fatal(err)
			}
		})
	}
}

func TestStoreStreamsTheDataSet(t *testing.T) {
	t.Parallel()
	got := make(chan [32]byte, 1)
	mux := dimse.NewMux(dimse.Unguarded)
	mux.HandleStore(func(_ context.Context, a *dimse.Association, rq *dimse.StoreRequest) dimse.Status {
		h := sha256.New()
		if _, err := io.Copy(h, rq.Data); err != nil {
			return dimse.ProcessingFailure.Because(err)
		}
		if rq.TransferSyntax != uid.ExplicitVRLittleEndian || a.CalledAETitle() != "TESTSCP" || rq.MoveOriginatorAETitle != "" {
			return dimse.ProcessingFailure.With("wrong request")
		}
		got <- [32]byte(h.Sum(nil))
		return dimse.Status{}
	})
	addr := serve(t, &dimse.Server{Admit: admitAll, Mux: mux})
	for _, peerMax := range []uint32{4096, 16384, 256 << 10} {
		cfg := config(ct)
		cfg.Limits.SendPDU = peerMax
		a := dial(t, addr, cfg)
		for _, size := range []int{0, 2, 4096, 4090, 16384 - 6, 256<<10 - 6, 256<<10 - 4, 3 << 20} {
			data := bytes.Repeat([]byte{0x5A, 1, 2}, size/3+1)[:size]
			s, err := a.Store(context.Background(), dimse.StoreRequest{SOPClassUID: ct, SOPInstanceUID: "1.2.3", TransferSyntax: uid.ExplicitVRLittleEndian, Data: bytes.NewReader(data)})
			if err != nil || s.Code != dimse.Success {
				t.Fatalf("%d bytes, PDU %d: %v %v", size, peerMax, s, err)
			}
			if <-got != sha256.Sum256(data) {
				t.Fatalf("%d bytes, PDU %d: content differs", size, peerMax)
			}
		}
		if err := a.Release(context.Background()); err != nil {
			t.Fatal(err)
		}
	}
}

func TestHandlerThatReadsNothingLeavesTheAssociationUsable(t *testing.T) {
	t.Parallel()
	mux := dimse.NewMux(dimse.Unguarded)
	mux.HandleStore(func(context.Context, *dimse.Association, *dimse.StoreRequest) dimse.Status {
		return dimse.OutOfResources.With("disk full")
	})
	a := dial(t, serve(t, &dimse.Server{Admit: admitAll, Mux: mux}), config(ct))
	for range 2 {
		_, err := a.Store(context.Background(), dimse.StoreRequest{SOPClassUID: ct, SOPInstanceUID: "1.2", TransferSyntax: uid.ExplicitVRLittleEndian, Data: bytes.NewReader(make([]byte, 1<<20))})
		var status *dimse.StatusError
		if !errors.As(err, &status) || status.Status.Code != dimse.OutOfResources || status.Status.Comment != "disk full" {
			t.Fatalf("got %v", err)
		}
	}
}

func TestStoresShareTheNegotiatedWindow(t *testing.T) {
	t.Parallel()
	var now, most atomic.Int32
	mux := dimse.NewMux(dimse.Unguarded)
	both := make(chan struct{}, 4)
	mux.HandleStore(func(_ context.Context, _ *dimse.Association, rq *dimse.StoreRequest) dimse.Status {
		io.Copy(io.Discard, rq.Data)
		if n := now.Add(1); n > most.Load() {
			most.Store(n)
		}
		both <- struct{}{}
		for len(both) < 3 && now.Load() > 0 { // until three are here at a time
			time.Sleep(time.Millisecond)
		}
		now.Add(-1)
		return dimse.Status{}
	})
	cfg := config(ct)
	cfg.AsyncWindow = &ul.AsyncWindow{Invoked: 3, Performed: 1}
	a := dial(t, serve(t, &dimse.Server{Admit: admitAll, Mux: mux}), cfg)
	var wg sync.WaitGroup
	for i := range 3 {
		wg.Go(func() {
			_, err := a.Store(context.Background(), dimse.StoreRequest{SOPClassUID: ct, SOPInstanceUID: fmt.Sprintf("1.2.%d", i+1), TransferSyntax: uid.ExplicitVRLittleEndian, Data: bytes.NewReader(make([]byte, 300<<10))})
			if err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if most.Load() < 2 {
		t.Errorf("at most %d at a time", most.Load())
	}
}

func findServer(t *testing.T, n int, s *dimse.Server) string {
	mux := dimse.NewMux(dimse.Unguarded)
	mux.HandleFind(func(ctx context.Context, a *dimse.Association, rq *dimse.FindRequest, yield func(dimse.Match) bool) dimse.Status {
		if rq.Identifier.Text(tag.QueryRetrieveLevel) != "STUDY" {
			return dimse.DataSetDoesNotMatchSOPClass.With("level")
		}
		for i := range n {
			ds := dicom.NewDataSet()
			ds.SetText(tag.QueryRetrieveLevel, "STUDY")
			ds.SetText(tag.StudyInstanceUID, fmt.Sprintf("1.2.%d", i+1))
			if !yield(dimse.Match{Identifier: ds, OptionalKeys: i%2 == 1}) {
				break
			}
		}
		return dimse.Status{}
	}, studyFind)
	s.Mux, s.Admit = mux, admitAll
	return serve(t, s)
}

func TestFindYieldsMatchesInOrder(t *testing.T) {
	t.Parallel()
	cfg := config(studyFind)
	cfg.Extended = []ul.ExtendedNegotiation{{SOPClassUID: studyFind, Info: []byte{1, 1, 1}}}
	a := dial(t, findServer(t, 50, &dimse.Server{}), cfg)
	if got := a.QueryOptions(studyFind); got != (dimse.QueryOptions{Relational: true, FuzzyMatching: true}) {
		t.Errorf("extended negotiation settled %+v", got)
	}
	for range 2 {
		i := 0
		for m, err := range a.Find(context.Background(), dimse.FindRequest{SOPClassUID: studyFind, Identifier: studyQuery()}) {
			if err != nil {
				t.Fatal(err)
			}
			if i++; m.Identifier.Text(tag.StudyInstanceUID) != fmt.Sprintf("1.2.%d", i) || m.OptionalKeys != (i%2 == 0) {
				t.Fatalf("match %d out of order", i)
			}
		}
		if i != 50 {
			t.Fatalf("%d matches", i)
		}
	}
}

func TestBreakingOffFindCancelsItAndTheAssociationGoesOn(t *testing.T) {
	t.Parallel()
	canceled := make(chan error, 1)
	mux := dimse.NewMux(dimse.Unguarded)
	mux.HandleEcho(nil)
	mux.HandleFind(func(ctx context.Context, _ *dimse.Association, rq *dimse.FindRequest, yield func(dimse.Match) bool) dimse.Status {
		for yield(dimse.Match{Identifier: rq.Identifier}) {
		}
		canceled <- context.Cause(ctx)
		return dimse.Status{}
	})
	a := dial(t, serve(t, &dimse.Server{Admit: admitAll, Mux: mux}), config(studyFind, uid.Verification))
	for _, err := range a.Find(context.Background(), dimse.FindRequest{SOPClassUID: studyFind, Identifier: studyQuery()}) {
		if err != nil {
			t.Fatal(err)
		}
		break
	}
	if err := <-canceled; err != dimse.ErrCanceled {
		t.Errorf("handler's context ended because of %v", err)
	}
	if err := a.Echo(context.Background()); err != nil {
		t.Fatal(err)
	}
	if err := a.Release(context.Background()); err != nil {
		t.Fatal(err)
	}
}

func TestGetSendsOverTheSameAssociation(t *testing.T) {
	t.Parallel()
	data := image(t, "1.2.3", 300<<10)
	mux := dimse.NewMux(dimse.Unguarded)
	mux.HandleGet(func(context.Context, *dimse.Association, *dimse.RetrieveRequest) (*dimse.RetrievePlan, dimse.Status) {
		subs := subOperations([]string{"1.2.1", "1.2.2", "1.2.3"}, data)
		subs[1].Open = func(context.Context, []string) (io.ReadCloser, string, error) { return nil, "", errors.New("gone") }
		return &dimse.RetrievePlan{Count: 3, SubOperations: slices.Values(subs)}, dimse.Status{}
	})
	cfg := config(studyGet, ct)
	cfg.Roles = []ul.RoleSelection{{SOPClassUID: ct, SCP: true}}
	a := dial(t, serve(t, &dimse.Server{Admit: admitAll, Mux: mux}), cfg)
	var got []string
	res, err := a.Get(context.Background(), dimse.GetRequest{SOPClassUID: studyGet, Identifier: studyQuery(),
		Store: func(_ context.Context, _ *dimse.Association, rq *dimse.StoreRequest) dimse.Status {
			n, _ := io.Copy(io.Discard, rq.Data)
			if n != int64(len(data)) {
				t.Errorf("%d bytes", n)
			}
			got = append(got, rq.SOPInstanceUID)
			return dimse.Status{}
		}})
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(got, []string{"1.2.1", "1.2.3"}) || !slices.Equal(res.FailedSOPInstanceUIDs, []string{"1.2.2"}) {
		t.Errorf("got %d, failed %v", len(got), res.FailedSOPInstanceUIDs)
	}
	if res.Status.Code != dimse.SubOperationsWithFailures || res.SubOperations != (dimse.SubOperations{Completed: 2, Failed: 1}) {
		t.Errorf("%v %+v", res.Status, res.SubOperations)
	}
}

func TestMoveSendsToTheDestination(t *testing.T) {
	t.Parallel()
	var got atomic.Int32
	sink := dimse.NewMux(dimse.Unguarded)
	sink.HandleStore(func(_ context.Context, _ *dimse.Association, rq *dimse.StoreRequest) dimse.Status {
		io.Copy(io.Discard, rq.Data)
		if rq.MoveOriginatorAETitle != "TESTSCU" || rq.MoveOriginatorMessageID == 0 {
			t.Error("move originator missing")
		}
		got.Add(1)
		return dimse.Status{}
	})
	var associations atomic.Int32
	dest := serve(t, &dimse.Server{Admit: admitAll, Mux: sink, OnAssociation: func(*dimse.Association) func() { associations.Add(1); return nil }})
	// 200 SOP Classes do not fit one association.
	var subs []dimse.SubOperation
	for i := range 200 {
		s := subOperations([]string{fmt.Sprintf("1.2.%d", i+1)}, make([]byte, 1000))[0]
		s.SOPClassUID = fmt.Sprintf("1.2.840.10008.5.1.4.1.1.%d", i+1)
		subs = append(subs, s)
	}
	mux := dimse.NewMux(dimse.Unguarded)
	mux.HandleMove(func(_ context.Context, _ *dimse.Association, rq *dimse.RetrieveRequest) (*dimse.RetrievePlan, dimse.Status) {
		plan := &dimse.RetrievePlan{Count: len(subs), SubOperations: slices.Values(subs)}
		if rq.MoveDestination == "SINK" {
			plan.Destination = dimse.Dialer{Address: dest, Config: dimse.Config{CallingAETitle: "TESTSCP", CalledAETitle: "SINK"}}
		}
		return plan, dimse.Status{}
	})
	a := dial(t, serve(t, &dimse.Server{Admit: admitAll, Mux: mux}), config(studyMove))
	res, err := a.Move(context.Background(), dimse.MoveRequest{SOPClassUID: studyMove, Identifier: studyQuery(), MoveDestination: "SINK"})
	if err != nil || res.SubOperations.Completed != 200 || got.Load() != 200 {
		t.Fatalf("%v %+v, %d arrived", err, res, got.Load())
	}
	if associations.Load() != 2 {
		t.Errorf("%d associations for 200 contexts", associations.Load())
	}
	_, err = a.Move(context.Background(), dimse.MoveRequest{SOPClassUID: studyMove, Identifier: studyQuery(), MoveDestination: "NOBODY"})
	var status *dimse.StatusError
	if !errors.As(err, &status) || status.Status.Code != dimse.MoveDestinationUnknown {
		t.Errorf("unknown destination: %v", err)
	}
}

func TestCancelEndsAMoveBetweenInstances(t *testing.T) {
	t.Parallel()
	first := make(chan struct{})
	sink := dimse.NewMux(dimse.Unguarded)
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	sink.HandleStore(func(_ context.Context, _ *dimse.Association, rq *dimse.StoreRequest) dimse.Status {
		io.Copy(io.Discard, rq.Data)
		select {
		case <-first:
		default:
			close(first)
			cancel()
		}
		time.Sleep(2 * time.Millisecond)
		return dimse.Status{}
	})
	dest := serve(t, &dimse.Server{Admit: admitAll, Mux: sink})
	mux := dimse.NewMux(dimse.Unguarded)
	mux.HandleMove(func(context.Context, *dimse.Association, *dimse.RetrieveRequest) (*dimse.RetrievePlan, dimse.Status) {
		return &dimse.RetrievePlan{Count: 10000, SubOperations: func(yield func(dimse.SubOperation) bool) {
			for i := range 10000 {
				if !yield(subOperations([]string{fmt.Sprintf("1.2.%d", i+1)}, make([]byte, 100))[0]) {
					return
				}
			}
		}, Destination: dimse.Dialer{Address: dest, Config: dimse.Config{CallingAETitle: "A", CalledAETitle: "B"}}}, dimse.Status{}
	})
	a := dial(t, serve(t, &dimse.Server{Admit: admitAll, Mux: mux}), config(studyMove))
	res, err := a.Move(ctx, dimse.MoveRequest{SOPClassUID: studyMove, Identifier: studyQuery(), MoveDestination: "SINK"})
	if !errors.Is(err, context.Canceled) || res.Status.Code != dimse.Cancel || res.SubOperations.Remaining == 0 || res.SubOperations.Completed == 0 {
		t.Errorf("%v %+v", err, res)
	}
}

func TestStorageCommitmentReportsOnTheSameAssociation(t *testing.T) {
	t.Parallel()
	const push, pushInstance = uid.StorageCommitmentPushModel, uid.StorageCommitmentPushInstance
	reported := make(chan error, 1)
	mux := dimse.NewMux(dimse.Unguarded)
	mux.HandleN(dimse.NAction, func(_ context.Context, a *dimse.Association, rq *dimse.NRequest) dimse.NResponse {
		rq.After = func(ctx context.Context) {
			_, err := a.EventReport(ctx, dimse.NRequest{SOPClassUID: push, SOPInstanceUID: pushInstance, TypeID: 1, DataSet: rq.DataSet})
			reported <- err
		}
		if rq.TypeID != 1 || rq.DataSet.Text(tag.TransactionUID) != "1.2.9" {
			return dimse.NResponse{Status: dimse.NoSuchActionType.With("")}
		}
		return dimse.NResponse{}
	}, push)
	seen := make(chan string, 1)
	scu := dimse.NewMux(dimse.Unguarded)
	scu.HandleN(dimse.NEventReport, func(_ context.Context, _ *dimse.Association, rq *dimse.NRequest) dimse.NResponse {
		seen <- rq.DataSet.Text(tag.TransactionUID)
		return dimse.NResponse{}
	})
	cfg := config(push)
	cfg.Mux = scu
	a := dial(t, serve(t, &dimse.Server{Admit: admitAll, Mux: mux}), cfg)
	ds := dicom.NewDataSet()
	ds.SetText(tag.TransactionUID, "1.2.9")
	if _, err := a.NAction(context.Background(), dimse.NRequest{SOPClassUID: push, SOPInstanceUID: pushInstance, TypeID: 1, DataSet: ds}); err != nil {
		t.Fatal(err)
	}
	if got := <-seen; got != "1.2.9" {
		t.Error("another transaction was reported")
	}
	if err := <-reported; err != nil {
		t.Error(err)
	}
	if err := a.Release(context.Background()); err != nil {
		t.Fatal(err)
	}
}

func TestWhatWaitsAfterResponsesIsBounded(t *testing.T) {
	t.Parallel()
	const push, pushInstance, window = uid.StorageCommitmentPushModel, uid.StorageCommitmentPushInstance, 3
	var waiting, told atomic.Int64
	mux := dimse.NewMux(dimse.Unguarded)
	mux.HandleN(dimse.NAction, func(_ context.Context, _ *dimse.Association, rq *dimse.NRequest) dimse.NResponse {
		rq.After = func(ctx context.Context) { // for a peer that never answers
			if ctx.Err() != nil {
				told.Add(1) // that it cannot wait here
				return
			}
			waiting.Add(1)
			<-ctx.Done()
		}
		return dimse.NResponse{}
	}, push)
	server := &dimse.Server{Admit: admitAll, Mux: mux, Limits: dimse.Limits{Window: window}}
	a := dial(t, serve(t, server), config(push))
	for range 20 {
		if _, err := a.NAction(context.Background(), dimse.NRequest{SOPClassUID: push, SOPInstanceUID: pushInstance, TypeID: 1}); err != nil {
			t.Fatal(err)
		}
	}
	if err := a.Release(context.Background()); err != nil { // every handler has returned
		t.Fatal(err)
	}
	if n := waiting.Load(); n > window {
		t.Errorf("%d waited at a time, %d may", n, window)
	}
	if n := waiting.Load() + told.Load(); n != 20 {
		t.Errorf("%d of 20 were run or told", n)
	}
}

func TestDeflatedIdentifierCountsAsInflated(t *testing.T) {
	t.Parallel()
	mux := dimse.NewMux(dimse.Unguarded)
	mux.HandleFind(func(context.Context, *dimse.Association, *dimse.FindRequest, func(dimse.Match) bool) dimse.Status {
		return dimse.Status{}
	})
	cfg := dimse.Config{CallingAETitle: "SCU", CalledAETitle: "SCP", Contexts: dimse.Propose([]string{uid.StudyRootFind}, []string{uid.DeflatedExplicitVRLittleEndian}, false)}
	a := dial(t, serve(t, &dimse.Server{Admit: func(_ context.Context, rq *dimse.AssociateRequest) (dimse.Acceptance, error) {
		return dimse.Negotiate(rq, dimse.Support{TransferSyntaxes: func(string) []string { return []string{uid.DeflatedExplicitVRLittleEndian} }}), nil
	}, Mux: mux}), cfg)
	ds := studyQuery()
	if err := ds.SetText(tag.TextValue, strings.Repeat(" a", 3<<20)); err != nil {
		t.Fatal(err)
	}
	var status *dimse.StatusError
	for _, err := range a.Find(context.Background(), dimse.FindRequest{SOPClassUID: uid.StudyRootFind, Identifier: ds}) {
		if !errors.As(err, &status) || status.Status.Code != dimse.CannotUnderstand {
			t.Errorf("got %v", err)
		}
		return
	}
	t.Error("six MiB of keys were taken")
}
