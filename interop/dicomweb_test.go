//go:build interop

package interop_test

import (
	"bytes"
	"io"
	"net/http"
	"net/url"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"collimator/dicom"
	"collimator/dicom/tag"
	"collimator/dicom/uid"
	"collimator/dicomweb"
	"collimator/internal/archive"
	"collimator/internal/pacs"
	"collimator/interop/harness"
)

// TestQIDOGetsTheAnswersOfFindscu asks the queries of the table that findscu
// asks in the study root, and wants the same answers.
func TestQIDOGetsTheAnswersOfFindscu(t *testing.T) {
	t.Parallel()
	w := harness.StartWeb(t)
	dir := t.TempDir()
	n := studies(t, dir)
	var files [][]byte
	for _, path := range harness.Files(t, dir) {
		files = append(files, harness.ReadBytes(t, path))
	}
	storeAll(t, w, files)
	placeholder := regexp.MustCompile(`\{[^}]+\}`)
	asked := 0
	for _, q := range rows(t, "queries.tsv") {
		level, ok := map[string]dicomweb.Level{"STUDY": dicomweb.StudyLevel, "SERIES": dicomweb.SeriesLevel, "IMAGE": dicomweb.InstanceLevel}[q[2]]
		if q[1] != "S" || !ok || strings.HasPrefix(q[4], "!") {
			continue // what C-FIND refuses for its hierarchy QIDO-RS has a path for (PS3.18 10.6.1.1)
		}
		asked++
		t.Run(q[0], func(t *testing.T) {
			query := url.Values{}
			for _, k := range strings.Split(q[3], ";") {
				if name, value, _ := strings.Cut(k, "="); name != "" {
					name = strings.NewReplacer("[0]", "").Replace(strings.Trim(name, "()"))
					if value == "" {
						query.Add("includefield", name)
						continue
					}
					query.Set(name, placeholder.ReplaceAllStringFunc(value, func(l string) string { return n.uid[l[1:len(l)-1]] }))
				}
			}
			var got []string
			var failed error
			for ds, err := range w.Client.Search(t.Context(), level, dicomweb.Resource{}, query) {
				if failed = err; err != nil {
					break
				}
				u := ds.Text(map[dicomweb.Level]dicom.Tag{dicomweb.StudyLevel: tag.StudyInstanceUID, dicomweb.SeriesLevel: tag.SeriesInstanceUID, dicomweb.InstanceLevel: tag.SOPInstanceUID}[level])
				got = append(got, n.label[u])
			}
			if failed != nil {
				t.Fatal(failed)
			}
			var want []string
			if q[4] != "" {
				want = strings.Split(q[4], ",")
			}
			slices.Sort(want)
			slices.Sort(got)
			if !slices.Equal(got, want) {
				t.Errorf("got %v, want %v", got, want)
			}
		})
	}
	t.Logf("%d queries have the same answers", asked)
}

