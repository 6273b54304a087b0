package pixel

import (
	"collimator/dicom"
	"collimator/dicom/tag"
	"collimator/dicom/uid"
)

// smallWork is what decoding or rendering holds besides frames: tables, buffers.
const smallWork = 1 << 20

// Cost is the bytes that decoding frame n holds at most, with the frame as it is
// stored and as it is decoded. Of an image whose attributes make no sense it is the
// stored frame alone: it is not decoded.
func (f *Frames) Cost(n int, transferSyntax string) int64 {
	length := max(f.Length(n), 0)
	switch {
	case !f.Encapsulated():
		return length + smallWork
	case f.invalid != nil:
		return smallWork
	}

	stored := min(length, maxFrame*f.FrameLength()+1<<20)
	if codecJPEG(transferSyntax) {
		return stored + 2*f.jpegSamples() + f.coefficients() + smallWork
	}
	return stored + f.FrameLength() + smallWork
}

// OpenCost is the bytes that Open holds for frame n beside what is read from it:
// native frames that begin or end within a byte are shifted in memory.
func (f *Frames) OpenCost(n int) int64 {
	if f.Encapsulated() || f.FrameBits()%8 == 0 || n < 1 || n > f.count {
		return 0
	}
	return 2 * (f.FrameLength() + 1)
}

// codecJPEG reports the syntaxes whose frames DecodeJPEG decodes.
func codecJPEG(transferSyntax string) bool {
	return transferSyntax == uid.JPEGBaseline8Bit || transferSyntax == uid.JPEGExtended12Bit
}

// jpegSamples is the bytes of the planes that come out of the codec.
func (f *Frames) jpegSamples() int64 {
	return int64(f.Rows+32) * int64(f.Columns+32) * int64(f.SamplesPerPixel)
}

// coefficients is what a progressive frame adds; one of more is not decoded.
func (f *Frames) coefficients() int64 {
	if int64(f.Rows)*int64(f.Columns)*int64(f.SamplesPerPixel) > maxProgressiveCoefficients {
		return 0
	}
	return 4 * f.jpegSamples()
}

// RenderCost is the bytes that Render holds at most for frame n of ds, with the
// image it gives.
func RenderCost(ds *dicom.DataSet, n int, transferSyntax string) int64 {
	f, err := Index(ds)
	if err != nil || f.video || f.invalid != nil || n < 1 || n > f.Len() {
		return smallWork // it is not decoded
	}

	pixels := int64(f.Rows) * int64(f.Columns)
	switch {
	case f.renderedAsDecoded(transferSyntax):
		return min(f.Length(n), maxFrame*f.FrameLength()+1<<20) + f.jpegSamples() + f.coefficients() + smallWork
	case f.SamplesPerPixel == 1 && ds.Text(tag.SOPClassUID) == uid.SegmentationStorage:
		return f.Cost(n, transferSyntax) + 5*pixels
	case f.SamplesPerPixel == 1 && f.PhotometricInterpretation != "PALETTE COLOR":
		return f.Cost(n, transferSyntax) + pixels
	case f.SamplesPerPixel == 3 && pixels > manyPixels && interleaved(f.Attributes):
		return f.Cost(n, transferSyntax)
	}
	return f.Cost(n, transferSyntax) + 4*pixels
}

// TranscodeCost is the bytes that Transcode holds at most beyond the data set, and
// what it gives while it is encoded.
func TranscodeCost(ds *dicom.DataSet, from, to string) int64 {
	if from == to || !DecodableInPart(from) {
		return 0
	}

	most := int64(0)
	for v := range ds.Walk() {
		if v.Tag != tag.PixelData || !v.Encapsulated() {
			continue
		}

		f, err := Index(v.DataSet)
		if err != nil {
			continue // nothing of it is decoded
		}

		for n := 1; n <= f.Len(); n++ {
			most = max(most, f.Cost(n, from))
		}
	}

	if most == 0 {
		return 0
	}
	return most + mostKept
}
