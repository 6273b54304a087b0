package dicom

import (
	"bytes"
	"io"
	"slices"
	"strings"

	"collimator/dicom/tag"
)

// Element is a data element. It is a small handle: copies share the value.
// It prints as its shape, never as its value.
type Element struct {
	Tag Tag
	VR  VR
	v   *cell
}

// cell stands between an element and its value: fmt follows one pointer where
// a verb does not suit it, and would print what is behind.
type cell struct{ *value }

func newCell(v value) *cell { return &cell{&v} }

// value is what an element holds, in the form in which it was read.
type value struct {
	raw      []byte   // as in the stream, in the byte order of form
	home     *DataSet // whose character set applies
	more     *nested  // sequence, fragments or bulk
	length   uint32   // length field as encoded
	reserved uint16   // the two bytes after a long VR (PS3.5 7.1.2)
	form     form
	kind     kind
}

// kind is which part of a value is in use.
type kind uint8

const (
	plain     kind = iota
	sequence       // more.items
	fragments      // more.fragments in memory
	bulk           // more.bulk in the stream
)

// nested is the part of a value that most elements do not have. Objects of
// many frames have hundreds of thousands of sequences, so that what these do
// not have stands apart.
type nested struct {
	items     []*DataSet
	*apart           // of fragments and of what was left in the stream; nil in sequences
	endLength uint32 // length field of the delimitation item, zero in good data
	content   form   // how the items stand: UN of undefined length is implicit VR little endian (PS3.5 6.2.2)
	made      bool   // not read from a stream
	even      bool   // to be written in even lengths: a value left in the stream, or its fragments
	delimited bool   // ended by a sequence delimitation item
}

// apart is a value in fragments, or one that was left in the stream.
type apart struct {
	fragments [][]byte // the first is the basic offset table
	bulk      Bulk
	source    *bulkSource
	uri       string // BulkDataURI under which the value is found (PS3.18 F.2.6)
}

// Bulk is where a value lies that was left in the stream. Offsets count from
// the start of the data set, after inflation.
type Bulk struct {
	Offset       int64
	Length       int64 // bytes; of encapsulated data from the first item up to and including the delimiter
	Encapsulated bool
	OffsetTable  []byte         // value of the basic offset table item, little endian; encapsulated only
	Fragments    []BulkFragment // without the offset table; encapsulated only
}

// BulkFragment is one fragment of encapsulated data.
type BulkFragment struct {
	Offset int64 // of its first byte, behind the item header
	Length uint32
}

// aside lays both parts down together.
func aside(a apart) *nested {
	both := &struct {
		nested
		apart
	}{apart: a}
	both.nested.apart = &both.apart
	return &both.nested
}

// NewElement makes an element of bytes in little endian, which it keeps. An
// odd length is padded (PS3.5 6.2).
func NewElement(t Tag, vr VR, b []byte) Element {
	if vr == 0 {
		vr = UN
	}
	b = pad(vr, b)
	return Element{t, vr, newCell(value{raw: b, length: uint32(len(b)), form: formExplicit})}
}

// NewText makes an element of a character VR. A data set in which it is put
// writes it in its own character set if it can; DataSet.SetText says where it
// cannot.
func NewText(t Tag, vr VR, values ...string) Element {
	el := NewElement(t, vr, []byte(strings.Join(values, "\\")))
	el.v.home = unicodeHome
	return el
}

// unicodeHome stands for a data set in UTF-8; it is never changed.
var unicodeHome = &DataSet{charset: parseCharset([]string{"ISO_IR 192"})}

// pad makes b even, in a copy (PS3.5 6.2, 7.1.1).
func pad(vr VR, b []byte) []byte {
	if len(b)&1 == 0 {
		return b
	}
	return append(b[:len(b):len(b)], padding(vr))
}

// padding is the byte that makes a value even.
func padding(vr VR) byte {
	if vr.Text() && vr != UI {
		return ' '
	}
	return 0
}

// NewSequence makes a sequence of items, which it keeps (PS3.5 7.5).
func NewSequence(t Tag, items ...*DataSet) Element {
	return Element{t, SQ, newCell(value{kind: sequence, form: formExplicit,
		more: &nested{items: items, content: formExplicit, made: true}})}
}

// NewFragments makes an encapsulated value: the basic offset table, which may
// be empty, and the fragments (PS3.5 A.4). It keeps the slices.
func NewFragments(t Tag, vr VR, offsetTable []byte, frags ...[]byte) Element {
	all := append([][]byte{offsetTable}, frags...)
	for i := range all {
		all[i] = pad(OB, all[i])
	}
	return Element{t, vr, newCell(value{kind: fragments, form: formExplicit, length: UndefinedLength,
		more: &nested{apart: &apart{fragments: all}, delimited: true, made: true}})}
}

