//go:build interop

package interop_test

import (
	"strings"
	"testing"

	"collimator/dicom"
	"collimator/dicom/tag"
	"collimator/interop/harness"
)

// TestMalwareInAnObjectIsHeldBack is DS-09 and FL-04: a program in a private
// element and a PDF that runs a script are not handed on until somebody looked.
func TestMalwareInAnObjectIsHeldBack(t *testing.T) {
	t.Parallel()
	s := harness.Start(t)
	keys := s.Device("WS1", harness.All...)
	program := make([]byte, 8192)
	copy(program, "MZ")
	program[60] = 128
	copy(program[128:], "PE\x00\x00")
	for name, change := range map[string]func(ds *dicom.DataSet){
		"program in a private element": func(ds *dicom.DataSet) {
			ds.Set(dicom.NewText(0x00110010, dicom.LO, "TEST"))
			ds.Set(dicom.NewElement(0x00111001, dicom.OB, program))
		},
		"script in an encapsulated PDF": func(ds *dicom.DataSet) {
			ds.Set(dicom.NewText(tag.MIMETypeOfEncapsulatedDocument, dicom.LO, "application/pdf"))
			ds.Set(dicom.NewElement(tag.EncapsulatedDocument, dicom.OB, []byte("%PDF-1.7\n1 0 obj <</S /JavaScript /JS (app.alert)>> endobj\n")))
		},
	} {
		t.Run(name, func(t *testing.T) {
			in := harness.Instance{PatientID: "ZZPHI-" + strings.ReplaceAll(name, " ", "")}
			ds := in.DataSet(t)
			change(ds)
			out, code := harness.Run(t, "send", s.Peer(), "--as", keys, harness.WriteFile(t, t.TempDir(), ds))
			if code != 3 || !strings.Contains(out, "held") {
				t.Errorf("exit code %d: %s", code, out)
			}
			study := ds.Text(tag.StudyInstanceUID)
			if found := s.Must("find", s.Peer(), "--as", keys, "-o", "uids", "StudyInstanceUID="+study); strings.Contains(found, study) {
				t.Error("it is found although it is held back")
			}
		})
	}
	if list := s.Must("quarantine", "list", "--data", s.Data); strings.Count(list, "suspicious") != 2 {
		t.Errorf("the quarantine lists:\n%s", list)
	}
	if out := s.Must("verify", "--data", s.Data); !strings.Contains(out, "as it was recorded") {
		t.Error(out)
	}
}
