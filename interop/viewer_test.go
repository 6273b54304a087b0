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

// TestOHIFOpensAStudyOfTheArchive is a person who was sent the address of a study: led to sign in, and back to its
// picture. The pages hold to their policy, and no request goes elsewhere.
func TestOHIFOpensAStudyOfTheArchive(t *testing.T) {
	t.Parallel()
	node, chromium := harness.Tool(t, "node", "nodejs"), harness.Tool(t, "chromium", "chromium")
	if _, err := built.Viewer(); errors.Is(err, built.ErrNotBuilt) {
		if os.Getenv("CI") == "true" {
			t.Fatal(err)
		}
		t.Skipf("left out: %v", err)
	}
	dir := npmInstall(t, "browser")
	s := startReadable(t)
	sample := filepath.Join(t.TempDir(), "sample")
	s.Must("sample", "--kind", "ct", "--images", "20", "--out", sample)
	s.Must("send", s.Peer(), "--as", s.keys, sample)
	files, err := filepath.Glob(filepath.Join(sample, "*.dcm"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no files: %v", err)
	}
	study := studyOf(files[0])

	pictures := os.Getenv("COLLIMATOR_PICTURES")
	if pictures == "" {
		pictures = t.TempDir()
	}
	out, code := harness.Exec(t, 3*time.Minute, []string{"CHROMIUM=" + chromium}, node, filepath.Join(dir, "viewer.mjs"),
		s.origin, "rita", facePassword, study, pictures)
	if code != 0 {
		t.Fatalf("the viewer does not work: %s\n%s", out, s.Output())
	}
	lines := strings.Split(strings.TrimSpace(out), "\n")
	var seen struct {
		Looking              []string
		Hosts, Refused       map[string]bool
		Path, Title, Missing string
		Afterwards           int
		Notices              []notice
	}
	if err := json.Unmarshal([]byte(lines[len(lines)-1]), &seen); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	if len(seen.Looking) > 0 || len(seen.Refused) > 1 || len(seen.Hosts) != 1 {
		t.Errorf("troubles %q, refused %v, hosts %v", seen.Looking, seen.Refused, seen.Hosts)
	}
	if seen.Path != "/viewer/viewer" || strings.Contains(seen.Title, "ZZPHI") {
		t.Errorf("at %s, title %q", seen.Path, seen.Title)
	}
	if want := []notice{{"Not for diagnostic use", true, 0}, {"Nicht zur Befundung", true, 0}}; !slices.Equal(seen.Notices, want) {
		t.Errorf("the notice is %+v", seen.Notices)
	}
	if !strings.HasPrefix(seen.Missing, "404 text/plain") || seen.Afterwards != 401 {
		t.Errorf("a script that is not there: %s; after the session: %d", seen.Missing, seen.Afterwards)
	}
}

// notice is what a viewer says of the use of its pictures: whether it is in sight, and how many tools are below it.
type notice struct {
	Text   string
	Seen   bool
	Covers int
}
