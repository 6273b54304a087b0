package deid

import (
	"slices"
	"strings"

	"collimator/dicom"
	"collimator/dicom/tag"
)

// session is one call of Apply.
type session struct {
	*Deidentifier
	report  *Report
	class   string    // SOP Class, by which the types of attributes are known
	who     *identity // of the original
	patient string    // pseudonym
	days    int       // by which dates move
}

// level is how the items around an element are treated.
type level struct {
	dummy bool // all values become dummies
	clean bool // all text is cleaned, not only that of the table
	item  bool // not at the top
}

// verdict is what becomes of one element.
type verdict uint8

const (
	stay   verdict = iota // as it is, or changed inside
	remove                //
	change                // another element takes its place
)

// dataSet applies the table to ds, which belongs to the copy, at all levels
// (PS3.15 E.1.1).
func (s *session) dataSet(ds *dicom.DataSet, lv level) {
	patient := s.patient
	if lv.item && strings.TrimSpace(ds.Text(tag.PatientID)) != "" {
		patient = s.pseudonym(patientOf(ds))
	}

	safe := s.safeBlocks(ds)
	for _, el := range once(ds) {
		out, v := s.element(el, lv, safe, patient)
		switch v {
		case remove:
			ds.Delete(el.Tag)
		case change:
			if !out.VR.CharacterSet() {
				ds.Set(out)
			} else if ds.SetText(out.Tag, out.Texts()...) != nil { // not in this character set
				ds.Set(s.dummy(out, out.VR, lv))
			}
		}
	}

	if !lv.item {
		ds.Set(dicom.NewElement(tag.PatientID, dicom.LO, []byte(patient)))
		ds.Set(dicom.NewElement(tag.PatientName, dicom.PN, []byte(patient)))
	}
}

// once is the elements of ds; of one that stands twice only the first is left.
func once(ds *dicom.DataSet) []dicom.Element {
	seen := map[dicom.Tag]int{}
	var els []dicom.Element
	for el := range ds.All() {
		if seen[el.Tag]++; seen[el.Tag] == 1 {
			els = append(els, el)
		}
	}

	for i, el := range els {
		if seen[el.Tag] > 1 {
			ds.Delete(el.Tag)
			ds.Set(el)
			els[i], _ = ds.Get(el.Tag)
		}
	}
	return els
}

// element decides on one element; with change it returns the one that takes its
// place. safe are the private elements that may stay, patient is the pseudonym of
// this level.
func (s *session) element(el dicom.Element, lv level, safe map[dicom.Tag]bool, patient string) (dicom.Element, verdict) {
	t := el.Tag
	vr := dicom.VRFor(el.Tag)
	if t.Private() {
		if safe[t] && !lv.dummy {
			return el, stay
		}
		s.report.Private++
		return el, remove
	}

	if (t == tag.PatientID || t == tag.PatientName) && !el.Empty() {
		s.report.Replaced++
		return dicom.NewElement(t, vr, []byte(patient)), change
	}

	act, basic := s.decide(t)
	if lv.dummy && act != actX && act != actU && act != actZ {
		act = actD
	}
	if (vr == dicom.SQ) != el.Sequence() && !el.Empty() {
		act = actX // items that cannot be looked into, or where none belong
	}
	if t.Group() <= 2 {
		act = actX // commands and meta information belong in no data set
	}

	if el.Sequence() {
		return s.sequence(el, act, lv)
	}
	return s.value(el, vr, act, basic, lv)
}

// sequence goes on into the items. In the place of a sequence that is to be a
// dummy stands one of the same shape with dummy values.
func (s *session) sequence(el dicom.Element, act action, lv level) (dicom.Element, verdict) {
	lv.item = true
	switch act {
	case actX:
		s.report.Removed++
		return el, remove
	case actZ:
		if el.Empty() {
			return el, stay
		}
		s.report.Emptied++
		return dicom.NewSequence(el.Tag), change
	case actD:
		lv.dummy = true
	case actC:
		lv.clean = true
	}

	for _, item := range el.Items() {
		s.dataSet(item, lv)
	}
	return el, stay
}

// value acts on an element without items. act is the action with all options, basic
// that of the basic profile, which counts where a value cannot be cleaned.
func (s *session) value(el dicom.Element, vr dicom.VR, act, basic action, lv level) (dicom.Element, verdict) {
	switch {
	case act == actX:
		s.report.Removed++
		return el, remove
	case el.Empty():
		return el, stay
	case act == actC:
		if out, ok := s.cleaned(el, vr); ok {
			return out, s.changed(out, el)
		}
		return s.value(el, vr, basic, basic, lv)
	case act == actZ:
		s.report.Emptied++
		return dicom.NewElement(el.Tag, vr, nil), change
	case act == actU:
		out := s.withNewUIDs(el, vr)
		if sameText(out, el) {
			return el, stay
		}
		s.report.UIDs++
		return out, change
	case act == actD:
		s.report.Replaced++
		return s.dummy(el, vr, lv), change
	}
	return s.kept(el, vr, lv)
}

// changed counts out as cleaned if it is not what el was.
func (s *session) changed(out, el dicom.Element) verdict {
	if sameText(out, el) {
		return stay
	}
	s.report.Cleaned++
	return change
}

// kept is an element the basic profile or an option keeps. Text the table says
// nothing of may quote the patient all the same; a date that goes elsewhere goes
// here too, or it would give away by how much the others moved.
func (s *session) kept(el dicom.Element, vr dicom.VR, lv level) (dicom.Element, verdict) {
	_, listed := lookup(el.Tag)
	switch {
	case vr == dicom.CS && (el.VR.Text() || el.VR == dicom.UN):
		return s.codes(el, vr)
	case listed && !freeText(vr):
		return el, stay
	case !listed && el.VR != dicom.UN && el.VR.Text() != vr.Text(), !listed && s.tellingCode(el, vr):
		s.report.Replaced++
		return s.dummy(el, vr, lv), change
	case !freeText(vr):
		return el, stay
	}

	loaded, err := el.Load(textLimit)
	if err != nil {
		s.report.Removed++
		return el, remove
	}
	texts := loaded.Texts()
	for i, v := range texts {
		switch {
		case listed:
			texts[i] = s.who.maskDates(v)
		case lv.clean:
			texts[i] = s.who.clean(v, s.profile.Dates == KeepDates)
		case el.Tag != tag.CodingSchemeDesignator:
			texts[i] = s.who.strip(v)
		}
	}
	out := dicom.NewText(el.Tag, vr, texts...)
	return out, s.changed(out, loaded)
}

// tellingCode reports a number that is an ID of the patient or one of
// the dates.
func (s *session) tellingCode(el dicom.Element, vr dicom.VR) bool {
	if vr != dicom.IS && vr != dicom.DS {
		return false
	}
	loaded, err := el.Load(textLimit)
	if err != nil {
		return true
	}
	return slices.ContainsFunc(loaded.Texts(), func(v string) bool {
		v = strings.TrimSpace(v)
		return s.who.own[fold(v)] && len(v) > 4 && digits(v) > 0 || s.who.quotesDate(v)
	})
}
