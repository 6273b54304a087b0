package synth

import (
	"bytes"
	"compress/flate"
	"encoding/binary"
	"io"
	"slices"

	"collimator/dicom/tag"
	"collimator/dicom/uid"
)

// HostileDataSet is what a C-STORE or a file may carry. Open starts it from its
// beginning each time; large ones are made while they are read.
type HostileDataSet struct {
	ID             string // of the attack
	Name           string
	TransferSyntax string
	Instance       Instance
	Open           func() io.Reader
	// Harmless: a reader may take it, as long as it takes it for what it is.
	Harmless bool
}

type hostileMaker struct {
	seed uint64
	all  []HostileDataSet
}

func (m *hostileMaker) stream(id, name, transferSyntax string, open func(in Instance) io.Reader) *HostileDataSet {
	in := instance(m.seed, id+name)
	m.all = append(m.all, HostileDataSet{
		ID: id, Name: name, TransferSyntax: transferSyntax, Instance: in,
		Open: func() io.Reader { return open(in) },
	})
	return &m.all[len(m.all)-1]
}

// elements adds a small data set in explicit VR little endian.
func (m *hostileMaker) elements(id, name string, make func(in Instance, s rawSet) []byte) *HostileDataSet {
	return m.stream(id, name, uid.ExplicitVRLittleEndian, func(in Instance) io.Reader {
		return bytes.NewReader(make(in, secondaryCapture(in, layout{})))
	})
}

// change is elements whose bytes are regular apart from what with replaces.
func (m *hostileMaker) change(id, name string, els ...rawElement) *HostileDataSet {
	return m.elements(id, name, func(_ Instance, s rawSet) []byte { return s.with(els...).bytes(layout{}) })
}

// HostileDataSets makes the data sets of the attacks DS-01 to DS-06, DS-10 and
// DS-11.
func HostileDataSets(seed uint64) []HostileDataSet {
	m := &hostileMaker{seed: seed}

	m.nesting()
	m.bombs()
	m.lengths()
	m.delimiters()
	m.fragments()
	m.numbers()
	m.groups()
	m.confusion()

	return m.all
}

// nestedContent is n levels of ContentSequence inside an item, with delimiters.
func nestedContent(n int) []byte {
	l := layout{}
	head := l.order().AppendUint32(l.appendTag(nil, tag.Item), undefined)
	seq := append(head, l.append(nil, rawElement{tag: tag.ContentSequence, vr: "SQ", length: undefined})...)
	tail := append(append(l.appendTag(nil, tag.ItemDelimitationItem), 0, 0, 0, 0), l.end()...)

	out := bytes.Repeat(seq, n)
	out = append(append(out, head...), l.append(nil, text(tag.CodeMeaning, "LO", "bottom"))...)
	return append(out, bytes.Repeat(tail, n+1)...)
}

// Nesting is the levels of the deepest data set of DS-01.
const Nesting = 100_000

func (m *hostileMaker) nesting() {
	m.elements("DS-01", "100,000 sequences inside one another", func(_ Instance, s rawSet) []byte {
		return s.with(rawElement{tag: tag.ContentSequence, vr: "SQ", length: undefined, value: nestedContent(Nesting)}).bytes(layout{})
	})

	m.elements("DS-01", "100,000 sequences that never end", func(_ Instance, s rawSet) []byte {
		content := nestedContent(Nesting)
		return append(s.without(tag.PixelData).bytes(layout{}),
			layout{}.append(nil, rawElement{tag: tag.ContentSequence, vr: "SQ", length: undefined, value: content[:len(content)/2]})...)
	})

	m.stream("DS-01", "100,000 sequences in implicit VR", uid.ImplicitVRLittleEndian, func(in Instance) io.Reader {
		l := layout{implicit: true}
		level := append(l.order().AppendUint32(l.appendTag(nil, tag.Item), undefined),
			l.append(nil, rawElement{tag: tag.ContentSequence, length: undefined})...)
		head := l.append(secondaryCapture(in, layout{}).without(tag.PixelData).bytes(l),
			rawElement{tag: tag.ContentSequence, length: undefined})
		return bytes.NewReader(append(head, bytes.Repeat(level, Nesting)...))
	})
}

// BombSize is the bytes of a data set of DS-02 after inflation.
const BombSize = 512 << 20

