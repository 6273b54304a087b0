package gate

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"collimator/internal/fault"
)

func TestTheStateOfARouteSaysWhetherItIsClosedAndLearns(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 11, 29, 12, 0, 0, 0, time.UTC)
	for _, c := range []struct {
		route       Route
		state, text string
	}{
		{Route{Name: "PACS"}, "open", "does not learn"},
		{Route{Name: "PACS", LearnUntil: now.Add(time.Hour)}, "LEARNING until ", "learns until "},
		{Route{Name: "PACS", LearnUntil: now.Add(-time.Hour)}, "open, learning has ended", "learned until "},
		{Route{Name: "PACS", LearnUntil: now.Add(time.Hour), Closed: true}, "CLOSED", "PACS"},
	} {
		if state := c.route.State(now); !strings.HasPrefix(state, c.state) {
			t.Errorf("%+v: %q", c.route, state)
		}
		if text := c.route.LearningText(now); !strings.Contains(text, c.text) {
			t.Errorf("%+v: %q", c.route, text)
		}
	}
}

func TestAFileOfRulesThatHoldsNoneIsRefused(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	for name, text := range map[string]string{"empty": "rules: []\n", "broken": "rules: 7\n"} {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := ReadRules(path); fault.EndingOf(err) != fault.Misused || !strings.Contains(err.Error(), "--rules") {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := ReadRules(filepath.Join(dir, "missing")); fault.EndingOf(err) != fault.Misused {
		t.Errorf("missing: %v", err)
	}
}
