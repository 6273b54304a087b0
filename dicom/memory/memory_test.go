package memory

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"collimator/dicom"
	"collimator/dicom/tag"
	"collimator/dicom/uid"
)

// image is a small data set of a study; pairs of tag and text follow.
func image(t testing.TB, study, series, instance string, pairs ...any) *dicom.DataSet {
	t.Helper()
	ds := dicom.NewDataSet()
	values := append([]any{
		tag.SpecificCharacterSet, "ISO_IR 192", tag.SOPClassUID, uid.CTImageStorage, tag.SOPInstanceUID, instance,
		tag.StudyInstanceUID, study, tag.SeriesInstanceUID, series, tag.Modality, "CT",
		tag.PatientName, "ZZPHI^Jürgen", tag.PatientID, "ZZPHI-1", tag.StudyDate, "20260105",
	}, pairs...)
	for i := 0; i < len(values); i += 2 {
		if err := ds.SetText(values[i].(dicom.Tag), values[i+1].(string)); err != nil {
			t.Fatal(err)
		}
	}
	return ds
}

// filled has two studies, the first of two series and three instances.
func filled(t testing.TB) *Archive {
	t.Helper()
	a := &Archive{}
	for _, ds := range []*dicom.DataSet{
		image(t, "1.2.1", "1.2.1.1", "1.2.1.1.1"),
		image(t, "1.2.1", "1.2.1.1", "1.2.1.1.2"),
		image(t, "1.2.1", "1.2.1.2", "1.2.1.2.1", tag.Modality, "SR"),
		image(t, "1.2.2", "1.2.2.1", "1.2.2.1.1", tag.PatientID, "ZZPHI-2", tag.PatientName, "ZZPHI^Anna", tag.StudyDate, "20260301"),
	} {
		if _, err := a.Add(ds, uid.ExplicitVRLittleEndian); err != nil {
			t.Fatal(err)
		}
	}
	return a
}

