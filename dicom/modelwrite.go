package dicom

import (
	"cmp"
	"encoding/base64"
	"io"
	"iter"
	"slices"
	"strconv"
	"strings"
)

// The DICOM JSON model and the Native DICOM Model say the same of a data set in
// two notations (PS3.18 F.2): which elements, under which VR, and which values
// stand elsewhere. That is decided here; the notations are in jsonwrite.go and
// xmlwrite.go.

// modelWriter walks a data set and collects what a notation makes of it.
type modelWriter struct {
	w    io.Writer
	bulk func(path string, el Element) string // BulkDataURI of the options
	buf  []byte
	path []byte // tags and item numbers that lead to the element at hand
	err  error
}

func newModelWriter(w io.Writer, bulk func(path string, el Element) string) *modelWriter {
	return &modelWriter{w: w, bulk: bulk, buf: make([]byte, 0, 4<<10)}
}

// flush hands on what is there once it is more than keep bytes.
func (m *modelWriter) flush(keep int) {
	if len(m.buf) <= keep || m.err != nil {
		return
	}
	_, m.err = m.w.Write(m.buf)
	m.buf = m.buf[:0]
}

// elements gives write each element that a model shows, in order, and its URI
// where the value stands elsewhere. Group lengths are left out, and so are
// encapsulated values without a URI.
func (m *modelWriter) elements(ds *DataSet, write func(el Element, uri string)) {
	for _, el := range ds.ordered() {
		if el.Tag.GroupLength() || m.err != nil {
			continue
		}
		before := len(m.path)
		if before > 0 {
			m.path = append(m.path, '/')
		}
		m.path = appendHex(m.path, el.Tag)

		if uri := m.uri(el); !el.Encapsulated() || uri != "" {
			write(el, uri)
		}

		m.path = m.path[:before]
		m.flush(32 << 10)
	}
}

// ordered is the elements in the order of their tags; of one that stands twice
// the first.
func (ds *DataSet) ordered() []Element {
	if !ds.unsorted {
		return ds.els
	}
	els := slices.Clone(ds.els)
	slices.SortStableFunc(els, func(a, b Element) int { return cmp.Compare(a.Tag, b.Tag) })
	return slices.CompactFunc(els, func(a, b Element) bool { return a.Tag == b.Tag })
}

func appendHex(b []byte, t Tag) []byte {
	const digits = "0123456789ABCDEF"
	for shift := 28; shift >= 0; shift -= 4 {
		b = append(b, digits[t>>shift&15])
	}
	return b
}

// eachItem gives write each item of the sequence at hand; paths count from 1.
func (m *modelWriter) eachItem(items []*DataSet, write func(i int, item *DataSet)) {
	before := len(m.path)
	for i, item := range items {
		m.path = strconv.AppendInt(append(m.path, '/'), int64(i+1), 10)
		write(i, item)
		m.path = m.path[:before]
	}
}

// uri asks for the URI of a value that may stand elsewhere.
func (m *modelWriter) uri(el Element) string {
	left := el.v.kind == bulk || el.v.kind == fragments
	if left && el.v.kind == bulk && el.v.more.uri != "" {
		return el.v.more.uri
	}
	if m.bulk == nil || !left && (!binaryVR(el.VR) || el.Empty() || el.v.kind == sequence) {
		return ""
	}
	return m.bulk(string(m.path), el)
}

// binaryVR reports a VR whose value is inline binary (PS3.18 F.2.7). A VR that
// is not known is written as UN.
func binaryVR(vr VR) bool {
	switch vr {
	case OB, OD, OF, OL, OV, OW, UN:
		return true
	}
	return !vr.Known()
}

// modelVR is the VR under which an element stands. A UN value of an element of
// the dictionary is one of implicit VR and is read as such (PS3.5 6.2.2).
func modelVR(el Element) VR {
	switch {
	case el.v.kind == sequence:
		return SQ
	case el.VR.Known() && el.VR != UN:
		return el.VR
	case el.VR == UN && el.v.kind == plain:
		if vr := VRFor(el.Tag); vr != SQ && vr.Known() {
			return vr
		}
	}
	return UN
}

// inlineLimit is the most bytes of text or numbers left in a stream that are
// read to stand inline.
const inlineLimit = 64 << 20

// base64 writes a value; one that is left in the stream is copied in constant
// memory.
func (m *modelWriter) base64(el Element) {
	if el.v.kind == plain {
		m.buf = base64.StdEncoding.AppendEncode(m.buf, el.Bytes())
		return
	}
	r, err := el.Open()
	if err != nil {
		m.err = err
		return
	}
	m.flush(0)
	if m.err != nil {
		return
	}

	enc := base64.NewEncoder(base64.StdEncoding, m.w)
	if _, err = io.Copy(enc, r); err == nil {
		err = enc.Close()
	}
	m.err = err
}

var pnGroups = [3]string{"Alphabetic", "Ideographic", "Phonetic"}

// componentGroups yields the component groups of a person name that say
// something, each with its name (PS3.5 6.2.1). What stands behind a fourth
// delimiter is kept with the last.
func componentGroups(s string) iter.Seq2[string, string] {
	return func(yield func(name, group string) bool) {
		for i, name := range pnGroups {
			group, rest, _ := strings.Cut(s, "=")
			s = rest
			if i == len(pnGroups)-1 && rest != "" {
				group += "=" + rest
			}
			group = strings.TrimRight(group, " ")
			if group != "" && !yield(name, group) {
				return
			}
		}
	}
}
