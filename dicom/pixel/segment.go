package pixel

import (
	"context"
	"image"
	"image/color"
	"math"

	"collimator/dicom"
	"collimator/dicom/tag"
	"collimator/dicom/uid"
)

// segmentColour is the colour that a segmentation recommends for the segment of frame n (PS3.3 C.8.20.2); false where
// it recommends none, and for every other object.
func segmentColour(ds *dicom.DataSet, n int) (color.NRGBA, bool) {
	if ds.Text(tag.SOPClassUID) != uid.SegmentationStorage {
		return color.NRGBA{}, false
	}

	number := segmentOf(ds, n)
	for _, s := range ds.Items(tag.SegmentSequence) {
		lab := s.Ints(tag.RecommendedDisplayCIELabValue)
		if have, ok := s.Int(tag.SegmentNumber); ok && have == number && len(lab) == 3 {
			return labColour(lab), true
		}
	}
	return color.NRGBA{}, false
}

// segmentOf is the segment to which a frame belongs (PS3.3 C.8.20.3.1).
func segmentOf(ds *dicom.DataSet, n int) int64 {
	var groups []*dicom.DataSet
	if list := ds.Items(tag.PerFrameFunctionalGroupsSequence); n <= len(list) {
		groups = append(groups, list[n-1])
	}
	groups = append(groups, ds.Items(tag.SharedFunctionalGroupsSequence)...)
	for _, g := range groups {
		for _, s := range g.Items(tag.SegmentIdentificationSequence) {
			if v, ok := s.Int(tag.ReferencedSegmentNumber); ok {
				return v
			}
		}
	}
	return 1
}

// labColour is a CIELab value of 16 bits a component under D50, as PS3.3 C.10.7.1.1 encodes it, in sRGB.
func labColour(lab []int64) color.NRGBA {
	l := float64(lab[0]&0xFFFF) / 65535 * 100
	a, b := float64(lab[1]&0xFFFF)/65535*255-128, float64(lab[2]&0xFFFF)/65535*255-128

	linear := func(t float64) float64 {
		if t > 6.0/29 {
			return t * t * t
		}
		return 3 * (6.0 / 29) * (6.0 / 29) * (t - 4.0/29)
	}
	fy := (l + 16) / 116
	x, y, z := 0.9642*linear(fy+a/500), linear(fy), 0.8249*linear(fy-b/200) // of the white of D50

	gamma := func(v float64) byte {
		v = min(max(v, 0), 1)
		if v <= 0.0031308 {
			v *= 12.92
		} else {
			v = 1.055*math.Pow(v, 1/2.4) - 0.055
		}
		return byte(math.Round(255 * v))
	}
	return color.NRGBA{ // from XYZ of D50 to sRGB, adapted by Bradford
		R: gamma(3.1338561*x - 1.6168667*y - 0.4906146*z),
		G: gamma(-0.9787684*x + 1.9161415*y + 0.0334540*z),
		B: gamma(0.0719453*x - 0.2289914*y + 1.4052427*z),
		A: 0xFF,
	}
}

// painted is a picture of a segment in its colour, on black.
func painted(ctx context.Context, img image.Image, c color.NRGBA) (image.Image, error) {
	grey, ok := img.(*image.Gray)
	if !ok {
		return img, nil
	}

	out := image.NewNRGBA(grey.Rect)
	for i, v := range grey.Pix {
		if i&0xFFFFF == 0 && ctx.Err() != nil {
			return nil, context.Cause(ctx)
		}
		part := func(c byte) byte { return byte(int(c) * int(v) / 255) }
		copy(out.Pix[4*i:], []byte{part(c.R), part(c.G), part(c.B), 0xFF})
	}
	return out, nil
}
