package house

import (
	"strings"
	"testing"

	"collimator/internal/archive"
)

func TestWhatIsHeldAtARouteIsNotSaidToBeInTheArchive(t *testing.T) {
	t.Parallel()
	q := archive.QuarantineEntry{ID: 7, Reason: archive.AtRoute, Source: archive.Source{Route: "PACS"}}

	var b strings.Builder
	if err := PrintHeld(&b, q, nil); err != nil {
		t.Fatal(err)
	}
	if strings.Contains(b.String(), "nothing is stored") || !strings.Contains(b.String(), "through the route PACS") {
		t.Errorf("shown:\n%s", b.String())
	}
	if got := Released(q); got != "Number 7 goes through the route PACS when its device sends it again." {
		t.Errorf("released: %s", got)
	}

	q.Reason = archive.OtherPatient
	if got := Released(q); got != "Number 7 is in the archive." {
		t.Errorf("released: %s", got)
	}
}
