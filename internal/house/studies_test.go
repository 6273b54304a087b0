package house_test

import (
	"archive/zip"
	"bytes"
	"io"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"

	"collimator/dicom/tag"
	"collimator/internal/archive"
	"collimator/internal/audit"
	"collimator/internal/house/sitetest"
	"collimator/internal/ledger"
	"collimator/internal/synth"
)

// items are the entries of a list, each an object.
func items(t *testing.T, a sitetest.Answer) (list []map[string]any) {
	t.Helper()
	all, ok := a.JSON["items"].([]any)
	if !ok {
		t.Fatalf("no list: %.300s", a.Text)
	}
	for _, x := range all {
		list = append(list, x.(map[string]any))
	}
	return list
}

func TestAReferrerSeesTheStudyThatWasGrantedAndNoOther(t *testing.T) {
	t.Parallel()
	x := sitetest.NewPeopledSite(t, nil)
	b := x.SignIn("referrer")

	list := b.Must(200, "GET", "/api/v1/studies?sort=-received", nil)
	if got := items(t, list); len(got) != 1 || got[0]["studyInstanceUID"] != "2.25.70" || list.JSON["total"] != 1.0 {
		t.Errorf("the list: %s", list.Text)
	}
	if a := b.Must(200, "GET", "/api/v1/studies?q=zzphi", nil); a.JSON["total"] != 1.0 {
		t.Errorf("the total tells of others: %s", a.Text)
	}
	for _, path := range []string{"", "/instances", "/proof"} {
		b.Must(200, "GET", "/api/v1/studies/2.25.70"+path, nil)
		for _, uid := range []string{"2.25.71", "2.25.999", "..%2f2.25.70", "2.25.70%00", "x"} {
			b.Must(404, "GET", "/api/v1/studies/"+uid+path, nil)
		}
	}
	for _, path := range []string{"/2.25.70/accesses", "/2.25.71/accesses", "?label=x", "?status=x"} { // of the house
		b.Must(403, "GET", "/api/v1/studies"+path, nil)
	}
	b.Must(404, "POST", "/api/v1/studies/2.25.71/open", nil)
	b.Must(403, "PUT", "/api/v1/studies/2.25.70/labels", map[string]any{"labels": []string{"mine"}})
	b.Must(403, "DELETE", "/api/v1/studies/2.25.70", map[string]string{"reason": "because of it"})
	b.Must(403, "GET", "/api/v1/patients/accesses?patientID=1", nil)
}

// What was searched by whom stands in the trail, with the names of what restricts it and without values.
func TestAListOfStudiesIsRecordedLikeASearch(t *testing.T) {
	t.Parallel()
	x := sitetest.NewPeopledSite(t, nil)
	b := x.SignIn("radiologist")
	b.Must(200, "GET", "/api/v1/studies?name=zzphi&from=2020-01-01", nil)
	b.Must(400, "GET", "/api/v1/studies?from=2020", nil)
	b.Must(400, "GET", "/api/v1/studies?cursor=x", nil)
	b.Must(400, "GET", "/api/v1/studies?limit=201", nil)
	b.Must(400, "GET", "/api/v1/studies?color=red", nil)
	b.Must(200, "GET", "/api/v1/studies/2.25.70", nil)

	var queries []string
	for _, r := range x.Records() {
		if r.Event == audit.Query && r.Principal == "radiologist" {
			queries = append(queries, r.Objects[len(r.Objects)-1].Query)
		}
	}
	if !slices.Equal(queries, []string{"STUDY /studies name from", "SERIES /studies/2.25.70"}) {
		t.Errorf("recorded: %q", queries)
	}
}

func TestAStudyIsShownWithWhatBelongsToIt(t *testing.T) {
	t.Parallel()
	x := sitetest.NewPeopledSite(t, nil)
	b := x.SignIn("radiologist")

	page := b.Must(200, "GET", "/api/v1/studies/2.25.70", nil)
	series := page.JSON["series"].([]any)
	count := page.JSON["instanceCount"].(float64)
	if len(series) == 0 || count == 0 || page.JSON["ledger"].(map[string]any)["covered"] != count {
		t.Errorf("the page: %s", page.Text)
	}

	first := b.Must(200, "GET", "/api/v1/studies/2.25.70/instances?limit=1", nil)
	got := items(t, first)
	for next := first.JSON["next"]; next != nil; {
		a := b.Must(200, "GET", "/api/v1/studies/2.25.70/instances?limit=1&cursor="+next.(string), nil)
		got = append(got, items(t, a)...)
		next = a.JSON["next"]
	}
	if float64(len(got)) != count || got[0]["ledgerLeaf"] == nil {
		t.Errorf("%d instances of %v, the first %v", len(got), count, got[0])
	}

	proof := b.Must(200, "GET", "/api/v1/studies/2.25.70/proof?instance="+got[0]["sopInstanceUID"].(string), nil)
	one := items(t, proof)
	if len(one) != 1 {
		t.Fatalf("%d proofs", len(one))
	}
	if _, err := ledger.Check(one[0]["proof"].(string), proof.JSON["key"].(string)); err != nil {
		t.Errorf("the proof: %v", err)
	}
}

