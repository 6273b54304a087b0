package pixel

import (
	"context"
	"fmt"
	"image"
	"image/color"
	"strings"
)

// manyPixels is from where on an image of colours is not copied into one of four
// bytes a pixel.
const manyPixels = 4 << 20

// interleaved reports three samples of eight bits, pixel by pixel.
func interleaved(a Attributes) bool {
	return a.SamplesPerPixel == 3 && a.BitsAllocated == 8 && a.PlanarConfiguration == 0 &&
		!strings.HasSuffix(a.PhotometricInterpretation, "_422")
}

// rgb is a large image as its frame stands in memory.
type rgb struct {
	pix   []byte
	w, h  int
	toRGB func(x, y, z byte) (r, g, b byte)
}

// ColorModel implements image.Image.
func (m *rgb) ColorModel() color.Model { return color.RGBAModel }

// Bounds implements image.Image.
func (m *rgb) Bounds() image.Rectangle { return image.Rect(0, 0, m.w, m.h) }

// At implements image.Image.
func (m *rgb) At(x, y int) color.Color {
	if x < 0 || y < 0 || x >= m.w || y >= m.h {
		return color.RGBA{}
	}
	p := m.pix[3*(y*m.w+x):]
	r, g, b := m.toRGB(p[0], p[1], p[2])
	return color.RGBA{r, g, b, 0xFF}
}

// Opaque tells the encoders that there is no alpha.
func (m *rgb) Opaque() bool { return true }

// renderedAsDecoded reports JPEG frames of three components that are shown as the
// codec gives them, without a copy pixel by pixel.
func (f *Frames) renderedAsDecoded(transferSyntax string) bool {
	return f.Encapsulated() && codecJPEG(transferSyntax) && f.SamplesPerPixel == 3 && f.BitsAllocated == 8 &&
		f.PhotometricInterpretation != "RGB" && !strings.HasPrefix(f.PhotometricInterpretation, "YBR_PARTIAL")
}

// jpegColours is the image of a frame of renderedAsDecoded.
func (f *Frames) jpegColours(ctx context.Context, n int) (img image.Image, err error) {
	defer func() {
		if recover() != nil { // of the codec
			err = fmt.Errorf("%w: the codec gave up", ErrDamaged)
		}
		if ctx.Err() != nil {
			img = nil
			err = context.Cause(ctx)
		}
	}()

	frame, err := f.compressed(n)
	if err != nil {
		return nil, err
	}
	if img, err = jpegImage(ctx, frame, f.Attributes); err != nil {
		return nil, err
	}
	switch img.(type) {
	case *image.YCbCr, *image.RGBA:
		return img, nil
	}
	return nil, fmt.Errorf("%w: JPEG has other components than the image", ErrDamaged)
}
