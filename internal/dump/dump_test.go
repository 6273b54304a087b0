package dump

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"collimator/dicom"
	"collimator/dicom/tag"
	"collimator/dicom/uid"
	"collimator/internal/fault"
)

func TestDumpNamesCompressedPixelsByTheirFile(t *testing.T) {
	t.Parallel()
	ds := dicom.NewDataSet()
	ds.Set(dicom.NewElement(tag.SOPClassUID, dicom.UI, []byte(uid.CTImageStorage)))
	ds.Set(dicom.NewElement(tag.SOPInstanceUID, dicom.UI, []byte("2.25.1")))
	ds.Set(dicom.NewFragments(tag.PixelData, dicom.OB, nil, bytes.Repeat([]byte{1}, 100_000)))
	b := dicom.AppendMeta(nil, dicom.Meta{SOPClassUID: uid.CTImageStorage, SOPInstanceUID: "2.25.1", TransferSyntaxUID: uid.JPEG2000})
	w := bytes.NewBuffer(b)
	if err := dicom.Encode(w, ds, uid.JPEG2000); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "an image.dcm")
	if err := os.WriteFile(path, w.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}

	var out bytes.Buffer
	if err := Files(&out, []string{path}, nil, Options{Reveal: true, JSON: true}); err != nil {
		t.Fatal(err)
	}
	var got map[string]struct{ BulkDataURI string }
	if err := json.Unmarshal(out.Bytes(), &got); err != nil {
		t.Fatal(err)
	}
	if u := got["7FE00010"].BulkDataURI; !strings.HasPrefix(u, "file:///") || !strings.HasSuffix(u, "/an%20image.dcm#7FE00010") {
		t.Errorf("the pixel data are at %q", u)
	}
}

func TestHarmlessElementsSayNothingAboutAPerson(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]bool{
		"Modality": true, "Rows": true, "SliceThickness": true, "SOPClassUID": true,
		"PatientName": false, "PatientSex": false, "PatientWeight": false, "PatientBirthDate": false, "StudyDate": false, "AccessionNumber": false,
		"InstitutionName": false, "StudyDescription": false, "ReferringPhysicianName": false, "StudyInstanceUID": false, "StationName": false,
	} {
		key, err := tag.Parse(name)
		if err != nil {
			t.Fatal(err)
		}
		ds := dicom.NewDataSet()
		switch name {
		case "Rows":
			ds.Set(dicom.NewElement(key, dicom.US, []byte{1, 0}))
		case "SOPClassUID":
			ds.Set(dicom.NewElement(key, dicom.UI, []byte(uid.CTImageStorage)))
		default:
			err = ds.SetText(key, "1")
		}
		if err != nil {
			t.Fatal(err)
		}
		for el := range ds.All() {
			if harmless(el) != want {
				t.Errorf("%s: harmless is not %v", name, want)
			}
		}
	}
}

func TestWhatIsPrintedWithholdsWhoThePatientIs(t *testing.T) {
	t.Parallel()
	ds := dicom.NewDataSet()
	for key, value := range map[dicom.Tag]string{tag.PatientName: "ZZPHI^DUMP", tag.Modality: "CT", tag.SOPClassUID: uid.CTImageStorage} {
		if err := ds.SetText(key, value); err != nil {
			t.Fatal(err)
		}
	}

	var out bytes.Buffer
	if err := (Options{}).print(&out, ds, ""); err != nil {
		t.Fatal(err)
	}
	if text := out.String(); strings.Contains(text, "ZZPHI") || !strings.Contains(text, "(withheld)") || !strings.Contains(text, " CT\n") {
		t.Errorf("printed:\n%s", text)
	}

	out.Reset()
	if err := (Options{Reveal: true, Width: 5}).print(&out, ds, ""); err != nil || !strings.Contains(out.String(), " ZZPHI...\n") {
		t.Errorf("%v, printed:\n%s", err, &out)
	}
	if err := Files(&out, nil, nil, Options{JSON: true}); fault.EndingOf(err) != fault.Misused {
		t.Errorf("JSON without --reveal: %v", err)
	}
}

func TestMatchesAreOneArrayHoweverManyThereAre(t *testing.T) {
	t.Parallel()
	for n := range 3 {
		var out bytes.Buffer
		m := &Matches{W: &out, Form: "json", Level: "study"}
		for range n {
			ds := dicom.NewDataSet()
			if err := ds.SetText(tag.StudyInstanceUID, "1.2.3"); err != nil {
				t.Fatal(err)
			}
			if err := m.Add(ds); err != nil {
				t.Fatal(err)
			}
		}
		if err := m.End(); err != nil {
			t.Fatal(err)
		}
		var list []any
		if err := json.Unmarshal(out.Bytes(), &list); err != nil || len(list) != n {
			t.Errorf("%d matches: %v in %q", n, err, &out)
		}
	}
}
