//go:build interop

package interop_test

import (
	"testing"

	"collimator/internal/synth"
)

// hostileCase is one attack. Each runs against a server of its own: its memory
// is what the attack cost.
type hostileCase struct {
	id, what string
	run      func(h *hostile)
}

// hostileCases is a row for each attack on the layers upper layer, DIMSE, data
// set and file that an archive can be exposed to.
func hostileCases() []hostileCase {
	return []hostileCase{
		{"UL-01", "three bytes and silence end after ARTIM and block nobody", silence},
		{"UL-02", "a byte now and then ends after ARTIM, in P-DATA after the rate window", drip},
		{"UL-03", "false PDU lengths are refused without memory", pdus("UL-03")},
		{"UL-04", "items that do not fit their PDU are refused", pdus("UL-04")},
		{"UL-05", "too many, even or doubled contexts are refused", pdus("UL-05")},
		{"UL-06", "many connections from one address do not shut out another", connectionFlood},
		{"UL-07", "titles that are none are refused", pdus("UL-07")},
		{"UL-08", "oversized and unknown sub-items", pdus("UL-08")},
		{"UL-09", "PDUs out of turn end the association", pdus("UL-09")},
		{"UL-10", "fragments that do not fit end the association", fragments},
		{"UL-11", "other protocols are cut off", otherProtocols},
		{"UL-12", "a title is bound to its certificate and address", spoofing},
		{"UL-13", "unknown called and calling titles get the same answer", titleGuessing},
		{"UL-14", "credentials that cannot be verified are refused", identityReplay},
		{"DM-01", "command sets that break the schema end the association", commands("DM-01")},
		{"DM-02", "queries with many keys, deep sequences and wildcards are bounded", queryBombs},
		{"DM-03", "SQL and wildcards in keys are text", injection},
		{"DM-04", "C-MOVE goes to registered destinations only", moveAnywhere},
		{"DM-05", "retrieval of everything is recorded", retrieveEverything},
		{"DM-06", "the first content stays, the second is held", conflicts("DM-06")},
		{"DM-07", "another patient or study is held", conflicts("DM-07")},
		{"DM-08", "a command that names another instance is refused", conflicts("DM-08")},
		{"DM-09", "what is no UID names nothing", traversal},
		{"DM-10", "a forged storage commitment report is refused", forgedReport},
		{"DM-11", "worklist and performed procedure steps are not offered", notOffered},
		{"DM-12", "floods of requests and cancels are bounded", commands("DM-12")},
		{"DS-01", "nesting beyond the limit is refused", dataSets("DS-01")},
		{"DS-02", "a deflate bomb is refused", dataSets("DS-02")},
		{"DS-03", "false lengths are refused without memory", dataSets("DS-03")},
		{"DS-04", "delimiters at the wrong place are refused", dataSets("DS-04")},
		{"DS-05", "fragments and offset tables that lie do no harm", dataSets("DS-05")},
		{"DS-06", "absurd numbers do no harm", dataSets("DS-06")},
		{"DS-07", "damaged frames fail alone when they are converted", damagedFrames},
		{"DS-08", "odd character sets come back as they went in", oddities},
		{"DS-10", "elements of other groups and doubled identity are refused", dataSets("DS-10")},
		{"DS-11", "a data set in another syntax than its context is refused", dataSets("DS-11")},
		{"DS-12", "markup in names stays out of the log", markup},
		{"FL-01", "what stands in the preamble is not stored", polyglots},
		{"FL-02", "false meta information costs no memory", falseMeta},
	}
}

func TestHostileInput(t *testing.T) {
	t.Parallel()
	for _, c := range hostileCases() {
		t.Run(c.id, func(t *testing.T) {
			t.Parallel()
			h := newHostile(t)
			c.run(h)
			h.unharmed()
			h.nothingEscaped()
			_, peak := h.s.RSS(t)
			t.Logf("%s: %s; peak %d MiB above the start", c.id, c.what, (peak-h.baseline)>>20)
		})
	}
}

// pdus runs the attacks of an id on a connection each.
func pdus(id string) func(*hostile) {
	return func(h *hostile) { h.attacks(id, synth.PDUAttacks(attacker, "COLLIMATOR")) }
}

// commands runs the attacks of an id that are command sets.
func commands(id string) func(*hostile) {
	return func(h *hostile) {
		h.attacks(id, synth.CommandAttacks())
		if id == "DM-01" {
			wrongClass(h)
		}
	}
}