func (m *hostileMaker) bombs() {
	m.stream("DS-02", "deflated to 512 MiB in one value", uid.DeflatedExplicitVRLittleEndian, func(in Instance) io.Reader {
		l := layout{}
		head := secondaryCapture(in, l).without(tag.PixelData).bytes(l)
		return bomb(l.append(head, rawElement{tag: tag.PixelData, vr: "OB", length: BombSize}), make([]byte, 1<<20), BombSize>>20)
	})

	m.stream("DS-02", "deflated to millions of elements", uid.DeflatedExplicitVRLittleEndian, func(in Instance) io.Reader {
		l := layout{}
		head := secondaryCapture(in, l).without(tag.PixelData).bytes(l)
		return bomb(head, bytes.Repeat(l.append(nil, rawElement{tag: 0x30010010, vr: "LO"}), 1<<17), BombSize>>20)
	})

	m.stream("DS-02", "deflated stream that is not deflated", uid.DeflatedExplicitVRLittleEndian, func(Instance) io.Reader {
		return bytes.NewReader(bytes.Repeat([]byte{0xFF, 0x07, 0xA5}, 1000))
	})
}

// bomb deflates head and then the same block n times. Each block is deflated by
// itself and ends at a byte, so that its bytes can be repeated (RFC 1951 3.2.3).
func bomb(head, block []byte, n int) io.Reader {
	piece := func(b []byte) []byte {
		var out bytes.Buffer
		z, err := flate.NewWriter(&out, flate.BestCompression)
		check(err)
		_, err = z.Write(b)
		check(err)
		check(z.Flush())
		return out.Bytes()
	}

	packed := piece(block)
	parts := []io.Reader{bytes.NewReader(piece(head))}
	for range n {
		parts = append(parts, bytes.NewReader(packed))
	}
	return io.MultiReader(append(parts, bytes.NewReader([]byte{1, 0, 0, 0xFF, 0xFF}))...)
}

func (m *hostileMaker) lengths() {
	for _, c := range []struct {
		name string
		el   rawElement
	}{
		{name: "OB of 4 GiB in 300 bytes", el: rawElement{tag: 0x00091010, vr: "OB", value: []byte("short"), length: 0xFFFFFFF0}},
		{name: "UN of 4 GiB in 300 bytes", el: rawElement{tag: 0x00091010, vr: "UN", value: []byte("short"), length: 0xFFFFFFF0}},
		{name: "UT of 2 GiB in 300 bytes", el: rawElement{tag: tag.TextValue, vr: "UT", value: []byte("short"), length: 0x7FFFFFFE}},
		{name: "sequence of 4 GiB in 300 bytes", el: rawElement{
			tag: tag.ContentSequence, vr: "SQ", value: []byte{0xFE, 0xFF, 0, 0xE0, 0xF0, 0xFF, 0xFF, 0xFF}, length: 0xFFFFFFF0,
		}},
		{name: "pixel data beyond the stream", el: rawElement{tag: tag.PixelData, vr: "OW", value: make([]byte, 256), length: 0xFFFFFFFE}},
		{name: "short text beyond the stream", el: rawElement{tag: tag.PatientComments, vr: "LT", value: []byte("x"), length: 0xFFFE}},
	} {
		m.elements("DS-03", c.name, func(_ Instance, s rawSet) []byte {
			cut := slices.DeleteFunc(slices.Clone(s), func(el rawElement) bool { return el.tag > c.el.tag })
			return cut.with(c.el).bytes(layout{})
		})
	}

	m.change("DS-03", "odd length", rawElement{tag: tag.StudyDescription, vr: "LO", value: []byte("odd")}).Harmless = true
	m.elements("DS-03", "ends inside an element header", func(_ Instance, s rawSet) []byte {
		return append(s.bytes(layout{}), 0xE0, 0x7F, 0x20)
	})
}

func (m *hostileMaker) delimiters() {
	l := layout{}
	m.elements("DS-04", "sequence without delimiter", func(_ Instance, s rawSet) []byte {
		open := rawElement{tag: tag.ContentSequence, vr: "SQ", length: undefined, value: l.item(nil, true)}
		return l.append(s.without(tag.PixelData).bytes(l), open)
	})

	m.elements("DS-04", "item without delimiter", func(_ Instance, s rawSet) []byte {
		head := l.order().AppendUint32(l.appendTag(nil, tag.Item), undefined)
		open := rawElement{tag: tag.ReferencedImageSequence, vr: "SQ", length: undefined, value: append(head, l.end()...)}
		return s.with(open).bytes(l)
	})

	m.elements("DS-04", "item delimiter at the top", func(_ Instance, s rawSet) []byte {
		return append(append(l.appendTag(s.bytes(l), tag.ItemDelimitationItem), 0, 0, 0, 0), s[:2].bytes(l)...)
	})
	m.elements("DS-04", "sequence delimiter at the top", func(_ Instance, s rawSet) []byte {
		return append(s.without(tag.PixelData).bytes(l), l.end()...)
	})

	m.elements("DS-04", "a thousand delimiters with lengths", func(_ Instance, s rawSet) []byte {
		bad := append(l.appendTag(nil, tag.SequenceDelimitationItem), 0xFF, 0xFF, 0xFF, 0x7F)
		return append(s.without(tag.PixelData).bytes(l), bytes.Repeat(bad, 1000)...)
	})

	m.elements("DS-04", "item longer than its sequence", func(_ Instance, s rawSet) []byte {
		long := l.order().AppendUint32(l.appendTag(nil, tag.Item), 4096)
		return s.with(rawElement{tag: tag.ReferencedImageSequence, vr: "SQ", value: append(long, make([]byte, 16)...)}).bytes(l)
	})

	m.elements("DS-04", "element longer than its item", func(_ Instance, s rawSet) []byte {
		inside := l.append(nil, rawElement{tag: tag.CodeValue, vr: "SH", value: []byte("ab"), length: 512})
		return s.with(rawElement{tag: tag.ReferencedImageSequence, vr: "SQ", value: l.item(inside, false)}).bytes(l)
	})

	m.elements("DS-04", "bytes that are not an item in a sequence", func(_ Instance, s rawSet) []byte {
		return s.with(rawElement{tag: tag.ReferencedImageSequence, vr: "SQ", value: bytes.Repeat([]byte{0xAA}, 64)}).bytes(l)
	})
}

