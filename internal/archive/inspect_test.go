package archive

import (
	"bytes"
	"context"
	"errors"
	"io"
	"strings"
	"testing"

	"collimator/dicom"
	"collimator/dicom/tag"
	"collimator/internal/fault"
)

func TestInspectionHoldsOrRefusesBeforeThereAreRows(t *testing.T) {
	t.Parallel()
	var verdict Inspection
	var seen []byte
	a := openTest(t, func(o *Options) {
		o.Inspect = func(_ context.Context, in Inspected) Inspection {
			ds := in.DataSet
			el, _ := ds.Get(tag.PixelData)
			r, err := el.Open()
			if err != nil {
				t.Error(err)
				return Inspection{}
			}
			seen, err = io.ReadAll(r)
			if err != nil {
				t.Error(err)
			}
			return verdict
		}
	})
	ds := image(t, 1, 1, 1)
	pixels := bytes.Repeat([]byte("pixels"), 5000)
	ds.Set(dicom.NewElement(tag.PixelData, dicom.OB, pixels))

	verdict = Inspection{Refuse: true}
	if _, err := a.Ingest(t.Context(), incoming(t, ds)); !errors.Is(err, ErrContent) {
		t.Errorf("got %v, want a refusal", err)
	}
	if !bytes.Equal(seen, pixels) {
		t.Errorf("the inspection saw %d bytes of pixel data, want %d", len(seen), len(pixels))
	}
	wantStats(t, a, 0, 0, 0, 0, 0)

	// What cannot be looked at for its length is not asked for again.
	verdict = Inspection{TooLong: true}
	if _, err := a.Ingest(t.Context(), incoming(t, ds)); fault.Of(err) != fault.TooLarge || !strings.Contains(err.Error(), "raise StreamMaxLength") {
		t.Errorf("got %v, want a refusal for good", err)
	}
	wantStats(t, a, 0, 0, 0, 0, 0)

	verdict = Inspection{Hold: true}
	for range 2 {
		_, err := a.Ingest(t.Context(), incoming(t, ds))
		if conflict, ok := errors.AsType[*ConflictError](err); !ok || conflict.Reason != Suspicious || conflict.Quarantine == 0 {
			t.Fatalf("got %v, want it held", err)
		}
	}
	list, err := a.Quarantine(t.Context(), 0, 10)
	if err != nil || len(list) != 1 || list[0].Times != 2 {
		t.Fatalf("quarantine has %d entries, %v", len(list), err)
	}
	// Somebody decides that it is harmless; sent again it is a duplicate.
	if _, err := a.Release(t.Context(), list[0].ID, Source{Principal: "ada"}); err != nil {
		t.Fatal(err)
	}
	if r, err := a.Ingest(t.Context(), incoming(t, ds)); err != nil || !r.Duplicate {
		t.Errorf("after its release it is not taken for a duplicate: %v", err)
	}
}
