package pixel

import (
	"context"
	"errors"
	"fmt"
	"image"
	"image/color"
	"math"

	"collimator/dicom"
	"collimator/dicom/tag"
)

// ErrNotRenderable: no image for the eye can be made of the pixel data here.
var ErrNotRenderable = errors.New("dicom/pixel: not renderable")

// Window maps values to brightness (PS3.3 C.11.2.1.2).
type Window struct {
	Center, Width float64
	Function      string // LINEAR (also when empty), LINEAR_EXACT or SIGMOID
}

// RenderOptions say how a frame becomes an image. The zero value takes what
// the data set says.
type RenderOptions struct {
	Window    *Window // instead of the data set's
	MaxPixels int64   // more are ErrNotRenderable; default 64 Mi
}

// Render makes an image with eight bits for the eye of frame n, from 1, of a
// data set in a transfer syntax: modality LUT, VOI LUT and presentation of
// grayscale (PS3.3 C.7.6.3.1.2, C.11.1, C.11.2, also per frame, C.7.6.16),
// palettes (C.7.9) and the colour spaces; a segment in the colour
// that it recommends. Without a window in the data set it
// spreads the values that occur; a frame of one value, and one of single bits,
// is shown in the range of the bits stored. The result is an *image.Gray or an
// opaque image of colours. Overlays, shutters and presentation states are not
// applied. It ends with ctx; RenderCost says what it holds.
func Render(ctx context.Context, ds *dicom.DataSet, n int, transferSyntax string, o RenderOptions) (image.Image, error) {
	f, err := Index(ds)
	if err != nil {
		return nil, err
	}
	if o.MaxPixels == 0 {
		o.MaxPixels = 64 << 20
	}

	if f.video {
		return nil, fmt.Errorf("%w: a video", ErrNotRenderable)
	}
	if f.invalid != nil {
		return nil, f.invalid
	}
	if int64(f.Rows)*int64(f.Columns) > o.MaxPixels {
		return nil, fmt.Errorf("%w: more than %d pixels", ErrNotRenderable, o.MaxPixels)
	}

	if n < 1 || n > f.Len() {
		return nil, ErrNoFrame
	}
	if f.renderedAsDecoded(transferSyntax) {
		return f.jpegColours(ctx, n)
	}

	b, a, err := f.Decode(ctx, n, transferSyntax)
	if err != nil {
		return nil, err
	}
	if int64(len(b)) < a.FrameLength() {
		return nil, fmt.Errorf("%w: frame is cut short", ErrDamaged)
	}

	switch {
	case a.SamplesPerPixel == 1 && a.PhotometricInterpretation == "PALETTE COLOR":
		return renderPalette(ds, b, a)
	case a.SamplesPerPixel == 1:
		img, err := renderGray(ds, n, b, a, f.el.Tag, o.Window)
		if c, ok := segmentColour(ds, n); ok && err == nil {
			return painted(ctx, img, c)
		}
		return img, err
	case a.SamplesPerPixel == 3:
		return renderColour(b, a)
	}
	return nil, fmt.Errorf("%w: %d samples per pixel", ErrNotRenderable, a.SamplesPerPixel)
}

// samples reads the values of a frame one after the other.
type samples struct {
	b       []byte
	bytes   int // of a sample; 0 stands for one bit
	shift   uint
	bits    uint // stored
	signed  bool
	float32 bool
	float64 bool
}

func newSamples(b []byte, a Attributes, t dicom.Tag) (samples, error) {
	s := samples{b: b, bytes: a.BitsAllocated / 8, bits: uint(a.BitsStored), signed: a.PixelRepresentation == 1,
		float32: t == tag.FloatPixelData, float64: t == tag.DoubleFloatPixelData}
	if s.float32 && s.bytes != 4 || s.float64 && s.bytes != 8 {
		return s, fmt.Errorf("%w: float pixel data of %d bits", ErrNotRenderable, a.BitsAllocated)
	}

	if a.BitsStored < 1 || a.BitsStored > a.BitsAllocated {
		s.bits = uint(a.BitsAllocated)
	}
	if low := a.HighBit + 1 - int(s.bits); low > 0 && a.HighBit < a.BitsAllocated {
		s.shift = uint(low)
	}
	return s, nil
}

// raw is the bits of sample i that are stored, without sign.
func (s *samples) raw(i int) uint64 {
	if s.bytes == 0 {
		return uint64(s.b[i/8] >> (i % 8) & 1)
	}
	var v uint64
	for k := range s.bytes {
		v |= uint64(s.b[i*s.bytes+k]) << (8 * k)
	}
	return v >> s.shift & (1<<s.bits - 1)
}

// value is sample i as a number.
func (s *samples) value(i int) float64 {
	v := s.raw(i)
	switch {
	case s.float32:
		return float64(math.Float32frombits(uint32(v)))
	case s.float64:
		return math.Float64frombits(v)
	}
	return s.number(v)
}

// number is stored bits with their sign.
func (s *samples) number(v uint64) float64 {
	if s.signed && v>>(s.bits-1)&1 == 1 {
		return float64(int64(v | ^uint64(0)<<s.bits))
	}
	return float64(v)
}

