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

	"collimator/dicom/dcmtktest"
	"collimator/interop/harness"
	built "collimator/web"
)

// keeping is what a story of browser/consolekeeping.mjs saw.
type keeping struct {
	Troubles []string
	Hosts    map[string]bool
	Files    []string
	Zip      string
	Stored   bool
	Link     string
	Studies  []string
	Disabled int
	Found    []string
	Left     int
	Problems []string
}

// keeper starts a server with an administrator, for a story of the console.
func keeper(t *testing.T) *harness.Server {
	t.Helper()
	if _, err := built.Console(); errors.Is(err, built.ErrNotBuilt) {
		if os.Getenv("CI") == "true" {
			t.Fatal(err)
		}
		t.Skipf("left out: %v", err)
	}
	s := harness.Start(t)
	s.Must("init", "--data", s.Data, "--admin", "ada", "--password-file", passwordFile(t))
	return s
}

func passwordFile(t *testing.T) string {
	t.Helper()
	password := filepath.Join(t.TempDir(), "password")
	if err := os.WriteFile(password, []byte(facePassword), 0o600); err != nil {
		t.Fatal(err)
	}
	return password
}

// tell runs a story in a folder; no page may complain of anything but the refusals that are named.
func tell(t *testing.T, s *harness.Server, story, dir string, refusals ...string) (seen keeping) {
	t.Helper()
	node, chromium := harness.Tool(t, "node", "nodejs"), harness.Tool(t, "chromium", "chromium")
	npm := npmInstall(t, "browser")
	_, port, _ := strings.Cut(s.HTTP, ":")
	path := filepath.Dir(dcmtktest.Find(t, "storescu")) + ":" + os.Getenv("PATH")
	out, code := harness.Exec(t, 3*time.Minute, []string{"CHROMIUM=" + chromium, "PATH=" + path}, node, filepath.Join(npm, "consolekeeping.mjs"),
		story, "https://localhost:"+port, "ada", facePassword, dir)
	if code != 0 {
		t.Fatalf("%s: %s\n%s", story, out, s.Output())
	}
	lines := strings.Split(strings.TrimSpace(out), "\n")
	if err := json.Unmarshal([]byte(lines[len(lines)-1]), &seen); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	for _, trouble := range seen.Troubles {
		if !slices.ContainsFunc(refusals, func(r string) bool { return strings.Contains(trouble, r) }) {
			t.Errorf("a page complains: %s", trouble)
		}
	}
	if len(seen.Hosts) != 1 {
		t.Errorf("the pages ask %v", seen.Hosts)
	}
	return seen
}

// TestAnAdministratorConnectsADeviceInTheBrowser has DCMTK store with the files that were saved, by the lines that
// stand on the page.
func TestAnAdministratorConnectsADeviceInTheBrowser(t *testing.T) {
	t.Parallel()
	s := keeper(t)
	dir := t.TempDir()
	image(t, s, dir)

	seen := tell(t, s, "device", dir)
	if want := "CT7.key.pem CT7.cert.pem ca.pem"; strings.Join(seen.Files, " ") != want+" CT7.zip" || seen.Zip != want {
		t.Errorf("saved %q, in the ZIP file %q", seen.Files, seen.Zip)
	}
	if out := s.Must("find", s.Peer(), "--as", s.Device("WS1", harness.All...)); !seen.Stored || !strings.Contains(out, "1 ") {
		t.Errorf("stored %v:\n%s", seen.Stored, out)
	}
}

// image writes a synthetic image as image.dcm.
func image(t *testing.T, s *harness.Server, dir string) {
	t.Helper()
	sample := filepath.Join(t.TempDir(), "sample")
	s.Must("sample", "--kind", "ct", "--images", "1", "--out", sample)
	files := harness.Files(t, sample)
	if len(files) != 1 {
		t.Fatalf("%d files", len(files))
	}
	if err := os.Rename(files[0], filepath.Join(dir, "image.dcm")); err != nil {
		t.Fatal(err)
	}
}
