// Package inspect looks at objects for what does not belong there: programs in
// preambles (PS3.10 7.1 leaves 128 bytes to anyone) and in elements, and
// documents that do something when they are opened. It reports; what follows is
// decided by a Policy that the door applies. It looks at what a value is, not at
// what it says, and its findings hold no values.
package inspect

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"io"

	"collimator/dicom"
	"collimator/dicom/tag"
)

// Kind is what was found.
type Kind string

// The kinds of findings.
const (
	PE         Kind = "Windows program"
	ELF        Kind = "Linux program"
	MachO      Kind = "macOS program"
	Script     Kind = "script"
	Archive    Kind = "ZIP archive"
	Document   Kind = "PDF document"
	HTML       Kind = "HTML page"
	ActivePDF  Kind = "PDF with active content"
	SealedPDF  Kind = "PDF that cannot be looked into"
	ActiveXML  Kind = "XML with active content"
	SealedXML  Kind = "XML that cannot be looked into"
	Unreadable Kind = "value that cannot be read"
)

// Place is where it was found.
type Place string

// The places.
const (
	Preamble Place = "preamble"
	Private  Place = "private element"
	Bulk     Place = "bulk element"
	Encaps   Place = "encapsulated document"
)

// Finding is one thing that does not belong where it is.
type Finding struct {
	Kind  Kind      `json:"kind"`
	Place Place     `json:"place"`
	Tag   dicom.Tag `json:"tag"`            // zero in the preamble
	Path  string    `json:"path,omitempty"` // sequences around it: "(0040,A730)[2]"
}

// String is one line without values.
func (f Finding) String() string {
	s := string(f.Kind) + " in " + string(f.Place)
	if f.Tag != 0 {
		s += " " + f.Tag.String()
	}
	if f.Path != "" {
		s += " of " + f.Path
	}
	return s
}

// Limits bound the work on one object. A zero field has its default.
type Limits struct {
	Findings int   // kept of one object; default 64
	Document int64 // bytes of an encapsulated document that are read; default 64 MiB
	Inflated int64 // bytes of its compressed streams that are looked at; default 64 MiB
}

func (l Limits) withDefaults() Limits {
	if l.Findings <= 0 {
		l.Findings = 64
	}
	if l.Document <= 0 {
		l.Document = 64 << 20
	}
	if l.Inflated <= 0 {
		l.Inflated = 64 << 20
	}
	return l
}

// magics are the first bytes by which programs and containers are recognised.
var magics = [...]struct {
	kind Kind
	b    string
}{
	{PE, "MZ"}, {ELF, "\x7fELF"}, {Script, "#!"}, {Archive, "PK\x03\x04"}, {Archive, "PK\x05\x06"}, {Document, "%PDF-"},
	{MachO, "\xfe\xed\xfa\xce"}, {MachO, "\xfe\xed\xfa\xcf"}, {MachO, "\xce\xfa\xed\xfe"}, {MachO, "\xcf\xfa\xed\xfe"}, {MachO, "\xca\xfe\xba\xbe"},
}

// recognise names what begins with these bytes; empty for nothing that is known.
func recognise(b []byte) Kind {
	for _, m := range magics {
		if bytes.HasPrefix(b, []byte(m.b)) {
			return m.kind
		}
	}

	text := bytes.TrimLeft(bytes.TrimPrefix(b, []byte("\xef\xbb\xbf")), " \t\r\n")
	text = bytes.ToLower(text[:min(len(text), len("<!doctype html"))])
	for _, start := range []string{"<!doctype html", "<html", "<script", "<svg"} {
		if bytes.HasPrefix(text, []byte(start)) {
			return HTML
		}
	}
	return ""
}

// Begins reports that bytes are the beginning of a program, a container or a document: a
// value that begins in another way need not be looked at.
func Begins(b []byte) bool { return recognise(b) != "" }

// LookAtPreamble looks at the 128 bytes in front of a Part 10 file. Zeros and
// the header of a TIFF file, for which the preamble was made, are nothing.
func LookAtPreamble(b [128]byte) []Finding {
	if kind := recognise(b[:]); kind != "" {
		return []Finding{{Kind: kind, Place: Preamble}}
	}
	return nil
}

// LookAt looks at every element of a data set, at all levels. Values that were
// left in the stream are read from their source, their first bytes only, but
// for encapsulated documents. These are held in memory out of the budget of ctx;
// where there is no room for one, or ctx ends, the error says so and nothing was
// judged.
func LookAt(ctx context.Context, ds *dicom.DataSet, lim Limits) ([]Finding, error) {
	w := &walk{lim: lim.withDefaults()}
	w.level(ctx, ds, "")
	if w.err == nil && ctx.Err() != nil {
		w.err = context.Cause(ctx)
	}
	return w.found, w.err
}

type walk struct {
	lim   Limits
	found []Finding
	err   error
}

func (w *walk) add(f Finding) {
	if len(w.found) < w.lim.Findings {
		w.found = append(w.found, f)
	}
}

func (w *walk) level(ctx context.Context, ds *dicom.DataSet, path string) {
	for el := range ds.All() {
		switch {
		case w.err != nil || ctx.Err() != nil:
			return
		case el.Sequence():
			for i, it := range el.Items() {
				w.level(ctx, it, itemPath(path, el.Tag, i))
			}
		case el.Tag == tag.EncapsulatedDocument:
			w.document(ctx, ds, el, path)
		case el.Encapsulated():
			w.fragments(el, path)
		case samples(el.Tag):
			head, err := readHead(el.Open())
			w.judgeSamples(value{head: head, length: el.ValueLength(), from: within(el)}, err, el.Tag, path)
		case carries(el):
			place := Bulk
			if el.Tag.Private() {
				place = Private
			}
			w.value(el, path, place)
		}
	}
}

