package deid

import (
	"fmt"
	"slices"
	"strings"

	"collimator/dicom"
	"collimator/dicom/tag"
	"collimator/dicom/uid"
)

// secrets are the values of an original that no value of its copy may hold
// under a profile.
type secrets struct {
	profile Profile
	uids    map[string]bool // of objects
	days    map[string]bool // eight digits
	names   map[string]bool // words of the patient's name and his IDs, folded
}

func secretsOf(ds *dicom.DataSet, p Profile) *secrets {
	s := &secrets{profile: p, uids: map[string]bool{}, days: map[string]bool{}, names: map[string]bool{}}
	s.collect(ds)
	return s
}

func (s *secrets) collect(ds *dicom.DataSet) {
	for el := range ds.All() {
		for _, item := range el.Items() {
			s.collect(item)
		}
		if el.Tag.Private() {
			continue
		}
		e, _ := tag.Lookup(el.Tag)
		for _, v := range el.Texts() {
			v = strings.Trim(v, " \x00")
			switch vr := dicom.VRFor(el.Tag); {
			case vr == dicom.UI && !classLike(e.Keyword) && !uid.Known(v) && len(v) >= 5:
				s.uids[v] = true
			case (vr == dicom.DA || vr == dicom.DT) && len(v) >= 8 && digits(v[:8]) == 8 && v[:8] > "19000101":
				s.days[v[:8]] = true
			case el.Tag == tag.PatientName || el.Tag == tag.PatientID:
				for _, w := range words(fold(v)) {
					if len(w) >= 4 && !strings.Contains(fold(dummyText), w) {
						s.names[w] = true
					}
				}
			}
		}
	}
}

// search looks for the secrets in every value of a copy, of text and of octets,
// at all levels. Dates are held against what stood in the same place: another
// date may have moved onto one of the original.
func (s *secrets) search(copied, original *dicom.DataSet, where string, found func(where, what string)) {
	for el := range copied.All() {
		at := where + "/" + el.Tag.Hex()
		was, _ := original.Get(el.Tag)
		for i, item := range el.Items() {
			if from := was.Items(); i < len(from) {
				s.search(item, from[i], fmt.Sprintf("%s/%d", at, i+1), found)
			}
		}
		if what := s.in(el, was); what != "" {
			found(at, what)
		}
	}
}

func (s *secrets) in(el, was dicom.Element) string {
	text := string(el.Bytes())
	r, listed := lookup(el.Tag)
	byOption := listed && r.keep&s.profile.options() != 0
	if !s.profile.RetainUIDs && !byOption {
		for _, v := range strings.FieldsFunc(text, func(r rune) bool { return r != '.' && (r < '0' || r > '9') }) {
			if s.uids[v] {
				return "a UID"
			}
		}
	}
	keptUID := s.profile.RetainUIDs && dicom.VRFor(el.Tag) == dicom.UI // leads to the original anyway
	if keptUID {
		return ""
	}
	if s.profile.Dates == ShiftDates || s.profile.Dates == RemoveDates && !byOption {
		if what := s.dates(el, was, text); what != "" {
			return what
		}
	}
	if el.VR == dicom.TM || el.VR == dicom.CS && !slices.ContainsFunc(el.Texts(), func(v string) bool { return !term(strings.TrimSpace(v)) }) || el.Tag == tag.CodingSchemeDesignator || !el.VR.Text() || byOption {
		return ""
	}
	for _, w := range words(fold(strings.Join(el.Texts(), " "))) {
		if s.names[w] {
			return "a name or an ID"
		}
	}
	return ""
}

func (s *secrets) dates(el, was dicom.Element, text string) string {
	if el.VR == dicom.DA || el.VR == dicom.DT {
		if v := was.Text(); len(v) >= 8 && s.days[v[:8]] && strings.HasPrefix(el.Text(), v[:8]) {
			return "its date"
		}
		return ""
	}
	for i := 0; i+8 <= len(text) && (el.VR.Text() || el.VR == dicom.UN); i++ {
		if s.days[text[i:i+8]] {
			return "a date"
		}
	}
	return ""
}
