package inventory

import (
	"testing"

	"collimator/internal/advisory"
	"collimator/internal/finding"
)

// A version that a service announces is no proof where distributions patch
// under the same number; what is affected in every version is.
func TestAnnouncedVersionsOfDistributedSoftwareProveNothing(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		product, version string
		possible         bool
	}{{"Orthanc", "1.10.1", true}, {"Sante PACS Server", "4.2.0", false}} {
		issues := Advise(advisory.Default(), &Asset{Product: c.product, Version: c.version}, finding.Place{})
		if len(issues) == 0 {
			t.Errorf("%s %s: no advisory", c.product, c.version)
		}
		for _, i := range issues {
			if i.Check == "ADV-001" && i.Possible != c.possible {
				t.Errorf("%s %s: %s possible %v", c.product, c.version, i.Advisories, i.Possible)
			}
		}
	}
}
