package sender

import (
	"os"
	"path/filepath"
	"testing"

	"collimator/dicom"
	"collimator/dicom/tag"
	"collimator/dicom/uid"
)

func TestWhatBeginsAsDICOMIsToldFromOtherFiles(t *testing.T) {
	t.Parallel()
	part10 := smallFile(t)
	ds := dicom.NewDataSet()
	for _, el := range []dicom.Tag{tag.SOPClassUID, tag.SOPInstanceUID} {
		if err := ds.SetText(el, "1.2.3"); err != nil {
			t.Fatal(err)
		}
	}
	explicit := encoded(t, ds, uid.ExplicitVRLittleEndian)
	implicit := encoded(t, ds, uid.ImplicitVRLittleEndian)

	for name, tc := range map[string]struct {
		head []byte
		want bool
	}{
		"Part 10":               {part10, true},
		"Part 10, cut":          {part10[:140], true},
		"explicit, no preamble": {explicit, true},
		"implicit, no preamble": {implicit, true},
		"nothing":               {nil, false},
		"text":                  {[]byte("This is a text of more than eight bytes."), false},
		"JPEG":                  {[]byte("\xff\xd8\xff\xe0\x00\x10JFIF\x00\x01\x01\x00\x00\x48\x00\x48"), false},
		"zeros":                 {make([]byte, 200), false},
		"one element alone":     {explicit[:14], false},
	} {
		if got := looksDICOM(tc.head); got != tc.want {
			t.Errorf("%s: %v", name, got)
		}
	}
}

// What writers of discs put into a DICOMDIR: the class stands in front of the data set alone.
func TestADICOMDIRHasNotFailed(t *testing.T) {
	t.Parallel()
	ds := dicom.NewDataSet()
	ds.Set(dicom.NewSequence(tag.DirectoryRecordSequence))
	records := encoded(t, ds, uid.ExplicitVRLittleEndian)
	meta := dicom.AppendMeta(nil, dicom.Meta{
		SOPClassUID: uid.MediaStorageDirectory, SOPInstanceUID: "1.2.3",
		TransferSyntaxUID: uid.ExplicitVRLittleEndian, ImplementationClassUID: "2.25.1",
	})

	dir := t.TempDir()
	for name, content := range map[string][]byte{"DICOMDIR": append(meta, records...), "dicomdir.old": records} {
		if err := os.WriteFile(filepath.Join(dir, name), content, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	found, err := Look(t.Context(), []string{dir}, LookOptions{})
	if err != nil || len(found.DICOMDIRs) != 2 || len(found.Failed)+len(found.Files) != 0 {
		t.Errorf("%+v, %v", found, err)
	}
}
