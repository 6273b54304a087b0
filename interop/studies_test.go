//go:build interop

package interop_test

import (
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"collimator/interop/harness"
	built "collimator/web"
)

// browse runs a script of browser/ for somebody who administrates, against a server with the console.
func browse(t *testing.T, s *harness.Server, script string, into any, args ...string) {
	t.Helper()
	node, chromium := harness.Tool(t, "node", "nodejs"), harness.Tool(t, "chromium", "chromium")
	if _, err := built.Console(); errors.Is(err, built.ErrNotBuilt) {
		if os.Getenv("CI") == "true" {
			t.Fatal(err)
		}
		t.Skipf("left out: %v", err)
	}
	dir := npmInstall(t, "browser")
	password := filepath.Join(t.TempDir(), "password")
	if err := os.WriteFile(password, []byte(facePassword), 0o600); err != nil {
		t.Fatal(err)
	}
	s.Must("init", "--data", s.Data, "--admin", "ada", "--password-file", password)

	_, port, _ := strings.Cut(s.HTTP, ":")
	out, code := harness.Exec(t, 4*time.Minute, []string{"CHROMIUM=" + chromium}, node,
		append([]string{filepath.Join(dir, script), "https://localhost:" + port, "ada", facePassword}, args...)...)
	if code != 0 {
		t.Fatalf("%s: %s\n%s", script, out, s.Output())
	}
	lines := strings.Split(strings.TrimSpace(out), "\n")
	if err := json.Unmarshal([]byte(lines[len(lines)-1]), into); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
}

// TestAPersonWorksWithAStudyInTheConsole finds, opens, labels, shares and deletes one.
func TestAPersonWorksWithAStudyInTheConsole(t *testing.T) {
	t.Parallel()
	s := harness.Start(t)
	keys := s.Device("CT1", harness.All...)
	dir := t.TempDir()
	for i, date := range []string{"20251224", "20251224", "20251223"} {
		n := string(rune('1' + i))
		in := harness.Instance{PatientID: "ZZPHI-" + n, PatientName: "ZZPHI^" + []string{"Berta", "Carla", "Berta"}[i], Study: "2.25.471" + n,
			Series: "2.25.4711" + n, UID: "2.25.47111" + n, Pixels: 4096, Fill: 90, StudyDate: date}
		in.Write(t, dir)
	}
	s.Must("send", s.Peer(), "--as", keys, dir)

	var seen struct {
		Troubles, Steps, Leaked []string
		Hosts                   map[string]bool
	}
	browse(t, s, "studies.mjs", &seen, "2.25.4711", "24.12.2025 ber zzphi", os.Getenv("COLLIMATOR_PICTURES"))
	troubles := strings.Join(seen.Troubles, "\n")
	if strings.Count(troubles, "status of 404") != len(seen.Troubles) || len(seen.Hosts) != 1 || len(seen.Leaked) > 0 {
		t.Errorf("troubles %s, hosts %v, names in %q", troubles, seen.Hosts, seen.Leaked)
	}
	want := `found #q=24.12.2025+ber+zzphi
opened 1 series, title Study · Collimator
tags (0010,0010) PN PatientName ZZPHI^Berta
accesses true
proof ledger-proof.json true
labelled
shared 3 true true false
open in a viewer
deleted`
	if got := strings.Join(seen.Steps, "\n"); got != want {
		t.Errorf("seen\n%s\nwant\n%s", got, want)
	}
}