// encapsulatedValue is pixel data with items as given.
func encapsulatedValue(items ...[]byte) rawElement {
	return rawElement{tag: tag.PixelData, vr: "OB", length: undefined, value: append(slices.Concat(items...), layout{}.end()...)}
}

func (m *hostileMaker) fragments() {
	l := layout{}
	frame := encodeRLEFrame()
	rle := func(name string, harmless bool, els ...rawElement) {
		m.stream("DS-05", name, uid.RLELossless, func(in Instance) io.Reader {
			return bytes.NewReader(secondaryCapture(in, l).with(els...).bytes(l))
		}).Harmless = harmless
	}
	lie := func(n uint32) []byte {
		return append(l.order().AppendUint32(l.appendTag(nil, tag.Item), n), frame...)
	}
	none, one := l.item(nil, false), l.item(frame, false)
	frames := func(n string) rawElement { return text(tag.NumberOfFrames, "IS", n) }

	rle("fragment of 4 GiB", false, encapsulatedValue(none, lie(0xFFFFFFF0)))
	rle("fragment of undefined length", false, encapsulatedValue(none, lie(undefined)))
	rle("fragment shorter than its content", false, encapsulatedValue(none, lie(8)))
	rle("no delimiter", false, rawElement{tag: tag.PixelData, vr: "OB", length: undefined, value: slices.Concat(none, one)})

	rle("empty offset table", true, encapsulatedValue(none, one))

	rle("offset table beyond the fragments", true, frames("3"),
		encapsulatedValue(l.item(bytes.Repeat([]byte{0xFF, 0xFF, 0xFF, 0x7F}, 3), false), one, one, one))
	rle("offset table of odd length", true, encapsulatedValue(l.item([]byte{0, 0, 0, 0, 1, 0}, false), one))
	rle("extended offset table that overflows", true, frames("2"),
		rawElement{tag: tag.ExtendedOffsetTable, vr: "OV", value: words([]uint64{0xFFFFFFFFFFFFFFF8, 16})},
		rawElement{tag: tag.ExtendedOffsetTableLengths, vr: "OV", value: words([]uint64{0xFFFFFFFFFFFFFFFF, 0x7FFFFFFFFFFFFFFF})},
		encapsulatedValue(none, one, one))

	rle("2^31 frames in one fragment", true, frames("2147483647"), encapsulatedValue(none, one))
	rle("2^32 frames in one fragment", true, frames("4294967296"), encapsulatedValue(none, one))
	rle("negative frames", true, frames("-1"), encapsulatedValue(none, one))

	m.stream("DS-05", "a million empty fragments", uid.RLELossless, func(in Instance) io.Reader {
		return bytes.NewReader(secondaryCapture(in, l).with(encapsulatedValue(none, bytes.Repeat(none, 1_000_000))).bytes(l))
	}).Harmless = true

	m.stream("DS-05", "segments outside of the frame", uid.RLELossless, func(in Instance) io.Reader {
		bad := slices.Clone(frame)
		binary.LittleEndian.PutUint32(bad[4:], 0xFFFFFFFF)
		return bytes.NewReader(secondaryCapture(in, l).with(encapsulatedValue(none, l.item(bad, false))).bytes(l))
	}).Harmless = true
}

