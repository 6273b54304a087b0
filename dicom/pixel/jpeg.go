package pixel

import (
	"bytes"
	"context"
	"fmt"
	"image"
	"image/color"
	"image/jpeg"
	"strings"
)

// minBlock is the pixels for which a sequential JPEG needs more than a byte: a
// block of 64 takes two bits at least.
const minBlock = 512

// DecodeJPEG decodes a frame of eight-bit sequential JPEG (PS3.5 8.2.1, A.4.1)
// into native pixels, colour by pixel. The attributes that come back say how
// they stand: YBR_FULL and YBR_FULL_422 become RGB. What the frame itself says
// of its colours goes before the photometric interpretation only where it says
// it outright, in an Adobe marker or its component identifiers. A progressive
// frame, which the transfer syntaxes do not allow, is taken as far as the work
// stays small: see checkScans.
func DecodeJPEG(frame []byte, a Attributes) ([]byte, Attributes, error) {
	return decodeJPEG(context.Background(), frame, a)
}

// decodeJPEG is DecodeJPEG until ctx ends.
func decodeJPEG(ctx context.Context, frame []byte, a Attributes) ([]byte, Attributes, error) {
	img, err := jpegImage(ctx, frame, a)
	if err != nil {
		return nil, a, err
	}
	a.PlanarConfiguration = 0

	switch img := img.(type) {
	case *image.Gray:
		if a.SamplesPerPixel != 1 {
			break
		}
		return grayPixels(img, a), a, nil
	case *image.YCbCr:
		if a.SamplesPerPixel != 3 {
			break
		}
		raw := rawColours(frame, a)
		if !raw {
			a.PhotometricInterpretation = "RGB"
		}
		return colourPixels(img, a, raw), a, nil
	case *image.RGBA:
		if a.SamplesPerPixel != 3 {
			break
		}
		a.PhotometricInterpretation = "RGB"
		return rgbaPixels(img, a), a, nil
	}

	return nil, a, fmt.Errorf("%w: JPEG has other components than the image", ErrDamaged)
}

// rawColours reports a frame whose three components are not YCbCr.
func rawColours(frame []byte, a Attributes) bool {
	return adobeTransform(frame) != 1 &&
		(a.PhotometricInterpretation == "RGB" || strings.HasPrefix(a.PhotometricInterpretation, "YBR_PARTIAL"))
}

// jpegImage decodes a frame whose header says that it is of the image, and whose
// work was counted before. ctx is asked for every few kilobytes of the frame.
func jpegImage(ctx context.Context, frame []byte, a Attributes) (image.Image, error) {
	conf, err := jpeg.DecodeConfig(bytes.NewReader(frame))
	if err != nil {
		return nil, fmt.Errorf("%w: JPEG header", ErrDamaged)
	}
	if conf.Width != a.Columns || conf.Height != a.Rows || a.BitsAllocated != 8 {
		return nil, fmt.Errorf("%w: JPEG of %d by %d in an image of %d by %d", ErrDamaged, conf.Height, conf.Width, a.Rows, a.Columns)
	}
	if conf.Width*conf.Height > minBlock*len(frame) {
		return nil, fmt.Errorf("%w: JPEG is too short for its pixels", ErrDamaged)
	}
	if err := checkScans(frame, a); err != nil {
		return nil, err
	}

	img, err := jpeg.Decode(&untilDone{ctx, bytes.NewReader(frame)})
	if err != nil {
		return nil, fmt.Errorf("%w: JPEG data", ErrDamaged)
	}
	return img, nil
}

// adobeTransform is the colour transform of an APP14 marker, -1 without one.
func adobeTransform(b []byte) int {
	for i := 2; i+4 <= len(b) && b[i] == 0xFF && b[i+1] != 0xDA; {
		n := int(b[i+2])<<8 | int(b[i+3])
		if b[i+1] == 0xEE && n >= 14 && i+2+n <= len(b) && string(b[i+4:i+9]) == "Adobe" {
			return int(b[i+15])
		}
		i += 2 + n
	}
	return -1
}

func grayPixels(img *image.Gray, a Attributes) []byte {
	out := make([]byte, 0, a.Rows*a.Columns)
	for y := range a.Rows {
		out = append(out, img.Pix[y*img.Stride:][:a.Columns]...)
	}
	return out
}

// colourPixels interleaves the three planes, raw or turned into RGB.
func colourPixels(img *image.YCbCr, a Attributes, raw bool) []byte {
	out := make([]byte, 0, 3*a.Rows*a.Columns)
	for y := range a.Rows {
		for x := range a.Columns {
			yi, ci := img.YOffset(x, y), img.COffset(x, y)
			if raw {
				out = append(out, img.Y[yi], img.Cb[ci], img.Cr[ci])
				continue
			}
			r, g, b := color.YCbCrToRGB(img.Y[yi], img.Cb[ci], img.Cr[ci])
			out = append(out, r, g, b)
		}
	}
	return out
}

func rgbaPixels(img *image.RGBA, a Attributes) []byte {
	out := make([]byte, 0, 3*a.Rows*a.Columns)
	for y := range a.Rows {
		row := img.Pix[y*img.Stride:]
		for x := range a.Columns {
			out = append(out, row[4*x], row[4*x+1], row[4*x+2])
		}
	}
	return out
}
