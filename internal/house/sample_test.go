package house

import (
	"os"
	"testing"

	"collimator/internal/archive"
	"collimator/internal/config"
	"collimator/internal/fault"
)

func TestASampleReplacesNoFile(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	if n, err := Sample(dir, "ct", 2, 1); err != nil || n != 2 {
		t.Fatalf("%d files, %v", n, err)
	}
	if list, err := os.ReadDir(dir); err != nil || len(list) != 2 {
		t.Errorf("%d files, %v", len(list), err)
	}
	if _, err := Sample(dir, "ct", 2, 1); err == nil {
		t.Error("files are replaced")
	}
}

func TestWhatGaveWayStaysHeldBack(t *testing.T) {
	t.Parallel()
	if err := ReleaseHeld(t.Context(), nil, []archive.QuarantineEntry{{ID: 1, Reason: archive.Replaced}}, true, nil); fault.Of(err) != fault.NotFound {
		t.Errorf("what gave way is taken back: %v", err)
	}

	if SentBy(archive.Source{AETitle: "CT1", Principal: "token x"}) != "CT1" || SentBy(archive.Source{Principal: "token x"}) != "token x" {
		t.Error("who sent it is not named")
	}
	if c := (config.Inspect{Programs: "quarantine", Preambles: "flag"}); ruleWord(c, "programs") != "quarantine" || ruleWord(c, "preambles") != "flag" {
		t.Error("a rule has the word of another")
	}
}
