package pixel

import (
	"encoding/binary"
	"fmt"
	"math"

	"collimator/dicom"
	"collimator/dicom/tag"
)

// maxTable is the bytes of a lookup table that are read: 65,536 entries of two.
const maxTable = 128 << 10

// grayscale maps stored values to brightness (PS3.4 N.2).
type grayscale struct {
	modality modality
	window   *Window
	table    *lookup // VOI LUT
	invert   bool
}

// shade is the brightness of a stored value.
func (g *grayscale) shade(v float64) byte {
	v = g.modality.value(v)
	var y float64
	if g.table != nil {
		y = g.table.share(v)
	} else {
		y = g.window.share(v)
	}
	if g.invert {
		y = 1 - y
	}
	return byte(math.Round(min(max(y, 0), 1) * 255))
}

// share is the brightness between 0 and 1 (PS3.3 C.11.2.1.2).
func (w *Window) share(v float64) float64 {
	switch {
	case math.IsNaN(v):
		return 0
	case w.Function == "SIGMOID":
		return 1 / (1 + math.Exp(-4*(v-w.Center)/w.Width))
	case w.Function == "LINEAR_EXACT":
		return (v-w.Center)/w.Width + 0.5
	case w.Width <= 1:
		if v > w.Center-0.5 {
			return 1
		}
		return 0
	}
	return (v-(w.Center-0.5))/(w.Width-1) + 0.5
}

// modality maps stored values to those of the modality (PS3.3 C.11.1).
type modality struct {
	slope, intercept float64
	table            *lookup
}

func (m *modality) value(v float64) float64 {
	if m.table != nil {
		return m.table.at(v)
	}
	return v*m.slope + m.intercept
}

// functional finds the item of a functional group that applies to a frame:
// its own, or that of all frames (PS3.3 C.7.6.16.1).
func functional(ds *dicom.DataSet, n int, group dicom.Tag) *dicom.DataSet {
	if frames := ds.Items(tag.PerFrameFunctionalGroupsSequence); n <= len(frames) {
		if items := frames[n-1].Items(group); len(items) > 0 {
			return items[0]
		}
	}
	for _, shared := range ds.Items(tag.SharedFunctionalGroupsSequence) {
		if items := shared.Items(group); len(items) > 0 {
			return items[0]
		}
	}
	return ds
}

func modalityOf(ds *dicom.DataSet, n int) modality {
	m := modality{slope: 1}
	if items := ds.Items(tag.ModalityLUTSequence); len(items) > 0 {
		if t, err := itemTable(items[0], signed(ds)); err == nil {
			m.table = t
			return m
		}
	}

	from := functional(ds, n, tag.PixelValueTransformationSequence)
	if v, ok := from.Float(tag.RescaleSlope); ok && v != 0 && finite(v) {
		m.slope = v
	}
	if v, ok := from.Float(tag.RescaleIntercept); ok && finite(v) {
		m.intercept = v
	}
	return m
}

func signed(ds *dicom.DataSet) bool {
	v, _ := ds.Int(tag.PixelRepresentation)
	return v == 1
}

func finite(v float64) bool { return !math.IsNaN(v) && !math.IsInf(v, 0) }

// chooseVOI takes the window asked for, else the first window or VOI LUT of the
// frame.
func (g *grayscale) chooseVOI(ds *dicom.DataSet, n int, w *Window) error {
	if w != nil {
		if !(w.Width > 0) || !finite(w.Width) || !finite(w.Center) {
			return fmt.Errorf("%w: the width of a window is above 0", ErrNotRenderable)
		}
		g.window = w
		return nil
	}

	from := functional(ds, n, tag.FrameVOILUTSequence)
	center, ok1 := from.Float(tag.WindowCenter)
	width, ok2 := from.Float(tag.WindowWidth)
	if ok1 && ok2 && width > 0 && finite(center) && finite(width) {
		g.window = &Window{center, width, from.Text(tag.VOILUTFunction)}
		return nil
	}

	if items := from.Items(tag.VOILUTSequence); len(items) > 0 {
		if t, err := itemTable(items[0], true); err == nil {
			g.table = t
		}
	}
	return nil
}

// spread makes a window of the values that occur but for padding.
func (g *grayscale) spread(ds *dicom.DataSet, s *samples, pixels int) {
	padding, padded := ds.Int(tag.PixelPaddingValue)
	low, high := math.Inf(1), math.Inf(-1)
	for i := range pixels {
		v := s.value(i)
		if padded && v == float64(padding) || !finite(v) {
			continue
		}
		low, high = min(low, v), max(high, v)
	}
	if !(low < high) || s.bits == 1 {
		// One value says nothing of what is dark and what is bright, and an empty
		// mask must not look like a full one.
		low, high = s.extremes(low)
	}
	a, b := g.modality.value(low), g.modality.value(high)
	if a > b {
		a, b = b, a
	}
	g.window = &Window{Center: (a + b) / 2, Width: max(b-a, 1e-9), Function: "LINEAR_EXACT"}
}

