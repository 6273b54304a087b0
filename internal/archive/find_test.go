package archive

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"collimator/dicom"
	"collimator/dicom/tag"
	"collimator/dicom/uid"
	"collimator/internal/fault"
)

// keys makes an identifier of pairs of tag and text; a backslash separates
// values.
func keys(t testing.TB, pairs ...any) *dicom.DataSet {
	t.Helper()
	ds := dicom.NewDataSet()
	text(t, ds, tag.SpecificCharacterSet, "ISO_IR 192")
	for i := 0; i < len(pairs); i += 2 {
		if err := ds.SetText(pairs[i].(dicom.Tag), strings.Split(pairs[i+1].(string), `\`)...); err != nil {
			t.Fatal(err)
		}
	}
	return ds
}

func findAll(t testing.TB, a *opened, q Query) (out []*dicom.DataSet) {
	t.Helper()
	for ds, err := range a.Find(t.Context(), q) {
		if err != nil {
			t.Fatalf("find: %v", err)
		}
		out = append(out, ds)
	}
	return out
}

// values is one attribute of each answer, sorted.
func values(answers []*dicom.DataSet, tg dicom.Tag) []string {
	out := []string{}
	for _, ds := range answers {
		out = append(out, strings.Join(ds.Texts(tg), `\`))
	}
	slices.Sort(out)
	return out
}

// queryArchive holds three studies of two patients: study 1 has a CT and an
// MR series, study 2 one CT series, study 3 belongs to patient ID1 as well.
func queryArchive(t *testing.T) *opened {
	a := openTest(t, func(o *Options) { o.RetrieveAETitle = "COLLIMATOR" })
	for i := range 3 {
		store(t, a, image(t, 1, 1, i+1, tag.BodyPartExamined, "CHEST", tag.ImageComments, fmt.Sprintf("comment %d", i+1), tag.StationName, "ST1"))
	}
	store(t, a, image(t, 1, 2, 1, tag.Modality, "MR", tag.SOPClassUID, uid.MRImageStorage))
	request := dicom.NewDataSet()
	text(t, request, tag.RequestedProcedureID, "RP7")
	text(t, request, tag.ScheduledProcedureStepID, "SPS7")
	second := image(t, 2, 1, 1, tag.StudyDate, "20260315", tag.StudyTime, "0830", tag.StudyDescription, "Abdomen_CT%", tag.SeriesDescription, "axial")
	second.SetItems(tag.RequestAttributesSequence, request)
	store(t, a, second)
	store(t, a, image(t, 3, 1, 1, tag.PatientID, "ID1", tag.PatientName, "ZZPHI^Patient1", tag.StudyDate, "20251231", tag.StudyTime, "235959", tag.Modality, "US", tag.NumberOfFrames, "12"))
	return a
}

func TestMatchingOfAllKinds(t *testing.T) {
	t.Parallel()
	a := queryArchive(t)
	sequence := func(pairs ...any) func(*dicom.DataSet) {
		return func(ds *dicom.DataSet) {
			item := dicom.NewDataSet()
			for i := 0; i < len(pairs); i += 2 {
				text(t, item, pairs[i].(dicom.Tag), pairs[i+1].(string))
			}
			ds.SetItems(tag.RequestAttributesSequence, item)
		}
	}
	for _, c := range []struct {
		name   string
		q      Query
		pairs  []any
		change func(*dicom.DataSet)
		want   string // last components of the UIDs
	}{
		{"universal", Query{Scope: Everything(), Level: StudyLevel}, nil, nil, "1 2 3"},
		{"uid", Query{Scope: Everything(), Level: StudyLevel}, []any{tag.StudyInstanceUID, "1.2.3.2"}, nil, "2"},
		{"uid list", Query{Scope: Everything(), Level: StudyLevel}, []any{tag.StudyInstanceUID, `1.2.3.2\1.2.3.1\9.9`}, nil, "1 2"},
		{"uid has no wild cards", Query{Scope: Everything(), Level: StudyLevel}, []any{tag.StudyInstanceUID, `1.2.3.?`}, nil, ""},
		{"id", Query{Scope: Everything(), Level: StudyLevel}, []any{tag.PatientID, "ID1"}, nil, "1 3"},
		{"id is case sensitive", Query{Scope: Everything(), Level: StudyLevel}, []any{tag.PatientID, "id1"}, nil, ""},
		{"id pattern", Query{Scope: Everything(), Level: StudyLevel}, []any{tag.PatientID, "?D*"}, nil, "1 2 3"},
		{"several ids", Query{Scope: Everything(), Level: StudyLevel}, []any{tag.PatientID, `ID2\ID9`}, nil, "2"},
		{"accession", Query{Scope: Everything(), Level: StudyLevel}, []any{tag.AccessionNumber, "ACC2"}, nil, "2"},
		{"accession pattern", Query{Scope: Everything(), Level: StudyLevel}, []any{tag.AccessionNumber, "*2"}, nil, "2"},
		{"percent is a character", Query{Scope: Everything(), Level: StudyLevel}, []any{tag.StudyDescription, "%"}, nil, ""},
		{"percent is found", Query{Scope: Everything(), Level: StudyLevel}, []any{tag.StudyDescription, "*_CT%"}, nil, "2"},
		{"quote", Query{Scope: Everything(), Level: StudyLevel}, []any{tag.StudyDescription, "x' OR 1=1 --"}, nil, ""},
		{"date", Query{Scope: Everything(), Level: StudyLevel}, []any{tag.StudyDate, "20260315"}, nil, "2"},
		{"old form of a date", Query{Scope: Everything(), Level: StudyLevel}, []any{tag.StudyDate, "2026.03.15"}, nil, "2"},
		{"date range", Query{Scope: Everything(), Level: StudyLevel}, []any{tag.StudyDate, "20260101-20260331"}, nil, "1 2"},
		{"until", Query{Scope: Everything(), Level: StudyLevel}, []any{tag.StudyDate, "-20260102"}, nil, "1 3"},
		{"from", Query{Scope: Everything(), Level: StudyLevel}, []any{tag.StudyDate, "20260103-"}, nil, "2"},
		{"time range", Query{Scope: Everything(), Level: StudyLevel}, []any{tag.StudyTime, "08-1011"}, nil, "1 2"},
		{"time of less precision", Query{Scope: Everything(), Level: StudyLevel}, []any{tag.StudyTime, "1011"}, nil, "1"},
		{"date and time apart", Query{Scope: Everything(), Level: StudyLevel}, []any{tag.StudyDate, "20251231-20260315", tag.StudyTime, "0900-1200"}, nil, "1"},
		{"date and time together", Query{Scope: Everything(), Level: StudyLevel, DateTimeCombined: true}, []any{tag.StudyDate, "20251231-20260315", tag.StudyTime, "2300-0829"}, nil, "1 3"},
		{"modality", Query{Scope: Everything(), Level: StudyLevel}, []any{tag.ModalitiesInStudy, "MR"}, nil, "1"},
		{"modality and patient", Query{Scope: Everything(), Level: StudyLevel}, []any{tag.ModalitiesInStudy, "CT", tag.PatientID, "ID2"}, nil, "2"},
		{"several modalities", Query{Scope: Everything(), Level: StudyLevel}, []any{tag.ModalitiesInStudy, `MR\US`}, nil, "1 3"},
		{"modality pattern", Query{Scope: Everything(), Level: StudyLevel}, []any{tag.ModalitiesInStudy, "?T"}, nil, "1 2"},
		{"modality and date", Query{Scope: Everything(), Level: StudyLevel}, []any{tag.ModalitiesInStudy, "CT", tag.StudyDate, "20260102"}, nil, "1"},
		{"modality and class", Query{Scope: Everything(), Level: StudyLevel}, []any{tag.ModalitiesInStudy, "CT", tag.SOPClassesInStudy, uid.MRImageStorage}, nil, "1"},
		{"class", Query{Scope: Everything(), Level: StudyLevel}, []any{tag.SOPClassesInStudy, uid.MRImageStorage}, nil, "1"},
		{"number of series", Query{Scope: Everything(), Level: StudyLevel}, []any{tag.NumberOfStudyRelatedSeries, "2"}, nil, "1"},
		{"attribute without a column", Query{Scope: Everything(), Level: StudyLevel}, []any{tag.PatientAge, "042Y"}, nil, ""},
		{"key of a lower level is ignored", Query{Scope: Everything(), Level: StudyLevel}, []any{tag.StationName, "nobody"}, nil, "1 2 3"},
		{"limit", Query{Scope: Everything(), Level: StudyLevel, Limit: 2}, nil, nil, "1 2"},
		{"offset", Query{Scope: Everything(), Level: StudyLevel, Offset: 1}, nil, nil, "1 3"},
		{"scope of studies", Query{Level: StudyLevel, Scope: Scope{StudyUIDs: []string{"1.2.3.3"}}}, nil, nil, "3"},
		{"scope of two", Query{Level: StudyLevel, Scope: Scope{StudyUIDs: []string{"1.2.3.2", "1.2.3.3"}}}, nil, nil, "2 3"},
		{"empty scope", Query{Level: StudyLevel, Scope: Scope{}}, nil, nil, ""},

		{"series of a study", Query{Scope: Everything(), Level: SeriesLevel}, []any{tag.StudyInstanceUID, "1.2.3.1"}, nil, "1.1 1.2"},
		{"series by modality", Query{Scope: Everything(), Level: SeriesLevel}, []any{tag.StudyInstanceUID, "1.2.3.1", tag.Modality, "MR"}, nil, "1.2"},
		{"series by number", Query{Scope: Everything(), Level: SeriesLevel}, []any{tag.StudyInstanceUID, "1.2.3.1", tag.SeriesNumber, "02"}, nil, "1.2"},
		{"series by an attribute without a column", Query{Scope: Everything(), Level: SeriesLevel}, []any{tag.StudyInstanceUID, "1.2.3.1", tag.StationName, "S*"}, nil, "1.1"},
		{"series of all studies", Query{Scope: Everything(), Level: SeriesLevel, Relational: true}, []any{tag.Modality, "CT"}, nil, "1.1 2.1"},
		{"series by study key", Query{Scope: Everything(), Level: SeriesLevel, Relational: true}, []any{tag.PatientID, "ID1", tag.Modality, `CT\US`}, nil, "1.1 3.1"},
		{"sequence", Query{Scope: Everything(), Level: SeriesLevel, Relational: true}, nil, sequence(tag.RequestedProcedureID, "RP7"), "2.1"},
		{"sequence with two keys", Query{Scope: Everything(), Level: SeriesLevel, Relational: true}, nil, sequence(tag.RequestedProcedureID, "RP?", tag.ScheduledProcedureStepID, "other"), ""},
		{"sequence without keys", Query{Scope: Everything(), Level: SeriesLevel, Relational: true}, nil, sequence(tag.RequestedProcedureID, ""), "1.1 1.2 2.1 3.1"},
		{"series scope", Query{Level: SeriesLevel, Relational: true, Scope: Scope{StudyUIDs: []string{"1.2.3.2"}}}, nil, nil, "2.1"},

		{"instances of a series", Query{Scope: Everything(), Level: ImageLevel}, []any{tag.StudyInstanceUID, "1.2.3.1", tag.SeriesInstanceUID, "1.2.3.1.1"}, nil, "1.1.1 1.1.2 1.1.3"},
		{"instance by class", Query{Scope: Everything(), Level: ImageLevel, Relational: true}, []any{tag.SOPClassUID, uid.MRImageStorage}, nil, "1.2.1"},
		{"instance by number", Query{Scope: Everything(), Level: ImageLevel, Relational: true}, []any{tag.StudyInstanceUID, "1.2.3.1", tag.InstanceNumber, "2"}, nil, "1.1.2"},
		{"instance by comment", Query{Scope: Everything(), Level: ImageLevel, Relational: true}, []any{tag.ImageComments, "* 3"}, nil, "1.1.3"},
		{"instance by frames", Query{Scope: Everything(), Level: ImageLevel, Relational: true}, []any{tag.NumberOfFrames, "012"}, nil, "3.1.1"},
	} {
		c.q.Keys = keys(t, append([]any{tag.SOPInstanceUID, "", tag.SeriesInstanceUID, "", tag.StudyInstanceUID, ""}, c.pairs...)...)
		if c.change != nil {
			c.change(c.q.Keys)
		}
		var want []string
		for _, n := range strings.Fields(c.want) {
			want = append(want, "1.2.3."+n)
		}
		if want == nil {
			want = []string{}
		}
		unique := map[Level]dicom.Tag{StudyLevel: tag.StudyInstanceUID, SeriesLevel: tag.SeriesInstanceUID, ImageLevel: tag.SOPInstanceUID}[c.q.Level]
		if got := values(findAll(t, a, c.q), unique); !slices.Equal(got, want) {
			t.Errorf("%s: got %v, want %v", c.name, got, want)
		}
		// Matching in Go follows the same rules as matching in SQL.
		for _, n := range []int{1, 2} {
			if got := values(paged(t, a, c.q, n), unique); c.q.Limit == 0 && c.q.Offset == 0 && !slices.Equal(got, want) {
				t.Errorf("%s in pages of %d: got %v, want %v", c.name, n, got, want)
			}
		}
	}
}

func paged(t testing.TB, a *opened, q Query, n int) (out []*dicom.DataSet) {
	t.Helper()
	for range 100 {
		q.Limit = n
		page, next, err := a.FindPage(t.Context(), q)
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, page...)
		if next == "" {
			return out
		}
		q.After = next
	}
	t.Fatal("the pages do not end")
	return nil
}

func TestAnswerHoldsWhatWasAskedFor(t *testing.T) {
	t.Parallel()
	a := queryArchive(t)
	k := keys(t, tag.StudyInstanceUID, "1.2.3.1", tag.PatientName, "", tag.ModalitiesInStudy, "", tag.SOPClassesInStudy, "", tag.NumberOfStudyRelatedSeries, "",
		tag.NumberOfStudyRelatedInstances, "", tag.NumberOfPatientRelatedStudies, "", tag.InstanceAvailability, "", tag.StudyID, "", tag.StationName, "", tag.StudyTime, "")
	got := findAll(t, a, Query{Scope: Everything(), Level: StudyLevel, Keys: k})
	if len(got) != 1 {
		t.Fatalf("got %d answers", len(got))
	}
	for tg, want := range map[dicom.Tag]string{
		tag.QueryRetrieveLevel: "STUDY", tag.RetrieveAETitle: "COLLIMATOR", tag.InstanceAvailability: "ONLINE", tag.ModalitiesInStudy: `CT\MR`,
		tag.SOPClassesInStudy: uid.CTImageStorage + `\` + uid.MRImageStorage, tag.NumberOfStudyRelatedSeries: "2", tag.NumberOfStudyRelatedInstances: "4",
		tag.NumberOfPatientRelatedStudies: "2", tag.StudyTime: "101112.5", tag.PatientName: "ZZPHI^Patient1", tag.StudyID: "", tag.StationName: "",
	} {
		if !got[0].Has(tg) || strings.Join(got[0].Texts(tg), `\`) != want {
			t.Errorf("%s is there: %v", tg.Keyword(), got[0].Has(tg))
		}
	}
	if got[0].Len() != 13 { // the keys without the character set, and level and AE title
		t.Errorf("%d attributes", got[0].Len())
	}
	all := findAll(t, a, Query{Scope: Everything(), Level: SeriesLevel, Relational: true, AllAttributes: true, Keys: keys(t, tag.SeriesInstanceUID, "1.2.3.2.1")})
	if len(all) != 1 || all[0].Text(tag.SeriesDescription) != "axial" || all[0].Text(tag.PatientID) != "ID2" ||
		len(all[0].Items(tag.RequestAttributesSequence)) != 1 || all[0].Items(tag.RequestAttributesSequence)[0].Text(tag.RequestedProcedureID) != "RP7" {
		t.Error("not all attributes of the series came back")
	}
}

func TestPatientLevelCountsStudies(t *testing.T) {
	t.Parallel()
	a := queryArchive(t)
	got := findAll(t, a, Query{Scope: Everything(), Root: PatientRoot, Level: PatientLevel, Keys: keys(t, tag.PatientID, "ID1", tag.PatientName, "zzphi*",
		tag.NumberOfPatientRelatedStudies, "", tag.NumberOfPatientRelatedSeries, "", tag.NumberOfPatientRelatedInstances, "")})
	if len(got) != 1 || got[0].Text(tag.NumberOfPatientRelatedStudies) != "2" || got[0].Text(tag.NumberOfPatientRelatedSeries) != "3" ||
		got[0].Text(tag.NumberOfPatientRelatedInstances) != "5" {
		t.Errorf("got %d answers", len(got))
	}
	if got := findAll(t, a, Query{Root: PatientRoot, Level: PatientLevel, Scope: Scope{StudyUIDs: []string{"1.2.3.2"}}, Keys: keys(t, tag.PatientID, "")}); len(got) != 1 {
		t.Errorf("scope: got %d answers", len(got))
	}
}

// Who may see one study of a patient must not learn that there are others.
func TestCountsOfThePatientEndAtTheScope(t *testing.T) {
	t.Parallel()
	a := queryArchive(t)
	for _, level := range []Level{PatientLevel, StudyLevel, SeriesLevel, ImageLevel} {
		got := findAll(t, a, Query{Root: PatientRoot, Level: level, Relational: true, Scope: Scope{StudyUIDs: []string{"1.2.3.3"}},
			Keys: keys(t, tag.NumberOfPatientRelatedStudies, "", tag.NumberOfStudyRelatedInstances, "", tag.NumberOfPatientRelatedInstances, "")})
		if len(got) == 0 {
			t.Fatalf("%s: no answer", level)
		}
		for _, ds := range got {
			if ds.Text(tag.NumberOfPatientRelatedStudies) != "1" || level != PatientLevel && ds.Text(tag.NumberOfPatientRelatedInstances) != ds.Text(tag.NumberOfStudyRelatedInstances) {
				t.Errorf("%s: the patient has %s studies", level, ds.Text(tag.NumberOfPatientRelatedStudies))
			}
		}
	}
}

func TestQueriesThatBreakTheRulesAreRefused(t *testing.T) {
	t.Parallel()
	a := openTest(t, func(o *Options) { o.Limits.Keys = 20 })
	many := keys(t)
	for i := range 30 {
		many.Set(dicom.NewElement(dicom.Tag(0x00189000+2*i), dicom.LO, nil))
	}
	for _, c := range []struct {
		name  string
		q     Query
		want  fault.Kind
		names string
	}{
		{"series without study", Query{Scope: Everything(), Level: SeriesLevel}, fault.Invalid, "StudyInstanceUID"},
		{"image without series", Query{Scope: Everything(), Level: ImageLevel, Keys: keys(t, tag.StudyInstanceUID, "1.2")}, fault.Invalid, "SeriesInstanceUID"},
		{"list above the level", Query{Scope: Everything(), Level: SeriesLevel, Keys: keys(t, tag.StudyInstanceUID, `1.2\1.3`)}, fault.Invalid, "StudyInstanceUID"},
		{"patient root without patient", Query{Scope: Everything(), Root: PatientRoot, Level: StudyLevel}, fault.Invalid, "PatientID"},
		{"wild card in the patient", Query{Scope: Everything(), Root: PatientRoot, Level: StudyLevel, Keys: keys(t, tag.PatientID, "*")}, fault.Invalid, "PatientID"},
		{"patients of the study root", Query{Scope: Everything(), Level: PatientLevel}, fault.Invalid, "QueryRetrieveLevel"},
		{"no level", Query{Scope: Everything()}, fault.Invalid, "QueryRetrieveLevel"},
		{"no date", Query{Scope: Everything(), Level: StudyLevel, Keys: keys(t, tag.StudyDate, "ZZPHI")}, fault.Invalid, "StudyDate"},
		{"no number", Query{Scope: Everything(), Level: SeriesLevel, Relational: true, Keys: keys(t, tag.SeriesNumber, "1x")}, fault.Invalid, "SeriesNumber"},
		{"too many keys", Query{Scope: Everything(), Level: StudyLevel, Keys: many}, fault.TooLarge, ""},
		{"no cursor", Query{Scope: Everything(), Level: StudyLevel, After: "ZZPHI"}, fault.Invalid, "cursor"},
	} {
		var got error
		for _, err := range a.Find(t.Context(), c.q) {
			got = errors.Join(got, err)
		}
		if fault.Of(got) != c.want || !strings.Contains(fmt.Sprint(got), c.names) || strings.Contains(fmt.Sprint(got), "ZZPHI") {
			t.Errorf("%s: got %v", c.name, got)
		}
	}
}

func TestScanIsBounded(t *testing.T) {
	t.Parallel()
	a := openTest(t, func(o *Options) { o.Limits.Scanned = 256 })
	for i := range 257 {
		store(t, a, image(t, i, 1, 1))
	}
	var got error
	for _, err := range a.Find(t.Context(), Query{Scope: Everything(), Level: StudyLevel, Keys: keys(t, tag.PatientComments, "nobody")}) {
		got = err
	}
	if fault.Of(got) != fault.TooLarge {
		t.Errorf("got %v", got)
	}
}
