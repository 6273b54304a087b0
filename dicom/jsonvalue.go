package dicom

import (
	"encoding/binary"
	"encoding/json"
	"math"
	"strconv"
	"strings"

	"collimator/dicom/tag"
)

// build makes the element of an attribute of ds that was read.
func (j *jsonReader) build(ds *DataSet, a jsonAttribute) (Element, error) {
	switch {
	case a.uri != "" && j.o.Resolve != nil:
		el, err := j.o.Resolve(a.tag, a.vr, a.uri)
		if el.v == nil {
			el = NewElement(a.tag, a.vr, nil)
		}
		if err != nil {
			return Element{}, err
		}
		return Element{a.tag, a.vr, newCell(*el.v.value)}, nil
	case a.uri != "":
		return Element{a.tag, a.vr, newCell(value{kind: bulk, form: formExplicit, more: &nested{apart: &apart{uri: a.uri}}})}, nil
	case a.vr == SQ:
		return j.items(ds, a)
	case a.inline != nil:
		return NewElement(a.tag, a.vr, a.inline), nil
	case len(a.values) == 0:
		return NewElement(a.tag, a.vr, nil), nil
	case a.vr == AT:
		return j.tagValues(a)
	case a.vr == FL || a.vr == FD || a.vr == OF || a.vr == OD:
		return j.floats(a)
	case a.vr.Text():
		return j.texts(a)
	}
	return j.ints(a)
}

func (j *jsonReader) items(ds *DataSet, a jsonAttribute) (Element, error) {
	var items []*DataSet
	for _, v := range a.values {
		switch v := v.(type) {
		case *DataSet:
			items = append(items, v)
		case emptyObject, nil:
			items = append(items, ds.NewItem())
		default:
			return Element{}, j.fail("a sequence holds something other than items")
		}
	}
	return NewSequence(a.tag, items...), nil
}

func (j *jsonReader) texts(a jsonAttribute) (Element, error) {
	texts := make([]string, len(a.values))
	for i, v := range a.values {
		switch v := v.(type) {
		case string:
			texts[i] = v
		case json.Number:
			texts[i] = numberText(a.vr, v.String())
		case jsonName:
			texts[i] = strings.TrimRight(strings.Join(v[:], "="), "=")
		case nil, emptyObject:
		default:
			return Element{}, j.fail("an item in an element that is not a sequence")
		}
		if _, ok := v.(jsonName); ok != (a.vr == PN) && texts[i] != "" {
			return Element{}, j.fail("a person name is not an object of component groups")
		}
	}
	if a.tag == tag.SpecificCharacterSet {
		texts = []string{"ISO_IR 192"}
	}
	if !a.vr.CharacterSet() {
		// A writer puts this in the place of bytes that the VR does not allow and
		// nobody could read; the VR has no room for it either.
		for i := range texts {
			texts[i] = strings.ReplaceAll(texts[i], "\uFFFD", "?")
		}
	}
	raw, err := unicodeHome.charset.encode(a.vr, texts)
	if err != nil {
		return Element{}, j.failWith("text that the VR does not take", err)
	}
	j.wide = j.wide || !defaultCharset.plainASCII(raw)
	return NewElement(a.tag, a.vr, raw), nil
}

// numberText is a JSON number as a decimal or integer string, in sixteen
// characters where that is possible (PS3.5 6.2).
func numberText(vr VR, s string) string {
	if vr != DS || len(s) <= 16 {
		return s
	}
	f, err := strconv.ParseFloat(s, 64)
	if err != nil {
		return s
	}
	return FormatDS(f)
}

func (j *jsonReader) tagValues(a jsonAttribute) (Element, error) {
	var raw []byte
	for _, v := range a.values {
		s, _ := v.(string)
		n, err := strconv.ParseUint(s, 16, 32)
		if err != nil || len(s) != 8 {
			return Element{}, j.fail("a value of VR AT is not a tag of eight hexadecimal digits")
		}
		raw = binary.LittleEndian.AppendUint16(raw, uint16(n>>16))
		raw = binary.LittleEndian.AppendUint16(raw, uint16(n))
	}
	return NewElement(a.tag, a.vr, raw), nil
}

// literal is the characters of a number, given as a number or a string.
func literal(v any) string {
	switch v := v.(type) {
	case json.Number:
		return v.String()
	case string:
		return strings.TrimSpace(v)
	}
	return ""
}

func (j *jsonReader) floats(a jsonAttribute) (Element, error) {
	var raw []byte
	for _, v := range a.values {
		bits := 8 * a.vr.unit()
		f, err := strconv.ParseFloat(literal(v), bits)
		if err != nil {
			return Element{}, j.fail("a value is not a number in the range of its VR")
		}

		if bits == 32 {
			raw = binary.LittleEndian.AppendUint32(raw, math.Float32bits(float32(f)))
		} else {
			raw = binary.LittleEndian.AppendUint64(raw, math.Float64bits(f))
		}
	}
	return NewElement(a.tag, a.vr, raw), nil
}

func (j *jsonReader) ints(a jsonAttribute) (Element, error) {
	ints := make([]int64, len(a.values))
	var err error
	for i, v := range a.values {
		s := literal(v)
		if ints[i], err = strconv.ParseInt(s, 10, 64); err == nil {
			if ints[i] < 0 && (a.vr == UV || a.vr == OV) {
				return Element{}, j.fail("a value is out of the range of its VR")
			}
			continue
		}

		if u, uerr := strconv.ParseUint(s, 10, 64); uerr == nil && (a.vr == UV || a.vr == OV) {
			ints[i] = int64(u)
			continue
		}

		f, ferr := strconv.ParseFloat(s, 64)
		if ferr != nil || f != math.Trunc(f) || math.Abs(f) > 1<<53 {
			return Element{}, j.fail("a value is not a whole number")
		}
		ints[i] = int64(f)
	}

	var raw []byte
	if a.vr == UV || a.vr == OV {
		for _, v := range ints {
			raw = binary.LittleEndian.AppendUint64(raw, uint64(v))
		}
	} else if raw, err = encodeInts(a.vr, ints); err != nil {
		return Element{}, j.failWith("a value is out of the range of its VR", err)
	}
	return NewElement(a.tag, a.vr, raw), nil
}
