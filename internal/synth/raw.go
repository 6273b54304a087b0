package synth

import (
	"encoding/binary"
	"slices"

	"collimator/dicom"
	"collimator/dicom/tag"
	"collimator/dicom/uid"
)

// rawElement is an element as bytes, which may be wrong in any way.
type rawElement struct {
	tag    dicom.Tag
	vr     string
	value  []byte
	length int64 // of the length field; zero is that of the value
}

// undefined is dicom.UndefinedLength as a length of a rawElement.
const undefined = dicom.UndefinedLength

// rawSet is elements in the order in which they are written.
type rawSet []rawElement

// layout is how a rawSet is written.
type layout struct {
	implicit, bigEndian bool
}

func (l layout) order() binary.AppendByteOrder {
	if l.bigEndian {
		return binary.BigEndian
	}
	return binary.LittleEndian
}

// appendTag appends the four bytes of a tag.
func (l layout) appendTag(b []byte, t dicom.Tag) []byte {
	return l.order().AppendUint16(l.order().AppendUint16(b, uint16(uint32(t)>>16)), uint16(uint32(t)))
}

// append writes one element (PS3.5 7.1.2, 7.1.3).
func (l layout) append(b []byte, el rawElement) []byte {
	b = l.appendTag(b, el.tag)

	n := uint32(len(el.value))
	if el.length != 0 {
		n = uint32(el.length)
	}

	switch {
	case l.implicit || el.vr == "":
		b = l.order().AppendUint32(b, n)
	case dicom.VR(uint16(el.vr[0])<<8 | uint16(el.vr[1])).Long():
		b = append(append(b, el.vr...), 0, 0)
		b = l.order().AppendUint32(b, n)
	default:
		b = append(b, el.vr...)
		b = l.order().AppendUint16(b, uint16(n))
	}

	return append(b, el.value...)
}

func (s rawSet) bytes(l layout) []byte {
	var b []byte
	for _, el := range s {
		b = l.append(b, el)
	}
	return b
}

// with puts elements where their tags belong, in the place of those that have
// the same tag.
func (s rawSet) with(els ...rawElement) rawSet {
	s = slices.Clone(s)
	for _, el := range els {
		i, found := slices.BinarySearchFunc(s, el.tag, func(a rawElement, t dicom.Tag) int { return int(int64(a.tag) - int64(t)) })

		if found {
			s[i] = el
		} else {
			s = slices.Insert(s, i, el)
		}
	}
	return s
}

// without leaves elements out.
func (s rawSet) without(tags ...dicom.Tag) rawSet {
	return slices.DeleteFunc(slices.Clone(s), func(el rawElement) bool { return slices.Contains(tags, el.tag) })
}

// text is an element of characters, padded.
func text(t dicom.Tag, vr, s string) rawElement {
	b := []byte(s)
	if len(b)%2 == 1 { // to an even length, a UID with NUL (PS3.5 6.2)
		pad := byte(' ')
		if vr == "UI" {
			pad = 0
		}
		b = append(b, pad)
	}
	return rawElement{tag: t, vr: vr, value: b}
}

func (l layout) short(t dicom.Tag, v uint16) rawElement {
	return rawElement{tag: t, vr: "US", value: l.order().AppendUint16(nil, v)}
}

// Instance names the instance that odd and hostile bytes claim to be.
type Instance struct {
	SOPClassUID, SOPInstanceUID, StudyInstanceUID, SeriesInstanceUID string
}

func instance(seed uint64, name string) Instance {
	return Instance{
		SOPClassUID:       uid.SecondaryCaptureImageStorage,
		SOPInstanceUID:    UID(seed, name, "instance"),
		StudyInstanceUID:  UID(seed, name, "study"),
		SeriesInstanceUID: UID(seed, name, "series"),
	}
}

// secondaryCapture is the elements of a small gray image.
func secondaryCapture(in Instance, l layout) rawSet {
	pixels := make([]byte, 16*16)
	for i := range pixels {
		pixels[i] = byte(i)
	}

	return rawSet{
		text(tag.SOPClassUID, "UI", in.SOPClassUID),
		text(tag.SOPInstanceUID, "UI", in.SOPInstanceUID),
		text(tag.StudyDate, "DA", "20260105"),
		text(tag.StudyTime, "TM", "0801"),
		text(tag.AccessionNumber, "SH", ""),
		text(tag.Modality, "CS", "OT"),
		text(tag.ConversionType, "CS", "WSD"),
		text(tag.ReferringPhysicianName, "PN", ""),
		text(tag.PatientName, "PN", Marker+"^Odd"),
		text(tag.PatientID, "LO", Marker+"-ODD"),
		text(tag.PatientBirthDate, "DA", ""),
		text(tag.PatientSex, "CS", ""),
		text(tag.StudyInstanceUID, "UI", in.StudyInstanceUID),
		text(tag.SeriesInstanceUID, "UI", in.SeriesInstanceUID),
		text(tag.StudyID, "SH", ""),
		text(tag.SeriesNumber, "IS", "1"),
		text(tag.InstanceNumber, "IS", "1"),
		l.short(tag.SamplesPerPixel, 1),
		text(tag.PhotometricInterpretation, "CS", "MONOCHROME2"),
		l.short(tag.Rows, 16),
		l.short(tag.Columns, 16),
		l.short(tag.BitsAllocated, 8),
		l.short(tag.BitsStored, 8),
		l.short(tag.HighBit, 7),
		l.short(tag.PixelRepresentation, 0),
		{tag: tag.PixelData, vr: "OB", value: pixels},
	}
}

// item is an item with delimiter and undefined length, or of defined length.
func (l layout) item(content []byte, open bool) []byte {
	if !open {
		return append(l.order().AppendUint32(l.appendTag(nil, tag.Item), uint32(len(content))), content...)
	}
	b := append(l.order().AppendUint32(l.appendTag(nil, tag.Item), undefined), content...)
	return append(l.appendTag(b, tag.ItemDelimitationItem), 0, 0, 0, 0)
}

// end is a sequence delimiter.
func (l layout) end() []byte {
	return append(l.appendTag(nil, tag.SequenceDelimitationItem), 0, 0, 0, 0)
}

// meta is preamble, prefix and meta information in front of a data set.
func meta(in Instance, transferSyntax string) []byte {
	return dicom.AppendMeta(nil, dicom.Meta{
		SOPClassUID: in.SOPClassUID, SOPInstanceUID: in.SOPInstanceUID, TransferSyntaxUID: transferSyntax,
		ImplementationClassUID: UID(0, "implementation"), ImplementationVersionName: "SYNTH",
	})
}
