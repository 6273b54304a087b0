package archive

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"io"
	"testing"

	"collimator/dicom"
	"collimator/dicom/tag"
	"collimator/dicom/uid"
	"collimator/internal/db"
	"collimator/internal/fault"
)

// atRoute is an instance that came for a route.
func atRoute(t *testing.T, ds *dicom.DataSet) Incoming {
	t.Helper()
	in := incoming(t, ds)
	in.Source.Route = "PACS"
	return in
}

func TestWhatCameForARouteIsHeldAndLetThroughThereAlone(t *testing.T) {
	t.Parallel()
	var let []QuarantineEntry
	var passes Passing
	a := openTest(t, func(o *Options) {
		o.LetThrough = func(_ context.Context, _ *db.Tx, e QuarantineEntry, p Passing) error {
			let = append(let, e)
			passes = p
			return nil
		}
	})
	ds := image(t, 1, 1, 1)
	for range 2 { // it is sent twice
		if held, err := a.HoldBack(t.Context(), atRoute(t, ds), AtRoute); err != nil || !held {
			t.Fatalf("%v, %v", held, err)
		}
	}
	list, err := a.Quarantine(t.Context(), 0, 10)
	if err != nil || len(list) != 1 || list[0].Reason != AtRoute || list[0].Source.Route != "PACS" || list[0].Times != 2 {
		t.Fatalf("%+v, %v", list, err)
	}

	if _, err := a.Release(t.Context(), list[0].ID, Source{Principal: "ada"}); err != nil {
		t.Fatal(err)
	}
	p, err := dicom.ReadPassage(incoming(t, ds).Data, dicom.DecodeOptions{TransferSyntax: uid.ExplicitVRLittleEndian})
	if err != nil {
		t.Fatal(err)
	}
	p.Hash = sha256.New()
	if _, err := p.WriteTo(io.Discard); err != nil {
		t.Fatal(err)
	}
	if want := hex.EncodeToString(p.Hash.Sum(nil)); len(let) != 1 || let[0].Source.Route != "PACS" || passes.Hash != want ||
		passes.Head.Text(tag.PatientID) != ds.Text(tag.PatientID) {
		t.Errorf("let through %+v, hash %s, want %s", let, passes.Hash, want)
	}

	wantStats(t, a, 0, 0, 0, 0, 0) // neither in the archive nor in its quarantine
	if n := blobCount(t, a); n != 0 {
		t.Errorf("%d files", n)
	}
}

func TestWithoutAGateNothingIsLetThrough(t *testing.T) {
	t.Parallel()
	a := openTest(t)
	if held, err := a.HoldBack(t.Context(), atRoute(t, image(t, 1, 1, 1)), AtRoute); err != nil || !held {
		t.Fatalf("%v, %v", held, err)
	}
	if _, err := a.Release(t.Context(), 1, Source{}); fault.Of(err) != fault.Unsupported {
		t.Errorf("%v", err)
	}
	if list, err := a.Quarantine(t.Context(), 0, 10); err != nil || len(list) != 1 {
		t.Errorf("%d entries, %v", len(list), err)
	}
}

func TestWhatIsHeldForARouteIsNoObstacleInTheArchive(t *testing.T) {
	t.Parallel()
	a := openTest(t)
	if _, err := a.HoldBack(t.Context(), atRoute(t, image(t, 1, 1, 1, tag.StudyDescription, "forged")), AtRoute); err != nil {
		t.Fatal(err)
	}
	store(t, a, image(t, 1, 1, 1))
	wantStats(t, a, 1, 1, 1, 1, 1)
}
