//go:build interop

package interop_test

import (
	"bytes"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"collimator/dicom"
	"collimator/dicom/dcmtktest"
	"collimator/dicom/tag"
	"collimator/dicom/uid"
	"collimator/interop/harness"
)

// facedArchive is our own archive, without TLS, behind a gate with a face.
func facedArchive(t *testing.T) *faced {
	t.Helper()
	inner := harness.Start(t)
	f := gateWithFace(t, harness.AETitle, inner.Plain)
	until := time.Now().AddDate(0, 0, 2).Format(time.DateOnly)
	inner.Must(append([]string{"device", "add", "GATEWEB", "--data", inner.Data, "--plaintext", "--address", "127.0.0.1", "--until", until}, harness.All...)...)
	if !harness.WaitListening(inner.Plain, 10*time.Second) {
		t.Fatal("the archive behind does not listen without TLS")
	}
	return f
}

// TestCorpusGoesThroughTheFaceAndComesBackUnchanged: in full by hand, with COLLIMATOR_CORPUS=all.
func TestCorpusGoesThroughTheFaceAndComesBackUnchanged(t *testing.T) {
	files, _ := corpusFiles(t, harness.Shared(t, "corpus"))
	most := 2
	if os.Getenv("COLLIMATOR_CORPUS") == "all" {
		most = corpusRounds
	}
	total := 0
	for round := 0; len(files) > 0 && round < most; round++ {
		var stored int
		var next []string
		t.Run("", func(t *testing.T) { stored, next = faceRound(t, files) })
		if stored == 0 {
			t.Fatal("no progress")
		}
		total += stored
		files = next
	}
	t.Logf("%d files went in by STOW-RS and came out unchanged by WADO-RS, through the face", total)
}

// faceRound fills one archive behind a face and empties it again; it returns the files whose identity
// another one has.
func faceRound(t *testing.T, files []string) (stored int, next []string) {
	files, next = onceEach(t, files)
	f := facedArchive(t)
	token := f.token("ada", "write")
	kept, inStudy := map[string]string{}, map[string]bool{}
	for _, path := range files {
		file := filepath.Join(t.TempDir(), "file.dcm")
		if err := os.WriteFile(file, part10(t, path), 0o600); err != nil {
			t.Fatal(err)
		}
		report := f.stow(token, file)
		ds := harness.ReadFile(t, path).DataSet
		switch {
		case len(report.Stored) == 1:
			stored++
			if study := ds.Text(tag.StudyInstanceUID); study != "" && ds.Text(tag.SeriesInstanceUID) != "" {
				kept[report.Stored[0].SOPInstanceUID] = path
				inStudy[study] = true
			}
		case len(report.Failed) == 1 && (report.Failed[0].Reason == 0x0111 || report.Failed[0].Reason == 0x0117):
			next = append(next, path)
		case len(report.Failed) == 1 && report.Failed[0].Reason == 0xC000:
			t.Logf("%s is refused, as by C-STORE through the gate", filepath.Base(path))
		default:
			t.Errorf("%s: %+v", filepath.Base(path), report)
		}
	}

	out := map[string]bool{}
	for study := range inStudy {
		for u, file := range f.files(token, study) {
			out[u] = true
			path, ok := kept[u]
			if !ok {
				t.Error("an instance came out that did not go in")
				continue
			}
			want := harness.ReadFile(t, path)
			if !sameContent(t, file, want) {
				t.Errorf("%s came out changed (%s as %s)", filepath.Base(path), uid.Name(want.TransferSyntax), uid.Name(file.TransferSyntax))
			}
		}
	}
	if len(out) != len(kept) {
		t.Errorf("%d instances went in, %d came out", len(kept), len(out))
	}
	return stored, next
}

