package dicomweb

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"collimator/dicom"
	"collimator/dicom/tag"
)

func TestQueryParametersBecomeKeys(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		query string
		tag   dicom.Tag
		want  []string
	}{
		{"PatientName=*sch*", tag.PatientName, []string{"*sch*"}},
		{"PatientName=M%C3%BCller%5EJ", tag.PatientName, []string{"Müller^J"}},
		{"00100020=*COL*", tag.PatientID, []string{"*COL*"}},
		{"0008103e=x", tag.SeriesDescription, []string{"x"}},
		{"StudyDescription=a,b", tag.StudyDescription, []string{"a,b"}},
		{"ModalitiesInStudy=CT%2CMR", tag.ModalitiesInStudy, []string{"CT", "MR"}},
		{"ModalitiesInStudy=CT&ModalitiesInStudy=MR", tag.ModalitiesInStudy, []string{"CT", "MR"}},
		{`ModalitiesInStudy=CT\MR`, tag.ModalitiesInStudy, []string{"CT", "MR"}},
		{`StudyInstanceUID=1.2\1.3`, tag.StudyInstanceUID, []string{"1.2", "1.3"}},
		{"StudyInstanceUID=1.2%5C1.3", tag.StudyInstanceUID, []string{"1.2", "1.3"}},
		{"StudyInstanceUID=1.2,1.3", tag.StudyInstanceUID, []string{"1.2", "1.3"}},
		{"StudyDate=20240101-20241231", tag.StudyDate, []string{"20240101-20241231"}},
		{"PatientID=", tag.PatientID, nil},
		{"includefield=00081030%2C00100030", tag.PatientBirthDate, nil},
		{"includefield=SeriesDate,00400244&includefield=00080070", tag.Manufacturer, nil},
	} {
		h, s := newTest(t)
		rec := serve(t, h, http.MethodGet, "/dicom-web/studies?"+c.query, nil)
		if rec.Code != http.StatusOK || rec.Body.String() != "[]" {
			t.Errorf("%s: %d %s", c.query, rec.Code, rec.Body)
			continue
		}
		el, ok := s.searched[0].Keys.Get(c.tag)
		if got := s.searched[0].Keys.Texts(c.tag); !ok || !el.Empty() && !slices.Equal(got, c.want) || el.Empty() != (c.want == nil) {
			t.Errorf("%s: %v is %q, want %q", c.query, c.tag, got, c.want)
		}
	}
}

func TestSequenceKeysBecomeItems(t *testing.T) {
	t.Parallel()
	for _, q := range []string{"RequestAttributesSequence.ScheduledProcedureStepID=X", "00400275.00400009=X"} {
		h, s := newTest(t)
		serve(t, h, http.MethodGet, "/dicom-web/series?"+q, nil)
		items := s.searched[0].Keys.Items(tag.RequestAttributesSequence)
		if len(items) != 1 || items[0].Text(tag.ScheduledProcedureStepID) != "X" {
			t.Errorf("%s: %v", q, items)
		}
	}
}

func TestSearchSwitchesArePassedOn(t *testing.T) {
	t.Parallel()
	h, s := newTest(t)
	serve(t, h, http.MethodGet, "/dicom-web/studies/1.2/series/1.3/instances?limit=7&offset=3&fuzzymatching=true&includefield=all", nil)
	q := s.searched[0]
	if q.Level != InstanceLevel || q.Limit != 8 || q.Offset != 3 || !q.Fuzzy || !q.All || q.Keys.Text(tag.StudyInstanceUID) != "1.2" || q.Keys.Text(tag.SeriesInstanceUID) != "1.3" {
		t.Errorf("%+v", q)
	}
	if q.Keys.Has(tag.PatientName) {
		t.Error("a search within a study asks for the patient again")
	}
	serve(t, h, http.MethodGet, "/dicom-web/instances?limit=9999999", nil)
	if q := s.searched[1]; q.Limit != 1001 || !q.Keys.Has(tag.PatientName) || !q.Keys.Has(tag.Modality) {
		t.Errorf("%+v", q)
	}
}

