package dimse_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"slices"
	"strings"
	"testing"
	"testing/synctest"

	"collimator/dimse"
	"collimator/dimse/ul"
)

// TestMatchWithoutIdentifierIsAnError: PS3.4 C.4.1.1.3.
func TestMatchWithoutIdentifierIsAnError(t *testing.T) {
	t.Parallel()
	mux := dimse.NewMux(dimse.Unguarded)
	mux.HandleFind(func(_ context.Context, _ *dimse.Association, _ *dimse.FindRequest, yield func(dimse.Match) bool) dimse.Status {
		yield(dimse.Match{})
		return dimse.Status{}
	})
	a := dial(t, serve(t, &dimse.Server{Admit: admitAll, Mux: mux}), config(studyFind))
	n := 0
	for m, err := range a.Find(context.Background(), dimse.FindRequest{SOPClassUID: studyFind, Identifier: studyQuery()}) {
		n++
		if err == nil || !strings.Contains(err.Error(), "PS3.4 C.4.1.1.3") {
			t.Errorf("match %v, error %v", m.Identifier != nil, err)
		}
	}
	if n != 1 {
		t.Errorf("%d results", n)
	}
}

// TestPeerThatIgnoresCancelIsCutOff: whoever gives up waits no longer than five
// seconds for the peer to end the operation.
func TestPeerThatIgnoresCancelIsCutOff(t *testing.T) {
	t.Parallel()
	for name, run := range map[string]func(context.Context, *dimse.Association) error{
		"find": func(ctx context.Context, a *dimse.Association) error {
			for _, err := range a.Find(ctx, dimse.FindRequest{SOPClassUID: studyFind, Identifier: studyQuery()}) {
				return err
			}
			return nil
		},
		"move": func(ctx context.Context, a *dimse.Association) error {
			_, err := a.Move(ctx, dimse.MoveRequest{SOPClassUID: studyMove, Identifier: studyQuery(), MoveDestination: "X"})
			return err
		},
	} {
		synctest.Test(t, func(t *testing.T) {
			forever := make(chan struct{})
			mux := dimse.NewMux(dimse.Unguarded)
			mux.HandleFind(func(context.Context, *dimse.Association, *dimse.FindRequest, func(dimse.Match) bool) dimse.Status {
				<-forever
				return dimse.Status{}
			})
			mux.HandleMove(func(context.Context, *dimse.Association, *dimse.RetrieveRequest) (*dimse.RetrievePlan, dimse.Status) {
				<-forever
				return nil, dimse.OutOfResources.With("")
			})
			ln := newPipeListener()
			serving, stop := context.WithCancel(t.Context())
			served := make(chan error, 1)
			s := &dimse.Server{Admit: admitAll, Mux: mux}
			go func() { served <- s.Serve(serving, ln) }() // ends with stop
			a, err := dimse.Open(t.Context(), ln.dial(), config(studyFind, studyMove))
			if err != nil {
				t.Fatal(err)
			}
			ctx, cancel := context.WithCancel(t.Context())
			ended := make(chan error, 1)
			go func() { ended <- run(ctx, a) }() // ends with the operation
			synctest.Wait()
			cancel()
			if err := <-ended; !errors.Is(err, context.Canceled) {
				t.Errorf("%s: %v", name, err)
			}
			<-a.Done()
			if err := a.Err(); !errors.Is(err, dimse.ErrTimeout) {
				t.Errorf("%s: the association ended with %v", name, err)
			}
			close(forever)
			stop()
			<-served
		})
	}
}

// TestFailedSubOperationsSayWhy: the first cause and the count of each status.
func TestFailedSubOperationsSayWhy(t *testing.T) {
	t.Parallel()
	damaged := errors.New("test: damaged frame")
	subs := subOperations([]string{"1.2.1", "1.2.2", "1.2.3"}, bytes.Repeat([]byte{0}, 100))
	for i := range 2 {
		subs[i].Open = func(context.Context, []string) (io.ReadCloser, string, error) { return nil, "", damaged }
	}
	outcomes := make(chan dimse.Outcome, 1)
	mux := dimse.NewMux(func(ctx context.Context, _ *dimse.Call, next func(context.Context) dimse.Outcome) dimse.Outcome {
		out := next(ctx)
		outcomes <- out
		return out
	})
	mux.HandleGet(func(context.Context, *dimse.Association, *dimse.RetrieveRequest) (*dimse.RetrievePlan, dimse.Status) {
		return &dimse.RetrievePlan{Count: 3, SubOperations: slices.Values(subs)}, dimse.Status{}
	})
	cfg := config(studyGet, ct)
	cfg.Roles = []ul.RoleSelection{{SOPClassUID: ct, SCU: true, SCP: true}}
	a := dial(t, serve(t, &dimse.Server{Admit: admitAll, Mux: mux}), cfg)
	res, _ := a.Get(context.Background(), dimse.GetRequest{SOPClassUID: studyGet, Identifier: studyQuery(),
		Store: func(context.Context, *dimse.Association, *dimse.StoreRequest) dimse.Status { return dimse.Status{} }})
	if res.SubOperations.Failed != 2 || res.SubOperations.Completed != 1 || !res.Counted {
		t.Errorf("%+v", res)
	}
	cause := (<-outcomes).Status.Cause
	if !errors.Is(cause, damaged) || !strings.Contains(cause.Error(), "2 with ") {
		t.Errorf("cause %v", cause)
	}
}

// TestEveryFailedInstanceIsNamedWhereTheDestinationIsAway: also beyond those that
// were looked at for presentation contexts.
func TestEveryFailedInstanceIsNamedWhereTheDestinationIsAway(t *testing.T) {
	t.Parallel()
	instances := make([]string, 700)
	for i := range instances {
		instances[i] = "1.2." + strings.Repeat("1", 1+i%3) + "." + strings.Repeat("2", 1+i%7)
	}
	mux := dimse.NewMux(dimse.Unguarded)
	mux.HandleMove(func(context.Context, *dimse.Association, *dimse.RetrieveRequest) (*dimse.RetrievePlan, dimse.Status) {
		return &dimse.RetrievePlan{Count: len(instances), SubOperations: slices.Values(subOperations(instances, nil)),
			Destination: dimse.Dialer{Address: "127.0.0.1:1", Config: dimse.Config{CallingAETitle: "A", CalledAETitle: "B"}}}, dimse.Status{}
	})
	a := dial(t, serve(t, &dimse.Server{Admit: admitAll, Mux: mux}), config(studyMove))
	res, err := a.Move(context.Background(), dimse.MoveRequest{SOPClassUID: studyMove, Identifier: studyQuery(), MoveDestination: "X"})
	if err == nil || int(res.SubOperations.Failed) != len(instances) || !slices.Equal(res.FailedSOPInstanceUIDs, instances) {
		t.Errorf("%d failed, %d named: %v", res.SubOperations.Failed, len(res.FailedSOPInstanceUIDs), err)
	}
}
