package verify

import (
	"strings"
	"testing"

	"collimator/internal/archive"
)

func TestASampleThatFoundSomethingSaysThatItIsOne(t *testing.T) {
	t.Parallel()
	r := Result{Files: 1, Stored: 9, Problems: []Problem{{Where: "ledger", What: "x"}}}
	sample := Options{Archive: &archive.Archive{}, Share: 0.1}
	if said := r.Remark(sample); !strings.Contains(said, "1 of 9 files was read") {
		t.Errorf("of a sample is said %q", said)
	}

	whole := sample
	whole.Share = 1
	r.Problems = nil
	if said := r.Remark(sample) + (Result{Problems: []Problem{{}}}).Remark(whole); said != "" {
		t.Errorf("of a sample without problems, and of what is none, is said %q", said)
	}
}
