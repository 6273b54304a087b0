package export

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"

	"collimator/dicom"
	"collimator/dicom/deid"
	"collimator/dicom/tag"
	"collimator/dicom/uid"
	"collimator/internal/sender"
)

// writeImage writes an image of a marked patient.
func writeImage(t *testing.T, path, instance string) {
	t.Helper()
	ds := dicom.NewDataSet()
	for el, value := range map[dicom.Tag]string{
		tag.SOPClassUID: uid.CTImageStorage, tag.SOPInstanceUID: instance, tag.StudyInstanceUID: "2.25.1",
		tag.SeriesInstanceUID: "2.25.2", tag.PatientName: "ZZPHI^TEST", tag.PatientID: "ZZPHI-1", tag.Modality: "CT",
	} {
		if err := ds.SetText(el, value); err != nil {
			t.Fatal(err)
		}
	}
	var b bytes.Buffer
	b.Write(dicom.AppendMeta(nil, dicom.Meta{
		SOPClassUID: uid.CTImageStorage, SOPInstanceUID: instance, TransferSyntaxUID: uid.ExplicitVRLittleEndian,
		ImplementationClassUID: "2.25.3",
	}))
	if err := dicom.Encode(&b, ds, uid.ExplicitVRLittleEndian); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, b.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
}

func TestTheSameInstanceTwiceIsWrittenOnceAndTold(t *testing.T) {
	t.Parallel()
	in, out := t.TempDir(), t.TempDir()
	writeImage(t, filepath.Join(in, "a.dcm"), "2.25.10")
	writeImage(t, filepath.Join(in, "b.dcm"), "2.25.10")
	writeImage(t, filepath.Join(in, "c.dcm"), "2.25.11")
	found, err := sender.Look(t.Context(), []string{in}, sender.LookOptions{})
	if err != nil {
		t.Fatal(err)
	}

	calls := 0
	by := deid.New(bytes.Repeat([]byte{7}, 32), deid.Profile{})
	r := Deidentify(t.Context(), found, CleanOptions{By: by, Dir: out, Progress: func(int64, bool) { calls++ }})
	if r.Written != 2 || len(r.Files) != 2 || len(r.Failed) != 1 || calls != 3 {
		t.Fatalf("%+v after %d calls", r, calls)
	}
	for _, f := range r.Files {
		b, err := os.ReadFile(f.Output)
		if err != nil {
			t.Fatal(err)
		}
		if bytes.Contains(b, []byte("ZZPHI")) {
			t.Errorf("%s names its patient", filepath.Base(f.Output))
		}
	}
}
