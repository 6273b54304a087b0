package pacs_test

import (
	"bytes"
	"fmt"
	"strings"
	"testing"

	"collimator/dicom"
	"collimator/dicom/tag"
	"collimator/dicom/uid"
)

// Text that is kept as a rule is found by what is answered, and not by the
// identity that was in it.
func TestKeptTextThatQuotesThePatientIsNoOracle(t *testing.T) {
	t.Parallel()
	w := hiddenArchive(t)
	w.put(file(t, spec{study: 5, series: 1, instance: 1, set: map[dicom.Tag]string{tag.PatientID: "ZZPHI-5", tag.SoftwareVersions: "made for ZZPHI-5"}}.dataSet(t), uid.ExplicitVRLittleEndian))
	w.put(file(t, spec{study: 6, series: 1, instance: 1, set: map[dicom.Tag]string{tag.PatientID: "ZZPHI-6", tag.SoftwareVersions: "VB20"}}.dataSet(t), uid.ExplicitVRLittleEndian))
	for query, want := range map[string]int{
		"SoftwareVersions=*ZZPHI*": 0, "00181020=made+for+ZZPHI-5": 0, "SoftwareVersions=VB20": 1, "SoftwareVersions=VB*": 1,
		"Modality=CT": 7, "InstanceNumber=9999": 0,
	} {
		if got := len(found(t, w.ask("GET", "/instances?"+query, "*/*"), instanceUID)); got != want {
			t.Errorf("%s: %d matches, want %d", query, got, want)
		}
	}
}

func TestAResearcherSeesNoUIDOfTheOriginalBelowTheRootOfTheStandard(t *testing.T) {
	t.Parallel()
	w := hiddenArchive(t)
	const told = "1.2.840.10008.5.1.4.1.1.2.20240131101112"
	w.put(file(t, spec{study: 7, series: 1, instance: 1, set: map[dicom.Tag]string{
		tag.PatientID: "ZZPHI-7", tag.StudyInstanceUID: told + ".1", tag.SeriesInstanceUID: told + ".2", tag.SOPInstanceUID: told + ".3",
		tag.FrameOfReferenceUID: told + ".4", tag.StudyDate: "20240131", tag.SoftwareVersions: "built 2024-01-31 " + told + ".1",
	}}.dataSet(t), uid.ExplicitVRLittleEndian))
	for _, s := range found(t, w.ask("GET", "/studies", "*/*"), studyUID) {
		study := "/studies/" + plain(s[0])
		for _, path := range []string{"", "/metadata", "/series?includefield=all", "/instances?includefield=all", "/rendered"} {
			a := w.ask("GET", study+path, "*/*")
			for _, leak := range []string{told, "20240131", "2024-01-31"} {
				if bytes.Contains(a.body, []byte(leak)) || strings.Contains(fmt.Sprint(a.header), leak) {
					t.Errorf("%s: the answer holds %q", path, leak)
				}
			}
		}
	}
}