// renderGray turns one sample per pixel into brightness. w is the window that was
// asked for; nil takes the window or table of the object or, where it has none, the
// range of its values.
func renderGray(ds *dicom.DataSet, n int, b []byte, a Attributes, t dicom.Tag, w *Window) (image.Image, error) {
	s, err := newSamples(b, a, t)
	if err != nil {
		return nil, err
	}

	img := image.NewGray(image.Rect(0, 0, a.Columns, a.Rows))
	pixels := a.Rows * a.Columns

	g := &grayscale{modality: modalityOf(ds, n), invert: a.PhotometricInterpretation == "MONOCHROME1"}
	if shape := ds.Text(tag.PresentationLUTShape); shape != "" {
		g.invert = shape == "INVERSE"
	}

	if err := g.chooseVOI(ds, n, w); err != nil {
		return nil, err
	}
	if g.window == nil && g.table == nil {
		g.spread(ds, &s, pixels)
	}

	// What has few values is looked up, the rest is computed.
	if s.bits > 16 || s.float32 || s.float64 {
		for i := range pixels {
			img.Pix[i] = g.shade(s.value(i))
		}
		return img, nil
	}

	table := make([]byte, 1<<s.bits)
	for v := range table {
		table[v] = g.shade(s.number(uint64(v)))
	}

	mask := uint64(len(table) - 1)
	switch {
	case s.bytes == 1 && s.shift == 0:
		for i, v := range b[:pixels] {
			img.Pix[i] = table[uint64(v)&mask]
		}
	case s.bytes == 2 && s.shift == 0:
		for i := range pixels {
			img.Pix[i] = table[(uint64(b[2*i])|uint64(b[2*i+1])<<8)&mask]
		}
	default:
		for i := range pixels {
			img.Pix[i] = table[s.raw(i)&mask]
		}
	}
	return img, nil
}

// renderColour makes an image of three samples per pixel.
func renderColour(b []byte, a Attributes) (image.Image, error) {
	if a.BitsAllocated != 8 && a.BitsAllocated != 16 {
		return nil, fmt.Errorf("%w: colour of %d bits", ErrNotRenderable, a.BitsAllocated)
	}

	toRGB := func(r, g, b byte) (byte, byte, byte) { return r, g, b }
	switch a.PhotometricInterpretation {
	case "YBR_FULL", "YBR_FULL_422":
		toRGB = color.YCbCrToRGB
	case "RGB", "":
	default:
		return nil, fmt.Errorf("%w: its photometric interpretation", ErrNotRenderable)
	}

	pixels := a.Rows * a.Columns
	if pixels > manyPixels && interleaved(a) {
		return &rgb{b, a.Columns, a.Rows, toRGB}, nil
	}

	img := image.NewNRGBA(image.Rect(0, 0, a.Columns, a.Rows))
	at := colourLayout(b, a, pixels)
	for i := range pixels {
		x, y, z := at(i)
		r, g, b := toRGB(x, y, z)
		copy(img.Pix[4*i:], []byte{r, g, b, 0xFF})
	}
	return img, nil
}

// colourLayout gives the three samples of a pixel: by pixel, by plane, or two
// pixels with one pair of chrominance (PS3.3 C.7.6.3.1.2, C.7.6.3.1.3).
func colourLayout(b []byte, a Attributes, pixels int) func(int) (byte, byte, byte) {
	sample := func(i int) byte { return b[i] }
	if a.BitsAllocated == 16 {
		shift := uint(max(min(a.BitsStored, 16), 8) - 8)
		sample = func(i int) byte { return byte((uint16(b[2*i]) | uint16(b[2*i+1])<<8) >> shift) }
	}

	switch {
	case a.PhotometricInterpretation == "YBR_FULL_422":
		return func(i int) (byte, byte, byte) {
			k := i / 2 * 4
			return sample(k + i%2), sample(min(k+2, 2*pixels-1)), sample(min(k+3, 2*pixels-1))
		}
	case a.PlanarConfiguration == 1:
		return func(i int) (byte, byte, byte) { return sample(i), sample(pixels + i), sample(2*pixels + i) }
	}
	return func(i int) (byte, byte, byte) { return sample(3 * i), sample(3*i + 1), sample(3*i + 2) }
}

// renderPalette looks each pixel up in three tables (PS3.3 C.7.9).
func renderPalette(ds *dicom.DataSet, b []byte, a Attributes) (image.Image, error) {
	s, err := newSamples(b, a, tag.PixelData)
	if err != nil || s.bits > 16 {
		return nil, fmt.Errorf("%w: palette for values of %d bits", ErrNotRenderable, s.bits)
	}

	var tables [3]*lookup
	for i, t := range [3][3]dicom.Tag{
		{tag.RedPaletteColorLookupTableDescriptor, tag.RedPaletteColorLookupTableData, tag.SegmentedRedPaletteColorLookupTableData},
		{tag.GreenPaletteColorLookupTableDescriptor, tag.GreenPaletteColorLookupTableData, tag.SegmentedGreenPaletteColorLookupTableData},
		{tag.BluePaletteColorLookupTableDescriptor, tag.BluePaletteColorLookupTableData, tag.SegmentedBluePaletteColorLookupTableData},
	} {
		if tables[i], err = paletteTable(ds, t[0], t[1], t[2], s.signed); err != nil {
			return nil, err
		}
	}

	shades := make([][4]byte, 1<<s.bits)
	for v := range shades {
		x := s.number(uint64(v))
		shades[v] = [4]byte{tables[0].byteOf(x), tables[1].byteOf(x), tables[2].byteOf(x), 0xFF}
	}

	img := image.NewNRGBA(image.Rect(0, 0, a.Columns, a.Rows))
	for i := range a.Rows * a.Columns {
		copy(img.Pix[4*i:], shades[s.raw(i)&uint64(len(shades)-1)][:])
	}
	return img, nil
}
