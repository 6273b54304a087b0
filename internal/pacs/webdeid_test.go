package pacs_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"

	"collimator/dicom"
	"collimator/dicom/tag"
	"collimator/dicom/uid"
	"collimator/dicomweb"
	"collimator/internal/archive"
	"collimator/internal/policy"
)

// restrictedBy is a door that restricts every call to what the header says:
// a project, or none for all with identities.
func restrictedBy(ctx context.Context, call *dicomweb.Call, next func(context.Context) dicomweb.Outcome) dicomweb.Outcome {
	r := policy.Sight{Everything: true, Deidentified: true, Project: call.Request.Header.Get("Project")}
	if study := call.Request.Header.Get("Study"); study != "" {
		r.Everything = false
		r.Studies = []string{study}
	}
	if call.Request.Header.Get("Project") == "none" {
		r = policy.Sight{Everything: true}
	}
	call.Restriction = r
	return next(ctx)
}

// hiddenArchive holds two studies of one patient and one of another; an
// ultrasound image and a document are among them.
func hiddenArchive(t *testing.T) *web {
	t.Helper()
	w := openWeb(t, restrictedBy)
	head := map[dicom.Tag]string{tag.PatientID: "ZZPHI-1", tag.ReferringPhysicianName: "ZZPHI^Doctor", tag.StudyDescription: "ZZPHI kopf", tag.AccessionNumber: "ZZPHI-A", tag.InstitutionName: "ZZPHI"}
	var files [][]byte
	for _, s := range []spec{{study: 1, series: 1, instance: 1}, {study: 1, series: 1, instance: 2}, {study: 1, series: 2, instance: 1}, {study: 2, series: 1, instance: 1}} {
		s.set = head
		files = append(files, file(t, s.dataSet(t), uid.ExplicitVRLittleEndian))
	}
	us := spec{study: 1, series: 3, instance: 1, class: uid.UltrasoundImageStorage, set: map[dicom.Tag]string{tag.PatientID: "ZZPHI-1", tag.Modality: "US"}}
	pdf := spec{study: 1, series: 4, instance: 1, class: uid.EncapsulatedPDFStorage, set: map[dicom.Tag]string{tag.PatientID: "ZZPHI-1", tag.Modality: "DOC"},
		pixels: dicom.NewElement(tag.EncapsulatedDocument, dicom.OB, []byte("%PDF-1.7 ZZPHI "))}
	other := spec{study: 3, series: 1, instance: 1, set: map[dicom.Tag]string{tag.PatientID: "ZZPHI-3"}}
	for _, s := range []spec{us, pdf, other} {
		files = append(files, file(t, s.dataSet(t), uid.ExplicitVRLittleEndian))
	}
	rs, err := w.client.Store(context.Background(), "", each(files))
	if err == nil && len(rs.Stored) == len(files) {
		return w
	}
	t.Fatalf("%+v, %v", rs, err)
	return nil
}

// found is a search's answer by UIDs.
func found(t *testing.T, a answer, tags ...string) (list [][]string) {
	t.Helper()
	if a.status == http.StatusNoContent {
		return nil
	}
	var matches []map[string]struct{ Value []any }
	if err := json.Unmarshal(a.want(t, http.StatusOK).body, &matches); err != nil {
		t.Fatal(err)
	}
	for _, m := range matches {
		var row []string
		for _, tg := range tags {
			row = append(row, fmt.Sprint(m[tg].Value))
		}
		list = append(list, row)
	}
	return list
}

const studyUID, seriesUID, instanceUID = "0020000D", "0020000E", "00080018"

// plain takes the brackets off a single value.
func plain(s string) string { return strings.Trim(s, "[]") }

// names no patient, and no real UID.
func wantHidden(t *testing.T, what string, a answer) {
	t.Helper()
	for _, leak := range []string{"ZZPHI", "Schmidt", "1.2.3.1", "1.2.3.2", "1.2.3.3", "20240506", "COL1"} {
		if bytes.Contains(a.body, []byte(leak)) || strings.Contains(fmt.Sprint(a.header), leak) {
			t.Errorf("%s: the answer holds %q", what, leak)
		}
	}
}

func TestAResearcherGetsEverythingWithoutIdentity(t *testing.T) {
	t.Parallel()
	w := hiddenArchive(t)
	studies := found(t, w.ask("GET", "/studies?includefield=all", "*/*"), studyUID, "00100020", "00080020")
	if len(studies) != 3 {
		t.Fatalf("%d studies", len(studies))
	}
	patients := map[string]int{}
	for _, s := range studies {
		patients[s[1]]++
	}
	if len(patients) != 2 {
		t.Errorf("studies of one patient do not stay together: %v", patients)
	}
	seen := 0
	for _, s := range studies {
		study := "/studies/" + plain(s[0])
		for _, path := range []string{"", "/metadata", "/series", "/series?includefield=all", "/instances?includefield=all", "/thumbnail", "/rendered"} {
			wantHidden(t, study+path, w.ask("GET", study+path, "*/*"))
		}
		for _, i := range found(t, w.ask("GET", study+"/instances", "*/*"), seriesUID, instanceUID) {
			one := study + "/series/" + plain(i[0]) + "/instances/" + plain(i[1])
			for _, path := range []string{"", "/metadata", "/frames/1", "/rendered", "/thumbnail", "/frames/1/rendered", "/bulkdata"} {
				a := w.ask("GET", one+path, "*/*")
				wantHidden(t, one+path, a)
				if path == "/frames/1" && a.status == http.StatusOK {
					seen++
					if !bytes.Contains(a.body, ramp(64*64)) {
						t.Error("the pixels are not those of the image")
					}
				}
			}
		}
	}
	if seen != 5 {
		t.Errorf("pixels of %d images, want 5", seen)
	}
}

