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

// TestConsoleWorksInChromium is every page of the console as an administrator sees it, in both languages, dark and
// light, on a desk and on a telephone: whatever somebody can see, nothing on a page stands in the way of a screen
// reader, no request goes elsewhere, and the keyboard alone is enough. The pages are rows of browser/consolepages.mjs.
func TestConsoleWorksInChromium(t *testing.T) {
	t.Parallel()
	node, chromium := harness.Tool(t, "node", "nodejs"), harness.Tool(t, "chromium", "chromium")
	if _, err := built.Console(); errors.Is(err, built.ErrNotBuilt) {
		if os.Getenv("CI") == "true" {
			t.Fatal(err)
		}
		t.Skipf("left out: %v", err)
	}
	dir := npmInstall(t, "browser")
	s := harness.Start(t)
	ct := s.Device("CT1", harness.All...)
	image := harness.Instance{PatientID: "ZZPHI-2", Study: "2.25.4712", Series: "2.25.47121", UID: "2.25.471211", Pixels: 4096, Fill: 90}
	s.Must("send", s.Peer(), "--as", ct, image.Write(t, t.TempDir()))
	password := filepath.Join(t.TempDir(), "password")
	if err := os.WriteFile(password, []byte(facePassword), 0o600); err != nil {
		t.Fatal(err)
	}
	s.Must("init", "--data", s.Data, "--admin", "ada", "--password-file", password)
	stranger(t, s, password)
	keep(t, s, ct)

	pictures := os.Getenv("COLLIMATOR_PICTURES")
	if pictures == "" {
		pictures = t.ArtifactDir()
	}
	_, port, _ := strings.Cut(s.HTTP, ":")
	out, code := harness.Exec(t, 8*time.Minute, []string{"CHROMIUM=" + chromium}, node, filepath.Join(dir, "console.mjs"),
		"https://localhost:"+port, "ada", facePassword, pictures)
	if code != 0 {
		t.Fatalf("the console does not work: %s\n%s", out, s.Output())
	}

	lines := strings.Split(strings.TrimSpace(out), "\n")
	var seen struct {
		Looking, Axe, Wide, Walked, Left []string
		Hosts                            map[string]bool
		Back, Policy, Notices            string
		AfterIdle, AfterEnd              string
		Bytes, Seen, Afterwards          int
		Approved                         int
		Trusted                          bool
	}
	if err := json.Unmarshal([]byte(lines[len(lines)-1]), &seen); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	if len(seen.Looking) > 0 || len(seen.Hosts) != 1 {
		t.Errorf("troubles %q, hosts %v", seen.Looking, seen.Hosts)
	}
	if len(seen.Axe) > 0 || len(seen.Wide) > 0 || seen.Seen == 0 {
		t.Errorf("of %d looks: axe says %s; wider than the window are %q", seen.Seen, strings.Join(seen.Axe, "\n"), seen.Wide)
	}
	if seen.Back != "/console/people" || !seen.Trusted || !strings.Contains(seen.Policy, "require-trusted-types-for 'script'") {
		t.Errorf("back at %s; policy %q, held %v", seen.Back, seen.Policy, seen.Trusted)
	}
	if most := 200_000; seen.Bytes == 0 || seen.Bytes > most {
		t.Errorf("the start takes %d bytes, want at most %d", seen.Bytes, most)
	}
	if slices.ContainsFunc(seen.Walked, func(w string) bool { return strings.HasSuffix(w, "not shown") }) || len(seen.Walked) < 5 {
		t.Errorf("walked %q", seen.Walked)
	}
	if !slices.Equal(seen.Left, []string{"/setup/", "/setup/"}) || seen.Afterwards != 401 {
		t.Errorf("left to %q, afterwards %d", seen.Left, seen.Afterwards)
	}
	if seen.AfterIdle != "/console/people" || seen.AfterEnd != "/console/audit#failed=true" {
		t.Errorf("after being away at %s, after the end of a session at %s", seen.AfterIdle, seen.AfterEnd)
	}
	if seen.Approved != 1 {
		t.Errorf("with the second factor again %d devices were approved", seen.Approved)
	}
	if !strings.HasPrefix(seen.Notices, "The console holds parts") {
		t.Errorf("notices %q", seen.Notices)
	}
}

// stranger is a device of another archive that calls this one, is refused, and waits for approval.
func stranger(t *testing.T, s *harness.Server, password string) {
	t.Helper()
	other, keys := filepath.Join(t.TempDir(), "other"), filepath.Join(t.TempDir(), "keys")
	s.Must("init", "--data", other, "--admin", "bob", "--password-file", password)
	s.Must("device", "add", "NEW1", "--data", other, "--out", keys)
	authority, err := os.ReadFile(filepath.Join(s.Data, "keys", "ca.cert.pem"))
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(keys, "ca.pem"), authority, 0o600); err != nil {
		t.Fatal(err)
	}
	if out, code := harness.Run(t, "echo", s.Peer(), "--as", keys); code == 0 {
		t.Fatalf("a stranger is let in: %s", out)
	}
}
