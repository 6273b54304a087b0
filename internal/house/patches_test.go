package house

import (
	"testing"

	"collimator/internal/advisory"
)

func TestWhetherASystemNeedsAPatchIsSaidInWords(t *testing.T) {
	t.Parallel()
	for behind, want := range map[advisory.Answer]string{advisory.Affected: "affected", advisory.Possibly: "possibly affected"} {
		if got := (PatchAt{Behind: behind}).Affected(); got != want {
			t.Errorf("%s: %s", behind, got)
		}
	}
}
