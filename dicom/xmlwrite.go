package dicom

import (
	"io"
	"strconv"
	"strings"
	"unicode/utf8"

	"collimator/dicom/tag"
)

// XMLOptions say what happens to large values in the Native DICOM Model.
type XMLOptions struct {
	// BulkDataURI is as in JSONOptions.
	BulkDataURI func(path string, el Element) string
}

// nativeModel is the namespace of the Native DICOM Model (PS3.19 A.1.6).
const nativeModel = "http://dicom.nema.org/PS3.19/models/NativeDICOM"

// WriteXML writes ds as a document of the Native DICOM Model (PS3.19 A.1). The
// text is UTF-8 whatever the data set declares, and (0008,0005) says so where it
// is present. Group lengths are left out; so are encapsulated values without a
// URI, which have no place inline. A character that XML 1.0 has no place for
// becomes U+FFFD. Values left in the stream that go inline are copied in
// constant memory.
func WriteXML(w io.Writer, ds *DataSet, o XMLOptions) error {
	x := &xmlWriter{newModelWriter(w, o.BulkDataURI)}
	x.text(`<?xml version="1.0" encoding="UTF-8"?>` + "\n")
	x.text(`<NativeDicomModel xml:space="preserve" xmlns="` + nativeModel + `">` + "\n")
	x.dataSet(ds)
	x.text("</NativeDicomModel>\n")
	x.flush(0)
	return x.err
}

// xmlWriter writes the Native DICOM Model.
type xmlWriter struct{ *modelWriter }

func (x *xmlWriter) text(s string) { x.buf = append(x.buf, s...) }

func (x *xmlWriter) dataSet(ds *DataSet) {
	x.elements(ds, func(el Element, uri string) { x.attribute(ds, el, uri) })
}

// attribute writes one element as a DicomAttribute (PS3.19 A.1.5). With a uri it
// only points to the value; without one it holds the value, or nothing where the
// element is empty.
func (x *xmlWriter) attribute(ds *DataSet, el Element, uri string) {
	vr := modelVR(el)
	x.start(ds, el.Tag, vr)

	switch {
	case uri != "":
		x.text(`<BulkData uri="`)
		x.escaped(uri)
		x.text(`"/>` + "\n")
	case el.v.kind == sequence:
		x.items(el.v.more.items)
	case el.Tag == tag.SpecificCharacterSet:
		x.value(1, "ISO_IR 192")
	case el.Empty():
	case binaryVR(vr):
		x.binary(el)
	default:
		x.values(el, vr)
	}

	x.text("</DicomAttribute>\n")
}

// start opens an attribute. That of a private element names its creator in
// place of the number of the block, which means nothing elsewhere (PS3.19 A.1.5).
func (x *xmlWriter) start(ds *DataSet, t Tag, vr VR) {
	creator := ""
	if c := t.Creator(); c != 0 {
		creator = strings.TrimSpace(ds.Text(c))
	}

	shown := t
	if creator != "" {
		shown = t &^ 0xFF00
	}

	x.text(`<DicomAttribute tag="`)
	x.buf = appendHex(x.buf, shown)
	x.text(`" vr="`)
	x.buf = append(x.buf, byte(vr>>8), byte(vr))
	if k := t.Keyword(); k != "" && !t.Private() {
		x.text(`" keyword="` + k)
	}
	if creator != "" {
		x.text(`" privateCreator="`)
		x.escaped(creator)
	}

	x.text(`">` + "\n")
}

func (x *xmlWriter) items(items []*DataSet) {
	x.eachItem(items, func(i int, item *DataSet) {
		x.text(`<Item number="` + strconv.Itoa(i+1) + `">` + "\n")
		x.dataSet(item)
		x.text("</Item>\n")
	})
}

// binary writes a value in base 64 (PS3.19 A.1.5).
func (x *xmlWriter) binary(el Element) {
	x.text("<InlineBinary>")
	x.base64(el)
	x.text("</InlineBinary>\n")
}

// values writes numbers or text. Values of zero length are left out; the number
// of the others says where they stand.
func (x *xmlWriter) values(el Element, vr VR) {
	el, err := el.Load(inlineLimit)
	if err != nil {
		x.err = err
		return
	}

	switch {
	case vr == PN:
		for i, s := range el.Texts() {
			x.personName(i+1, s)
		}
	case vr.Text():
		for i, s := range el.Texts() {
			x.value(i+1, s)
		}
	case vr == FL || vr == FD:
		for i, f := range el.Floats() {
			x.value(i+1, strconv.FormatFloat(f, 'g', -1, 8*vr.unit()))
		}
	case vr == AT:
		for i, v := range el.Ints() {
			x.value(i+1, Tag(v).Hex())
		}
	default:
		for i, v := range el.Ints() {
			s := strconv.FormatInt(v, 10)
			if vr == UV {
				s = strconv.FormatUint(uint64(v), 10)
			}
			x.value(i+1, s)
		}
	}
}

func (x *xmlWriter) value(number int, s string) {
	if s == "" {
		return
	}
	x.text(`<Value number="` + strconv.Itoa(number) + `">`)
	x.escaped(s)
	x.text("</Value>\n")
	x.flush(32 << 10)
}

// personName writes the component groups and their components under their
// names (PS3.19 A.1.5, PS3.5 6.2.1).
func (x *xmlWriter) personName(number int, s string) {
	if s == "" {
		return
	}
	x.text(`<PersonName number="` + strconv.Itoa(number) + `">` + "\n")
	for name, group := range componentGroups(s) {
		x.text("<" + name + ">\n")
		x.nameComponents(group)
		x.text("</" + name + ">\n")
	}
	x.text("</PersonName>\n")
}

func (x *xmlWriter) nameComponents(group string) {
	for i, name := range [...]string{"FamilyName", "GivenName", "MiddleName", "NamePrefix", "NameSuffix"} {
		part, rest, _ := strings.Cut(group, "^")
		group = rest
		if i == 4 && rest != "" {
			part += "^" + rest // more components than there are names for
		}

		if part == "" {
			continue
		}

		x.text("<" + name + ">")
		x.escaped(part)
		x.text("</" + name + ">\n")
	}
}

// escaped writes text between tags or quotes (XML 1.0 2.2, 2.4).
func (x *xmlWriter) escaped(s string) {
	for i := 0; i < len(s); {
		r, size := utf8.DecodeRuneInString(s[i:])
		i += size
		switch {
		case r == '&':
			x.text("&amp;")
		case r == '<':
			x.text("&lt;")
		case r == '>':
			x.text("&gt;")
		case r == '"':
			x.text("&quot;")
		case r == '\r', r == '\n', r == '\t':
			x.text("&#" + strconv.Itoa(int(r)) + ";") // an XML reader would make another of it
		case r < 0x20 || r == 0xFFFE || r == 0xFFFF:
			x.text("\uFFFD")
		default:
			x.buf = utf8.AppendRune(x.buf, r)
		}
	}
}