func (m *hostileMaker) numbers() {
	l := layout{}
	frame := encodeRLEFrame()

	for _, c := range []struct {
		name string
		els  []rawElement
	}{
		{"rows and columns of 65,535 and 2^31 frames", []rawElement{
			l.short(tag.Rows, 65535), l.short(tag.Columns, 65535),
			text(tag.NumberOfFrames, "IS", "2147483647"), l.short(tag.BitsAllocated, 32),
		}},
		{"rows and columns of zero", []rawElement{l.short(tag.Rows, 0), l.short(tag.Columns, 0)}},
		{"65,535 bits and samples", []rawElement{l.short(tag.BitsAllocated, 65535), l.short(tag.SamplesPerPixel, 65535)}},
		{"zero bits", []rawElement{l.short(tag.BitsAllocated, 0), l.short(tag.BitsStored, 0)}},
		{"high bit above bits allocated", []rawElement{l.short(tag.HighBit, 31), l.short(tag.BitsStored, 32)}},
		{"rows as UL", []rawElement{{tag: tag.Rows, vr: "UL", value: []byte{0xFF, 0xFF, 0xFF, 0x7F}}}},
		{"rows twice", []rawElement{{tag: tag.Rows, vr: "US", value: []byte{16, 0, 255, 255}}}},
		{"rows empty", []rawElement{{tag: tag.Rows, vr: "US"}}},
		{"planar configuration 7", []rawElement{l.short(tag.PlanarConfiguration, 7), l.short(tag.SamplesPerPixel, 3)}},
	} {
		m.change("DS-06", c.name, c.els...).Harmless = true

		m.stream("DS-06", c.name+", in RLE", uid.RLELossless, func(in Instance) io.Reader {
			s := secondaryCapture(in, l).with(c.els...).with(encapsulatedValue(l.item(nil, false), l.item(frame, false)))
			return bytes.NewReader(s.bytes(l))
		}).Harmless = true
	}
}

// groups adds data sets with elements in the wrong place: meta information and
// commands among the data, identifiers that stand there twice, and elements out of
// order. The last alone does no harm.
func (m *hostileMaker) groups() {
	l := layout{}
	other := instance(m.seed, "other")

	m.change("DS-10", "meta information in the data set",
		text(tag.MediaStorageSOPInstanceUID, "UI", other.SOPInstanceUID), text(tag.TransferSyntaxUID, "UI", uid.ExplicitVRBigEndian))
	m.elements("DS-10", "meta information behind the data set", func(_ Instance, s rawSet) []byte {
		return append(s.bytes(l), rawSet{text(tag.TransferSyntaxUID, "UI", uid.ImplicitVRLittleEndian)}.bytes(l)...)
	})
	m.change("DS-10", "command element in the data set",
		text(0x00000002, "UI", uid.Verification), rawElement{tag: 0x00000100, vr: "US", value: []byte{0x30, 0}})

	twice := func(name string, el rawElement) {
		m.elements("DS-10", name, func(_ Instance, s rawSet) []byte {
			i := slices.IndexFunc(s, func(have rawElement) bool { return have.tag == el.tag })
			return slices.Insert(slices.Clone(s), i+1, el).bytes(l)
		})
	}
	twice("SOP Instance UID twice", text(tag.SOPInstanceUID, "UI", other.SOPInstanceUID))
	twice("Study Instance UID twice", text(tag.StudyInstanceUID, "UI", other.StudyInstanceUID))
	twice("Patient ID twice", text(tag.PatientID, "LO", Marker+"-OTHER"))

	m.elements("DS-10", "SOP Instance UID at the end", func(_ Instance, s rawSet) []byte {
		return append(s.bytes(l), rawSet{text(tag.SOPInstanceUID, "UI", other.SOPInstanceUID)}.bytes(l)...)
	})

	m.elements("DS-10", "wrong order", func(_ Instance, s rawSet) []byte {
		s = slices.Clone(s)
		slices.Reverse(s[:len(s)-1])
		return s.bytes(l)
	}).Harmless = true
}

func (m *hostileMaker) confusion() {
	m.stream("DS-11", "implicit under explicit", uid.ExplicitVRLittleEndian, func(in Instance) io.Reader {
		return bytes.NewReader(secondaryCapture(in, layout{}).bytes(layout{implicit: true}))
	})

	m.stream("DS-11", "big endian under little endian", uid.ExplicitVRLittleEndian, func(in Instance) io.Reader {
		return bytes.NewReader(secondaryCapture(in, layout{bigEndian: true}).bytes(layout{bigEndian: true}))
	})

	m.stream("DS-11", "explicit under implicit", uid.ImplicitVRLittleEndian, func(in Instance) io.Reader {
		return bytes.NewReader(secondaryCapture(in, layout{}).bytes(layout{}))
	})

	m.stream("DS-11", "little endian under big endian", uid.ExplicitVRBigEndian, func(in Instance) io.Reader {
		return bytes.NewReader(secondaryCapture(in, layout{}).bytes(layout{}))
	})
}

func readerOf(b []byte) func() io.Reader { return func() io.Reader { return bytes.NewReader(b) } }
