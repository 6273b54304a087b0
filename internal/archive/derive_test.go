package archive

import (
	"testing"

	"collimator/dicom"
	"collimator/dicom/tag"
	"collimator/dicom/uid"
)

func TestInstanceWithoutStudyOrSeriesIsFiledUnderUIDsOfOurOwn(t *testing.T) {
	t.Parallel()
	for name, missing := range map[string][]dicom.Tag{
		"no study": {tag.StudyInstanceUID}, "no series": {tag.SeriesInstanceUID}, "neither": {tag.StudyInstanceUID, tag.SeriesInstanceUID},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			a := openTest(t)
			ds := image(t, 1, 1, 1)
			for _, m := range missing {
				ds.Delete(m)
			}
			r, err := a.Ingest(t.Context(), incoming(t, ds))
			if err != nil {
				t.Fatal(err)
			}
			ref := r.Instance
			if !uid.Valid(ref.StudyUID) || !uid.Valid(ref.SeriesUID) {
				t.Fatal("it is filed under what is no UID")
			}
			if again, err := a.Ingest(t.Context(), incoming(t, ds)); err != nil || !again.Duplicate || again.Instance != ref {
				t.Errorf("sent again it is filed elsewhere: %v", err)
			}
			found := 0
			for got, err := range a.Retrieve(t.Context(), RetrieveQuery{Scope: Everything(), StudyUIDs: []string{ref.StudyUID}, SeriesUIDs: []string{ref.SeriesUID}}) {
				if err != nil || got != ref {
					t.Errorf("retrieved another one: %v", err)
				}
				found++
			}
			if found != 1 {
				t.Errorf("%d instances are in its series", found)
			}
			keys := dicom.NewDataSet()
			if err := keys.SetText(tag.StudyInstanceUID, ref.StudyUID); err != nil {
				t.Fatal(err)
			}
			n := 0
			for match, err := range a.Find(t.Context(), Query{Scope: Everything(), Root: StudyRoot, Level: StudyLevel, Keys: keys}) {
				if err != nil || match.Text(tag.StudyInstanceUID) != ref.StudyUID {
					t.Errorf("the answer names another study: %v", err)
				}
				n++
			}
			if n != 1 {
				t.Errorf("the study is found %d times", n)
			}
		})
	}
}

func TestImagesThatNameOnlyTheirSeriesStayTogether(t *testing.T) {
	t.Parallel()
	a := openTest(t)
	studies := map[string]bool{}
	for i := range 3 {
		ds := image(t, 1, 1, i)
		ds.Delete(tag.StudyInstanceUID)
		r, err := a.Ingest(t.Context(), incoming(t, ds))
		if err != nil {
			t.Fatal(err)
		}
		studies[r.Instance.StudyUID] = true
	}
	if len(studies) != 1 {
		t.Errorf("three images of one series are in %d studies", len(studies))
	}
}
