package dicom

import (
	"slices"
	"strings"

	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/charmap"
	"golang.org/x/text/encoding/japanese"
	"golang.org/x/text/encoding/korean"
	"golang.org/x/text/encoding/simplifiedchinese"
	"golang.org/x/text/encoding/unicode"

	"collimator/dicom/tag"
)

// repertoire is a coded character set that can be designated by an escape
// sequence (PS3.3 C.12.1.1.2, PS3.5 6.1.2.4).
type repertoire struct {
	number string // of the ISO registration: "100"
	escape string // that designates it, without the ESC
	right  bool   // stands in G1, bytes A0 to FF; else in G0, bytes 20 to 7F
	double bool   // two bytes a character
	page   *charmap.Charmap
	table  encoding.Encoding // of a double-byte set, in its EUC form
	prefix byte              // of the EUC form, 0 for none
}

var (
	ascii    = &repertoire{number: "6", escape: "(B"}
	romaji   = &repertoire{number: "14", escape: "(J"}
	katakana = &repertoire{number: "13", escape: ")I", right: true}
	jis0208  = &repertoire{number: "87", escape: "$B", double: true, table: japanese.EUCJP}
	jis0212  = &repertoire{number: "159", escape: "$(D", double: true, table: japanese.EUCJP, prefix: 0x8F}
	ksx1001  = &repertoire{number: "149", escape: "$)C", right: true, double: true, table: korean.EUCKR}
	gb2312   = &repertoire{number: "58", escape: "$)A", right: true, double: true, table: simplifiedchinese.GBK}

	// repertoires is all of them; the ones that share a number stand together.
	repertoires = []*repertoire{
		ascii, romaji, katakana, jis0208, jis0212, ksx1001, gb2312,
		{number: "100", escape: "-A", right: true, page: charmap.ISO8859_1},
		{number: "101", escape: "-B", right: true, page: charmap.ISO8859_2},
		{number: "109", escape: "-C", right: true, page: charmap.ISO8859_3},
		{number: "110", escape: "-D", right: true, page: charmap.ISO8859_4},
		{number: "144", escape: "-L", right: true, page: charmap.ISO8859_5},
		{number: "127", escape: "-G", right: true, page: charmap.ISO8859_6},
		{number: "126", escape: "-F", right: true, page: charmap.ISO8859_7},
		{number: "138", escape: "-H", right: true, page: charmap.ISO8859_8},
		{number: "148", escape: "-M", right: true, page: charmap.ISO8859_9},
		{number: "203", escape: "-b", right: true, page: charmap.ISO8859_15},
		{number: "166", escape: "-T", right: true, page: charmap.Windows874},
	}
)

// charset is the specific character set of a data set (PS3.3 C.12.1.1.2).
type charset struct{ *coding }

// coding stands behind a pointer of its own, as the value of an element does.
type coding struct {
	terms []string
	whole encoding.Encoding // a set without code extension: UTF-8, GB18030, GBK
	g0    *repertoire       // active at the start of a value
	g1    *repertoire       // nil for none
	more  []*repertoire     // what escape sequences may designate besides
	notes []Note
}

var defaultCharset = &charset{&coding{g0: ascii}}

// CharacterSet is the defined terms of (0008,0005) that apply to the data
// set, from itself or the data sets around it; empty is the default
// repertoire (PS3.3 C.12.1.1.2).
func (ds *DataSet) CharacterSet() []string { return ds.encoding().terms }

// SetCharacterSet declares character sets and writes all text of the data set
// and its items in them, but for items that declare their own.
// ErrCharacterSet if there is a character they do not have; then nothing is
// changed.
func (ds *DataSet) SetCharacterSet(terms ...string) error {
	to := parseCharset(terms)
	if len(to.notes) > 0 {
		return ErrCharacterSet
	}

	changed, err := ds.recoded(to)
	if err != nil {
		return err
	}

	for _, c := range changed {
		c.ds.Set(c.el)
	}

	if err := ds.SetText(tag.SpecificCharacterSet, terms...); err != nil {
		return err
	}

	ds.charset = to
	return nil
}

// AssumeCharacterSet reads the text of a data set that declares no character set
// as if it were written in these (PS3.3 C.12.1.1.2). Nothing is changed or
// declared; a later SetCharacterSet writes the text anew as usual. It does
// nothing where the data set declares its own.
func (ds *DataSet) AssumeCharacterSet(terms ...string) {
	if ds.charset != nil && len(ds.charset.terms) > 0 {
		return
	}
	ds.charset = parseCharset(terms)
}

// recoding is an element to be put in the place of another.
type recoding struct {
	ds *DataSet
	el Element
}

// recoded is the elements of ds and its items that change in another set.
func (ds *DataSet) recoded(to *charset) ([]recoding, error) {
	var out []recoding
	from := ds.encoding()
	for _, el := range ds.els {
		if el.v.kind == sequence {
			for _, item := range el.v.more.items {
				if item.charset != nil {
					continue
				}
				inner, err := item.recoded(to)
				if err != nil {
					return nil, err
				}
				out = append(out, inner...)
			}
			continue
		}

		if el.v.kind != plain || !el.VR.CharacterSet() || from.plainASCII(el.v.raw) && to.plainASCII(el.v.raw) {
			continue
		}

		raw, err := to.recode(from, el.VR, el.v.raw)
		if err != nil {
			return nil, err
		}

		made := NewElement(el.Tag, el.VR, raw)
		made.v.home = ds
		out = append(out, recoding{ds, made})
	}
	return out, nil
}