func storeAll(t *testing.T, w *harness.Web, files [][]byte) *dicomweb.StoreReport {
	t.Helper()
	report, err := w.Client.Store(t.Context(), "", func(yield func(io.Reader, error) bool) {
		for _, f := range files {
			if !yield(bytes.NewReader(f), nil) {
				return
			}
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	return report
}

// TestCorpusGoesInBySTOWAndComesOutByWADO stores every file of the corpus that
// is a composite object, and fetches each study.
func TestCorpusGoesInBySTOWAndComesOutByWADO(t *testing.T) {
	t.Parallel()
	files, malformed := corpusFiles(t, harness.Shared(t, "corpus"))
	w := harness.StartWeb(t)
	for _, path := range malformed {
		if report := storeAll(t, w, [][]byte{part10(t, path)}); len(report.Stored) > 0 {
			t.Errorf("%s was taken", filepath.Base(path))
		}
	}
	total := 0
	for round := 0; len(files) > 0; round++ {
		if round == corpusRounds {
			t.Fatalf("%d files are left after %d archives", len(files), round)
		}
		stored, next := webRound(t, files)
		if stored == 0 {
			t.Fatal("no progress")
		}
		total += stored
		files = next
	}
	t.Logf("%d files went in by STOW-RS and came out unchanged by WADO-RS; %d with malformed UIDs are refused", total, len(malformed))
}

// part10 is a file as it can be stored: one without meta information gets it.
func part10(t *testing.T, path string) []byte {
	t.Helper()
	b := harness.ReadBytes(t, path)
	f := harness.ReadFile(t, path)
	if f.Meta.Text(tag.TransferSyntaxUID) != "" && f.HasPreamble {
		return b
	}
	head := dicom.AppendMeta(nil, dicom.Meta{SOPClassUID: f.DataSet.Text(tag.SOPClassUID), SOPInstanceUID: f.DataSet.Text(tag.SOPInstanceUID), TransferSyntaxUID: f.TransferSyntax})
	return append(head, b[f.DataSetOffset:]...)
}

// webRound fills one archive and empties it again; it returns the files whose
// identity another one has.
func webRound(t *testing.T, files []string) (stored int, next []string) {
	files, next = onceEach(t, files)
	w := harness.StartWeb(t)
	kept, inStudy := map[string]string{}, map[string]bool{}
	for _, path := range files {
		report := storeAll(t, w, [][]byte{part10(t, path)})
		switch {
		case len(report.Stored) == 1:
			stored++
			kept[report.Stored[0].SOPInstanceUID] = path
			inStudy[strings.Split(strings.TrimPrefix(report.Stored[0].RetrieveURL, harness.WebRoot), "/")[2]] = true
		case len(report.Failed) == 1 && (report.Failed[0].Reason == 0x0111 || report.Failed[0].Reason == 0x0117):
			next = append(next, path)
		default:
			t.Errorf("%s: %+v", filepath.Base(path), report)
		}
	}
	everyFormOf(t, w, inStudy)
	out := map[string]bool{}
	for study := range inStudy {
		for p, err := range w.Client.Retrieve(t.Context(), dicomweb.Resource{StudyUID: study}) {
			if err != nil {
				t.Fatal(err)
			}
			b, err := io.ReadAll(p.Data)
			if err != nil {
				t.Fatal(err)
			}
			out[sameAsStored(t, kept, b)] = true
		}
	}
	if len(out) != len(kept) {
		t.Errorf("%d instances went in, %d came out", len(kept), len(out))
	}
	return stored, next
}

// everyFormOf asks for the metadata, pictures and frames of each instance: what
// cannot be had is refused, and nothing fails.
func everyFormOf(t *testing.T, w *harness.Web, studies map[string]bool) {
	t.Helper()
	for study := range studies {
		for h, err := range (&pacs.Web{Archive: w.Archive}).Instances(t.Context(), dicomweb.Selection{Resource: dicomweb.Resource{StudyUID: study}, Restriction: archive.Everything()}) {
			if err != nil {
				t.Fatal(err)
			}
			base := w.URL + "/studies/" + h.StudyUID + "/series/" + h.SeriesUID + "/instances/" + h.SOPInstanceUID
			for _, path := range []string{"/metadata", "/rendered", "/thumbnail?viewport=64,64", "/frames/1", "/bulkdata", "/bulkdata/7FE00010", ""} {
				rs, err := http.Get(base + path)
				if err != nil {
					t.Fatal(err)
				}
				_, err = io.Copy(io.Discard, rs.Body)
				rs.Body.Close()
				refused := rs.StatusCode == http.StatusNotFound || rs.StatusCode == http.StatusNotAcceptable
				whole := path == "" || path == "/metadata"
				if err != nil || rs.StatusCode != http.StatusOK && (!refused || whole) {
					t.Errorf("%s of an instance in %s: status %d, %v", path, uid.Name(h.TransferSyntaxUID), rs.StatusCode, err)
				}
			}
		}
	}
}

// withoutLengths leaves out group lengths, which are others in another syntax.
func withoutLengths(ds *dicom.DataSet) *dicom.DataSet {
	out := ds.Clone()
	var lengths []dicom.Visit
	for v := range out.Walk() {
		if v.Tag.GroupLength() {
			lengths = append(lengths, v)
		}
	}
	for _, v := range lengths {
		v.DataSet.Delete(v.Tag)
	}

	return out
}

// sameAsStored compares the data set of a file that came out byte for byte with
// that of the file that went in.
func sameAsStored(t *testing.T, kept map[string]string, b []byte) string {
	t.Helper()
	got, err := dicom.ReadFile(bytes.NewReader(b), dicom.DecodeOptions{})
	if err != nil {
		t.Fatal(err)
	}
	u := got.DataSet.Text(tag.SOPInstanceUID)
	path, ok := kept[u]
	if !ok {
		t.Error("an instance came out that did not go in")
		return u
	}
	want := harness.ReadFile(t, path)
	raw := harness.ReadBytes(t, path)
	same := bytes.Equal(b[got.DataSetOffset:], raw[want.DataSetOffset:]) && got.TransferSyntax == want.TransferSyntax
	switch want.TransferSyntax {
	case uid.ImplicitVRLittleEndian, uid.ExplicitVRBigEndian: // not to be used with web services (PS3.18 8.7.3)
		same = got.TransferSyntax == uid.ExplicitVRLittleEndian && withoutLengths(got.DataSet).Equal(withoutLengths(want.DataSet))
	}
	if !same {
		t.Errorf("%s came out changed (%s as %s)", filepath.Base(path), uid.Name(want.TransferSyntax), uid.Name(got.TransferSyntax))
	}
	return u
}