func TestWhoSawAStudyIsFoundAlsoWhenItIsDeleted(t *testing.T) {
	t.Parallel()
	x := sitetest.NewPeopledSite(t, nil)
	radiologist, administrator := x.SignIn("radiologist"), x.SignIn("administrator")
	page := radiologist.Must(200, "GET", "/api/v1/studies/2.25.70", nil)
	patient := page.JSON["patientID"].(string)
	radiologist.Must(200, "GET", "/dicom-web/studies/2.25.70/metadata", nil)

	who := items(t, radiologist.Must(200, "GET", "/api/v1/studies/2.25.70/accesses", nil))
	read := func(a map[string]any) bool { return a["principal"] == "radiologist" && a["did"] == "read" }
	if !slices.ContainsFunc(who, read) {
		t.Errorf("who saw it: %v", who)
	}

	administrator.Must(400, "DELETE", "/api/v1/studies/2.25.70", map[string]string{"reason": "no"})
	administrator.Must(200, "DELETE", "/api/v1/studies/2.25.70", map[string]string{"reason": "it was a test"})
	administrator.Must(404, "GET", "/api/v1/studies/2.25.70", nil)
	after := items(t, administrator.Must(200, "GET", "/api/v1/patients/accesses?patientID="+url.QueryEscape(patient), nil))
	deleted := func(a map[string]any) bool { return a["event"] == "study-deleted" && a["reason"] == "it was a test" }
	if !slices.ContainsFunc(after, read) || !slices.ContainsFunc(after, deleted) {
		t.Errorf("who saw the patient: %v", after)
	}
}

// What is said of a study is found and is a register: verify knows it, and it goes with the study.
func TestWhatIsSaidOfAStudyIsFoundAndGoesWithIt(t *testing.T) {
	t.Parallel()
	x := sitetest.NewPeopledSite(t, nil)
	b := x.SignIn("administrator")
	said := map[string]any{"labels": []string{"urgent", "Tumorboard", "urgent"}, "status": "to report", "note": "ZZPHI asks back"}
	a := b.Must(200, "PUT", "/api/v1/studies/2.25.70/labels", said)
	if !strings.Contains(a.Text, `"labels":["Tumorboard","urgent"]`) {
		t.Errorf("said: %s", a.Text)
	}
	for query, want := range map[string]float64{"label=urgent": 1, "label=Urgent": 0, "status=to+report": 1, "status=done": 0, "": 2} {
		if a := b.Must(200, "GET", "/api/v1/studies?"+query, nil); a.JSON["total"] != want {
			t.Errorf("%s: %s", query, a.Text)
		}
	}
	for _, bad := range []map[string]any{
		{"labels": []string{strings.Repeat("a", 65)}}, {"labels": []string{""}}, {"note": strings.Repeat("a", 5000)}, {"status": "a\nb"},
	} {
		b.Must(400, "PUT", "/api/v1/studies/2.25.70/labels", bad)
	}
	b.Must(404, "PUT", "/api/v1/studies/2.25.999/labels", said)
	if x.Recorded(audit.StudyMarked, "administrator", "") != 1 {
		t.Error("it is not recorded once")
	}
	if problems := sitetest.Verified(t, x.In); len(problems) > 0 {
		t.Errorf("verify: %v", problems)
	}

	b.Must(200, "DELETE", "/api/v1/studies/2.25.70", map[string]string{"reason": "it was a test"})
	if a := b.Must(200, "GET", "/api/v1/studies?label=urgent", nil); a.JSON["total"] != 0.0 {
		t.Errorf("after the deletion: %s", a.Text)
	}
}

