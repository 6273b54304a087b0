//go:build interop

package interop_test

import (
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"collimator/interop/harness"
	built "collimator/web"
)

// TestAMeasurementIsKeptAndFoundAgain is a radiologist who measures in OHIF, keeps it, and opens the study another day.
func TestAMeasurementIsKeptAndFoundAgain(t *testing.T) {
	t.Parallel()
	node, chromium := harness.Tool(t, "node", "nodejs"), harness.Tool(t, "chromium", "chromium")
	if _, err := built.Viewer(); errors.Is(err, built.ErrNotBuilt) && os.Getenv("CI") != "true" {
		t.Skipf("left out: %v", err)
	}
	s := startReadable(t)
	sample := filepath.Join(t.TempDir(), "sample")
	s.Must("sample", "--kind", "ct", "--images", "5", "--out", sample)
	s.Must("send", s.Peer(), "--as", s.keys, sample)
	files, err := filepath.Glob(filepath.Join(sample, "*.dcm"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no files: %v", err)
	}

	out, code := harness.Exec(t, 4*time.Minute, []string{"CHROMIUM=" + chromium}, node, filepath.Join(npmInstall(t, "browser"), "measure.mjs"),
		s.origin, "rita", facePassword, studyOf(files[0]), os.Getenv("COLLIMATOR_PICTURES"))
	lines := strings.Split(strings.TrimSpace(out), "\n")
	var seen struct {
		Troubles, Series, Text []string
		Stored                 []int
		Rows                   int
		Failed                 string
	}
	if err := json.Unmarshal([]byte(lines[len(lines)-1]), &seen); err != nil || code != 0 || seen.Failed != "" {
		t.Fatalf("code %d, %v, %s: %s\n%s", code, err, seen.Failed, out, s.Output())
	}
	if !slices.Equal(seen.Stored, []int{200}) || !slices.Contains(seen.Series, "SR") {
		t.Errorf("stored %v, series %v", seen.Stored, seen.Series)
	}
	if seen.Rows < 1 || len(seen.Text) < 1 {
		t.Errorf("%d measurements are found again: %q", seen.Rows, seen.Text)
	}
	if len(seen.Troubles) > 0 {
		t.Errorf("troubles: %q", seen.Troubles)
	}
}