// NewBulk makes an element whose n bytes, in little endian, are read from
// source at offset when it is written or opened.
func NewBulk(t Tag, vr VR, source io.ReaderAt, offset, n int64) Element {
	return Element{t, vr, newCell(value{kind: bulk, form: formExplicit, length: uint32(n),
		more: &nested{apart: &apart{bulk: Bulk{Offset: offset, Length: n}, source: &bulkSource{at: source}}, made: true}})}
}

// NewStream makes an element whose n bytes, in little endian, are read from
// what open gives each time it is written or opened.
func NewStream(t Tag, vr VR, n int64, open func() (io.Reader, error)) Element {
	return Element{t, vr, newCell(value{kind: bulk, form: formExplicit, length: uint32(n),
		more: &nested{apart: &apart{bulk: Bulk{Length: n}, source: &bulkSource{stream: open}}, made: true}})}
}

// Length is the length field: as it was read, or the length of a new value
// before padding. A sequence that was made has zero until it is written.
func (el Element) Length() uint32 {
	if el.v == nil {
		return 0
	}
	return el.v.length
}

// Empty reports a value of zero length (PS3.5 7.4).
func (el Element) Empty() bool {
	if el.v == nil {
		return true
	}
	switch el.v.kind {
	case plain:
		return len(el.v.raw) == 0
	case sequence:
		return len(el.v.more.items) == 0
	}
	return false
}

// Equal reports the same tag, VR and value, however it was encoded. Values
// left in a stream are equal only to themselves.
func (el Element) Equal(o Element) bool {
	switch {
	case el.Tag != o.Tag || el.VR != o.VR:
		return false
	case el.v == o.v || el.Empty() && o.Empty():
		return true
	case el.v == nil || o.v == nil || el.v.kind != o.v.kind:
		return false
	}

	switch el.v.kind {
	case sequence:
		return slices.EqualFunc(el.v.more.items, o.v.more.items, (*DataSet).Equal)
	case fragments:
		return slices.EqualFunc(el.v.more.fragments, o.v.more.fragments, bytes.Equal)
	case bulk:
		a, b := el.v.more, o.v.more
		return a.source == b.source && a.uri == b.uri && a.bulk.Offset == b.bulk.Offset && a.bulk.Length == b.bulk.Length
	}
	return bytes.Equal(el.Bytes(), o.Bytes())
}

// Bytes is the value in little endian. It may alias the data set: do not
// change it. Nil for sequences, fragments and values left in the stream.
func (el Element) Bytes() []byte {
	if el.v == nil || el.v.kind != plain {
		return nil
	}
	return el.v.little(el.VR)
}

// little is the raw value in little endian.
func (v *value) little(vr VR) []byte {
	if v.form&formBig == 0 || vr.unit() == 1 || len(v.raw) == 0 {
		return v.raw
	}
	out := bytes.Clone(v.raw)
	swap(out, vr.unit())
	return out
}

// swap reverses the bytes of each whole unit of b.
func swap(b []byte, unit int) {
	if unit == 2 {
		for i := 0; i+1 < len(b); i += 2 {
			b[i], b[i+1] = b[i+1], b[i]
		}
		return
	}
	for ; len(b) >= unit; b = b[unit:] {
		for i, j := 0, unit-1; i < j; i, j = i+1, j-1 {
			b[i], b[j] = b[j], b[i]
		}
	}
}

// Items is the items of a sequence, in order. They are the data set's own:
// changing one changes it.
func (el Element) Items() []*DataSet {
	if el.v == nil || el.v.kind != sequence {
		return nil
	}
	return el.v.more.items
}

// Sequence reports a value made of items, whatever its VR says.
func (el Element) Sequence() bool { return el.v != nil && el.v.kind == sequence }

// Encapsulated reports a value that is encoded in fragments (PS3.5 A.4).
func (el Element) Encapsulated() bool {
	return el.v != nil && (el.v.kind == fragments || el.v.kind == bulk && el.v.more.bulk.Encapsulated)
}

// Fragments is the fragments in memory without the offset table. They alias
// the data set.
func (el Element) Fragments() [][]byte {
	if el.v == nil || el.v.kind != fragments || len(el.v.more.fragments) == 0 {
		return nil
	}
	return el.v.more.fragments[1:]
}

// OffsetTable is the value of the basic offset table of an encapsulated
// value, in memory or left in the stream (PS3.5 A.4).
func (el Element) OffsetTable() []byte {
	switch {
	case !el.Encapsulated():
		return nil
	case el.v.kind == bulk:
		return el.v.more.bulk.OffsetTable
	case len(el.v.more.fragments) == 0:
		return nil
	}
	return el.v.more.fragments[0]
}

// Bulk says where the value lies if it was left in the stream.
func (el Element) Bulk() (Bulk, bool) {
	if el.v == nil || el.v.kind != bulk {
		return Bulk{}, false
	}
	return el.v.more.bulk, true
}

