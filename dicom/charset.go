package dicom

import (
	"bytes"
	"strings"
	"unicode/utf8"

	"collimator/dicom/tag"
)

// charset is the specific character set of a data set (PS3.3 C.12.1.1.2).
type charset struct {
	terms []string
	notes []Note
}

var defaultCharset = &charset{}

func (ds *DataSet) readCharacterSet() {
	el, _ := ds.Get(tag.SpecificCharacterSet)
	ds.charset = &charset{terms: el.Texts()}
}

func (ds *DataSet) encodingOrNil() *charset {
	for p := ds; p != nil; p = p.parent {
		if p.charset != nil {
			return p.charset
		}
	}
	return nil
}

func (ds *DataSet) encoding() *charset {
	if c := ds.encodingOrNil(); c != nil {
		return c
	}
	return defaultCharset
}

func (c *charset) recode(from *charset, vr VR, raw []byte) ([]byte, error) {
	return c.encode(vr, from.decode(vr, raw))
}

func (c *charset) decode(vr VR, raw []byte) []string {
	s := string(bytes.TrimRight(raw, " \x00"))
	if !utf8.ValidString(s) {
		var b strings.Builder
		for i := 0; i < len(s); i++ {
			b.WriteRune(rune(s[i]))
		}
		s = b.String()
	}
	switch vr {
	case LT, ST, UT, UR:
		return []string{s}
	}
	out := strings.Split(s, "\\")
	for i := range out {
		out[i] = strings.Trim(out[i], " ")
	}
	return out
}

func (c *charset) encode(vr VR, values []string) ([]byte, error) {
	return []byte(strings.Join(values, "\\")), nil
}