// samples reports an element whose bytes are numbers that were measured or drawn:
// pixel data, overlays, waveforms, spectra and lookup tables. Any two bytes may
// come first in one.
func samples(t dicom.Tag) bool {
	switch t {
	case tag.PixelData, tag.FloatPixelData, tag.DoubleFloatPixelData, tag.WaveformData, tag.SpectroscopyData, tag.LUTData,
		tag.RedPaletteColorLookupTableData, tag.GreenPaletteColorLookupTableData, tag.BluePaletteColorLookupTableData:
		return true
	}
	return t&0xFF00FFFF == 0x60003000 // overlay data of a repeating group
}

// value is one that is looked at: its first bytes, its length, and how to read from
// further behind.
type value struct {
	head   []byte
	length int64
	from   func(at int64) []byte // four bytes, or fewer where they cannot be read
}

// judgeSamples is judge for numbers: a mark of two letters alone ("#!") is a value
// like any other there. What else makes a file a program has to follow.
func (w *walk) judgeSamples(v value, err error, t dicom.Tag, path string) {
	if err != nil {
		w.add(Finding{Kind: Unreadable, Place: Bulk, Tag: t, Path: path})
		return
	}

	if recognise(v.head) == Script && !interpreterLine(v.head) {
		return
	}

	w.judge(v, Bulk, t, path)
}

// interpreterLine reports "#!", the path of a program and the end of the line.
func interpreterLine(b []byte) bool {
	line, _, ended := bytes.Cut(b, []byte("\n"))
	path := bytes.TrimLeft(line[2:], " \t")
	if !ended || len(path) < 2 || path[0] != '/' {
		return false
	}

	for _, c := range path {
		if c < ' ' && c != '\t' && c != '\r' || c > '~' {
			return false
		}
	}
	return true
}

// carries reports an element in which bytes of any kind can travel.
func carries(el dicom.Element) bool {
	switch el.VR {
	case dicom.OB, dicom.OW, dicom.OD, dicom.OF, dicom.OL, dicom.OV, dicom.UN:
		return true
	case dicom.UT, dicom.UC, dicom.LT, dicom.ST:
		return el.Tag.Private()
	}
	return false
}

// headLength is how many bytes of a value are enough to recognise it.
const headLength = 512

func (w *walk) value(el dicom.Element, path string, place Place) {
	head, err := readHead(el.Open())
	if err != nil {
		w.add(Finding{Kind: Unreadable, Place: place, Tag: el.Tag, Path: path})
		return
	}

	w.judge(value{head: head, length: el.ValueLength(), from: within(el)}, place, el.Tag, path)
}

// within reads four bytes of an element.
func within(el dicom.Element) func(int64) []byte {
	return func(at int64) []byte { return four(el.OpenRange(at, 4)) }
}

// four is the next four bytes.
func four(r io.Reader, err error) []byte {
	if err != nil {
		return nil
	}
	var b [4]byte
	n, _ := io.ReadFull(r, b[:]) // what cannot be read is not a program
	return b[:n]
}

// judge adds a finding for the first bytes of a value. Two letters are not
// enough to call pixels a program, so for PE the header behind them counts too.
func (w *walk) judge(v value, place Place, t dicom.Tag, path string) {
	kind := recognise(v.head)
	if kind == PE && !wholePE(v.head, v.length, v.from) {
		return
	}

	if kind != "" && (kind != Document || place != Encaps) {
		w.add(Finding{Kind: kind, Place: place, Tag: t, Path: path})
	}
}

// wholePE reports a DOS header whose pointer leads to a PE header, wherever in the
// value that is (PE format 3.1).
func wholePE(head []byte, length int64, from func(int64) []byte) bool {
	if len(head) < 64 {
		return false
	}
	at := int64(binary.LittleEndian.Uint32(head[60:]))
	return at <= length-4 && bytes.HasPrefix(from(at), []byte("PE\x00\x00"))
}

func (w *walk) fragments(el dicom.Element, path string) {
	for i := range min(el.FragmentCount(), 4) {
		head, err := readHead(el.OpenFragment(i))
		v := value{head: head, length: el.FragmentLength(i), from: withinFragment(el, i)}
		if samples(el.Tag) { // frames may stand in fragments as they are
			w.judgeSamples(v, err, el.Tag, path)
			continue
		}

		if err != nil {
			w.add(Finding{Kind: Unreadable, Place: Bulk, Tag: el.Tag, Path: path})
			return
		}
		w.judge(v, Bulk, el.Tag, path)
	}
}

// withinFragment reads four bytes of a fragment.
func withinFragment(el dicom.Element, i int) func(int64) []byte {
	return func(at int64) []byte {
		r, err := el.OpenFragment(i)
		if err == nil {
			_, err = io.CopyN(io.Discard, r, at)
		}
		return four(r, err)
	}
}

func readHead(r io.Reader, err error) ([]byte, error) {
	if err != nil {
		return nil, err
	}

	b := make([]byte, headLength)
	n, err := io.ReadFull(r, b)
	if err != nil && !errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF) {
		return nil, err
	}

	return b[:n], nil
}
