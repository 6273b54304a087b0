package sign

import (
	"io"
	"runtime"
	"testing"

	"collimator/dicom"
	"collimator/dicom/tag"
	"collimator/dicom/uid"
)

// zeros is a stream without an end.
type zeros struct{}

// Read implements io.Reader.
func (zeros) Read(p []byte) (int, error) {
	clear(p)
	return len(p), nil
}

// TestPixelDataAreSignedInConstantMemory runs alone: it counts what is allocated.
func TestPixelDataAreSignedInConstantMemory(t *testing.T) {
	const size = 64 << 20
	id := newIdentity(t)
	ds := image(uid.ExplicitVRLittleEndian).DataSet
	ds.Set(dicom.NewStream(tag.PixelData, dicom.OW, size, func() (io.Reader, error) { return zeros{}, nil }))

	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	if err := id.signer().Sign(t.Context(), ds, uid.ExplicitVRLittleEndian); err != nil {
		t.Fatal(err)
	}
	r := one(t, ds, id.trusted())
	runtime.ReadMemStats(&after)

	if r.State != Valid || !r.PixelData {
		t.Fatalf("%+v", r)
	}
	if n := after.TotalAlloc - before.TotalAlloc; n > 8<<20 {
		t.Errorf("%d bytes were allocated for %d bytes of pixel data", n, size)
	}
}
