package uid

import "testing"

func TestKnownGoesByTheTableAndNotByTheRoot(t *testing.T) {
	t.Parallel()
	for _, s := range []string{
		CTImageStorage, ExplicitVRLittleEndian, Verification, "1.2.840.10008.1.4.1.1", "1.2.840.10008.1.5.1", "1.2.840.10008.2.16.4",
		"1.2.840.10008.5.1.4.1.1.6", "1.2.840.10008.6.1.1", "1.2.840.10008.15.1.1", "1.2.840.10008.1.20.1.1", "1.2.840.10008.15.0.3.31",
	} {
		if !Known(s) {
			t.Errorf("%s is registered", s)
		}
	}
	for _, s := range []string{
		"", root, "1.2.840.10008", "1.2.840.10008.5.1.4.1.1.2.20240131101112.1", "1.2.840.10008.6.1.0", "1.2.840.10008.6.1.20240131",
		"1.2.840.10008.6.1.01", "1.2.840.10008.6.1.+1", "1.2.3.4", "1.2.840.10008.15.0.3.32", "1.2.840.10008.1.4.1.1.1",
	} {
		if Known(s) {
			t.Errorf("%q is not registered", s)
		}
	}
}
