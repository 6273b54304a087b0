package memory

import (
	"strings"

	"collimator/dicom"
	"collimator/dicom/tag"
)

// matches reports whether an element meets a key (PS3.4 C.2.2.2). A key without a
// value meets everything; there is no fuzzy matching, and text is compared as it
// stands but for names, in which letters count alike in upper and lower case.
func matches(key, el dicom.Element) bool {
	if key.Sequence() {
		return matchesItems(key.Items(), el.Items())
	}

	wanted := key.Values()
	if len(wanted) == 0 {
		return key.Empty() || string(key.Bytes()) == string(el.Bytes())
	}
	have := el.Values()
	for _, w := range wanted {
		if strings.Trim(w, "*") == "" { // universal, also where there is no value
			return true
		}
		for _, h := range have {
			if matchesValue(key.VR, w, h) {
				return true
			}
		}
	}
	return false
}

// matchesItems: one item of the sequence meets the one item of the key (PS3.4
// C.2.2.2.6).
func matchesItems(keys, items []*dicom.DataSet) bool {
	if len(keys) == 0 || keys[0].Len() == 0 {
		return true
	}

	universal := true
	for key := range keys[0].All() {
		universal = universal && matches(key, dicom.Element{Tag: key.Tag, VR: key.VR})
	}
	if universal {
		return true
	}
	for _, item := range items {
		if matchesAll(keys[0], item.Get) {
			return true
		}
	}
	return false
}

// matchesAll reports whether every key is met by the element of its tag.
func matchesAll(keys *dicom.DataSet, get func(dicom.Tag) (dicom.Element, bool)) bool {
	for key := range keys.All() {
		if instruction(key.Tag) {
			continue
		}

		el, ok := get(key.Tag)
		if !ok {
			el = dicom.Element{Tag: key.Tag, VR: key.VR}
		}
		if !matches(key, el) {
			return false
		}
	}
	return true
}

// instruction reports an attribute that says how to read the keys, and is not a key itself.
func instruction(t dicom.Tag) bool {
	return t == tag.SpecificCharacterSet || t == tag.QueryRetrieveLevel
}

func matchesValue(vr dicom.VR, want, have string) bool {
	switch vr {
	case dicom.DA, dicom.TM, dicom.DT:
		return inRange(want, have)
	case dicom.PN:
		return wildcard(strings.ToLower(strings.TrimRight(want, "^=")), strings.ToLower(strings.TrimRight(have, "^=")))
	case dicom.UI, dicom.IS, dicom.DS:
		return want == have
	}
	return wildcard(want, have)
}

// inRange reports whether have is want, or lies in the range want: both ends belong
// to it, and one may be missing (PS3.4 C.2.2.2.5). Values of one form compare as text.
func inRange(want, have string) bool {
	low, high, isRange := strings.Cut(want, "-")
	if !isRange {
		return want == have
	}
	low = strings.TrimSpace(low)
	high = strings.TrimSpace(high)

	// A high end of fewer digits is the span it stands for: 20260105-202602.
	return have >= low && (high == "" || have[:min(len(have), len(high))] <= high)
}

// wildcard reports whether s is of the pattern: * is any characters, ? is one (PS3.4
// C.2.2.2.4). It takes no more than len(pattern) times len(s) steps.
func wildcard(pattern, s string) bool {
	p := []rune(pattern)
	r := []rune(s)
	at := 0
	from := 0
	star := -1 // the last * met, with from the character up to which it reaches

	for i := 0; i < len(r); {
		switch {
		case at < len(p) && p[at] == '*':
			star = at
			from = i
			at++
		case at < len(p) && (p[at] == '?' || p[at] == r[i]):
			at++
			i++
		case star >= 0: // the star takes one more character
			from++
			i = from
			at = star + 1
		default:
			return false
		}
	}
	return strings.Trim(string(p[at:]), "*") == ""
}
