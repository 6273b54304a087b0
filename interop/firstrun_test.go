//go:build interop

package interop_test

import (
	"encoding/json"
	"errors"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"collimator/dicom/dcmtktest"
	"collimator/interop/harness"
	built "collimator/web"
)

// firstRunMost bounds the time that the machine takes for the first run: reading and typing come on top of it.
const firstRunMost = 10 * time.Minute

// TestFirstRunWithAStopWatch is an archive in which nothing is, from the one-time link to three steps that are
// done, by the keyboard alone: in English with an authenticator app, and in German with a passkey.
func TestFirstRunWithAStopWatch(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ language, factor, done string }{
		{"en", "totp", "The first steps are done"},
		{"de", "passkey", "Die ersten Schritte sind getan"},
	} {
		t.Run(c.language, func(t *testing.T) {
			t.Parallel()
			firstRun(t, c.language, c.factor, c.done)
		})
	}
}

func firstRun(t *testing.T, language, factor, title string) {
	t.Helper()
	node, chromium := harness.Tool(t, "node", "nodejs"), harness.Tool(t, "chromium", "chromium")
	harness.Tool(t, "openssl", "openssl")
	dcmtktest.Find(t, "storescu")
	if _, err := built.Console(); errors.Is(err, built.ErrNotBuilt) {
		if os.Getenv("CI") == "true" {
			t.Fatal(err)
		}
		t.Skipf("left out: %v", err)
	}
	scripts, dir := npmInstall(t, "browser"), t.TempDir()
	study, folder := filepath.Join(dir, "study"), filepath.Join(dir, "folder")
	for _, d := range []string{study, filepath.Join(folder, "more")} {
		if err := os.MkdirAll(d, 0o700); err != nil {
			t.Fatal(err)
		}
	}

	// The folder holds what was sent already, another content under the same UID, and what is no object.
	image := harness.Instance{UID: "2.25.4711021", Study: "2.25.4711", Series: "2.25.47110", Pixels: 4096}
	image.Write(t, study)
	image.Write(t, folder)
	image.Fill = 7
	image.Write(t, filepath.Join(folder, "more"))
	if err := os.WriteFile(filepath.Join(folder, "notes.txt"), []byte("no object"), 0o600); err != nil {
		t.Fatal(err)
	}
	s := harness.Start(t)
	if !s.Says("/setup/") {
		t.Fatalf("the server offers no one-time link:\n%s", s.Output())
	}
	u, err := url.Parse(regexp.MustCompile(`https://\S+/setup/\S+`).FindString(s.Output()))
	if err != nil {
		t.Fatal(err)
	}
	_, port, _ := strings.Cut(s.HTTP, ":")
	u.Host = "localhost:" + port

	// Something that lets anybody in, to be found.
	archive := harness.FreeAddress(t)
	_, archivePort, _ := strings.Cut(archive, ":")
	harness.Background(t, archive, dcmtktest.Find(t, "storescp"), "-od", t.TempDir(), archivePort)

	pictures := os.Getenv("COLLIMATOR_PICTURES")
	if pictures == "" {
		pictures = t.ArtifactDir()
	}
	out, code := harness.Exec(t, firstRunMost, []string{"CHROMIUM=" + chromium}, node, filepath.Join(scripts, "firstrun.mjs"),
		u.String(), language, factor, archive, dir, pictures)
	if code != 0 {
		t.Fatalf("the first run does not come to its end: %s\n%s", out, s.Output())
	}
	lines := strings.Split(strings.TrimSpace(out), "\n")
	var seen struct {
		Troubles                                                    []string
		Hosts                                                       map[string]bool
		Took                                                        map[string]int
		Title, Language, Found, Again, Stored, Said, Until, Dropped string
		Folder                                                      []string
		Codes, Points, All                                          int
		Refused, Compared, Answered, Sent                           bool
	}
	if err := json.Unmarshal([]byte(lines[len(lines)-1]), &seen); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	t.Logf("the machine took %d ms: %v ms", seen.All, seen.Took)
	if len(seen.Troubles) > 0 || len(seen.Hosts) != 1 {
		t.Errorf("troubles %q, hosts %v", seen.Troubles, seen.Hosts)
	}
	if seen.Title != title || seen.Language != language || seen.Codes != 10 || seen.Points != 7 {
		t.Errorf("at the end: %+v", seen)
	}
	if !seen.Refused || !seen.Compared || !seen.Answered || !seen.Sent || !strings.Contains(seen.Found, "system") || !strings.HasPrefix(seen.Stored, "12 ") || !strings.HasPrefix(seen.Dropped, "1 ") {
		t.Errorf("the device and the network: %+v", seen)
	}
	if want := []string{"other", "refused", "stored"}; !slices.Equal(seen.Folder, want) {
		t.Errorf("of the folder became %q, want %q", seen.Folder, want)
	}
	if !strings.Contains(seen.Said, "behind the gate since spring") || !strings.Contains(seen.Until, "2999") {
		t.Errorf("of a system somebody says %q; an issue is accepted %q", seen.Said, seen.Until)
	}
	if factor == "passkey" && !strings.Contains(seen.Again, "ada") {
		t.Errorf("with the passkey again: %q", seen.Again)
	}
	if all := time.Duration(seen.All) * time.Millisecond; all <= 0 || all > firstRunMost {
		t.Errorf("the first run took %v, want at most %v", all, firstRunMost)
	}
}
