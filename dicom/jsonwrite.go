package dicom

import (
	"io"
	"math"
	"strconv"
	"strings"
	"unicode/utf8"

	"collimator/dicom/tag"
)

// JSONOptions say what happens to large values in the DICOM JSON model.
type JSONOptions struct {
	// BulkDataURI, if set, is asked for each binary value and each value left
	// in the stream; an empty answer puts the value inline. The path is the
	// tags and item numbers, from 1, that lead to it: "00400555/1/00420011".
	BulkDataURI func(path string, el Element) string
	// Resolve, if set, turns a BulkDataURI that is read into an element; else
	// the element keeps the URI, and cannot be encoded.
	Resolve func(t Tag, vr VR, uri string) (Element, error)
	Limits  Limits  // Depth and Elements, in reading
	Account Account // asked for what is kept in memory, in reading; nil keeps without asking
}

// MarshalJSON is ds in the DICOM JSON model (PS3.18 F.2). The text is UTF-8
// whatever the data set declares, and (0008,0005) says so where it is present.
// Group lengths are left out; so are encapsulated values without a URI, which
// have no place inline.
func MarshalJSON(ds *DataSet, o JSONOptions) ([]byte, error) {
	var b appender
	if err := WriteJSON(&b, ds, o); err != nil {
		return nil, err
	}
	return b, nil
}

// appender is a buffer that grows by appending.
type appender []byte

// Write implements io.Writer.
func (a *appender) Write(p []byte) (int, error) {
	*a = append(*a, p...)
	return len(p), nil
}

// WriteJSON writes ds in the DICOM JSON model, as MarshalJSON. Values left in
// the stream that go inline are copied in constant memory.
func WriteJSON(w io.Writer, ds *DataSet, o JSONOptions) error {
	j := &jsonWriter{newModelWriter(w, o.BulkDataURI)}
	j.dataSet(ds)
	j.flush(0)
	return j.err
}

// jsonWriter writes the DICOM JSON model.
type jsonWriter struct{ *modelWriter }

func (j *jsonWriter) dataSet(ds *DataSet) {
	j.buf = append(j.buf, '{')
	first := true
	j.elements(ds, func(el Element, uri string) {
		if !first {
			j.buf = append(j.buf, ',')
		}
		first = false
		j.element(el, uri)
	})
	j.buf = append(j.buf, '}')
}

func (j *jsonWriter) element(el Element, uri string) {
	vr := modelVR(el)
	j.buf = append(j.buf, '"')
	j.buf = appendHex(j.buf, el.Tag)
	j.buf = append(j.buf, `":{"vr":"`...)
	j.buf = append(j.buf, byte(vr>>8), byte(vr), '"')
	switch {
	case uri != "":
		j.buf = append(j.buf, `,"BulkDataURI":`...)
		j.buf = appendJSONString(j.buf, uri)
	case el.v.kind == sequence:
		j.items(el.v.more.items)
	case el.Tag == tag.SpecificCharacterSet:
		j.buf = append(j.buf, `,"Value":["ISO_IR 192"]`...)
	case el.Empty():
	case binaryVR(vr):
		j.binary(el)
	default:
		j.values(el, vr)
	}

	j.buf = append(j.buf, '}')
}

func (j *jsonWriter) items(items []*DataSet) {
	if len(items) == 0 {
		return
	}
	j.buf = append(j.buf, `,"Value":[`...)
	j.eachItem(items, func(i int, item *DataSet) {
		if i > 0 {
			j.buf = append(j.buf, ',')
		}
		j.dataSet(item)
	})
	j.buf = append(j.buf, ']')
}

// binary writes a value in base 64 (PS3.18 F.2.7).
func (j *jsonWriter) binary(el Element) {
	j.buf = append(j.buf, `,"InlineBinary":"`...)
	j.base64(el)
	j.buf = append(j.buf, '"')
}

// values writes a value of numbers or text (PS3.18 F.2.3, F.2.4).
func (j *jsonWriter) values(el Element, vr VR) {
	el, err := el.Load(inlineLimit)
	if err != nil {
		j.err = err
		return
	}

	start := len(j.buf)
	j.buf = append(j.buf, `,"Value":[`...)

	n := 0
	if vr.Text() {
		n = j.texts(el, vr)
	} else {
		n = j.numbers(el, vr)
	}

	if n == 0 {
		j.buf = j.buf[:start]
		return
	}

	j.buf = append(j.buf, ']')
}

func (j *jsonWriter) texts(el Element, vr VR) int {
	texts := el.Texts()
	for i, s := range texts {
		if i > 0 {
			j.buf = append(j.buf, ',')
		}

		switch {
		case s == "":
			j.buf = append(j.buf, "null"...)
		case vr == PN:
			j.personName(s)
		case vr == DS || vr == IS:
			j.numberString(vr, s)
		default:
			j.buf = appendJSONString(j.buf, s)
		}
	}
	return len(texts)
}

