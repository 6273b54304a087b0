package synth

import (
	"bytes"
	"compress/flate"
	"encoding/binary"
	"slices"

	"collimator/dicom"
	"collimator/dicom/tag"
	"collimator/dicom/uid"
)

// Odd is a file as real equipment and real archives have it: irregular, but a
// reader is expected to cope.
type Odd struct {
	Name           string
	TransferSyntax string
	Instance       Instance
	File           []byte // as it stands on a disk
	DataSet        []byte // as it would go over the network
	// NoIdentity: a UID by which an archive would file it is missing.
	NoIdentity bool
}

// oddMaker collects odd files.
type oddMaker struct {
	seed uint64
	all  []Odd
}

// data adds a data set with correct meta information in front.
func (m *oddMaker) data(name, transferSyntax string, make func(in Instance) []byte) {
	in := instance(m.seed, name)
	ds := make(in)
	m.all = append(m.all, Odd{
		Name: name, TransferSyntax: transferSyntax, Instance: in,
		DataSet: ds, File: append(meta(in, transferSyntax), ds...),
	})
}

// elements adds a data set in explicit VR little endian.
func (m *oddMaker) elements(name string, make func(s rawSet) rawSet) {
	m.data(name, uid.ExplicitVRLittleEndian, func(in Instance) []byte {
		return make(secondaryCapture(in, layout{})).bytes(layout{})
	})
}

// file adds a file whose data set is regular.
func (m *oddMaker) file(name string, transferSyntax string, l layout, change func(in Instance, file, ds []byte) []byte) {
	in := instance(m.seed, name)
	ds := secondaryCapture(in, l).bytes(l)
	file := append(meta(in, transferSyntax), ds...)
	m.all = append(m.all, Odd{
		Name: name, TransferSyntax: transferSyntax, Instance: in,
		DataSet: ds, File: change(in, file, ds),
	})
}

// OddFiles makes one of each oddity.
func OddFiles(seed uint64) []Odd {
	m := &oddMaker{seed: seed}

	m.syntaxes()
	m.files()
	m.lengths()
	m.sequences()
	m.identities()
	m.values()
	m.pixels()

	return m.all
}

func (m *oddMaker) syntaxes() {
	m.data("big endian", uid.ExplicitVRBigEndian, func(in Instance) []byte {
		return secondaryCapture(in, layout{bigEndian: true}).bytes(layout{bigEndian: true})
	})

	m.data("implicit", uid.ImplicitVRLittleEndian, func(in Instance) []byte {
		return secondaryCapture(in, layout{}).bytes(layout{implicit: true})
	})

	m.data("deflated", uid.DeflatedExplicitVRLittleEndian, func(in Instance) []byte {
		return deflate(secondaryCapture(in, layout{}).bytes(layout{}))
	})
}

func deflate(b []byte) []byte {
	var out bytes.Buffer
	z, err := flate.NewWriter(&out, flate.DefaultCompression)
	check(err)
	_, err = z.Write(b)
	check(err)

	check(z.Close())
	return out.Bytes()
}

func (m *oddMaker) files() {
	m.file("no preamble", uid.ExplicitVRLittleEndian, layout{}, func(_ Instance, file, _ []byte) []byte { return file[132:] })
	m.file("no meta information", uid.ImplicitVRLittleEndian, layout{implicit: true}, func(_ Instance, _, ds []byte) []byte { return ds })
	m.file("no meta information, explicit", uid.ExplicitVRLittleEndian, layout{}, func(_ Instance, _, ds []byte) []byte { return ds })

	m.file("meta information without group length", uid.ExplicitVRLittleEndian, layout{}, func(_ Instance, file, _ []byte) []byte {
		return append(slices.Clone(file[:132]), file[144:]...)
	})

	m.file("meta group length too short", uid.ExplicitVRLittleEndian, layout{}, func(_ Instance, file, _ []byte) []byte {
		file = slices.Clone(file)
		binary.LittleEndian.PutUint32(file[140:], binary.LittleEndian.Uint32(file[140:])-10)
		return file
	})

	m.file("meta without transfer syntax", uid.ExplicitVRLittleEndian, layout{}, func(in Instance, _, ds []byte) []byte {
		return append(meta(in, ""), ds...)
	})
}

