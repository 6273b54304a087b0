package dicomweb

import (
	"errors"

	"collimator/dicom/pixel"
)

// Code says in a word why something has no rendered form: a page says it in a
// sentence of its own. It stands in the problem document beside the detail.
type Code string

// The codes.
const (
	CodeNoPicture Code = "no-picture" // the object has no pixel data
	CodeNoFrame   Code = "no-frame"   // it has no frame of that number
	CodeNoDecoder Code = "no-decoder" // compressed in a way that is not decoded here
	CodeDamaged   Code = "damaged"    // a compressed frame does not decode
	CodeFrames    Code = "frames"     // fragments that cannot be told apart into frames
	CodeUnusual   Code = "unusual"    // pixels of a kind of which no picture is made here
	CodeVideo     Code = "video"      // a video, which players take
	CodeDocument  Code = "document"   // a document, which has no picture
)

// codeOf is the code of an error of dicom/pixel.
func codeOf(err error) Code {
	for _, c := range []struct {
		is   error
		code Code
	}{
		{pixel.ErrNoPixelData, CodeNoPicture},
		{pixel.ErrNoFrame, CodeNoFrame},
		{pixel.ErrNotConvertible, CodeNoDecoder},
		{pixel.ErrDamaged, CodeDamaged},
		{pixel.ErrFrames, CodeFrames},
	} {
		if errors.Is(err, c.is) {
			return c.code
		}
	}
	return CodeUnusual
}
