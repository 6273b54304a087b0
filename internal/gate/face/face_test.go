package face_test

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"collimator/dicom"
	"collimator/dicom/tag"
	"collimator/dicom/uid"
	"collimator/dicomweb"
	"collimator/internal/audit"
	"collimator/internal/gate/face"
)

func TestASeriesIsFetchedOnceHoweverOftenItIsAskedFor(t *testing.T) {
	t.Parallel()
	s := newSite(t, nil)
	for i := range 40 {
		s.has(image(t, "1.2.1", "1.2.1.1", fmt.Sprintf("1.2.1.1.%d", i+1), "P1"))
	}
	c := s.client("ada")
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			n := 0
			for _, err := range c.Metadata(t.Context(), dicomweb.Resource{StudyUID: "1.2.1", SeriesUID: "1.2.1.1"}) {
				if err != nil {
					t.Error(err)
					return
				}
				n++
			}
			if n != 40 {
				t.Errorf("%d instances", n)
			}
		})
	}
	all.Wait()
	if n := s.gets.Load(); n != 1 {
		t.Errorf("the PACS was asked %d times by C-GET", n)
	}

	finds := s.finds.Load()
	for i := range 40 {
		path := fmt.Sprintf("%s/studies/1.2.1/series/1.2.1.1/instances/1.2.1.1.%d/frames/1", face.Root("PACS"), i+1)
		if status, body := s.ask(http.MethodGet, c.Token, path); status != http.StatusOK {
			t.Fatalf("%d %s", status, body)
		}
	}
	if s.gets.Load() != 1 || s.finds.Load() != finds {
		t.Errorf("for frames: %d C-GET, %d C-FIND", s.gets.Load()-1, s.finds.Load()-finds)
	}

	s.has(image(t, "1.2.1", "1.2.1.1", "1.2.1.1.99", "P1"))
	s.Clock.Advance(20 * time.Second)
	n := 0
	for _, err := range c.Metadata(t.Context(), dicomweb.Resource{StudyUID: "1.2.1", SeriesUID: "1.2.1.1"}) {
		if err != nil {
			t.Fatal(err)
		}
		n++
	}
	if n != 41 {
		t.Errorf("%d instances after one came", n)
	}
	s.Clock.Advance(2 * time.Hour)
	if status, _ := s.get("ada", face.Root("PACS")+"/studies/1.2.1/series/1.2.1.1/instances/1.2.1.1.1/metadata"); status != http.StatusOK || s.gets.Load() != 3 {
		t.Errorf("what was kept for long is not fetched anew: %d", s.gets.Load())
	}
}

