package pixel_test

import (
	"image"
	"image/color"
	"testing"

	"collimator/dicom"
	"collimator/dicom/pixel"
	"collimator/dicom/tag"
	"collimator/dicom/uid"
	"collimator/internal/synth"
)

// TestASegmentIsRenderedInItsColour renders a mask whose colour is told in CIELab.
func TestASegmentIsRenderedInItsColour(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		lab  []int64
		want color.NRGBA
	}{
		"white": {[]int64{65535, 32896, 32896}, color.NRGBA{255, 255, 255, 255}},
		"red":   {[]int64{35580, 53647, 50845}, color.NRGBA{255, 0, 0, 255}}, // 54.29, 80.8, 69.9 of D50
		"black": {[]int64{0, 32896, 32896}, color.NRGBA{0, 0, 0, 255}},
	} {
		ds := synth.First(synth.SEG, synth.Options{Rows: 16, Columns: 16}).DataSet
		if err := ds.Items(tag.SegmentSequence)[0].SetInt(tag.RecommendedDisplayCIELabValue, c.lab...); err != nil {
			t.Fatal(err)
		}
		img, err := pixel.Render(t.Context(), ds, 4, uid.ExplicitVRLittleEndian, pixel.RenderOptions{})
		if err != nil {
			t.Fatal(err)
		}
		inside, outside := img.(*image.NRGBA).NRGBAAt(5, 8), img.(*image.NRGBA).NRGBAAt(15, 0)
		if !close4(inside, c.want) || outside != (color.NRGBA{0, 0, 0, 255}) {
			t.Errorf("%s: %v, want %v; outside %v", name, inside, c.want, outside)
		}
	}
}

func TestASegmentWithoutAColourIsWhite(t *testing.T) {
	t.Parallel()
	ds := synth.First(synth.SEG, synth.Options{Rows: 16, Columns: 16}).DataSet
	ds.Items(tag.SegmentSequence)[0].Delete(tag.RecommendedDisplayCIELabValue)
	for _, broken := range []func(){
		func() {},
		func() {
			ds.Items(tag.SegmentSequence)[0].Set(dicom.NewElement(tag.RecommendedDisplayCIELabValue, dicom.US, []byte{1, 2}))
		},
		func() { ds.Delete(tag.SegmentSequence) },
		func() { ds.Delete(tag.SharedFunctionalGroupsSequence) },
	} {
		broken()
		img, err := pixel.Render(t.Context(), ds, 4, uid.ExplicitVRLittleEndian, pixel.RenderOptions{})
		if g, ok := img.(*image.Gray); err != nil || !ok || g.GrayAt(5, 8).Y != 255 {
			t.Errorf("%T, %v", img, err)
		}
	}
}

// close4 reports colours that differ by rounding.
func close4(a, b color.NRGBA) bool {
	near := func(x, y uint8) bool { return max(x, y)-min(x, y) <= 3 }
	return near(a.R, b.R) && near(a.G, b.G) && near(a.B, b.B) && a.A == b.A
}