func TestMalformedQueriesAreRefusedWithTheReason(t *testing.T) {
	t.Parallel()
	for query, says := range map[string]string{
		"limit=-1":                                         "limit",
		"limit=a":                                          "limit",
		"offset=-5":                                        "offset",
		"offset=99999999999999999999":                      "offset",
		"fuzzymatching=perhaps":                            "fuzzymatching",
		"fuzzymatching=true&fuzzymatching=true":            "more than once",
		"PatientName=a&PatientName=b":                      "more than once",
		"PatientName=ZZPHI&00100010=ZZPHI":                 "two names",
		"PatientName.PatientID=ZZPHI":                      "not a sequence",
		"Rows=ZZPHI":                                       "Rows",
		"RequestAttributesSequence=ZZPHI":                  "RequestAttributesSequence",
		"includefield=" + strings.Repeat("0020000D,", 600): "fields",
		"a%": "cannot be read",
	} {
		h, _ := newTest(t)
		rec := serve(t, h, http.MethodGet, "/dicom-web/studies?"+query, nil)
		if rec.Code != http.StatusBadRequest || !strings.Contains(rec.Body.String(), says) {
			t.Errorf("%.60s: %d %s", query, rec.Code, rec.Body)
		}
	}
}

func TestSearchWarnsWhereThereIsMore(t *testing.T) {
	t.Parallel()
	h, s := newTest(t)
	for range 5 {
		s.answers = append(s.answers, made(t, "1.2.3.4"))
	}
	for limit, more := range map[string]bool{"4": true, "5": false, "6": false, "0": false} {
		rec := serve(t, h, http.MethodGet, "/dicom-web/studies?limit="+limit, nil)
		if w := rec.Header().Get("Warning"); (w == moreMatches) != more {
			t.Errorf("limit %s: Warning %q", limit, w)
		}
	}
	c := &Client{Base: "http://archive/dicom-web", HTTP: &http.Client{Transport: direct{h}}}
	h.limits.Matches = 2
	n := 0
	for _, err := range c.Search(t.Context(), StudyLevel, Resource{}, nil) {
		if err != nil {
			t.Fatal(err)
		}
		n++
	}
	if n != 5 {
		t.Errorf("the client found %d of 5 in pages of two", n)
	}
}

func TestEmptyModalitiesAreLeftOut(t *testing.T) {
	t.Parallel()
	h, s := newTest(t)
	ds := made(t, "1.2.3.4", tag.QueryRetrieveLevel, "STUDY")
	ds.Set(dicom.NewElement(tag.ModalitiesInStudy, dicom.CS, nil))
	s.answers = append(s.answers, ds)
	body := serve(t, h, http.MethodGet, "/dicom-web/studies", nil).Body.String()
	if strings.Contains(body, "00080061") || strings.Contains(body, "00080052") || !strings.Contains(body, `"/dicom-web/studies/1.2.3"`) {
		t.Errorf("%s", body)
	}
}

func FuzzQuery(f *testing.F) {
	for _, s := range []string{"PatientName=*a*&limit=1", "00400275.00400009=X", `StudyInstanceUID=1\2`, "includefield=all,00080061"} {
		f.Add(s)
	}
	h := NewHandler(&shelf{}, Unguarded, Options{})
	f.Fuzz(func(t *testing.T, raw string) {
		if _, err := url.ParseQuery(raw); err != nil {
			return
		}
		for _, l := range []Level{StudyLevel, SeriesLevel, InstanceLevel} {
			q, err := h.parseQuery(&Call{Level: l}, raw)
			if err != nil && asError(err).Status != http.StatusBadRequest {
				t.Errorf("%v", err)
			}
			if err == nil && (q.Limit < 0 || q.Limit > 1000 || q.Offset < 0) {
				t.Errorf("%+v", q)
			}
		}
	})
}