func TestWhatIsStoredIsGivenAsItWas(t *testing.T) {
	t.Parallel()
	s := newSite(t, nil)
	ds := image(t, "1.2.1", "1.2.1.1", "1.2.1.1.1", "P1")
	c := s.client("ada")
	stow := func(file []byte) *dicomweb.StoreReport {
		t.Helper()
		report, err := c.Store(t.Context(), "", func(yield func(io.Reader, error) bool) { yield(bytes.NewReader(file), nil) })
		if err != nil {
			t.Fatal(err)
		}
		return report
	}
	for range 2 {
		if report := stow(file(t, ds)); len(report.Stored) != 1 || len(report.Failed) != 0 {
			t.Fatalf("%+v", report)
		}
	}
	r, err := c.RetrieveInstance(t.Context(), dicomweb.Resource{StudyUID: "1.2.1", SeriesUID: "1.2.1.1", SOPInstanceUID: "1.2.1.1.1"})
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	got, err := dicom.ReadFile(r, dicom.DecodeOptions{})
	if err != nil || !got.DataSet.Equal(ds) {
		t.Errorf("what comes back is not what went in: %v", err)
	}

	other := ds.Clone()
	if err := other.SetText(tag.StudyDescription, "forged"); err != nil {
		t.Fatal(err)
	}
	if report := stow(file(t, other)); len(report.Failed) != 1 || report.Failed[0].Reason != 0x0111 || s.held.Load() != 1 {
		t.Errorf("other content: %+v, %d held", report, s.held.Load())
	}
	for _, i := range s.behind.Archive.All() {
		if i.DataSet.Text(tag.StudyDescription) != "" {
			t.Error("the PACS was overwritten")
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.titles) != 1 || !s.titles["GATEWEB"] {
		t.Errorf("the PACS was called by %v", s.titles)
	}
}

// file is a data set as a Part 10 file.
func file(t testing.TB, ds *dicom.DataSet) []byte {
	t.Helper()
	return fileIn(t, ds, uid.ExplicitVRLittleEndian)
}

// fileIn is file in a transfer syntax.
func fileIn(t testing.TB, ds *dicom.DataSet, syntax string) []byte {
	t.Helper()
	b := bytes.NewBuffer(dicom.AppendMeta(make([]byte, 0), dicom.Meta{
		SOPClassUID: ds.Text(tag.SOPClassUID), SOPInstanceUID: ds.Text(tag.SOPInstanceUID), TransferSyntaxUID: syntax,
		ImplementationClassUID: dicom.ImplementationClassUID,
	}))
	if err := dicom.Encode(b, ds, syntax); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func TestWhoMayWhatAtAFaceIsDecidedAtTheDoor(t *testing.T) {
	t.Parallel()
	s := newSite(t, nil)
	s.has(image(t, "1.2.1", "1.2.1.1", "1.2.1.1.1", "P1"))
	s.person("ada")
	study := face.Root("PACS") + "/studies/1.2.1"
	for _, c := range []struct {
		who, method, path string
		want              int
	}{
		{"", http.MethodGet, study, http.StatusUnauthorized},
		{"", http.MethodGet, face.Root("OTHER") + "/studies", http.StatusUnauthorized},
		{"otto", http.MethodGet, study, http.StatusForbidden},
		{"ron", http.MethodGet, study, http.StatusForbidden},
		{"ron", http.MethodPost, face.Root("PACS") + "/studies", http.StatusForbidden},
		{"rosa", http.MethodPost, face.Root("PACS") + "/studies", http.StatusForbidden},
		{"ada", http.MethodGet, study, http.StatusOK},
		{"ada", http.MethodDelete, study, http.StatusMethodNotAllowed},
		{"ada", http.MethodGet, face.Root("OTHER") + "/studies", http.StatusNotFound},
		{"ada", http.MethodGet, face.Path + "/PACS/other", http.StatusNotFound},
	} {
		token := ""
		if c.who != "" {
			token = s.token(c.who)
		}
		if status, body := s.ask(c.method, token, c.path); status != c.want {
			t.Errorf("%s %s by %q: %d, want %d: %.200s", c.method, c.path, c.who, status, c.want, body)
		}
	}

	var left bool
	for _, r := range s.Records(t) {
		if r.Event == audit.Transferred && r.Outcome == audit.Success && r.Peer.CalledAETitle == "PACS" {
			left = true
			if o := r.Objects[len(r.Objects)-1]; o.Study != "1.2.1" || o.Patient != "P1" || o.Instances != 1 {
				t.Errorf("%+v", o)
			}
		}
	}
	if !left {
		t.Error("what left is not recorded")
	}
}

func TestAClosedRouteAnswersNobody(t *testing.T) {
	t.Parallel()
	s := newSite(t, nil, "closed: true")
	if status, body := s.get("ada", face.Root("PACS")+"/studies"); status != http.StatusServiceUnavailable || !strings.Contains(body, "closed") {
		t.Errorf("%d %s", status, body)
	}
}

func TestMoreMatchesThanMayBeAskedForAreRefused(t *testing.T) {
	t.Parallel()
	s := newSite(t, nil, "find_matches: 5")
	for i := range 6 {
		study := fmt.Sprintf("1.2.%d", i+1)
		s.has(image(t, study, study+".1", study+".1.1", "P1"))
	}
	status, body := s.get("ada", face.Root("PACS")+"/studies?limit=2")
	if status != http.StatusRequestEntityTooLarge || !strings.Contains(body, "find_matches") {
		t.Errorf("%d %s", status, body)
	}
	if status, _ := s.get("ada", face.Root("PACS")+"/studies?StudyInstanceUID=1.2.3"); status != http.StatusOK {
		t.Errorf("one study: %d", status)
	}
}

func TestSearchesAreAskedLevelByLevelAndPagesAreStable(t *testing.T) {
	t.Parallel()
	s := newSite(t, nil)
	for i := range 7 {
		study := fmt.Sprintf("1.2.%d", i+1)
		s.has(image(t, study, study+".1", study+".1.1", "P1"), image(t, study, study+".2", study+".2.1", "P1"))
	}
	c := s.client("ada")
	var all []string
	for offset := 0; offset < 8; offset += 3 {
		for ds, err := range c.Search(t.Context(), dicomweb.StudyLevel, dicomweb.Resource{}, url.Values{"limit": {"3"}, "offset": {fmt.Sprint(offset)}}) {
			if err != nil {
				t.Fatal(err)
			}
			all = append(all, ds.Text(tag.StudyInstanceUID))
			if n, _ := ds.Int(tag.NumberOfStudyRelatedSeries); n != 2 || ds.Text(tag.ModalitiesInStudy) != "CT" {
				t.Errorf("series %d, modalities %s", n, ds.Text(tag.ModalitiesInStudy))
			}
		}
	}
	if got := strings.Join(all, " "); len(all) != 7 || got != "1.2.1 1.2.2 1.2.3 1.2.4 1.2.5 1.2.6 1.2.7" {
		t.Errorf("pages: %v", all)
	}
	for path, want := range map[string]int{
		"/series": 14, "/instances": 14, "/studies/1.2.3/series": 2, "/studies/1.2.3/instances": 2, "/studies/1.2.3/series/1.2.3.1/instances": 1,
		"/series?SeriesInstanceUID=1.2.3.1": 1, "/instances?SOPInstanceUID=1.2.3.1.1&PatientID=P1": 1, "/instances?Modality=MR": 0,
	} {
		_, body := s.ask(http.MethodGet, c.Token, face.Root("PACS")+path)
		if n := strings.Count(body, `"00081190"`); n != want {
			t.Errorf("%s: %d matches, want %d: %.300s", path, n, want, body)
		}
	}
}

func TestAResearcherSeesNoIdentity(t *testing.T) {
	t.Parallel()
	s := newSite(t, nil)
	s.has(image(t, "1.2.1", "1.2.1.1", "1.2.1.1.1", "ZZPHI-1"))
	c := s.client("rosa")
	n := 0
	for ds, err := range c.Search(t.Context(), dicomweb.InstanceLevel, dicomweb.Resource{}, nil) {
		if err != nil {
			t.Fatal(err)
		}
		n++
		r := dicomweb.Resource{StudyUID: ds.Text(tag.StudyInstanceUID), SeriesUID: ds.Text(tag.SeriesInstanceUID), SOPInstanceUID: ds.Text(tag.SOPInstanceUID)}
		body, err := c.RetrieveInstance(t.Context(), r)
		if err != nil {
			t.Fatal(err)
		}
		b, err := io.ReadAll(body)
		body.Close()
		if err != nil || bytes.Contains(b, []byte("ZZPHI")) || bytes.Contains(b, []byte("1.2.1.1")) || len(b) < 64*64 {
			t.Errorf("%d bytes with identity, %v", len(b), err)
		}
	}
	if n != 1 {
		t.Errorf("%d instances", n)
	}
	for _, path := range []string{"/studies", "/series", "/instances", "/studies?PatientID=ZZPHI-1"} {
		if status, body := s.ask(http.MethodGet, c.Token, face.Root("PACS")+path); status >= 400 || strings.Contains(body, "ZZPHI") || strings.Contains(body, `"1.2.1`) {
			t.Errorf("%s: %d %s", path, status, body)
		}
	}
}
