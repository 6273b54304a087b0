package deid

import (
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"

	"collimator/dicom"
	"collimator/dicom/tag"
	"collimator/dicom/uid"
)

// dummyText is a value that says nothing, valid in every VR of characters that
// is no date, number or UID, and in every character set.
const dummyText = "ANONYMIZED"

// textLimit bounds the bytes of a text that is read into memory to be cleaned.
const textLimit = 16 << 20

// dummies is a value of non-zero length for each VR that dummyText does not
// suit.
var dummies = map[dicom.VR]string{
	dicom.DA: "19000101", dicom.TM: "000000", dicom.DT: "19000101000000", dicom.AS: "000Y", dicom.IS: "0", dicom.DS: "0",
	dicom.UR: "urn:anonymized",
	dicom.US: "\x00\x00", dicom.SS: "\x00\x00", dicom.OB: "\x00\x00", dicom.OW: "\x00\x00", dicom.UN: "\x00\x00",
	dicom.UL: "\x00\x00\x00\x00", dicom.SL: "\x00\x00\x00\x00", dicom.AT: "\x00\x00\x00\x00", dicom.FL: "\x00\x00\x00\x00",
	dicom.OF: "\x00\x00\x00\x00", dicom.OL: "\x00\x00\x00\x00",
	dicom.FD: "\x00\x00\x00\x00\x00\x00\x00\x00", dicom.OD: "\x00\x00\x00\x00\x00\x00\x00\x00", dicom.OV: "\x00\x00\x00\x00\x00\x00\x00\x00",
	dicom.UV: "\x00\x00\x00\x00\x00\x00\x00\x00", dicom.SV: "\x00\x00\x00\x00\x00\x00\x00\x00",
}

// dummy is el with a value of non-zero length that tells nothing (PS3.15 E.1).
func (s *session) dummy(el dicom.Element, vr dicom.VR, lv level) dicom.Element {
	switch {
	case vr == dicom.UI && s.profile.RetainUIDs && allUIDs(el):
		return el
	case vr == dicom.UI:
		return s.withNewUIDs(el, vr)
	case vr == dicom.CS && lv.dummy && structural(el.Text()) && len(el.Texts()) == 1:
		return dicom.NewElement(el.Tag, vr, []byte(el.Text()))
	}
	v, ok := dummies[vr]
	if !ok {
		v = dummyText
	}
	return dicom.NewElement(el.Tag, vr, []byte(v))
}

// structural reports a value that holds a content item or an annotation
// together and says nothing of a patient (PS3.3 C.10, C.17).
func structural(v string) bool {
	return slices.Contains([]string{
		"CONTAINER", "TEXT", "NUM", "CODE", "PNAME", "DATE", "TIME", "DATETIME", "UIDREF", "COMPOSITE", "IMAGE", "WAVEFORM",
		"SCOORD", "SCOORD3D", "TCOORD", "TABLE", "CONTAINS", "HAS PROPERTIES", "HAS OBS CONTEXT", "HAS ACQ CONTEXT",
		"INFERRED FROM", "SELECTED FROM", "HAS CONCEPT MOD", "SEPARATE", "CONTINUOUS", "PIXEL", "DISPLAY", "MATRIX", "POINT",
		"POLYLINE", "INTERPOLATED", "CIRCLE", "ELLIPSE", "MULTIPOINT", "Y", "N", "YES", "NO",
	}, v)
}

// withNewUIDs is el with each UID replaced. A UID of a class, a transfer syntax
// or a coding scheme says nothing of a patient and stays if it is one.
func (s *session) withNewUIDs(el dicom.Element, vr dicom.VR) dicom.Element {
	values := uidsOf(el)
	if e, _ := tag.Lookup(el.Tag); classLike(e.Keyword) && allUIDs(el) {
		return dicom.NewElement(el.Tag, vr, []byte(strings.Join(values, `\`)))
	}
	for i, v := range values {
		values[i] = s.newUID(v)
	}
	return dicom.NewElement(el.Tag, vr, []byte(strings.Join(values, `\`)))
}

// uidsOf is the values as text, also where the VR of a UID is wrong.
func uidsOf(el dicom.Element) []string {
	values := el.Texts()
	if values == nil {
		values = strings.Split(string(el.Bytes()), `\`)
	}
	out := make([]string, len(values))
	for i, v := range values {
		out[i] = strings.Trim(v, " \x00")
	}
	return out
}

func allUIDs(el dicom.Element) bool {
	return !slices.ContainsFunc(uidsOf(el), func(v string) bool { return v != "" && !uid.Tolerable(v) })
}

// classLike reports the keyword of an attribute whose UID names a definition
// and no object.
func classLike(keyword string) bool {
	switch keyword {
	case "CodingSchemeUID", "ContextUID", "ContextGroupExtensionCreatorUID", "MappingResourceUID", "CreatorVersionUID":
		return true
	}
	return strings.Contains(keyword, "SOPClass") || strings.Contains(keyword, "TransferSyntaxUID")
}

// sameText reports that out says what el says in the same VR.
func sameText(out, el dicom.Element) bool {
	return out.VR == el.VR && slices.Equal(out.Texts(), el.Texts())
}

// freeText reports a VR of words.
func freeText(vr dicom.VR) bool {
	switch vr {
	case dicom.LO, dicom.SH, dicom.ST, dicom.LT, dicom.UT, dicom.UC, dicom.UR, dicom.AE:
		return true
	}
	return false
}

func notASCII(r rune) bool { return r >= utf8.RuneSelf }

// offsetValue is an offset from UTC (PS3.3 C.12).
var offsetValue = regexp.MustCompile(`^[+-]\d{4}$`)

// cleaned is el after the action C: dates shifted, text without what points to
// the patient. False where only the basic action is safe.
func (s *session) cleaned(el dicom.Element, vr dicom.VR) (dicom.Element, bool) {
	if el.VR != dicom.UN && el.VR.Text() != vr.Text() {
		return el, false
	}
	el, err := el.Load(textLimit)
	if err != nil {
		return el, false
	}
	texts := el.Texts()
	for i, v := range texts {
		ok := true
		switch {
		case vr == dicom.DA || vr == dicom.TM || vr == dicom.DT:
			texts[i], ok = shiftValue(vr, v, s.days)
		case el.Tag == tag.TimezoneOffsetFromUTC:
			ok = offsetValue.MatchString(v)
		case strings.ContainsRune(v, utf8.RuneError) || !vr.CharacterSet() && strings.ContainsFunc(v, notASCII):
			ok = false // it cannot be read
		case freeText(vr):
			texts[i] = s.who.clean(v, s.profile.Dates == KeepDates)
		default:
			ok = false
		}
		if !ok {
			return el, false
		}
	}
	return dicom.NewText(el.Tag, vr, texts...), len(texts) > 0
}