// BulkDataURI is where the value is to be had that a JSON document left out
// (PS3.18 F.2.6); else empty.
func (el Element) BulkDataURI() string {
	if el.v == nil || el.v.kind != bulk {
		return ""
	}
	return el.v.more.uri
}

// Load is el with a value left in the stream read into memory, so that Texts,
// Ints and Bytes give it. ErrLimit if it is longer than limit bytes.
func (el Element) Load(limit int64) (Element, error) {
	if el.v == nil || el.v.kind != bulk {
		return el, nil
	}
	if el.ValueLength() > limit {
		return el, ErrLimit
	}

	r, err := el.Open()
	if err != nil {
		return el, err
	}

	var raw bytes.Buffer
	if _, err := raw.ReadFrom(r); err != nil {
		return el, err
	}
	return Element{el.Tag, el.VR, newCell(value{raw: raw.Bytes(), home: el.v.home, form: formExplicit})}, nil
}

// Open reads the value as a stream in little endian, from memory or from the
// source. ErrEncapsulated for fragments, ErrNoSource for a value left in a
// stream that cannot be read again.
func (el Element) Open() (io.Reader, error) {
	switch {
	case el.v == nil || el.v.kind == sequence:
		return bytes.NewReader(nil), nil
	case el.v.kind == plain:
		return bytes.NewReader(el.Bytes()), nil
	case el.Encapsulated():
		return nil, ErrEncapsulated
	}

	b := el.v.more.bulk
	r, err := el.v.more.source.open(b.Offset, b.Length)
	if err != nil {
		return nil, err
	}

	if unit := el.VR.unit(); el.v.form&formBig != 0 && unit > 1 {
		r = &swapReader{r: r, unit: unit}
	}
	return r, nil
}

// ValueLength is the bytes of the value: of a plain value in memory or left in
// the stream; 0 for sequences and fragments.
func (el Element) ValueLength() int64 {
	switch {
	case el.v == nil || el.v.kind == sequence || el.Encapsulated():
		return 0
	case el.v.kind == bulk:
		return el.v.more.bulk.Length
	}
	return int64(len(el.v.raw))
}

// OpenRange is Open for the n bytes from offset on. Only they, and what makes
// them whole numbers, are read from the source.
func (el Element) OpenRange(offset, n int64) (io.Reader, error) {
	if offset < 0 || n < 0 || offset > el.ValueLength()-n {
		return nil, io.ErrUnexpectedEOF
	}
	if el.v.kind == plain {
		if el.v.form&formBig == 0 || el.VR.unit() == 1 {
			return bytes.NewReader(el.v.raw[offset : offset+n]), nil
		}
		return bytes.NewReader(el.Bytes()[offset : offset+n]), nil
	}

	b := el.v.more.bulk
	unit := int64(el.VR.unit())
	if el.v.form&formBig == 0 || unit == 1 {
		return el.v.more.source.open(b.Offset+offset, n)
	}

	// Bytes are swapped in whole units: the range is widened to them, and cut again.
	start := offset - offset%unit
	end := min(b.Length, (offset+n+unit-1)/unit*unit)
	r, err := el.v.more.source.open(b.Offset+start, end-start)
	if err != nil {
		return nil, err
	}

	r = &swapReader{r: r, unit: int(unit)}
	if _, err := io.CopyN(io.Discard, r, offset-start); err != nil {
		return nil, err
	}

	return io.LimitReader(r, n), nil
}

// OpenFragment reads fragment i, from 0, not counting the offset table.
func (el Element) OpenFragment(i int) (io.Reader, error) {
	if frags := el.Fragments(); i >= 0 && i < len(frags) {
		return bytes.NewReader(frags[i]), nil
	}
	b, ok := el.Bulk()
	if !ok || i < 0 || i >= len(b.Fragments) {
		return nil, io.EOF
	}
	return el.v.more.source.open(b.Fragments[i].Offset, int64(b.Fragments[i].Length))
}

// FragmentLength is the bytes of fragment i, from 0; -1 if there is none.
func (el Element) FragmentLength(i int) int64 {
	if b, ok := el.Bulk(); ok && i >= 0 && i < len(b.Fragments) {
		return int64(b.Fragments[i].Length)
	}
	if frags := el.Fragments(); i >= 0 && i < len(frags) {
		return int64(len(frags[i]))
	}
	return -1
}

// FragmentCount is how many fragments follow the offset table.
func (el Element) FragmentCount() int {
	if b, ok := el.Bulk(); ok {
		return len(b.Fragments)
	}
	return len(el.Fragments())
}

// pixelKind reports an element that is read apart from the header: pixel data
// and what else is as large (PS3.3 C.7.6.3.1.4, C.10.9).
func pixelKind(t Tag) bool {
	switch t {
	case tag.PixelData, tag.FloatPixelData, tag.DoubleFloatPixelData, tag.EncapsulatedDocument,
		tag.SpectroscopyData, tag.WaveformData:
		return true
	}
	return t&0xFF00FFFF == 0x60003000 // overlay data of a repeating group
}