// sameContent compares all elements and the pixel data of two files, in whatever encoding.
func sameContent(t *testing.T, a, b *dicom.File) bool {
	t.Helper()
	encoded := func(f *dicom.File) dicom.Encoded {
		var buf bytes.Buffer
		if err := dicom.Encode(&buf, f.DataSet, f.TransferSyntax); err != nil {
			t.Fatal(err)
		}
		return dicom.Encoded{Data: &buf, TransferSyntax: f.TransferSyntax}
	}
	same, err := dicom.SameElements(encoded(a), encoded(b), dicom.Limits{})
	return err == nil && same
}

// TestTheFaceFindsWhatFindscuFinds asks systems directly, and by DICOMweb.
func TestTheFaceFindsWhatFindscuFinds(t *testing.T) {
	t.Parallel()
	for name, start := range legacies {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := startFaced(t, start)
			dir := t.TempDir()
			var sent []string
			for i := range 12 {
				study := uid.New()
				in := harness.Instance{
					Study: study, Fill: byte(i), PatientName: fmt.Sprintf("ZZPHI^N%d", i%4), PatientID: fmt.Sprintf("ZZPHI-%d", i%3),
					StudyDate: fmt.Sprintf("202601%02d", 1+i%6), Modality: []string{"CT", "MR", "OT"}[i%3],
					Set: map[dicom.Tag]string{tag.AccessionNumber: fmt.Sprintf("A%d", i), tag.StudyDescription: "thorax"},
				}
				sent = append(sent, in.Write(t, dir))
			}
			if report := f.stow(f.token("ada", "write"), sent...); len(report.Stored) != len(sent) {
				t.Fatalf("%+v", report)
			}
			rita := f.token("rita", "read")
			_, port, _ := strings.Cut(f.behind, ":")
			for _, keys := range []map[string]string{
				{}, {"PatientID": "ZZPHI-1"}, {"PatientName": "ZZPHI^N2"}, {"PatientName": "ZZPHI^N*"}, {"StudyDate": "20260102-20260104"},
				{"StudyDate": "20260103"}, {"AccessionNumber": "A7"}, {"PatientID": "ZZPHI-2", "StudyDate": "20260103"}, {"PatientID": "NOBODY"},
			} {
				args := []string{"-S", "-aet", "GATEWEB", "-aec", "OLDPACS", "-k", "QueryRetrieveLevel=STUDY", "-k", "StudyInstanceUID"}
				query := url.Values{}
				for k, v := range keys {
					args = append(args, "-k", k+"="+v)
					query.Set(k, v)
				}
				out, code := harness.Exec(t, time.Minute, nil, dcmtktest.Find(t, "findscu"), append(args, "127.0.0.1", port)...)
				mustSucceed(t, out, code)
				var direct []string
				for _, path := range sent {
					if study := harness.ReadFile(t, path).DataSet.Text(tag.StudyInstanceUID); strings.Contains(out, study) {
						direct = append(direct, study)
					}
				}
				slices.Sort(direct)
				if got := f.searched(rita, query); !slices.Equal(got, direct) {
					t.Errorf("%v: findscu finds %d, DICOMweb %d", keys, len(direct), len(got))
				}
			}
		})
	}
}

// TestACharacterOutsideASCIIIsFoundAndShown is a name in Latin-1 at a PACS that compares bytes.
func TestACharacterOutsideASCIIIsFoundAndShown(t *testing.T) {
	t.Parallel()
	for name, start := range legacies {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := startFaced(t, start)
			study := uid.New()
			path := harness.Instance{Study: study, PatientName: "ZZPHI^Müller", CharacterSet: []string{"ISO_IR 100"}}.Write(t, t.TempDir())
			if report := f.stow(f.token("ada", "write"), path); len(report.Stored) != 1 {
				t.Fatalf("%+v", report)
			}
			rita := f.token("rita", "read")
			if got := f.searched(rita, url.Values{"PatientName": {"ZZPHI^Müller"}}); len(got) != 1 {
				t.Errorf("found %v", got)
			}
			if _, b, _ := f.get(rita, "/studies?StudyInstanceUID="+study); !bytes.Contains(b, []byte("Müller")) {
				t.Errorf("shown as %s", b)
			}
		})
	}
}