// extremes is the least and the greatest value that the stored bits can have;
// of numbers with a fraction, which have none, the values around the one given.
func (s *samples) extremes(around float64) (low, high float64) {
	switch {
	case (s.float32 || s.float64) && !finite(around):
		return 0, 1
	case s.float32 || s.float64:
		return around - 0.5, around + 0.5
	case s.signed && s.bits > 1:
		half := math.Exp2(float64(s.bits - 1))
		return -half, half - 1
	}
	return 0, math.Exp2(float64(s.bits)) - 1
}

// lookup is a table of PS3.3 C.11.1.1 or C.7.6.3.1.5.
type lookup struct {
	first   float64 // value that is mapped to the first entry
	entries []uint16
	most    float64 // largest value an entry may have
}

// at is the entry for a value; outside the table the first and the last count.
func (l *lookup) at(v float64) float64 {
	i := math.Floor(v - l.first)
	if !(i > 0) {
		i = 0
	}
	return float64(l.entries[int(min(i, float64(len(l.entries)-1)))])
}

func (l *lookup) share(v float64) float64 { return l.at(v) / l.most }

func (l *lookup) byteOf(v float64) byte { return byte(math.Round(min(l.share(v), 1) * 255)) }

// itemTable reads the table of an item of a modality or VOI LUT sequence.
func itemTable(item *dicom.DataSet, signed bool) (*lookup, error) {
	return readTable(item, tag.LUTDescriptor, tag.LUTData, signed)
}

// readTable reads a descriptor of three numbers and the entries behind it.
func readTable(ds *dicom.DataSet, descriptor, data dicom.Tag, signed bool) (*lookup, error) {
	l, bits, n, err := readDescriptor(ds, descriptor, signed)
	if err != nil {
		return nil, err
	}

	b := loaded(ds, data, maxTable)
	switch {
	case len(b) >= 2*n:
		for i := range n {
			l.entries = append(l.entries, binary.LittleEndian.Uint16(b[2*i:]))
		}
	case len(b) >= n && bits <= 8:
		for i := range n {
			l.entries = append(l.entries, uint16(b[i]))
		}
	default:
		return nil, fmt.Errorf("%w: lookup table is cut short", ErrNotRenderable)
	}

	l.most = float64(uint64(1)<<bits - 1)
	return l, nil
}

func readDescriptor(ds *dicom.DataSet, descriptor dicom.Tag, signed bool) (l *lookup, bits uint, n int, err error) {
	d := ds.Ints(descriptor)
	if len(d) != 3 || d[2]&0xFFFF < 1 || d[2]&0xFFFF > 16 {
		return nil, 0, 0, fmt.Errorf("%w: lookup table without a descriptor that makes sense", ErrNotRenderable)
	}

	if n = int(d[0] & 0xFFFF); n == 0 {
		n = 1 << 16
	}

	first := float64(d[1])
	if signed {
		first = float64(int16(d[1]))
	}
	return &lookup{first: first}, uint(d[2] & 0xFFFF), n, nil
}

// paletteTable reads one colour of a palette, segmented or not.
func paletteTable(ds *dicom.DataSet, descriptor, data, segmented dicom.Tag, signed bool) (*lookup, error) {
	if ds.Has(data) || !ds.Has(segmented) {
		l, err := readTable(ds, descriptor, data, signed)
		if err == nil && l.most < 256 {
			return l, nil
		}
		return scaleDown(l), err
	}

	l, bits, n, err := readDescriptor(ds, descriptor, signed)
	if err != nil {
		return nil, err
	}
	if l.entries, err = expand(loaded(ds, segmented, maxTable), n); err != nil {
		return nil, err
	}

	l.most = float64(uint64(1)<<bits - 1)
	return l, nil
}

// scaleDown is a palette that says 16 bits and fills eight of them, which
// equipment writes: its entries never exceed 255.
func scaleDown(l *lookup) *lookup {
	if l == nil {
		return nil
	}
	for _, e := range l.entries {
		if e > 255 {
			return l
		}
	}
	l.most = 255
	return l
}

// expand makes the entries of a segmented palette (PS3.3 C.7.9.2).
func expand(b []byte, n int) ([]uint16, error) {
	bad := fmt.Errorf("%w: segmented palette", ErrNotRenderable)
	word := func(i int) int { return int(binary.LittleEndian.Uint16(b[2*i:])) }

	words := len(b) / 2
	out := make([]uint16, 0, n)
	for i := 0; i+1 < words && len(out) < n; {
		op := word(i)
		length := word(i + 1)
		i += 2
		switch {
		case op == 0 && i+length <= words:
			for range length {
				out = append(out, uint16(word(i)))
				i++
			}
		case op == 1 && i < words && len(out) > 0:
			from, to := float64(out[len(out)-1]), float64(word(i))
			i++
			for k := range length {
				out = append(out, uint16(math.Round(from+(to-from)*float64(k+1)/float64(length))))
			}
		default:
			return nil, bad // indirect segments, which nobody was seen to write
		}

		if len(out) > 2<<16 {
			return nil, bad
		}
	}

	if len(out) < n {
		return nil, bad
	}
	return out[:n], nil
}