func (m *oddMaker) lengths() {
	m.elements("odd lengths", func(s rawSet) rawSet {
		return s.with(rawElement{tag: tag.StudyDescription, vr: "LO", value: []byte("odd")},
			rawElement{tag: tag.PatientComments, vr: "LT", value: []byte("seven b")})
	})

	m.elements("odd pixel data", func(s rawSet) rawSet {
		return s.with(layout{}.short(tag.Rows, 3), layout{}.short(tag.Columns, 5),
			rawElement{tag: tag.PixelData, vr: "OB", value: make([]byte, 15)})
	})

	m.elements("group lengths", func(s rawSet) rawSet {
		return s.with(rawElement{tag: 0x00080000, vr: "UL", value: []byte{0xFF, 0, 0, 0}},
			rawElement{tag: 0x00100000, vr: "UL", value: []byte{1, 0, 0, 0}},
			rawElement{tag: 0x7FE00000, vr: "UL", value: []byte{12, 1, 0, 0}})
	})

	m.elements("long value in a short VR as UN", func(s rawSet) rawSet {
		return s.with(rawElement{tag: tag.DataSetTrailingPadding, vr: "OB", value: make([]byte, 64)},
			rawElement{tag: tag.PatientComments, vr: "UN", value: bytes.Repeat([]byte("ZZPHI "), 12_000)})
	})

	m.elements("text padded with nulls, UID with a blank", func(s rawSet) rawSet {
		return s.with(rawElement{tag: tag.PatientID, vr: "LO", value: []byte("ZZPHI-P\x00")},
			rawElement{tag: tag.FrameOfReferenceUID, vr: "UI", value: []byte("1.2.3 ")})
	})
}

func (m *oddMaker) sequences() {
	code := rawSet{text(tag.CodeValue, "SH", "1"), text(tag.CodingSchemeDesignator, "SH", "99X"), text(tag.CodeMeaning, "LO", "one")}

	m.elements("undefined lengths", func(s rawSet) rawSet {
		l := layout{}
		purpose := append(l.item(code.bytes(l), true), l.end()...)
		inner := l.append(nil, rawElement{tag: tag.PurposeOfReferenceCodeSequence, vr: "SQ", length: undefined, value: purpose})
		images := append(append(l.item(inner, true), l.item(nil, true)...), l.end()...)
		return s.with(rawElement{tag: tag.ReferencedImageSequence, vr: "SQ", length: undefined, value: images})
	})

	m.elements("empty sequence and empty item", func(s rawSet) rawSet {
		l := layout{}
		return s.with(rawElement{tag: tag.ReferencedStudySequence, vr: "SQ"},
			rawElement{tag: tag.ReferencedImageSequence, vr: "SQ", value: l.item(nil, false)})
	})

	m.elements("private sequence", func(s rawSet) rawSet {
		l := layout{}
		content := append(l.item(code.bytes(l), true), l.end()...)
		return s.with(text(0x00090010, "LO", "SYNTH PRIVATE"),
			rawElement{tag: 0x00091001, vr: "SQ", length: undefined, value: content},
			text(0x00091002, "SH", "private"))
	})

	m.elements("sequence of unknown VR, implicit inside", func(s rawSet) rawSet {
		l := layout{implicit: true}
		content := append(l.item(code.bytes(l), true), l.end()...)
		return s.with(text(0x00090010, "LO", "SYNTH PRIVATE"),
			rawElement{tag: 0x00091003, vr: "UN", length: undefined, value: content})
	})

	m.elements("private elements without creator", func(s rawSet) rawSet { return s.with(text(0x00111001, "LO", "orphan")) })

	m.elements("sixty-four levels", func(s rawSet) rawSet {
		return s.with(rawElement{tag: tag.ContentSequence, vr: "SQ", length: undefined, value: nestedContent(63)})
	})
}

func (m *oddMaker) identities() {
	m.elements("empty study UID", func(s rawSet) rawSet { return s.with(text(tag.StudyInstanceUID, "UI", "")) })
	m.elements("no series UID", func(s rawSet) rawSet { return s.without(tag.SeriesInstanceUID) })

	for i := range m.all[len(m.all)-2:] {
		m.all[len(m.all)-2+i].NoIdentity = true
	}

	m.elements("no patient", func(s rawSet) rawSet { return s.without(tag.PatientName, tag.PatientID) })
	m.elements("leading zero in a UID", func(s rawSet) rawSet { return s.with(text(tag.FrameOfReferenceUID, "UI", "1.2.003.04")) })

	m.elements("same element twice", func(s rawSet) rawSet {
		i := slices.IndexFunc(s, func(el rawElement) bool { return el.tag == tag.Modality })
		return slices.Insert(s, i, text(tag.Modality, "CS", "OT"))
	})

	m.elements("elements out of order", func(s rawSet) rawSet {
		i := slices.IndexFunc(s, func(el rawElement) bool { return el.tag == tag.StudyID })
		s[i], s[i+2] = s[i+2], s[i]
		return s
	})
}