// readCharacterSet takes up (0008,0005) as it stands in ds.
func (ds *DataSet) readCharacterSet() {
	el, _ := ds.Get(tag.SpecificCharacterSet)
	if el.v == nil || el.v.kind != plain {
		ds.charset = nil
		return
	}
	ds.charset = parseCharset(splitTerms(el.v.raw))
}

func splitTerms(raw []byte) []string {
	s := strings.Trim(string(raw), " \x00")
	if s == "" {
		return nil
	}
	terms := strings.Split(s, "\\")
	for i := range terms {
		terms[i] = strings.Trim(terms[i], " \x00")
	}
	return terms
}

// encodingOrNil is the character set that applies to ds if one was declared.
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

// parseCharset reads defined terms. What is wrong with them is noted and
// understood as what comes closest.
func parseCharset(terms []string) *charset {
	c := &charset{&coding{terms: terms, g0: ascii}}
	for i, term := range terms {
		if len(terms) > 16 && i > 16 {
			c.note("more than sixteen character sets")
			break
		}
		c.add(i, term)
	}
	return c
}

func (c *charset) note(reason string) {
	c.notes = append(c.notes, Note{Tag: tag.SpecificCharacterSet, Reason: reason})
}

// add takes up the term that stands at place i, from 0. A term that is misspelt is
// read all the same, an unknown one counts as the default repertoire; both are noted.
func (c *charset) add(i int, term string) {
	if term == "" {
		if i > 0 {
			c.note("empty character set behind the first")
		}
		return
	}

	// Terms are compared by letters and digits alone: equipment spells them in many ways.
	key := strings.Map(func(r rune) rune {
		if r >= '0' && r <= '9' || r >= 'A' && r <= 'Z' {
			return r
		}
		if r >= 'a' && r <= 'z' {
			return r - 'a' + 'A'
		}
		return -1
	}, term)

	if enc, spelling := wholeEncoding(key); enc != nil {
		if term != spelling {
			c.note("character set is misspelt or no defined term")
		}
		c.addWhole(i, enc)
		return
	}

	number, extension := strings.CutPrefix(key, "ISO2022IR")
	if !extension {
		number = strings.TrimPrefix(key, "ISOIR")
	}
	if number == "14" {
		number = "13"
	}

	for _, r := range repertoires {
		if r.number != number {
			continue
		}
		if term != "ISO_IR "+number && term != "ISO 2022 IR "+number || !extension && i > 0 {
			c.note("character set is misspelt or not allowed at its place")
		}
		c.addRepertoire(i, r)
		return
	}

	c.note("unknown character set, taken as the default repertoire")
}

// wholeEncoding is a set without code extension, and how its term is spelt.
func wholeEncoding(key string) (encoding.Encoding, string) {
	switch key {
	case "ISOIR192", "UTF8", "ISO2022IR192":
		return unicode.UTF8, "ISO_IR 192"
	case "GB18030":
		return simplifiedchinese.GB18030, key
	case "GBK":
		return simplifiedchinese.GBK, key
	case "SHIFTJIS", "SJIS", "WINDOWS31J":
		return japanese.ShiftJIS, ""
	case "EUCKR":
		return korean.EUCKR, ""
	case "EUCJP":
		return japanese.EUCJP, ""
	}
	return nil, ""
}

func (c *charset) addWhole(i int, enc encoding.Encoding) {
	if i > 0 {
		c.note("character set without code extension behind the first")
		if c.whole != nil || c.g1 != nil || len(c.more) > 0 {
			return
		}
	}
	c.whole = enc
}

func (c *charset) addRepertoire(i int, r *repertoire) {
	c.more = append(c.more, r)
	if r == katakana {
		c.more = append(c.more, romaji)
	}

	if i > 0 {
		return
	}

	switch {
	case r == katakana:
		c.g0, c.g1 = romaji, katakana
	case r.right:
		c.g1 = r
		if r.double {
			c.note("multi-byte character set as the first")
		}
	case r.double:
		c.note("multi-byte character set as the first")
	}
}

// same reports sets that write text alike.
func (c *charset) same(o *charset) bool { return c == o || slices.Equal(c.terms, o.terms) }

// plainASCII reports bytes that mean the same in c as in ASCII.
func (c *charset) plainASCII(raw []byte) bool {
	for _, b := range raw {
		if b >= 0x80 || b == 0x1B || c.g0 == romaji && (b == 0x5C || b == 0x7E) {
			return false
		}
	}
	return true
}

// recode writes a value of another character set in c.
func (c *charset) recode(from *charset, vr VR, raw []byte) ([]byte, error) {
	return c.encode(vr, from.decode(vr, raw))
}
