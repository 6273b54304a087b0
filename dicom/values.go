package dicom

import (
	"encoding/binary"
	"math"
	"slices"
	"strconv"
	"strings"

	"collimator/dicom/tag"
)

const pixelRepresentation = tag.PixelRepresentation

func dictionaryVR(t Tag) string {
	e, _ := tag.Lookup(t)
	return e.VR
}

// Texts is the values of a character VR in UTF-8 without padding, decoded with
// the character set of the data set it stands in; what cannot be decoded
// becomes U+FFFD. Of a UN value it is what the dictionary's VR makes of it.
// Nil when there is no value.
func (el Element) Texts() []string {
	vr := el.VR
	if vr == UN {
		vr = VRFor(el.Tag)
	}
	if el.v == nil || el.v.kind != plain || len(el.v.raw) == 0 || !vr.Text() && vr != UN {
		return nil
	}
	return el.v.home.encoding().decode(vr, el.v.raw)
}

// Values is Texts without those that are empty: nil where nothing is said.
func (el Element) Values() []string {
	values := slices.DeleteFunc(el.Texts(), func(s string) bool { return s == "" })
	if len(values) == 0 {
		return nil
	}
	return values
}

// Text is the first of Texts.
func (el Element) Text() string {
	if v := el.Texts(); len(v) > 0 {
		return v[0]
	}
	return ""
}

// Ints is the values of US SS UL SL UV SV AT OB OW OL OV IS and, where they
// are whole, DS; nil if one of them is not a whole number. A UV above the range of
// int64 comes out negative.
func (el Element) Ints() []int64 {
	vr := el.VR
	if vr == UN {
		vr = VRFor(el.Tag)
	}
	if vr == IS || vr == DS {
		return parseInts(el.Texts())
	}

	b := el.Bytes()
	size := vr.unit()
	if vr == AT {
		size = 4
	}
	if vr.Text() || vr == FL || vr == FD || vr == OF || vr == OD || vr == SQ || len(b) < size {
		return nil
	}
	if size == 1 && vr != OB && vr != UN {
		return nil
	}

	out := make([]int64, 0, len(b)/size)
	for ; len(b) >= size; b = b[size:] {
		out = append(out, intOf(vr, b))
	}
	return out
}

func intOf(vr VR, b []byte) int64 {
	le := binary.LittleEndian
	switch vr {
	case US, OW:
		return int64(le.Uint16(b))
	case SS:
		return int64(int16(le.Uint16(b)))
	case UL, OL:
		return int64(le.Uint32(b))
	case SL:
		return int64(int32(le.Uint32(b)))
	case UV, SV, OV:
		return int64(le.Uint64(b))
	case AT:
		return int64(le.Uint16(b))<<16 | int64(le.Uint16(b[2:]))
	}
	return int64(b[0])
}

// parseInts reads integer strings; equipment writes 1.0 and +1 as well.
func parseInts(texts []string) []int64 {
	var out []int64
	for _, s := range texts {
		s = strings.TrimSpace(s)
		v, err := strconv.ParseInt(s, 10, 64)
		if err != nil {
			f, ferr := strconv.ParseFloat(s, 64)
			if ferr != nil || f != math.Trunc(f) || math.Abs(f) > 1<<53 {
				return nil
			}
			v = int64(f)
		}
		out = append(out, v)
	}
	return out
}

// Floats is the values of FL FD OF OD DS and of every VR of Ints; nil if one
// of them is not a number.
func (el Element) Floats() []float64 {
	vr := el.VR
	if vr == UN {
		vr = VRFor(el.Tag)
	}

	var out []float64
	switch vr {
	case FL, OF:
		for b := el.Bytes(); len(b) >= 4; b = b[4:] {
			out = append(out, float64(math.Float32frombits(binary.LittleEndian.Uint32(b))))
		}
	case FD, OD:
		for b := el.Bytes(); len(b) >= 8; b = b[8:] {
			out = append(out, math.Float64frombits(binary.LittleEndian.Uint64(b)))
		}
	case DS, IS:
		for _, s := range el.Texts() {
			f, err := strconv.ParseFloat(strings.TrimSpace(s), 64)
			if err != nil {
				return nil
			}
			out = append(out, f)
		}
	default:
		for _, v := range el.Ints() {
			if vr == UV || vr == OV {
				out = append(out, float64(uint64(v)))
				continue
			}
			out = append(out, float64(v))
		}
	}
	return out
}