func TestATokenForAViewerReadsOneStudy(t *testing.T) {
	t.Parallel()
	x := sitetest.NewPeopledSite(t, nil)
	b := x.SignIn("radiologist")
	a := b.Must(200, "POST", "/api/v1/studies/2.25.70/open", nil)
	token := a.JSON["token"].(string)
	weasis, err := url.PathUnescape(a.JSON["weasis"].(string))
	if err != nil || !strings.HasSuffix(weasis, `/dicom-web" -r "studyUID=2.25.70" -H "Authorization: Bearer `+token+`"`) {
		t.Errorf("%v: %s", err, weasis)
	}

	viewer := x.Browser()
	viewer.Header.Set("Authorization", "Bearer "+token)
	viewer.Must(200, "GET", "/dicom-web/studies/2.25.70/metadata", nil)
	viewer.Must(403, "GET", "/dicom-web/studies/2.25.71/metadata", nil)
	viewer.Must(403, "POST", "/api/v1/studies/2.25.70/open", nil)
	if got := items(t, viewer.Must(200, "GET", "/api/v1/studies", nil)); len(got) != 1 {
		t.Errorf("it lists %v", got)
	}
}

// zipOf is what is in a zip, by name.
func zipOf(t *testing.T, a sitetest.Answer) map[string]string {
	t.Helper()
	z, err := zip.NewReader(strings.NewReader(a.Text), int64(len(a.Text)))
	if err != nil {
		t.Fatalf("%v: %.200s", err, a.Text)
	}
	files := map[string]string{}
	for _, f := range z.File {
		r, err := f.Open()
		if err != nil {
			t.Fatal(err)
		}
		b, err := io.ReadAll(r)
		if err != nil {
			t.Fatal(err)
		}
		files[f.Name] = string(b)
	}
	return files
}

func TestAReferrerTakesAlongWhatWasGrantedAndNothingElse(t *testing.T) {
	t.Parallel()
	x := sitetest.NewPeopledSite(t, nil)
	b := x.SignIn("referrer")
	files := zipOf(t, b.Must(200, "GET", "/api/v1/studies/2.25.70/download", nil))
	for name, content := range files {
		if sitetest.HoldsUID(content, "2.25.71") {
			t.Errorf("%s is about another study", name)
		}
	}
	if files["DICOMDIR"] == "" || !strings.Contains(files["INDEX.HTM"], "VIEW/SE000000.HTM") {
		t.Errorf("no medium: %d files", len(files))
	}
	for _, path := range []string{"/api/v1/studies/2.25.71/download", "/api/v1/studies/2.25.71/download?format=iso"} {
		if a := b.Must(403, "GET", path, nil); strings.Contains(a.Text, "ZZPHI") {
			t.Errorf("%s: %s", path, a.Text)
		}
	}
	x.SignIn("radiologist").Must(404, "GET", "/api/v1/studies/2.25.799/download", nil)
	b.Must(400, "GET", "/api/v1/studies/2.25.70/download?format=rar", nil)
}

func TestAResearcherTakesAlongACopyWithoutIdentity(t *testing.T) {
	t.Parallel()
	x := sitetest.NewPeopledSite(t, nil)
	var secrets []string
	for f := range synth.Study(synth.CT, synth.Options{Series: 1, Images: 2, Rows: 16, Columns: 16}) {
		secrets = append(secrets, f.DataSet.Text(tag.PatientID), f.DataSet.Text(tag.PatientName), f.DataSet.Text(tag.StudyInstanceUID))
		in := archive.Incoming{
			SOPClassUID: f.DataSet.Text(tag.SOPClassUID), SOPInstanceUID: f.DataSet.Text(tag.SOPInstanceUID),
			TransferSyntaxUID: f.TransferSyntax, Data: bytes.NewReader(synth.DataSet(f)), Source: archive.Source{Principal: "CT1"},
		}
		if _, err := x.Server.Archive.Ingest(t.Context(), in); err != nil {
			t.Fatal(err)
		}
	}
	b := x.SignIn("researcher")
	found := regexp.MustCompile(`"0020000D":\{"vr":"UI","Value":\["([0-9.]+)"`).FindStringSubmatch(
		b.Must(200, "GET", "/dicom-web/studies?ModalitiesInStudy=CT", nil).Text)
	if found == nil {
		t.Fatal("a researcher finds no study")
	}
	files := zipOf(t, b.Must(200, "GET", "/api/v1/studies/"+found[1]+"/download", nil))
	for name, content := range files {
		for _, secret := range secrets {
			if secret == "" || strings.Contains(content, secret) {
				t.Errorf("%s names the patient or the study", name)
			}
		}
	}
	if files["DICOMDIR"] == "" || !sitetest.HoldsUID(files["DICOMDIR"], found[1]) {
		t.Errorf("no medium of the study: %d files", len(files))
	}
	b.Must(404, "GET", "/api/v1/studies/2.25.70/download", nil)
}
