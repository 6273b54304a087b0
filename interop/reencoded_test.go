//go:build interop

package interop_test

import (
	"path/filepath"
	"strings"
	"testing"

	"collimator/dicom"
	"collimator/dicom/dcmtktest"
	"collimator/dicom/tag"
	"collimator/dicom/uid"
	"collimator/interop/harness"
)

// TestObjectsThatDCMTKWroteAnewAreTheSameObjects sends an image as it is and then
// as dcmconv writes it: in other transfer syntaxes, with and without group
// lengths, with defined and undefined lengths. All of them are one object.
func TestObjectsThatDCMTKWroteAnewAreTheSameObjects(t *testing.T) {
	dcmtktest.Find(t, "dcmconv")
	s := harness.Start(t)
	keys := s.Device("WS1", harness.All...)

	ds := harness.Instance{Study: uid.New(), Pixels: 4096}.DataSet(t)
	item := dicom.NewDataSet()
	item.Set(dicom.NewElement(0x00091001, dicom.LO, []byte("ZZPHI private text")))
	inner := dicom.NewDataSet()
	inner.Set(dicom.NewElement(0x00091002, dicom.US, []byte{1, 2}))
	item.SetItems(0x00091003, inner)
	for _, e := range []struct {
		t     dicom.Tag
		vr    dicom.VR
		value string
	}{{0x00090010, dicom.LO, "ZZPHI CREATOR"}, {tag.StudyDescription, dicom.LO, "odd"}, {tag.ReferringPhysicianName, dicom.PN, "  "}} {
		ds.Set(dicom.NewElement(e.t, e.vr, []byte(e.value)))
	}
	item.Set(dicom.NewElement(0x00090010, dicom.LO, []byte("ZZPHI CREATOR ")))
	ds.SetItems(0x00091010, item)
	file := harness.WriteFile(t, t.TempDir(), ds)
	s.Must("send", s.Peer(), file, "--as", keys)

	for _, options := range []string{"+te", "+ti", "+tb", "+td", "+te -g", "+te +g -e", "+ti +g +e", "+tb -e", "+td +e"} {
		out := filepath.Join(t.TempDir(), "again.dcm")
		args := append(strings.Fields("-q "+options), file, out)
		dcmtktest.Must(t, "dcmconv", args...)
		if text, code := harness.Run(t, "send", s.Peer(), out, "--as", keys); code != 0 {
			t.Errorf("dcmconv %s: %s", options, text)
		}
	}
	if text := s.Must("quarantine", "list", "--data", s.Data); !strings.Contains(text, "Nothing is held back") {
		t.Errorf("held back: %s", text)
	}
}