// personName writes the component groups under their names (PS3.18 F.2.2).
func (j *jsonWriter) personName(s string) {
	j.buf = append(j.buf, '{')
	first := true
	for name, group := range componentGroups(s) {
		if !first {
			j.buf = append(j.buf, ',')
		}
		first = false
		j.buf = append(append(append(j.buf, '"'), name...), `":`...)
		j.buf = appendJSONString(j.buf, group)
	}
	j.buf = append(j.buf, '}')
}

// numberString writes a decimal or integer string as a number where JSON has
// it, and as the string it is where not.
func (j *jsonWriter) numberString(vr VR, s string) {
	if n := jsonNumber(s); n != "" {
		f, err := strconv.ParseFloat(n, 64)
		if err == nil && (vr == DS || math.Abs(f) <= 1<<53) {
			j.buf = append(j.buf, n...)
			return
		}
	}
	j.buf = appendJSONString(j.buf, s)
}

// jsonNumber spells a decimal string as a JSON number of the same value; empty
// if it is malformed.
func jsonNumber(s string) string {
	s = strings.TrimPrefix(s, "+")
	neg := strings.HasPrefix(s, "-")

	mantissa, exponent := strings.TrimPrefix(s, "-"), ""
	if i := strings.IndexAny(mantissa, "eE"); i >= 0 {
		mantissa, exponent = mantissa[:i], mantissa[i+1:]
		digits := strings.TrimLeft(exponent, "+-")
		if !allDigits(digits) || len(exponent)-len(digits) > 1 {
			return ""
		}
		exponent = "e" + exponent
	}

	whole, fraction, point := strings.Cut(mantissa, ".")
	if whole != "" && !allDigits(whole) || fraction != "" && !allDigits(fraction) || whole+fraction == "" {
		return ""
	}

	for len(whole) > 1 && whole[0] == '0' {
		whole = whole[1:]
	}
	if whole == "" {
		whole = "0"
	}

	if point && fraction != "" {
		whole += "." + fraction
	}
	if neg {
		whole = "-" + whole
	}
	return whole + exponent
}

func allDigits(s string) bool {
	for i := 0; i < len(s); i++ {
		if s[i] < '0' || s[i] > '9' {
			return false
		}
	}
	return s != ""
}

func (j *jsonWriter) numbers(el Element, vr VR) int {
	if vr == FL || vr == FD {
		floats := el.Floats()
		for i, f := range floats {
			if i > 0 {
				j.buf = append(j.buf, ',')
			}
			j.buf = appendJSONFloat(j.buf, f, 8*vr.unit())
		}
		return len(floats)
	}

	ints := el.Ints()
	for i, v := range ints {
		if i > 0 {
			j.buf = append(j.buf, ',')
		}

		switch {
		case vr == AT:
			j.buf = append(appendHex(append(j.buf, '"'), Tag(v)), '"')
		case vr == UV:
			j.buf = strconv.AppendUint(j.buf, uint64(v), 10)
		default:
			j.buf = strconv.AppendInt(j.buf, v, 10)
		}
	}
	return len(ints)
}

// appendJSONFloat writes what JSON has no number for as a string.
func appendJSONFloat(b []byte, f float64, bits int) []byte {
	switch {
	case math.IsNaN(f):
		return append(b, `"NaN"`...)
	case math.IsInf(f, 1):
		return append(b, `"Infinity"`...)
	case math.IsInf(f, -1):
		return append(b, `"-Infinity"`...)
	}
	return strconv.AppendFloat(b, f, 'g', -1, bits)
}

// appendJSONString quotes s (RFC 8259 7).
func appendJSONString(b []byte, s string) []byte {
	const hex = "0123456789abcdef"
	b = append(b, '"')
	for i := 0; i < len(s); {
		c := s[i]
		if c < utf8.RuneSelf {
			switch {
			case c == '"' || c == '\\':
				b = append(b, '\\', c)
			case c == '\n':
				b = append(b, '\\', 'n')
			case c == '\r':
				b = append(b, '\\', 'r')
			case c == '\t':
				b = append(b, '\\', 't')
			case c < 0x20 || c == 0x7F:
				b = append(b, '\\', 'u', '0', '0', hex[c>>4], hex[c&15])
			default:
				b = append(b, c)
			}
			i++
			continue
		}

		r, size := utf8.DecodeRuneInString(s[i:])
		b = utf8.AppendRune(b, r)
		i += size
	}
	return append(b, '"')
}
