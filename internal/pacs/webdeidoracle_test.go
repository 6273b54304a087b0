package pacs_test

import (
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
