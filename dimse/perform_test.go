package dimse_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"slices"
	"testing"

	"collimator/dicom/uid"
	"collimator/dimse"
	"collimator/dimse/ul"
)

// carrying is a server whose retrievals are performed by another one.
func carrying(t *testing.T, intercept dimse.Interceptor, behind string) string {
	t.Helper()
	mux := dimse.NewMux(intercept)
	mux.HandleGet(func(_ context.Context, front *dimse.Association, rq *dimse.RetrieveRequest) (*dimse.RetrievePlan, dimse.Status) {
		return &dimse.RetrievePlan{Perform: func(ctx context.Context, p *dimse.Performance) dimse.RetrieveResult {
			cfg := config(studyGet, ct)
			cfg.Roles = []ul.RoleSelection{{SOPClassUID: ct, SCP: true}}
			back := dial(t, behind, cfg)
			result, _ := back.Get(ctx, dimse.GetRequest{
				SOPClassUID: studyGet, Identifier: rq.Identifier,
				Progress: func(r dimse.RetrieveResult) { p.Progress(r.SubOperations) },
				Store: func(_ context.Context, _ *dimse.Association, in *dimse.StoreRequest) dimse.Status {
					sub := dimse.SubOperation{SOPClassUID: in.SOPClassUID, SOPInstanceUID: in.SOPInstanceUID}
					if err := p.Sending(ctx, sub); err != nil {
						return dimse.Status{Code: dimse.OutOfResources}
					}
					status, err := front.Store(ctx, dimse.StoreRequest{
						SOPClassUID: in.SOPClassUID, SOPInstanceUID: in.SOPInstanceUID, TransferSyntax: in.TransferSyntax, Data: in.Data,
					})
					if err != nil {
						status = dimse.Status{Code: dimse.ProcessingFailure}
					}
					p.Sent(sub, status)
					return status
				},
			})
			return result
		}}, dimse.Status{}
	})
	return serve(t, &dimse.Server{Admit: admitAll, Mux: mux})
}

// behindIt serves three instances of which the second is gone.
func behindIt(t *testing.T) string {
	t.Helper()
	data := image(t, "1.2.3", 100<<10)
	mux := dimse.NewMux(dimse.Unguarded)
	mux.HandleGet(func(context.Context, *dimse.Association, *dimse.RetrieveRequest) (*dimse.RetrievePlan, dimse.Status) {
		subs := subOperations([]string{"1.2.1", "1.2.2", "1.2.3"}, data)
		subs[1].Open = func(context.Context, []string) (io.ReadCloser, string, error) { return nil, "", errors.New("gone") }
		return &dimse.RetrievePlan{Count: 3, SubOperations: slices.Values(subs)}, dimse.Status{}
	})
	return serve(t, &dimse.Server{Admit: admitAll, Mux: mux})
}

func TestARetrievalThatAnotherPerformsHasItsCountsAndItsStatus(t *testing.T) {
	t.Parallel()
	var sent []string
	intercept := func(ctx context.Context, call *dimse.Call, next func(context.Context) dimse.Outcome) dimse.Outcome {
		call.Observe = func(o dimse.Observation) bool {
			sent = append(sent, o.SubOperation.SOPInstanceUID)
			return true
		}
		out := next(ctx)
		if want := (dimse.SubOperations{Completed: 2, Failed: 1}); out.SubOperations != want {
			t.Errorf("the interceptor sees %+v", out.SubOperations)
		}
		return out
	}
	cfg := config(studyGet, ct)
	cfg.Roles = []ul.RoleSelection{{SOPClassUID: ct, SCP: true}}
	a := dial(t, carrying(t, intercept, behindIt(t)), cfg)

	var got []string
	result, err := a.Get(context.Background(), dimse.GetRequest{SOPClassUID: studyGet, Identifier: studyQuery(),
		Store: func(_ context.Context, _ *dimse.Association, rq *dimse.StoreRequest) dimse.Status {
			_, _ = io.Copy(io.Discard, rq.Data)
			got = append(got, rq.SOPInstanceUID)
			return dimse.Status{}
		}})
	if err != nil {
		t.Fatal(err)
	}
	if want := []string{"1.2.1", "1.2.3"}; !slices.Equal(got, want) || !slices.Equal(sent, want) {
		t.Errorf("got %v, the interceptor saw %v", got, sent)
	}
	if result.Status.Code != dimse.SubOperationsWithFailures || result.SubOperations != (dimse.SubOperations{Completed: 2, Failed: 1}) ||
		!slices.Equal(result.FailedSOPInstanceUIDs, []string{"1.2.2"}) {
		t.Errorf("%+v", result)
	}
}

func TestWhatAnInterceptorRefusesOfARetrievalThatAnotherPerformsDoesNotGo(t *testing.T) {
	t.Parallel()
	intercept := func(ctx context.Context, call *dimse.Call, next func(context.Context) dimse.Outcome) dimse.Outcome {
		call.Sending = func(_ context.Context, sub dimse.SubOperation) error {
			if sub.SOPInstanceUID == "1.2.3" {
				return errors.New("test: not this one")
			}
			return nil
		}
		return next(ctx)
	}
	cfg := config(studyGet, ct)
	cfg.Roles = []ul.RoleSelection{{SOPClassUID: ct, SCP: true}}
	a := dial(t, carrying(t, intercept, behindIt(t)), cfg)

	result, _ := a.Get(context.Background(), dimse.GetRequest{SOPClassUID: studyGet, Identifier: studyQuery(),
		Store: func(_ context.Context, _ *dimse.Association, rq *dimse.StoreRequest) dimse.Status {
			b, _ := io.ReadAll(rq.Data)
			if rq.SOPInstanceUID != "1.2.1" || !bytes.Contains(b, []byte("ZZPHI")) {
				t.Errorf("%s came", rq.SOPInstanceUID)
			}
			return dimse.Status{}
		}})
	if result.SubOperations != (dimse.SubOperations{Completed: 1, Failed: 2}) {
		t.Errorf("%+v", result)
	}
}

func TestAnAssociationIsAnsweredByTheMuxOfItsAcceptance(t *testing.T) {
	t.Parallel()
	other := dimse.NewMux(dimse.Unguarded)
	other.HandleEcho(func(context.Context, *dimse.Association) dimse.Status {
		return dimse.Status{Code: dimse.ResourceLimitation}
	})
	usual := dimse.NewMux(dimse.Unguarded)
	usual.HandleEcho(nil)
	address := serve(t, &dimse.Server{Mux: usual, Admit: func(_ context.Context, rq *dimse.AssociateRequest) (dimse.Acceptance, error) {
		acc := dimse.Negotiate(rq, everything())
		if rq.CalledAETitle == "OTHER" {
			acc.Mux = other
		}
		return acc, nil
	}})

	cfg := config(uid.Verification)
	if err := dial(t, address, cfg).Echo(t.Context()); err != nil {
		t.Error(err)
	}
	cfg.CalledAETitle = "OTHER"
	err := dial(t, address, cfg).Echo(t.Context())
	if status, ok := errors.AsType[*dimse.StatusError](err); !ok || status.Status.Code != dimse.ResourceLimitation {
		t.Errorf("%v", err)
	}
}