// One image tells the same of itself in a search, in its metadata and in its
// file, and what is likely to show its patient is refused.
func TestHiddenViewsAgreeAndRefuseWhatShowsThePatient(t *testing.T) {
	t.Parallel()
	w := hiddenArchive(t)
	counts := map[int]int{}
	for _, s := range found(t, w.ask("GET", "/studies", "*/*"), studyUID) {
		study := "/studies/" + plain(s[0])
		for _, i := range found(t, w.ask("GET", study+"/instances?includefield=StudyDate,PatientID", "*/*"), seriesUID, instanceUID, "00080020", "00100020") {
			one := study + "/series/" + plain(i[0]) + "/instances/" + plain(i[1])
			a := w.ask("GET", one, "application/dicom")
			if counts[a.status]++; a.status != http.StatusOK {
				continue
			}
			f, err := dicom.OpenFile(bytes.NewReader(a.body), int64(len(a.body)), dicom.DecodeOptions{})
			if err != nil {
				t.Fatal(err)
			}
			got := []string{"[" + f.DataSet.Text(tag.SeriesInstanceUID) + "]", "[" + f.DataSet.Text(tag.SOPInstanceUID) + "]", "[" + f.DataSet.Text(tag.StudyDate) + "]", "[" + f.DataSet.Text(tag.PatientID) + "]"}
			meta := found(t, w.ask("GET", one+"/metadata", "*/*"), seriesUID, instanceUID, "00080020", "00100020")
			if !slices.Equal(got, i) || !slices.Equal(meta[0], i) {
				t.Errorf("file %v, metadata %v, search %v", got, meta, i)
			}
			if f.DataSet.Text(tag.PatientIdentityRemoved) != "YES" || strings.Contains(a.header.Get("Etag"), "1.2.3") {
				t.Error("the file does not say that the identity was removed")
			}
		}
	}
	if counts[http.StatusOK] != 5 || len(counts) != 1 { // what is left out is not listed
		t.Errorf("answers by status: %v", counts)
	}
}

// TestWhatIsLeftOutOfARetrievalIsNotListed: neither the document with its title nor
// the image that shows its patient. A study or series with nothing else is.
func TestWhatIsLeftOutOfARetrievalIsNotListed(t *testing.T) {
	t.Parallel()
	w := hiddenArchive(t)
	w.put(file(t, spec{study: 8, series: 1, instance: 1, class: uid.EncapsulatedPDFStorage,
		set:    map[dicom.Tag]string{tag.PatientID: "ZZPHI-8", tag.Modality: "DOC", tag.DocumentTitle: "ZZPHI letter"},
		pixels: dicom.NewElement(tag.EncapsulatedDocument, dicom.OB, []byte("%PDF-1.7 ZZPHI "))}.dataSet(t), uid.ExplicitVRLittleEndian))
	for path, want := range map[string]int{
		"/studies": 4, "/series": 7, "/instances": 5, "/instances?Modality=DOC": 0, "/instances?Modality=US": 0, "/series?Modality=DOC": 2, "/studies?ModalitiesInStudy=DOC": 2,
		"/instances?limit=2": 2, "/instances?limit=100&offset=2": 3, "/instances?offset=5": 0, "/studies?offset=2": 2,
		"/instances?includefield=DocumentTitle,00420010": 5,
	} {
		a := w.ask("GET", path, "*/*")
		if got := len(found(t, a, studyUID)); got != want {
			t.Errorf("%s: %d matches, want %d", path, got, want)
		}
		wantHidden(t, path, a)
	}

	// Pages one after the other list everything once.
	seen := map[string]bool{}
	for offset := range 5 {
		for _, i := range found(t, w.ask("GET", fmt.Sprint("/instances?limit=1&offset=", offset), "*/*"), instanceUID) {
			seen[i[0]] = true
		}
	}
	if len(seen) != 5 {
		t.Errorf("%d instances in pages, want 5", len(seen))
	}
	for what, got := range map[string]int{
		"studies": len(found(t, w.ask("GET", "/studies", "*/*", "Project", "none"), studyUID)), "instances": len(found(t, w.ask("GET", "/instances", "*/*", "Project", "none"), studyUID)),
	} {
		if want := map[string]int{"studies": 4, "instances": 8}[what]; got != want {
			t.Errorf("who sees identities finds %d %s, want %d", got, what, want)
		}
	}
}

