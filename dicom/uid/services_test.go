package uid

import (
	"slices"
	"strings"
	"testing"
)

func TestEveryNamedUIDIsValidAndHasOneName(t *testing.T) {
	t.Parallel()
	seen := map[string]string{}
	for _, table := range []map[string]string{names, services} {
		for u, name := range table {
			if !Valid(u) || !Known(u) || Name(u) != name || name == "" {
				t.Errorf("%s, %q: valid %v, known %v, named %q", u, name, Valid(u), Known(u), Name(u))
			}
			if other, twice := seen[name]; twice {
				t.Errorf("%q is the name of %s and of %s", name, u, other)
			}
			seen[name] = u
			if _, again := registry[strings.TrimPrefix(u, root)]; again || Storage(u) {
				t.Errorf("%s stands in another table too", u)
			}
		}
	}
}

func TestServicesHaveTheNamesOfTheStandard(t *testing.T) {
	t.Parallel()
	for u, want := range map[string]string{
		BasicGrayscalePrintManagement:    "Basic Grayscale Print Management Meta",
		HangingProtocolFind:              "Hanging Protocol - FIND",
		UnifiedProcedureStepPush:         "Unified Procedure Step - Push",
		InstanceAvailabilityNotification: "Instance Availability Notification",
		RetiredUltrasoundImageStorage:    "Ultrasound Image Storage (Retired)",
		"1.2.840.10008.5.1.4.1.1.999":    "1.2.840.10008.5.1.4.1.1.999",
	} {
		if got := Name(u); got != want {
			t.Errorf("%s: %q, want %q", u, got, want)
		}
	}
}

func TestStorageSyntaxesBeginWithTheNativeOnesAndNameNoneTwice(t *testing.T) {
	t.Parallel()
	all := StorageSyntaxes()
	if !slices.Equal(all[:4], NativeSyntaxes()) {
		t.Errorf("begins with %q", all[:4])
	}
	for i, ts := range all {
		if slices.Contains(all[:i], ts) || Name(ts) == ts || strings.HasPrefix(Name(ts), "JPIP") {
			t.Errorf("%s (%s)", ts, Name(ts))
		}
	}
	all[0] = "changed"
	if StorageSyntaxes()[0] == "changed" {
		t.Error("a caller can change the list of others")
	}
}

func TestStorableIsWhatNoServiceOfTheStandardIs(t *testing.T) {
	t.Parallel()
	for class, want := range map[string]bool{
		CTImageStorage: true, EncapsulatedPDFStorage: true, "1.2.840.10008.5.1.4.1.1.999.9": true, "1.2.840.113619.4.26": true, "2.25.7": true,
		Verification: false, StudyRootFind: false, StorageCommitmentPushModel: false, ModalityWorklistFind: false,
		"": false, "..": false, "1.2.x": false, "1.2.840.10008.5.1.4.34.6.1": false,
	} {
		if Storable(class) != want {
			t.Errorf("%q: %v", class, !want)
		}
	}
}
