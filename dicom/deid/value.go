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
// is not for dates, numbers or UIDs, and in every character set.
const dummyText = "ANONYMIZED"

// textLimit bounds the bytes of a text that is read into memory to be cleaned.
const textLimit = 16 << 20

// dummies is a value of non-zero length for each VR of characters that
// dummyText does not suit.
var dummies = map[dicom.VR]string{
	dicom.DA: "19000101", dicom.TM: "000000", dicom.DT: "19000101000000", dicom.AS: "000Y", dicom.IS: "0", dicom.DS: "0",
	dicom.UR: "urn:anonymized",
}

// numberSize is the bytes of one value of a binary VR whose elements may have
// many; 0 for the others.
func numberSize(vr dicom.VR) int {
	switch vr {
	case dicom.US, dicom.SS:
		return 2
	case dicom.UL, dicom.SL, dicom.FL, dicom.AT:
		return 4
	case dicom.FD, dicom.UV, dicom.SV:
		return 8
	}
	return 0
}

// zeroSize is the bytes of the one value of a VR of octets or words.
func zeroSize(vr dicom.VR) int {
	switch vr {
	case dicom.OF, dicom.OL:
		return 4
	case dicom.OD, dicom.OV:
		return 8
	}
	return 2
}

// dummy is el with a value of non-zero length that tells nothing (PS3.15 E.1).
// It has as many values as el: coordinates come in pairs.
func (s *session) dummy(el dicom.Element, vr dicom.VR, lv level) dicom.Element {
	switch {
	case vr == dicom.UI && s.profile.RetainUIDs && allUIDs(el):
		return el
	case vr == dicom.UI:
		return s.withNewUIDs(el, vr)
	case vr == dicom.CS && lv.dummy && structural(el.Text()) && len(el.Texts()) == 1:
		return dicom.NewElement(el.Tag, vr, []byte(el.Text()))
	case !vr.Text() && numberSize(vr) == 0:
		return dicom.NewElement(el.Tag, vr, make([]byte, zeroSize(vr)))
	case !vr.Text():
		return s.numbers(el, vr)
	}

	v, ok := dummies[vr]
	switch {
	case countsFromOne[el.Tag]:
		v = "1"
	case !ok:
		v = dummyText
	}
	if oneValue(vr) {
		return dicom.NewElement(el.Tag, vr, []byte(v))
	}
	return dicom.NewText(el.Tag, vr, slices.Repeat([]string{v}, multiplicity(el, vr))...)
}

// numbers is as many zeros as el has values, or ones where they count something
// from 1, in little endian.
func (s *session) numbers(el dicom.Element, vr dicom.VR) dicom.Element {
	size := numberSize(vr)
	b := make([]byte, multiplicity(el, vr)*size)
	if countsFromOne[el.Tag] {
		for i := 0; i < len(b); i += size {
			b[i] = 1
		}
	}
	return dicom.NewElement(el.Tag, vr, b)
}

// countsFromOne are numbers among content items that are never 0: frames, segments,
// samples, channels and positions in the tree of content items (PS3.3 C.17).
var countsFromOne = map[dicom.Tag]bool{
	tag.ReferencedFrameNumber: true, tag.ReferencedWaveformChannels: true, tag.ReferencedContentItemIdentifier: true, tag.ReferencedSegmentNumber: true,
	tag.ReferencedSamplePositions: true,
}

// oneValue reports a VR of characters in which a backslash is text (PS3.5 6.2).
func oneValue(vr dicom.VR) bool {
	return vr == dicom.ST || vr == dicom.LT || vr == dicom.UT || vr == dicom.UR
}

// mostDummies bounds the values that a dummy repeats.
const mostDummies = 1 << 20

// multiplicity is how many values el has, 1 or more. Where el is of another VR
// than it should be, vr, its values are counted as what they are.
func multiplicity(el dicom.Element, vr dicom.VR) int {
	if el.VR.Known() && el.VR != dicom.UN {
		vr = el.VR
	}

	n := 1
	switch size := numberSize(vr); {
	case size > 0:
		n = int(min(el.ValueLength()/int64(size), mostDummies))
	case vr.Text():
		if loaded, err := el.Load(textLimit); err == nil {
			n = len(loaded.Texts())
		}
	}
	return max(1, min(n, mostDummies))
}

// structural reports a value that holds a content item or an annotation
// together and says nothing of a patient (PS3.3 C.10, C.17).
func structural(v string) bool {
	return slices.Contains([]string{
		"CONTAINER", "TEXT", "NUM", "CODE", "PNAME", "DATE", "TIME", "DATETIME", "UIDREF", "COMPOSITE", "IMAGE", "WAVEFORM",
		"SCOORD", "SCOORD3D", "TCOORD", "TABLE", "CONTAINS", "HAS PROPERTIES", "HAS OBS CONTEXT", "HAS ACQ CONTEXT",
		"INFERRED FROM", "SELECTED FROM", "HAS CONCEPT MOD", "SEPARATE", "CONTINUOUS", "PIXEL", "DISPLAY", "MATRIX", "POINT",
		"POLYLINE", "INTERPOLATED", "CIRCLE", "ELLIPSE", "MULTIPOINT", "POLYGON", "ELLIPSOID", "SEGMENT", "MULTISEGMENT",
		"BEGIN", "END", "FRAME", "VOLUME", "Y", "N", "YES", "NO",
	}, v)
}

// withNewUIDs is el with each UID replaced. A UID of a class, a transfer syntax
// or a coding scheme says nothing of a patient and stays if it is one.
func (s *session) withNewUIDs(el dicom.Element, vr dicom.VR) dicom.Element {
	values := uidsOf(el)
	e, _ := tag.Lookup(el.Tag)
	for i, v := range values {
		if !classLike(e.Keyword) || !s.definition(v) {
			values[i] = s.newUID(v)
		}
	}
	return dicom.NewElement(el.Tag, vr, []byte(strings.Join(values, `\`)))
}

// definition reports a UID that may stay where one of a class, a transfer
// syntax or a coding scheme stands: one of PS3.6, or one that others handed out
// below a root of their own, unless it is that of an object or holds one of the
// dates of the patient.
func (s *session) definition(u string) bool {
	switch {
	case u == "" || uid.Known(u):
		return true
	case !uid.Tolerable(u) || strings.HasPrefix(u, standardRoot):
		return false
	}
	return !s.who.objects[u] && !s.who.quotesDate(u)
}

// standardRoot is the root of the UIDs that DICOM hands out (PS3.5 9.1). What
// stands below it and is not registered was made up.
const standardRoot = "1.2.840.10008."

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
			if vr == dicom.TM && slices.ContainsFunc(words(v), func(w string) bool { return s.who.own[w] }) {
				ok = false // an ID of the patient that looks like a time
			}
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
