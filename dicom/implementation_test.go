package dicom

import (
	"testing"

	"collimator/dicom/uid"
)

// Stored files are found again by their digest, which these two are part of.
func TestTheNameOfTheImplementationNeverChanges(t *testing.T) {
	t.Parallel()
	if ImplementationClassUID != "2.25.214690738153904527413652948106735914227" || !uid.Valid(ImplementationClassUID) {
		t.Errorf("class UID %s", ImplementationClassUID)
	}
	if ImplementationVersionName != "COLLIMATOR" || len(ImplementationVersionName) > 16 {
		t.Errorf("version name %s", ImplementationVersionName)
	}
}