func (m *oddMaker) values() {
	m.elements("retired elements", func(s rawSet) rawSet {
		return s.with(text(0x00080010, "SH", "ACR-NEMA 2.0"), text(0x00200030, "DS", `0\0\0`), text(0x00200070, "LO", "HEAD"),
			text(0x00280005, "US", "\x02\x00"), text(0x00204000, "LT", "retired comment"))
	})

	m.elements("character set misspelt", func(s rawSet) rawSet {
		return s.with(text(tag.SpecificCharacterSet, "CS", "ISO-IR 100"),
			rawElement{tag: tag.PatientName, vr: "PN", value: []byte("ZZPHI^J\xFCrgen")})
	})

	m.elements("character set missing", func(s rawSet) rawSet {
		return s.with(rawElement{tag: tag.PatientName, vr: "PN", value: []byte("ZZPHI^J\xFCrgen")})
	})

	m.elements("invalid UTF-8", func(s rawSet) rawSet {
		return s.with(text(tag.SpecificCharacterSet, "CS", "ISO_IR 192"),
			rawElement{tag: tag.PatientName, vr: "PN", value: []byte("ZZPHI^\xC0\xAF\xED\xA0\x80 ")})
	})

	m.elements("malformed dates and numbers", func(s rawSet) rawSet {
		return s.with(text(tag.StudyDate, "DA", "2026.01.05"), text(tag.StudyTime, "TM", "25:61"), text(tag.SeriesNumber, "IS", "one"),
			text(tag.PatientBirthDate, "DA", "19581301"), text(tag.SliceThickness, "DS", "1,25"))
	})

	m.elements("VR that is not the dictionary's", func(s rawSet) rawSet { return s.with(text(tag.InstanceNumber, "LO", "1")) })

	m.elements("trailing padding", func(s rawSet) rawSet {
		return append(slices.Clone(s), rawElement{tag: tag.DataSetTrailingPadding, vr: "OB", value: make([]byte, 512)})
	})
}

func (m *oddMaker) pixels() {
	m.elements("pixel data of zero length", func(s rawSet) rawSet { return s.with(rawElement{tag: tag.PixelData, vr: "OB"}) })
	m.elements("no pixel data", func(s rawSet) rawSet { return s.without(tag.PixelData) })

	m.elements("less pixel data than declared", func(s rawSet) rawSet {
		return s.with(rawElement{tag: tag.PixelData, vr: "OB", value: make([]byte, 100)})
	})

	m.elements("more pixel data than declared", func(s rawSet) rawSet {
		return s.with(rawElement{tag: tag.PixelData, vr: "OB", value: make([]byte, 1000)})
	})

	frame := encodeRLEFrame()
	encapsulated := func(fragments ...[]byte) func(in Instance) []byte {
		return func(in Instance) []byte {
			l := layout{}
			var value []byte
			for _, f := range fragments {
				value = append(value, l.item(f, false)...)
			}
			pixels := rawElement{tag: tag.PixelData, vr: "OB", length: undefined, value: append(value, l.end()...)}
			return secondaryCapture(in, l).with(pixels).bytes(l)
		}
	}

	m.data("one frame in several fragments", uid.RLELossless, encapsulated(nil, frame[:20], frame[20:64], frame[64:]))
	m.data("empty fragment at the end", uid.RLELossless, encapsulated(nil, frame, nil))
	m.data("encapsulated without any fragment", uid.RLELossless, encapsulated(nil))
}

// encodeRLEFrame is the pixels of secondaryCapture in RLE.
func encodeRLEFrame() []byte {
	var ds dicom.DataSet
	b := builder{&ds}
	s := secondaryCapture(Instance{}, layout{})
	b.pixels(pixels{rows: 16, columns: 16, samples: 1, allocated: 8, stored: 8, photometric: "MONOCHROME2", data: s[len(s)-1].value})

	encapsulate(b, uid.RLELossless, NoTable)
	el, _ := ds.Get(tag.PixelData)
	return el.Fragments()[0]
}
