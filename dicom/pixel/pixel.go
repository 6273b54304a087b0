// Package pixel finds the frames of an image, reads them one at a time, decodes
// RLE and baseline JPEG, and writes files in another transfer syntax as far as
// that needs no other codec (PS3.5 8, A.4, G; PS3.3 C.7.6.3). Frames are
// counted from 1. Render makes images for the eye of them.
package pixel

import (
	"errors"
	"fmt"
	"math"
	"strings"

	"collimator/dicom"
	"collimator/dicom/tag"
)

// Errors a caller may test for with errors.Is.
var (
	// ErrNotConvertible: there is no way between the two transfer syntaxes here.
	ErrNotConvertible = errors.New("dicom/pixel: not convertible between these transfer syntaxes")
	// ErrNoFrame: the image has no frame of that number.
	ErrNoFrame = errors.New("dicom/pixel: no such frame")
	// ErrNoPixelData: the data set holds none.
	ErrNoPixelData = errors.New("dicom/pixel: no pixel data")
	// ErrFrames: fragments cannot be told apart into frames.
	ErrFrames = errors.New("dicom/pixel: frames cannot be told apart")
	// ErrDamaged: a compressed frame does not decode.
	ErrDamaged = errors.New("dicom/pixel: damaged frame")
)

// Attributes is what the Image Pixel module says (PS3.3 C.7.6.3).
type Attributes struct {
	Rows, Columns             int
	SamplesPerPixel           int
	BitsAllocated             int
	BitsStored                int
	HighBit                   int
	PixelRepresentation       int
	PlanarConfiguration       int
	PhotometricInterpretation string
	NumberOfFrames            int // 1 where absent
}

// Describe reads the attributes of an image. It fails where rows, columns or
// bits allocated are missing or invalid.
func Describe(ds *dicom.DataSet) (Attributes, error) {
	a := Attributes{
		Rows: number(ds, tag.Rows, 0), Columns: number(ds, tag.Columns, 0),
		SamplesPerPixel: number(ds, tag.SamplesPerPixel, 1), BitsAllocated: number(ds, tag.BitsAllocated, 0),
		PixelRepresentation: number(ds, tag.PixelRepresentation, 0), PlanarConfiguration: number(ds, tag.PlanarConfiguration, 0),
		PhotometricInterpretation: ds.Text(tag.PhotometricInterpretation),
		NumberOfFrames:            number(ds, tag.NumberOfFrames, 1),
	}

	a.BitsStored = number(ds, tag.BitsStored, a.BitsAllocated)
	a.HighBit = number(ds, tag.HighBit, a.BitsStored-1)
	if a.NumberOfFrames < 1 {
		a.NumberOfFrames = 1
	}

	switch {
	case a.Rows < 1 || a.Columns < 1 || a.Rows > math.MaxUint16 || a.Columns > math.MaxUint16:
		return a, fmt.Errorf("dicom/pixel: rows and columns do not make an image: %d by %d", a.Rows, a.Columns)
	case a.BitsAllocated != 1 && (a.BitsAllocated < 8 || a.BitsAllocated > 64 || a.BitsAllocated%8 != 0):
		return a, fmt.Errorf("dicom/pixel: bits allocated cannot be %d", a.BitsAllocated)
	case a.SamplesPerPixel < 1 || a.SamplesPerPixel > 4:
		return a, fmt.Errorf("dicom/pixel: samples per pixel cannot be %d", a.SamplesPerPixel)
	}
	return a, nil
}

func number(ds *dicom.DataSet, t dicom.Tag, absent int) int {
	v, ok := ds.Int(t)
	if !ok {
		return absent
	}
	if v < 0 || v > math.MaxInt32 {
		return -1
	}
	return int(v)
}

// FrameBits is the bits of a native frame. Frames of one bit a pixel follow
// one another without padding (PS3.5 8.1.1); subsampled chrominance takes
// less than one sample a pixel (PS3.3 C.7.6.3.1.2).
func (a Attributes) FrameBits() int64 {
	pixels := int64(a.Rows) * int64(a.Columns)
	samples := pixels * int64(a.SamplesPerPixel)
	if a.SamplesPerPixel == 3 {
		switch {
		case strings.HasSuffix(a.PhotometricInterpretation, "_422"):
			samples = 2 * pixels
		case strings.HasSuffix(a.PhotometricInterpretation, "_420"):
			samples = pixels * 3 / 2
		}
	}
	return samples * int64(a.BitsAllocated)
}

// FrameLength is the bytes of a native frame standing alone.
func (a Attributes) FrameLength() int64 { return (a.FrameBits() + 7) / 8 }