func keys(t testing.TB, pairs ...any) *dicom.DataSet {
	t.Helper()
	ds := dicom.NewDataSet()
	if err := ds.SetCharacterSet("ISO_IR 192"); err != nil {
		t.Fatal(err)
	}
	for i := 0; i < len(pairs); i += 2 {
		if err := ds.SetText(pairs[i].(dicom.Tag), strings.Split(pairs[i+1].(string), `\`)...); err != nil {
			t.Fatal(err)
		}
	}
	return ds
}

func TestFindMatchesKeysAsTheStandardHasIt(t *testing.T) {
	t.Parallel()
	a := filled(t)
	for name, c := range map[string]struct {
		keys []any
		want int
	}{
		"everything":            {nil, 2},
		"universal":             {[]any{tag.PatientName, "*", tag.AccessionNumber, ""}, 2},
		"name in another case":  {[]any{tag.PatientName, "zzphi^JÜRGEN"}, 1},
		"name with a wildcard":  {[]any{tag.PatientName, "ZZPHI^*"}, 2},
		"one character":         {[]any{tag.PatientName, "ZZPHI^?nna"}, 1},
		"list of UIDs":          {[]any{tag.StudyInstanceUID, `1.2.1\1.2.2\1.2.3`}, 2},
		"UID that is not there": {[]any{tag.StudyInstanceUID, "1.2"}, 0},
		"one date":              {[]any{tag.StudyDate, "20260105"}, 1},
		"from a date on":        {[]any{tag.StudyDate, "20260106-"}, 1},
		"up to a date":          {[]any{tag.StudyDate, "-20260301"}, 2},
		"between dates":         {[]any{tag.StudyDate, "20260102-20260110"}, 1},
		"modality in the study": {[]any{tag.ModalitiesInStudy, "SR"}, 1},
		"value that is missing": {[]any{tag.AccessionNumber, "7"}, 0},
	} {
		if got := a.Find(StudyLevel, keys(t, c.keys...), nil); len(got) != c.want {
			t.Errorf("%s: %d matches, want %d", name, len(got), c.want)
		}
	}

	inner := dicom.NewDataSet()
	inner.Set(dicom.NewElement(tag.ScheduledProcedureStepID, dicom.SH, []byte("1")))
	k := dicom.NewDataSet()
	k.SetItems(tag.RequestAttributesSequence, inner)
	if got := a.Find(SeriesLevel, k, nil); len(got) != 0 {
		t.Errorf("a sequence that is missing: %d matches", len(got))
	}
}

func TestFindAnswersEveryKeyAndCounts(t *testing.T) {
	t.Parallel()
	got := filled(t).Find(StudyLevel, keys(t, tag.StudyInstanceUID, "1.2.1", tag.PatientName, "", tag.AccessionNumber, "",
		tag.ModalitiesInStudy, "", tag.NumberOfStudyRelatedSeries, "", tag.NumberOfStudyRelatedInstances, ""), nil)
	if len(got) != 1 {
		t.Fatalf("%d matches", len(got))
	}
	for k, want := range map[dicom.Tag]string{
		tag.QueryRetrieveLevel: "STUDY", tag.PatientName: "ZZPHI^Jürgen", tag.AccessionNumber: "",
		tag.NumberOfStudyRelatedSeries: "2", tag.NumberOfStudyRelatedInstances: "3",
	} {
		if v := got[0].Text(k); v != want || !got[0].Has(k) {
			t.Errorf("%s: %q, want %q", k, v, want)
		}
	}
	if v := got[0].Texts(tag.ModalitiesInStudy); !slices.Equal(v, []string{"CT", "SR"}) {
		t.Errorf("modalities %q", v)
	}
}

func TestWhatIsNotVisibleIsNotThere(t *testing.T) {
	t.Parallel()
	a := filled(t)
	first := func(i *Instance) bool { return i.StudyInstanceUID == "1.2.1" && i.SeriesInstanceUID == "1.2.1.1" }
	got := a.Find(StudyLevel, keys(t, tag.NumberOfStudyRelatedInstances, ""), first)
	if len(got) != 1 || got[0].Text(tag.NumberOfStudyRelatedInstances) != "2" {
		t.Errorf("%d studies", len(got))
	}
	if got := a.Select(keys(t, tag.StudyInstanceUID, "1.2.2"), first); len(got) != 0 {
		t.Errorf("%d instances", len(got))
	}
}

func TestTheFirstDataSetUnderAUIDStays(t *testing.T) {
	t.Parallel()
	a := filled(t)
	if _, err := a.Add(image(t, "1.2.1", "1.2.1.1", "1.2.1.1.1"), uid.ImplicitVRLittleEndian); err != nil {
		t.Errorf("the same again: %v", err)
	}
	if _, err := a.Add(image(t, "1.2.1", "1.2.1.1", "1.2.1.1.1", tag.StudyID, "9"), uid.ExplicitVRLittleEndian); !errors.Is(err, ErrConflict) {
		t.Errorf("another one: %v", err)
	}
	if _, err := a.Add(image(t, "1.2.1", "1.2.1.1", ""), uid.ExplicitVRLittleEndian); !errors.Is(err, ErrUID) {
		t.Errorf("without a UID: %v", err)
	}
	if n := len(a.All()); n != 4 {
		t.Errorf("%d instances", n)
	}
}

func TestTheArchiveHoldsNoMoreThanItMay(t *testing.T) {
	t.Parallel()
	a := &Archive{Most: 1000}
	var n int
	var err error
	for ; err == nil && n < 100; n++ {
		_, err = a.Add(image(t, "1.2", "1.2.3", fmt.Sprintf("1.2.3.%d", n+1)), uid.ExplicitVRLittleEndian)
	}
	if !errors.Is(err, ErrFull) || n < 3 {
		t.Fatalf("%d instances: %v", n, err)
	}
	if _, err := a.Read(bytes.NewReader(make([]byte, 10_000)), uid.ExplicitVRLittleEndian); !errors.Is(err, ErrFull) {
		t.Errorf("10,000 bytes: %v", err)
	}
	if gone := a.Remove(func(*Instance) bool { return true }); gone != n-1 {
		t.Errorf("%d of %d are gone", gone, n-1)
	}
	if _, err := a.Add(image(t, "1.2", "1.2.3", "1.2.3.1"), uid.ExplicitVRLittleEndian); err != nil {
		t.Errorf("after that: %v", err)
	}
}

func TestAnInstanceComesBackInTheSyntaxesItNames(t *testing.T) {
	t.Parallel()
	i := filled(t).All()[0]
	for _, ts := range i.TransferSyntaxes() {
		b, err := i.File(ts)
		if err != nil {
			t.Fatal(err)
		}
		f, err := dicom.ReadFile(bytes.NewReader(b), dicom.DecodeOptions{})
		if err != nil || f.TransferSyntax != ts || !f.DataSet.Equal(i.DataSet) {
			t.Errorf("%s: %v", uid.Name(ts), err)
		}
	}
	if _, err := i.Encode(uid.JPEG2000); err == nil {
		t.Error("a native image came in JPEG 2000")
	}
	if s := fmt.Sprint(i); strings.Contains(s, "ZZPHI") || strings.Contains(s, "1.2.1") {
		t.Errorf("prints %q", s)
	}
}

func TestWildcardTakesStarsAndQuestionMarks(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		pattern, s string
		want       bool
	}{
		{"", "", true}, {"*", "", true}, {"a*", "abc", true}, {"*c", "abc", true}, {"a*c*e", "abcde", true}, {"a?c", "abc", true},
		{"?", "ü", true}, {"a?c", "ac", false}, {"a", "ab", false}, {"*b", "abc", false}, {"a*b*c", "ab", false},
		{strings.Repeat("*a", 200) + "b", strings.Repeat("a", 4000), false},
	} {
		if got := wildcard(c.pattern, c.s); got != c.want {
			t.Errorf("%.20q of %.20q: %v", c.s, c.pattern, got)
		}
	}
}
