package dimse_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"testing"

	"collimator/dicom"
	"collimator/dicom/tag"
	"collimator/dicom/uid"
	"collimator/dimse"
)

// deflatedServer takes C-STORE in the deflated syntax and tells how long the data sets were.
func deflatedServer(t *testing.T) (addr string, lengths chan int) {
	t.Helper()
	lengths = make(chan int, 1)
	mux := dimse.NewMux(dimse.Unguarded)
	mux.HandleStore(func(_ context.Context, _ *dimse.Association, rq *dimse.StoreRequest) dimse.Status {
		b, err := io.ReadAll(rq.Data)
		if err != nil {
			return dimse.ProcessingFailure.Because(err)
		}
		lengths <- len(b)
		return dimse.Status{}
	})
	admit := func(_ context.Context, rq *dimse.AssociateRequest) (dimse.Acceptance, error) {
		return dimse.Negotiate(rq, dimse.Support{TransferSyntaxes: func(string) []string {
			return []string{uid.DeflatedExplicitVRLittleEndian, uid.ExplicitVRLittleEndian}
		}}), nil
	}
	return serve(t, &dimse.Server{Admit: admit, Mux: mux}), lengths
}

// TestDeflatedDataSetOfOddLengthIsPaddedOnTheWire: PS3.5 A.5, PS3.8 E.
func TestDeflatedDataSetOfOddLengthIsPaddedOnTheWire(t *testing.T) {
	t.Parallel()
	addr, lengths := deflatedServer(t)
	cfg := config()
	cfg.Contexts = dimse.Propose([]string{ct}, []string{uid.DeflatedExplicitVRLittleEndian}, false)
	cfg.Limits.SendPDU = 4096
	a := dial(t, addr, cfg)
	for _, size := range []int{1, 4089, 4090, 4091, 50_001} {
		_, err := a.Store(context.Background(), dimse.StoreRequest{SOPClassUID: ct, SOPInstanceUID: "1.2.3",
			TransferSyntax: uid.DeflatedExplicitVRLittleEndian, Data: bytes.NewReader(make([]byte, size))})
		if err != nil {
			t.Fatal(err)
		}
		if n := <-lengths; n != size+size%2 {
			t.Errorf("%d bytes arrived as %d", size, n)
		}
	}
}

func TestDataSetOfOddLengthIsNotSent(t *testing.T) {
	t.Parallel()
	addr, lengths := deflatedServer(t)
	a := dial(t, addr, config(ct))
	_, err := a.Store(context.Background(), dimse.StoreRequest{SOPClassUID: ct, SOPInstanceUID: "1.2.3",
		TransferSyntax: uid.ExplicitVRLittleEndian, Data: bytes.NewReader(make([]byte, 301))})
	if !errors.Is(err, dimse.ErrOddLength) {
		t.Errorf("got %v", err)
	}

	// Nothing of it went out, so the association goes on.
	if _, err := a.Store(context.Background(), dimse.StoreRequest{SOPClassUID: ct, SOPInstanceUID: "1.2.3",
		TransferSyntax: uid.ExplicitVRLittleEndian, Data: bytes.NewReader(make([]byte, 300))}); err != nil {
		t.Error(err)
	}
	<-lengths
}

// TestIdentifiersWithOddValuesGoEven: an answer may hold what an object was stored with.
func TestIdentifiersWithOddValuesGoEven(t *testing.T) {
	t.Parallel()
	odd, err := dicom.Decode(bytes.NewReader([]byte("\x10\x00\x20\x00LO\x05\x00ZZPHI")),
		dicom.DecodeOptions{TransferSyntax: uid.ExplicitVRLittleEndian})
	if err != nil {
		t.Fatal(err)
	}
	mux := dimse.NewMux(dimse.Unguarded)
	mux.HandleFind(func(_ context.Context, _ *dimse.Association, _ *dimse.FindRequest, yield func(dimse.Match) bool) dimse.Status {
		yield(dimse.Match{Identifier: odd})
		return dimse.Status{}
	})
	a := dial(t, serve(t, &dimse.Server{Admit: admitAll, Mux: mux}), config(studyFind))
	for m, err := range a.Find(context.Background(), dimse.FindRequest{SOPClassUID: studyFind, Identifier: studyQuery()}) {
		if err != nil {
			t.Fatal(err)
		}
		if el, _ := m.Identifier.Get(tag.PatientID); el.Length()%2 != 0 {
			t.Errorf("a value of %d bytes", el.Length())
		}
	}
}