func TestHiddenSearchIsNoOracle(t *testing.T) {
	t.Parallel()
	w := hiddenArchive(t)
	pseudonym := plain(found(t, w.ask("GET", "/studies", "*/*"), studyUID)[0][0])
	for query, want := range map[string]int{
		"":                                      3,
		"?ModalitiesInStudy=US":                 1,
		"?PatientName=ZZPHI*":                   0,
		"?PatientName=*":                        3,
		"?PatientID=ZZPHI-1":                    0,
		"?AccessionNumber=ZZPHI-A":              0,
		"?StudyDate=20240506":                   0,
		"?StudyDescription=ZZPHI*":              0,
		"?ReferringPhysicianName=ZZPHI*":        0,
		"?PatientName=zzphi&fuzzymatching=true": 0,
		"?StudyInstanceUID=1.2.3.1":             0,
		"?StudyInstanceUID=" + pseudonym:        1,
		"?00081111.00081150=1.2":                0,
	} {
		if got := len(found(t, w.ask("GET", "/studies"+query, "*/*"), studyUID)); got != want {
			t.Errorf("%q: %d matches, want %d", query, got, want)
		}
	}
	for _, path := range []string{"/studies/1.2.3.1", "/studies/1.2.3.1/metadata", "/studies/1.2.3.1/series/1.2.3.1.1/instances/1.2.3.1.1.1/frames/1", "/studies/" + pseudonym + "/series/1.2.3.1.1/metadata"} {
		w.ask("GET", path, "*/*").want(t, http.StatusNotFound)
	}
	w.ask("GET", "/studies/"+pseudonym+"/metadata", "*/*").want(t, http.StatusOK)
	if a := w.ask("GET", "/studies/"+pseudonym+"/metadata", "*/*", "Project", "another"); a.status != http.StatusNotFound {
		t.Errorf("another project knows the pseudonym: status %d", a.status)
	}
	one := found(t, w.ask("GET", "/studies", "*/*", "Study", "1.2.3.3", "Project", "link"), studyUID)
	if len(one) != 1 {
		t.Fatalf("a link to one study shows %d", len(one))
	}
	w.ask("GET", "/studies/"+plain(one[0][0])+"/metadata", "*/*", "Study", "1.2.3.3", "Project", "link").want(t, http.StatusOK)
}

// A study that is stored later, and one from which something was deleted, are
// found by their pseudonyms.
func TestPseudonymsFollowTheArchive(t *testing.T) {
	t.Parallel()
	w := hiddenArchive(t)
	first := found(t, w.ask("GET", "/studies", "*/*"), studyUID)
	for _, s := range first {
		w.ask("GET", "/studies/"+plain(s[0])+"/metadata", "*/*").want(t, http.StatusOK)
	}
	rq, err := http.NewRequest(http.MethodDelete, w.server.URL+root+"/studies/1.2.3.3", nil)
	if err != nil {
		t.Fatal(err)
	}
	rq.Header.Set("Project", "none")
	if a := w.do(rq); a.status == http.StatusNoContent {
		t.Error("deleted without a reason")
	}
	w.delete(t, "1.2.3.3")
	w.delete(t, "1.2.3.1/series/1.2.3.1.1/instances/1.2.3.1.1.1")
	w.put(file(t, spec{study: 4, series: 1, instance: 1}.dataSet(t), uid.ExplicitVRLittleEndian))
	w.put(file(t, spec{study: 1, series: 1, instance: 9, set: map[dicom.Tag]string{tag.PatientID: "ZZPHI-1"}}.dataSet(t), uid.ExplicitVRLittleEndian))
	then := found(t, w.ask("GET", "/studies", "*/*"), studyUID)
	if len(then) != 3 {
		t.Fatalf("%d studies", len(then))
	}
	for _, s := range then {
		w.ask("GET", "/studies/"+plain(s[0])+"/metadata", "*/*").want(t, http.StatusOK)
		for _, i := range found(t, w.ask("GET", "/studies/"+plain(s[0])+"/instances", "*/*"), seriesUID, instanceUID, "00080060") {
			if i[2] == "[CT]" {
				w.ask("GET", "/studies/"+plain(s[0])+"/series/"+plain(i[0])+"/instances/"+plain(i[1])+"/frames/1", "*/*").want(t, http.StatusOK)
			}
		}
	}
}

// delete removes with a reason, past the door.
func (w *web) delete(t *testing.T, path string) {
	t.Helper()
	parts := strings.Split(path, "/")
	d := archive.Deletion{Scope: archive.Everything(), StudyUID: parts[0], Why: "because of the test"}
	if len(parts) == 5 {
		d.SOPInstanceUID = parts[4]
	}
	if _, err := w.archive.Delete(t.Context(), d); err != nil {
		t.Fatal(err)
	}
}
