package finding

import (
	"strings"
	"testing"
)

func TestAGateIsPutInFrontByItsCommand(t *testing.T) {
	t.Parallel()
	special := map[string]string{
		"HST-003": "collimator gate open ROUTE --to ADDRESS:PORT --for NAME --minutes 60",
		"HST-008": "collimator gate add NAME --outbound --from AET@ADDRESS --to AET@ADDRESS:PORT",
		"HST-009": "collimator gate open ROUTE --to ADDRESS:PORT --for NAME --minutes 60",
		"HL7-001": "collimator gate add HL7 --messages --listen ADDRESS:2575 --to ADDRESS:2575 --allow DEVICE1:ADT,ORM",
	}
	found := 0
	for _, c := range Checks() {
		for _, change := range changeTable(c.ID) {
			if change.Where != inGate {
				continue
			}
			found++
			if strings.HasPrefix(change.Text, "collimator gate add PACS --protect AET@ADDRESS:PORT ") {
				continue
			}
			if change.Text != special[c.ID] {
				t.Errorf("%s: %s", c.ID, change.Text)
			}
			delete(special, c.ID)
		}
	}
	if found == 0 {
		t.Error("no check names the gate")
	}
	if len(special) > 0 {
		t.Errorf("these are not named: %v", special)
	}
}
