package archive

import (
	"testing"

	"collimator/dicom"
	"collimator/dicom/tag"
)

// Who may see one study of a patient must not find out by asking what the others
// hold: neither how much there is, nor what they say of the patient.
func TestConditionsOnThePatientEndAtTheScope(t *testing.T) {
	t.Parallel()
	a := queryArchive(t)
	store(t, a, image(t, 4, 1, 1, tag.PatientID, "ID1", tag.PatientName, "ZZPHI^Maiden", tag.PatientBirthDate, "19010203", tag.PatientSex, "O", tag.StudyDate, "20260401", tag.PatientComments, "hidden"))
	scope := Scope{StudyUIDs: []string{"1.2.3.3"}}
	matches := func(level Level, scope Scope, pairs ...any) int {
		t.Helper()
		return len(findAll(t, a, Query{Root: PatientRoot, Level: level, Relational: true, Scope: scope, Keys: keys(t, pairs...)}))
	}
	for _, level := range []Level{PatientLevel, StudyLevel, SeriesLevel, ImageLevel} {
		for _, c := range []struct {
			key         dicom.Tag
			all, narrow string
		}{
			{tag.NumberOfPatientRelatedStudies, "3", "1"}, {tag.NumberOfPatientRelatedSeries, "4", "1"}, {tag.NumberOfPatientRelatedInstances, "6", "1"},
		} {
			if n := matches(level, scope, tag.PatientID, "ID1", c.key, c.all); n != 0 {
				t.Errorf("%s: %s=%s tells of what may not be seen", level, c.key.Keyword(), c.all)
			}
			if n := matches(level, scope, tag.PatientID, "ID1", c.key, c.narrow); n != 1 {
				t.Errorf("%s: %s=%s: %d answers", level, c.key.Keyword(), c.narrow, n)
			}
			if n := matches(level, Everything(), tag.PatientID, "ID1", c.key, c.all); n == 0 {
				t.Errorf("%s: %s=%s: no answer to who sees everything", level, c.key.Keyword(), c.all)
			}
		}
		for _, c := range [][2]any{{tag.PatientName, "*maiden*"}, {tag.PatientBirthDate, "19010203"}, {tag.PatientSex, "O"}} {
			if n := matches(level, scope, tag.PatientID, "ID1", c[0], c[1]); n != 0 {
				t.Errorf("%s: %s tells what another study says", level, c[0].(dicom.Tag).Keyword())
			}
		}
	}
	got := findAll(t, a, Query{Root: PatientRoot, Level: PatientLevel, Scope: scope, Keys: keys(t,
		tag.PatientID, "ID1", tag.PatientName, "zzphi^patient1", tag.PatientBirthDate, "", tag.PatientSex, "", tag.PatientComments, "", tag.StudyDescription, "")})
	if len(got) != 1 || got[0].Text(tag.PatientName) != "ZZPHI^Patient1" || got[0].Text(tag.PatientComments) != "" || got[0].Text(tag.StudyDescription) != "" {
		t.Fatalf("%d answers: %v", len(got), got)
	}
	if d := got[0].Text(tag.PatientBirthDate); d == "19010203" {
		t.Error("the answer says what another study says")
	}
	if got := findAll(t, a, Query{Root: PatientRoot, Level: PatientLevel, Keys: keys(t, tag.PatientID, "")}); len(got) != 0 {
		t.Errorf("who sees nothing gets %d answers", len(got))
	}
}
