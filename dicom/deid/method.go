package deid

import (
	"cmp"
	"slices"

	"collimator/dicom"
	"collimator/dicom/tag"
)

// method is a code of CID 7050.
type method struct{ code, meaning string }

// methods are the codes of what p does. The two options on pixels are never
// among them.
func (p Profile) methods() []method {
	out := []method{{"113100", "Basic Application Confidentiality Profile"}}
	for _, m := range []struct {
		on bool
		method
	}{
		{p.CleanGraphics, method{"113103", "Clean Graphics Option"}},
		{p.CleanStructuredContent, method{"113104", "Clean Structured Content Option"}},
		{p.CleanDescriptors, method{"113105", "Clean Descriptors Option"}},
		{p.Dates == KeepDates, method{"113106", "Retain Longitudinal Temporal Information Full Dates Option"}},
		{p.Dates == ShiftDates, method{"113107", "Retain Longitudinal Temporal Information Modified Dates Option"}},
		{p.RetainPatientCharacteristics, method{"113108", "Retain Patient Characteristics Option"}},
		{p.RetainDeviceIdentity, method{"113109", "Retain Device Identity Option"}},
		{p.RetainUIDs, method{"113110", "Retain UIDs Option"}},
		{p.RetainSafePrivate, method{"113111", "Retain Safe Private Option"}},
		{p.RetainInstitutionIdentity, method{"113112", "Retain Institution Identity Option"}},
	} {
		if m.on {
			out = append(out, m.method)
		}
	}
	return out
}

// finish writes what was done (PS3.15 E.2, PS3.3 C.7, C.12).
func (s *session) finish(ds *dicom.DataSet) error {
	removed := "YES"
	for _, f := range s.report.Flags {
		if f == BurnedIn || f == BurnedInLikely || f == OverlayInPixels {
			removed = "NO" // it would say that the pixels are clean as well
		}
	}

	if err := ds.SetText(tag.PatientIdentityRemoved, removed); err != nil {
		return err
	}

	if err := ds.SetText(tag.DeidentificationMethod, "PS3.15 E, Basic Application Level Confidentiality Profile"); err != nil {
		return err
	}
	if err := ds.SetText(tag.LongitudinalTemporalInformationModified, s.temporal(ds)); err != nil {
		return err
	}

	codes := s.profile.methods()
	for _, item := range ds.Items(tag.DeidentificationMethodCodeSequence) {
		codes = append(codes, earlier(item)...)
	}

	slices.SortFunc(codes, func(a, b method) int { return cmp.Compare(a.code, b.code) })

	var items []*dicom.DataSet
	for _, m := range slices.Compact(codes) {
		item := ds.NewItem()
		item.Set(dicom.NewElement(tag.CodeValue, dicom.SH, []byte(m.code)))
		item.Set(dicom.NewElement(tag.CodingSchemeDesignator, dicom.SH, []byte("DCM")))
		item.Set(dicom.NewElement(tag.CodeMeaning, dicom.LO, []byte(m.meaning)))
		items = append(items, item)
	}

	ds.SetItems(tag.DeidentificationMethodCodeSequence, items...)
	return nil
}

// earlier is the code of another de-identification that was done before, if it
// is one of the standard's; its meaning is not copied.
func earlier(item *dicom.DataSet) []method {
	every := Profile{true, true, true, true, true, KeepDates, true, true, true, true, true, false, false}.methods()
	every = append(every, method{"113101", "Clean Pixel Data Option"}, method{"113102", "Clean Recognizable Visual Features Option"},
		method{"113107", "Retain Longitudinal Temporal Information Modified Dates Option"})
	i := slices.IndexFunc(every, func(m method) bool {
		return item.Text(tag.CodingSchemeDesignator) == "DCM" && item.Text(tag.CodeValue) == m.code
	})
	if i < 0 {
		return nil
	}
	return every[i : i+1]
}

// temporal is what is left of dates: what an earlier run took away stays away.
func (s *session) temporal(ds *dicom.DataSet) string {
	now := map[Dates]string{RemoveDates: "REMOVED", ShiftDates: "MODIFIED", KeepDates: "UNMODIFIED"}[s.profile.Dates]
	order := []string{"UNMODIFIED", "MODIFIED", "REMOVED"}
	before := ds.Text(tag.LongitudinalTemporalInformationModified)
	return order[max(slices.Index(order, now), slices.Index(order, before))]
}
