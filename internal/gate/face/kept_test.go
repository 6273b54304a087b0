package face_test

import (
	"bytes"
	"io"
	"testing"

	"collimator/dicom"
	"collimator/dicom/tag"
	"collimator/dicom/uid"
)

// What a patch or the rules keep away from devices comes by no other door.
func TestATransferSyntaxThatIsKeptAwayComesByNoDICOMwebEither(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		syntax string
		route  []string
		stored int
	}{
		{uid.JPEGLSLossless, nil, 1},
		{uid.JPEGLSLossless, []string{"patches: {jpeg-ls: true}"}, 0},
		{uid.ExplicitVRLittleEndian, []string{"patches: {jpeg-ls: true}"}, 1},
		{uid.DeflatedExplicitVRLittleEndian, nil, 0},
	} {
		s := newSite(t, nil, c.route...)
		ds := image(t, "1.2.1", "1.2.1.1", "1.2.1.1.1", "P1")
		ds.Set(dicom.NewElement(tag.PixelData, dicom.OW, []byte{1, 2}))
		if c.syntax == uid.JPEGLSLossless {
			ds.Set(dicom.NewFragments(tag.PixelData, dicom.OB, nil, []byte{0xFF, 0xD8, 0xFF, 0xD9}))
		}
		file := bytes.NewReader(fileIn(t, ds, c.syntax))
		report, err := s.client("ada").Store(t.Context(), "", func(yield func(io.Reader, error) bool) { yield(file, nil) })
		if err != nil || len(report.Stored) != c.stored || len(report.Failed) != 1-c.stored {
			t.Errorf("%s at a route with %q: %+v, %v", uid.Name(c.syntax), c.route, report, err)
		}
		if n := len(s.behind.Archive.All()); n != c.stored {
			t.Errorf("%s at a route with %q: %d arrived", uid.Name(c.syntax), c.route, n)
		}
	}
}
