package dimse_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"sync"
	"testing"

	"collimator/dicom/uid"
	"collimator/dimse"
	"collimator/dimse/ul"
)

func TestUnhandledIsAnsweredWithAStatus(t *testing.T) {
	t.Parallel()
	mux := dimse.NewMux(dimse.Unguarded)
	mux.HandleStore(func(context.Context, *dimse.Association, *dimse.StoreRequest) dimse.Status { return dimse.Status{} }, mr)
	a := dial(t, serve(t, &dimse.Server{Admit: admitAll, Mux: mux}), config(uid.Verification, ct))
	var status *dimse.StatusError
	if err := a.Echo(context.Background()); !errors.As(err, &status) || status.Status.Code != dimse.UnrecognizedOperation {
		t.Errorf("C-ECHO: %v", err)
	}
	rq := dimse.StoreRequest{SOPClassUID: ct, SOPInstanceUID: "1.2", TransferSyntax: uid.ExplicitVRLittleEndian, Data: bytes.NewReader(make([]byte, 10))}
	if _, err := a.Store(context.Background(), rq); !errors.As(err, &status) || status.Status.Code != dimse.SOPClassNotSupported {
		t.Errorf("C-STORE: %v", err)
	}
	rq.SOPInstanceUID, rq.Data = "../../etc/x", bytes.NewReader(make([]byte, 10))
	if _, err := a.Store(context.Background(), rq); !errors.As(err, &status) || status.Status.Code != dimse.InvalidSOPInstance {
		t.Errorf("SOP Instance UID that is none: %v", err)
	}
}

func TestInterceptorSeesEveryRequestAndItsOutcome(t *testing.T) {
	t.Parallel()
	type seen struct {
		op   dimse.Operation
		code dimse.StatusCode
		n    int64
	}
	var mu sync.Mutex
	var all []seen
	guard := func(ctx context.Context, call *dimse.Call, next func(context.Context) dimse.Outcome) dimse.Outcome {
		out := dimse.Outcome{Status: dimse.NotAuthorized.With("not authorized")}
		var read int64
		if call.SOPClassUID != mr {
			if call.Data != nil {
				call.Data = io.TeeReader(call.Data, countWriter{&read})
			}
			out = next(ctx)
		}
		mu.Lock()
		defer mu.Unlock()
		all = append(all, seen{call.Operation, out.Status.Code, read})
		return out
	}
	mux := dimse.NewMux(guard)
	mux.HandleStore(func(_ context.Context, _ *dimse.Association, rq *dimse.StoreRequest) dimse.Status {
		io.Copy(io.Discard, rq.Data)
		return dimse.CoercionOfDataElements.With("")
	})
	a := dial(t, serve(t, &dimse.Server{Admit: admitAll, Mux: mux}), config(uid.Verification, ct, mr))
	a.Echo(context.Background())
	for _, class := range []string{ct, mr} {
		a.Store(context.Background(), dimse.StoreRequest{SOPClassUID: class, SOPInstanceUID: "1.2", TransferSyntax: uid.ExplicitVRLittleEndian, Data: bytes.NewReader(make([]byte, 1000))})
	}
	mu.Lock()
	defer mu.Unlock()
	want := []seen{{dimse.CEcho, dimse.UnrecognizedOperation, 0}, {dimse.CStore, dimse.CoercionOfDataElements, 1000}, {dimse.CStore, dimse.NotAuthorized, 0}}
	if !slices.Equal(all, want) {
		t.Errorf("saw %v, want %v", all, want)
	}
}

type countWriter struct{ n *int64 }

func (w countWriter) Write(p []byte) (int, error) { *w.n += int64(len(p)); return len(p), nil }

func TestUserIdentityOnlyOverTLS(t *testing.T) {
	t.Parallel()
	identity := &ul.UserIdentity{Kind: ul.IdentityUsernamePasscode, PositiveResponseRequested: true, Primary: ul.NewSecret([]byte("ZZPHI")), Secondary: ul.NewSecret([]byte("s3cret"))}
	cfg := config(uid.Verification)
	cfg.Identity = identity
	mux := dimse.NewMux(dimse.Unguarded)
	seen := make(chan *dimse.AssociateRequest, 1)
	s := &dimse.Server{Mux: mux, Admit: func(_ context.Context, rq *dimse.AssociateRequest) (dimse.Acceptance, error) {
		seen <- rq
		acc := dimse.Negotiate(rq, everything())
		acc.Identity = &ul.UserIdentityResponse{}
		return acc, nil
	}}
	var client = cfg
	s.TLSConfig, client.TLSConfig = tlsPair(t)
	addr := serve(t, s)
	if _, err := dimse.Dial(context.Background(), addr, cfg); !errors.Is(err, dimse.ErrInsecureIdentity) {
		t.Errorf("without TLS: %v", err)
	}
	a := dial(t, addr, client)
	rq := <-seen
	if rq.Identity == nil || string(rq.Identity.Secondary.Reveal()) != "s3cret" || a.IdentityResponse() == nil {
		t.Error("identity did not arrive or was not answered")
	}
	if s := fmt.Sprintf("%+v %#v %s %v", rq.Identity, rq.Identity, rq.Identity.Primary, *rq.Identity); bytes.Contains([]byte(s), []byte("s3cret")) || bytes.Contains([]byte(s), []byte("ZZPHI")) {
		t.Error("credential printed")
	}
}

func TestRejectionReachesTheRequestor(t *testing.T) {
	t.Parallel()
	refused := newRefusals()
	addr := serve(t, &dimse.Server{OnRefused: refused.add, Admit: func(context.Context, *dimse.AssociateRequest) (dimse.Acceptance, error) {
		return dimse.Acceptance{}, dimse.Reject(errors.New("unknown caller"))
	}})
	_, err := dimse.Dial(context.Background(), addr, config(uid.Verification))
	var reject *dimse.RejectError
	if !errors.As(err, &reject) || reject.Reason != ul.UserNoReason || reject.Source != ul.RejectServiceUser || reject.Result != ul.RejectedPermanent {
		t.Fatalf("got %v", err)
	}
	if r := refused.next(t); r.Kind != dimse.RefusedRejected || r.Request == nil || r.Request.CallingAETitle != "TESTSCU" {
		t.Errorf("reported %v", r.Kind)
	}
}

func TestShutdownWaitsForTheOperationUnderWay(t *testing.T) {
	t.Parallel()
	begun, finish := make(chan struct{}), make(chan struct{})
	mux := dimse.NewMux(dimse.Unguarded)
	mux.HandleStore(func(_ context.Context, _ *dimse.Association, rq *dimse.StoreRequest) dimse.Status {
		io.Copy(io.Discard, rq.Data)
		close(begun)
		<-finish
		return dimse.Status{}
	})
	s := &dimse.Server{Admit: admitAll, Mux: mux}
	a := dial(t, serve(t, s), config(ct))
	stored := make(chan error, 1)
	go func() {
		_, err := a.Store(context.Background(), dimse.StoreRequest{SOPClassUID: ct, SOPInstanceUID: "1.2", TransferSyntax: uid.ExplicitVRLittleEndian, Data: bytes.NewReader(make([]byte, 10))})
		stored <- err
	}()
	<-begun
	down := make(chan error, 1)
	go func() { down <- s.Shutdown(context.Background()) }()
	close(finish)
	if err := <-stored; err != nil {
		t.Errorf("the store under way: %v", err)
	}
	if err := <-down; err != nil {
		t.Errorf("shutdown: %v", err)
	}
}
