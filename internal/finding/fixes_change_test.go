package finding

import (
	"strings"
	"testing"
)

func TestAGateIsPutInFrontByItsCommand(t *testing.T) {
	t.Parallel()
	found := 0
	for _, c := range Checks() {
		for _, change := range changeTable(c.ID) {
			if change.Where != inGate {
				continue
			}
			found++
			if !strings.HasPrefix(change.Text, "collimator gate ") {
				t.Errorf("%s: %s", c.ID, change.Text)
			}
		}
	}
	if found == 0 {
		t.Error("no check names the gate")
	}
}
