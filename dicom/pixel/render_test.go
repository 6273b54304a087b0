package pixel

import (
	"bytes"
	"encoding/binary"
	"errors"
	"image"
	"image/color"
	"math"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"collimator/dicom"
	"collimator/dicom/dcmtktest"
	"collimator/dicom/tag"
	"collimator/dicom/uid"
)

func set(t testing.TB, ds *dicom.DataSet, tg dicom.Tag, values ...any) {
	t.Helper()
	for _, v := range values {
		var err error
		switch v := v.(type) {
		case string:
			err = ds.SetText(tg, v)
		case int:
			err = ds.SetInt(tg, int64(v))
		case float64:
			err = ds.SetText(tg, dicom.FormatDS(v))
		case []int64:
			err = ds.SetInt(tg, v...)
		case []byte:
			ds.Set(dicom.NewElement(tg, dicom.OW, v))
		case []*dicom.DataSet:
			ds.SetItems(tg, v...)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
}

// words is values of 16 bits.
func words(values ...int) (b []byte) {
	for _, v := range values {
		b = binary.LittleEndian.AppendUint16(b, uint16(v))
	}
	return b
}

// grays is the brightness of an image, or of its red.
func grays(img image.Image) (out []int) {
	for y := range img.Bounds().Dy() {
		for x := range img.Bounds().Dx() {
			r, _, _, _ := img.At(x, y).RGBA()
			out = append(out, int(r>>8))
		}
	}
	return out
}

func TestGrayscaleIsRenderedAsTheDataSetSays(t *testing.T) {
	t.Parallel()
	table := func(ds *dicom.DataSet) []*dicom.DataSet {
		item := ds.NewItem()
		set(t, item, tag.LUTDescriptor, []int64{4, 10, 8})
		set(t, item, tag.LUTData, words(0, 85, 170, 255))
		return []*dicom.DataSet{item}
	}
	for name, c := range map[string]struct {
		change func(*dicom.DataSet)
		o      RenderOptions
		want   []int
	}{
		"the values that occur":     {func(*dicom.DataSet) {}, RenderOptions{}, []int{0, 85, 170, 255}},
		"MONOCHROME1":               {func(ds *dicom.DataSet) { set(t, ds, tag.PhotometricInterpretation, "MONOCHROME1") }, RenderOptions{}, []int{255, 170, 85, 0}},
		"presentation LUT":          {func(ds *dicom.DataSet) { set(t, ds, tag.PresentationLUTShape, "INVERSE") }, RenderOptions{}, []int{255, 170, 85, 0}},
		"window of the data set":    {func(ds *dicom.DataSet) { set(t, ds, tag.WindowCenter, 12.0); set(t, ds, tag.WindowWidth, 2.0) }, RenderOptions{}, []int{0, 0, 255, 255}},
		"exact window":              {func(*dicom.DataSet) {}, RenderOptions{Window: &Window{Center: 12, Width: 4, Function: "LINEAR_EXACT"}}, []int{0, 64, 128, 191}},
		"sigmoid":                   {func(*dicom.DataSet) {}, RenderOptions{Window: &Window{Center: 12, Width: 4, Function: "SIGMOID"}}, []int{30, 69, 128, 186}},
		"window of width 1":         {func(*dicom.DataSet) {}, RenderOptions{Window: &Window{Center: 12, Width: 1}}, []int{0, 0, 255, 255}},
		"rescaled before windowing": {func(ds *dicom.DataSet) { set(t, ds, tag.RescaleSlope, 2.0); set(t, ds, tag.RescaleIntercept, -1000.0) }, RenderOptions{Window: &Window{Center: -977, Width: 6, Function: "LINEAR_EXACT"}}, []int{0, 85, 170, 255}},
		"VOI LUT":                   {func(ds *dicom.DataSet) { ds.SetItems(tag.VOILUTSequence, table(ds)...) }, RenderOptions{}, []int{0, 85, 170, 255}},
		"modality LUT":              {func(ds *dicom.DataSet) { ds.SetItems(tag.ModalityLUTSequence, table(ds)...) }, RenderOptions{}, []int{0, 85, 170, 255}},
		"padding is left out":       {func(ds *dicom.DataSet) { set(t, ds, tag.PixelPaddingValue, 13) }, RenderOptions{}, []int{0, 128, 255, 255}},
		"window of its frame": {func(ds *dicom.DataSet) {
			frame := ds.NewItem()
			voi := frame.NewItem()
			set(t, voi, tag.WindowCenter, 12.0)
			set(t, voi, tag.WindowWidth, 2.0)
			frame.SetItems(tag.FrameVOILUTSequence, voi)
			ds.SetItems(tag.PerFrameFunctionalGroupsSequence, frame)
		}, RenderOptions{}, []int{0, 0, 255, 255}},
		"high bits carry something else": {func(ds *dicom.DataSet) { set(t, ds, tag.PixelData, words(0xF000|10, 11, 0xF000|12, 13)) }, RenderOptions{}, []int{0, 85, 170, 255}},
		"signed": {func(ds *dicom.DataSet) {
			set(t, ds, tag.PixelRepresentation, 1)
			set(t, ds, tag.PixelData, words(0xFFF, 0, 1, 2))
		}, RenderOptions{}, []int{0, 85, 170, 255}},
	} {
		ds := describeImage(t, 2, 2, 1, 16, 1, "MONOCHROME2")
		set(t, ds, tag.BitsStored, 12)
		set(t, ds, tag.HighBit, 11)
		set(t, ds, tag.PixelData, words(10, 11, 12, 13))
		c.change(ds)
		img, err := Render(t.Context(), ds, 1, uid.ExplicitVRLittleEndian, c.o)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if got := grays(img); !slices.Equal(got, c.want) {
			t.Errorf("%s: %v, want %v", name, got, c.want)
		}
	}
}

func TestOtherValuesAreRendered(t *testing.T) {
	t.Parallel()
	bit := describeImage(t, 2, 2, 1, 1, 1, "MONOCHROME2")
	set(t, bit, tag.PixelData, []byte{0b0110, 0})
	float := describeImage(t, 1, 2, 1, 32, 1, "MONOCHROME2")
	float.Set(dicom.NewElement(tag.FloatPixelData, dicom.OF, binary.LittleEndian.AppendUint32(binary.LittleEndian.AppendUint32(nil, math.Float32bits(-1.5)), math.Float32bits(2))))
	wide := describeImage(t, 1, 2, 1, 32, 1, "MONOCHROME2")
	set(t, wide, tag.PixelData, []byte{0, 0, 0, 0, 0xFF, 0xFF, 0xFF, 0xFF})
	for name, c := range map[string]struct {
		ds   *dicom.DataSet
		want []int
	}{"one bit": {bit, []int{0, 255, 255, 0}}, "float": {float, []int{0, 255}}, "32 bits": {wide, []int{0, 255}}} {
		img, err := Render(t.Context(), c.ds, 1, uid.ExplicitVRLittleEndian, RenderOptions{})
		if err != nil {
			t.Errorf("%s: %v", name, err)
		} else if got := grays(img); !slices.Equal(got, c.want) {
			t.Errorf("%s: %v, want %v", name, got, c.want)
		}
	}
}

// TestFramesOfOneValueShowWhatTheyAre: an empty mask is black and a full one
// white, whatever the other frames hold.
func TestFramesOfOneValueShowWhatTheyAre(t *testing.T) {
	t.Parallel()
	image := func(bits, stored, representation int, values []byte) *dicom.DataSet {
		ds := describeImage(t, 1, 2, 1, bits, 1, "MONOCHROME2")
		set(t, ds, tag.BitsStored, stored)
		set(t, ds, tag.HighBit, stored-1)
		set(t, ds, tag.PixelRepresentation, representation)
		set(t, ds, tag.PixelData, values)
		return ds
	}
	for name, c := range map[string]struct {
		ds   *dicom.DataSet
		want int
	}{
		"empty mask of one bit":   {image(1, 1, 0, []byte{0, 0}), 0},
		"full mask of one bit":    {image(1, 1, 0, []byte{3, 0}), 255},
		"one bit stored in eight": {image(8, 1, 0, []byte{1, 1}), 255},
		"black of 8 bits":         {image(8, 8, 0, []byte{0, 0}), 0},
		"200 of 8 bits":           {image(8, 8, 0, []byte{200, 200}), 200},
		"4095 of 12 bits":         {image(16, 12, 0, words(4095, 4095)), 255},
		"least of 12 signed bits": {image(16, 12, 1, words(0x800, 0x800)), 0},
	} {
		img, err := Render(t.Context(), c.ds, 1, uid.ExplicitVRLittleEndian, RenderOptions{})
		if err != nil {
			t.Errorf("%s: %v", name, err)
		} else if got := grays(img); got[0] != c.want || got[1] != c.want {
			t.Errorf("%s: %v, want %d", name, got, c.want)
		}
	}
}

func TestColourIsRendered(t *testing.T) {
	t.Parallel()
	red := color.NRGBA{200, 10, 20, 255}
	y, cb, cr := color.RGBToYCbCr(red.R, red.G, red.B)
	palette := func(ds *dicom.DataSet, bits int64, scale int) {
		for i, c := range []byte{red.R, red.G, red.B} {
			set(t, ds, tag.RedPaletteColorLookupTableDescriptor+dicom.Tag(i), []int64{2, 0, bits})
			set(t, ds, tag.RedPaletteColorLookupTableData+dicom.Tag(i), words(0, int(c)*scale))
		}
	}
	for name, c := range map[string]struct {
		photometric string
		samples     int
		pixels      []byte
		change      func(*dicom.DataSet)
	}{
		"RGB":               {"RGB", 3, []byte{200, 10, 20, 200, 10, 20}, nil},
		"RGB by plane":      {"RGB", 3, []byte{200, 200, 10, 10, 20, 20}, func(ds *dicom.DataSet) { set(t, ds, tag.PlanarConfiguration, 1) }},
		"YBR_FULL":          {"YBR_FULL", 3, []byte{y, cb, cr, y, cb, cr}, nil},
		"YBR_FULL_422":      {"YBR_FULL_422", 3, []byte{y, y, cb, cr}, nil},
		"palette of 16":     {"PALETTE COLOR", 1, []byte{1, 1}, func(ds *dicom.DataSet) { palette(ds, 16, 257) }},
		"palette of 8":      {"PALETTE COLOR", 1, []byte{1, 1}, func(ds *dicom.DataSet) { palette(ds, 8, 1) }},
		"palette half full": {"PALETTE COLOR", 1, []byte{1, 1}, func(ds *dicom.DataSet) { palette(ds, 16, 1) }},
		"segmented palette": {"PALETTE COLOR", 1, []byte{1, 1}, func(ds *dicom.DataSet) {
			for i, c := range []byte{red.R, red.G, red.B} {
				set(t, ds, tag.RedPaletteColorLookupTableDescriptor+dicom.Tag(i), []int64{2, 0, 16})
				set(t, ds, tag.SegmentedRedPaletteColorLookupTableData+dicom.Tag(i), words(0, 1, 0, 1, 1, int(c)*257))
			}
		}},
	} {
		ds := describeImage(t, 1, 2, c.samples, 8, 1, c.photometric)
		set(t, ds, tag.PixelData, c.pixels)
		if c.change != nil {
			c.change(ds)
		}
		img, err := Render(t.Context(), ds, 1, uid.ExplicitVRLittleEndian, RenderOptions{})
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		for x := range 2 {
			got := color.NRGBAModel.Convert(img.At(x, 0)).(color.NRGBA)
			if absInt(int(got.R)-int(red.R)) > 1 || absInt(int(got.G)-int(red.G)) > 1 || absInt(int(got.B)-int(red.B)) > 1 {
				t.Errorf("%s: pixel %d is %v", name, x, got)
			}
		}
	}
}

func absInt(v int) int { return max(v, -v) }

func TestWhatCannotBeRenderedSaysSo(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		change func(*dicom.DataSet)
		o      RenderOptions
		ts     string
		err    error
	}{
		"too large":       {func(*dicom.DataSet) {}, RenderOptions{MaxPixels: 3}, uid.ExplicitVRLittleEndian, ErrNotRenderable},
		"senseless width": {func(*dicom.DataSet) {}, RenderOptions{Window: &Window{1, math.NaN(), ""}}, uid.ExplicitVRLittleEndian, ErrNotRenderable},
		"no palette":      {func(ds *dicom.DataSet) { set(t, ds, tag.PhotometricInterpretation, "PALETTE COLOR") }, RenderOptions{}, uid.ExplicitVRLittleEndian, ErrNotRenderable},
		"JPEG 2000":       {func(ds *dicom.DataSet) { ds.Set(dicom.NewFragments(tag.PixelData, dicom.OB, nil, []byte{1, 2})) }, RenderOptions{}, uid.JPEG2000, ErrNotConvertible},
		"no pixel data":   {func(ds *dicom.DataSet) { ds.Delete(tag.PixelData) }, RenderOptions{}, uid.ExplicitVRLittleEndian, ErrNoPixelData},
	} {
		ds := describeImage(t, 2, 2, 1, 8, 1, "MONOCHROME2")
		set(t, ds, tag.PixelData, []byte{1, 2, 3, 4})
		c.change(ds)
		if _, err := Render(t.Context(), ds, 1, c.ts, c.o); !errors.Is(err, c.err) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func scaled(t testing.TB, img image.Image, v View) image.Image {
	t.Helper()
	out, err := Scale(t.Context(), img, v)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func TestViewsKeepTheProportions(t *testing.T) {
	t.Parallel()
	img := image.NewGray(image.Rect(0, 0, 40, 20))
	img.SetGray(0, 0, color.Gray{255})
	for name, c := range map[string]struct {
		v    View
		w, h int
	}{
		"as it is": {View{}, 40, 20}, "smaller": {View{Width: 20, Height: 20}, 20, 10}, "larger": {View{Width: 100, Height: 40}, 80, 40},
		"region": {View{Region: image.Rect(0, 0, 10, 20), Width: 10, Height: 10}, 5, 10}, "thin": {View{Width: 1, Height: 1}, 1, 1},
	} {
		if b := scaled(t, img, c.v).Bounds(); b.Dx() != c.w || b.Dy() != c.h {
			t.Errorf("%s: %v", name, b)
		}
	}
	if got := scaled(t, img, View{FlipX: true, FlipY: true}); color.GrayModel.Convert(got.At(39, 19)).(color.Gray).Y != 255 {
		t.Error("not flipped")
	}
}

// TestRenderingAgreesWithDCMTK renders the corpus and compares the windows
// that both choose alike.
func TestRenderingAgreesWithDCMTK(t *testing.T) {
	t.Parallel()
	type sample struct {
		path    string
		image   image.Image
		minimum bool // the window spreads from the lowest value to the highest
	}
	var samples []sample
	rendered, refused := 0, 0
	for _, path := range corpus(t, "rendering the corpus") {
		f := open(t, path)
		img, err := Render(t.Context(), f.DataSet, 1, f.TransferSyntax, RenderOptions{})
		if err != nil {
			if errors.Is(err, ErrNotRenderable) {
				refused++
			}
			continue
		}

		rendered++
		spread := !f.DataSet.Has(tag.WindowCenter)
		if rendered%5 != 0 || spread && (f.DataSet.Has(tag.PixelPaddingValue) || f.DataSet.Has(tag.SharedFunctionalGroupsSequence)) {
			continue // DCMTK spreads over the padding too, and not within a frame's own window
		}
		if len(samples) < 60 { // more than are compared, for DCMTK cannot render each
			samples = append(samples, sample{path, img, spread || slices.Equal(f.DataSet.Ints(tag.SamplesPerPixel), []int64{3})})
		}
	}
	t.Logf("%d rendered, %d not renderable", rendered, refused)

	program := filepath.Base(dcmtktest.Find(t, "dcm2img", "dcmj2pnm", "dcm2pnm"))
	out := filepath.Join(t.TempDir(), "out.bmp")
	compared := 0
	for _, s := range samples {
		if compared >= 40 {
			break
		}
		window := []string{"+Wi", "1"}
		if s.minimum {
			window = []string{"+Wm"}
		}
		if _, err := dcmtktest.Run(t, program, slices.Concat([]string{"+ob"}, window, []string{s.path, out})...); err != nil {
			continue
		}

		raw, err := os.ReadFile(out)
		if err != nil {
			t.Fatal(err)
		}
		compared++
		if far, pixels := bmpDistance(raw, s.image), s.image.Bounds().Dx()*s.image.Bounds().Dy(); far*8 > pixels {
			t.Errorf("%s: %d of %d pixels are far from those of %s", filepath.Base(s.path), far, pixels, program)
		}
	}
	t.Logf("%d compared with DCMTK", compared)
}

// bmpDistance counts the pixels that differ by more than 6 from a bitmap.
func bmpDistance(raw []byte, img image.Image) (far int) {
	offset := int(binary.LittleEndian.Uint32(raw[10:]))
	bits := int(binary.LittleEndian.Uint16(raw[28:]))
	w, h := int(int32(binary.LittleEndian.Uint32(raw[18:]))), int(int32(binary.LittleEndian.Uint32(raw[22:])))
	up := h > 0
	h = max(h, -h)
	if w != img.Bounds().Dx() || h != img.Bounds().Dy() {
		return w * h
	}
	stride := (w*bits/8 + 3) &^ 3
	for y := range h {
		row := y
		if up {
			row = h - 1 - y
		}
		for x := range w {
			p := raw[offset+row*stride+x*bits/8:]
			want := [3]byte{p[0], p[0], p[0]}
			if bits >= 24 {
				want = [3]byte{p[2], p[1], p[0]}
			}
			r, g, b, _ := img.At(x, y).RGBA()
			if absInt(int(r>>8)-int(want[0])) > 6 || absInt(int(g>>8)-int(want[1])) > 6 || absInt(int(b>>8)-int(want[2])) > 6 {
				far++
			}
		}
	}
	return far
}

func FuzzRender(f *testing.F) {
	f.Add([]byte{1, 2, 3, 4}, uint16(2), uint16(2), uint16(8), uint8(0), uint8(0))
	f.Add(words(1, 2, 3, 4), uint16(2), uint16(2), uint16(16), uint8(1), uint8(1))
	kinds := []string{"MONOCHROME2", "MONOCHROME1", "RGB", "YBR_FULL", "YBR_FULL_422", "PALETTE COLOR"}
	syntaxes := []string{uid.ExplicitVRLittleEndian, uid.RLELossless, uid.JPEGBaseline8Bit}
	f.Fuzz(func(t *testing.T, b []byte, rows, columns, bits uint16, kind, ts uint8) {
		k := kinds[int(kind)%len(kinds)]
		samples := 1
		if k == "RGB" || k[0] == 'Y' {
			samples = 3
		}
		ds := describeImage(t, int(rows%64), int(columns%64), samples, int(bits%64)+1, 1, k)
		set(t, ds, tag.BitsStored, int(bits%17))
		for i := range 3 {
			set(t, ds, tag.RedPaletteColorLookupTableDescriptor+dicom.Tag(i), []int64{int64(bits), int64(rows), int64(ts)})
			set(t, ds, tag.SegmentedRedPaletteColorLookupTableData+dicom.Tag(i), bytes.Clone(b))
		}
		syntax := syntaxes[int(ts)%len(syntaxes)]
		if syntax == uid.ExplicitVRLittleEndian {
			ds.Set(dicom.NewElement(tag.PixelData, dicom.OW, b))
		} else {
			ds.Set(dicom.NewFragments(tag.PixelData, dicom.OB, nil, b))
		}
		img, err := Render(t.Context(), ds, 1, syntax, RenderOptions{})
		if err == nil {
			scaled(t, img, View{Width: 8, Height: 8})
		}
	})
}

func BenchmarkRenderCT(b *testing.B) {
	ds := describeImage(b, 512, 512, 1, 16, 1, "MONOCHROME2")
	raw := make([]byte, 512*512*2)
	for i := range raw {
		raw[i] = byte(i * 7)
	}
	set(b, ds, tag.PixelData, raw)
	set(b, ds, tag.WindowCenter, 2000.0)
	set(b, ds, tag.WindowWidth, 4000.0)
	b.ReportAllocs()
	b.SetBytes(int64(len(raw)))
	for b.Loop() {
		if _, err := Render(b.Context(), ds, 1, uid.ExplicitVRLittleEndian, RenderOptions{}); err != nil {
			b.Fatal(err)
		}
	}
}
