package dicom

import (
	"encoding/binary"
	"fmt"
	"math"
	"strconv"
	"strings"
)

// Text is the first value in UTF-8 without padding; empty without one.
func (ds *DataSet) Text(t Tag) string {
	if v := ds.Texts(t); len(v) > 0 {
		return v[0]
	}
	return ""
}

// Texts is all values in UTF-8 without padding, empty ones too: the place of a
// value has a meaning.
func (ds *DataSet) Texts(t Tag) []string {
	el, _ := ds.Get(t)
	return el.Texts()
}

// Values is Texts without those that are empty: nil where nothing is said, as in
// a key of a query that asks for every value.
func (ds *DataSet) Values(t Tag) []string {
	el, _ := ds.Get(t)
	return el.Values()
}

// Int is the first value of a whole number, binary or written in digits.
func (ds *DataSet) Int(t Tag) (int64, bool) {
	if v := ds.Ints(t); len(v) > 0 {
		return v[0], true
	}
	return 0, false
}

// Ints is all values of whole numbers; nil if one of them is not a whole number.
func (ds *DataSet) Ints(t Tag) []int64 {
	el, _ := ds.Get(t)
	return el.Ints()
}

// Float is the first value of a number, binary or written in digits.
func (ds *DataSet) Float(t Tag) (float64, bool) {
	if v := ds.Floats(t); len(v) > 0 {
		return v[0], true
	}
	return 0, false
}

// Floats is all values of numbers; nil if one of them is not a number.
func (ds *DataSet) Floats(t Tag) []float64 {
	el, _ := ds.Get(t)
	return el.Floats()
}

// writtenVR is the VR for a value about to be set: the one the element has, or
// the dictionary's.
func (ds *DataSet) writtenVR(t Tag) VR {
	if el, ok := ds.Get(t); ok && el.VR.Known() && el.VR != UN {
		return el.VR
	}
	return VRFor(t)
}

// SetText sets values of a character VR, encoded in the character set of the
// data set. ErrCharacterSet if it has no such character, ErrValue if the
// element takes no text or a value of several contains a backslash.
func (ds *DataSet) SetText(t Tag, values ...string) error {
	vr := ds.writtenVR(t)
	if !vr.Text() {
		return fmt.Errorf("%w: %v %v takes no text", ErrValue, t, vr)
	}

	raw, err := ds.encoding().encode(vr, values)
	if err != nil {
		return fmt.Errorf("%w: %v %v", err, t, vr)
	}

	el := NewElement(t, vr, raw)
	el.v.home = ds
	ds.Set(el)
	return nil
}

// SetInt sets values of US SS UL SL UV SV AT or IS; ErrValue if one is out of
// range or the element takes none.
func (ds *DataSet) SetInt(t Tag, values ...int64) error {
	vr := ds.writtenVR(t)
	if vr == US && strings.Contains(dictionaryVR(t), "SS") {
		vr = ds.signedVR(values)
	}

	raw, err := encodeInts(vr, values)
	if err != nil {
		return fmt.Errorf("%w: %v %v", err, t, vr)
	}
	ds.Set(NewElement(t, vr, raw))
	return nil
}

// SetFloat sets values of FL FD OF OD or DS.
func (ds *DataSet) SetFloat(t Tag, values ...float64) error {
	vr := ds.writtenVR(t)

	var raw []byte
	switch vr {
	case FL, OF:
		for _, v := range values {
			raw = binary.LittleEndian.AppendUint32(raw, math.Float32bits(float32(v)))
		}
	case FD, OD:
		for _, v := range values {
			raw = binary.LittleEndian.AppendUint64(raw, math.Float64bits(v))
		}
	case DS:
		for i, v := range values {
			if math.IsNaN(v) || math.IsInf(v, 0) {
				return fmt.Errorf("%w: %v %v has no such number", ErrValue, t, vr)
			}
			if i > 0 {
				raw = append(raw, '\\')
			}
			raw = append(raw, FormatDS(v)...)
		}
	default:
		return fmt.Errorf("%w: %v %v takes no numbers with a fraction", ErrValue, t, vr)
	}
	ds.Set(NewElement(t, vr, raw))
	return nil
}

// FormatDS writes a number as a decimal string in at most 16 characters, as
// exactly as they allow (PS3.5 6.2).
func FormatDS(v float64) string {
	s := strconv.FormatFloat(v, 'g', -1, 64)
	for prec := 16; len(s) > 16 && prec > 0; prec-- {
		s = strconv.FormatFloat(v, 'g', prec, 64)
	}
	return s
}

// signedVR chooses between US and SS.
func (ds *DataSet) signedVR(values []int64) VR {
	for _, v := range values {
		if v < 0 {
			return SS
		}
	}

	for p := ds; p != nil; p = p.parent {
		if v, ok := p.Int(pixelRepresentation); ok {
			if v == 1 {
				return SS
			}
			return US
		}
	}
	return US
}

// encodeInts writes whole numbers in little endian or in digits.
func encodeInts(vr VR, values []int64) ([]byte, error) {
	lo, hi, ok := vr.wholeNumbers()
	if !ok && len(values) > 0 {
		return nil, fmt.Errorf("%w: takes no whole numbers", ErrValue)
	}

	var raw []byte
	for i, v := range values {
		if v < lo || v > hi {
			return nil, fmt.Errorf("%w: number out of range", ErrValue)
		}

		switch vr {
		case US, SS:
			raw = binary.LittleEndian.AppendUint16(raw, uint16(v))
		case UL, OL, SL:
			raw = binary.LittleEndian.AppendUint32(raw, uint32(v))
		case UV, OV, SV:
			raw = binary.LittleEndian.AppendUint64(raw, uint64(v))
		case AT:
			raw = binary.LittleEndian.AppendUint16(raw, uint16(v>>16))
			raw = binary.LittleEndian.AppendUint16(raw, uint16(v))
		case IS, DS:
			if i > 0 {
				raw = append(raw, '\\')
			}
			raw = strconv.AppendInt(raw, v, 10)
		}
	}
	return raw, nil
}

// wholeNumbers is the least and the greatest whole number of a VR, as far as an
// int64 holds them; false where the VR takes none.
func (vr VR) wholeNumbers() (lo, hi int64, ok bool) {
	switch vr {
	case US:
		return 0, math.MaxUint16, true
	case SS:
		return math.MinInt16, math.MaxInt16, true
	case UL, OL, AT:
		return 0, math.MaxUint32, true
	case SL, IS:
		return math.MinInt32, math.MaxInt32, true
	case UV, OV:
		return 0, math.MaxInt64, true
	case SV, DS:
		return math.MinInt64, math.MaxInt64, true
	}
	return 0, 0, false
}
