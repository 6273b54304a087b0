//go:build interop

package interop_test

import (
	"encoding/json"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"collimator/interop/harness"
)

// npmInstall installs a folder of package.json, lock file and scripts into a
// new directory; without a registry the test is left out.
func npmInstall(t *testing.T, folder string) (dir string) {
	t.Helper()
	npm := harness.Tool(t, "npm", "npm")
	dir = t.TempDir()
	if err := os.CopyFS(dir, os.DirFS(folder)); err != nil {
		t.Fatal(err)
	}
	if out, code := harness.Exec(t, 2*time.Minute, nil, npm, "--prefix", dir, "ci", "--ignore-scripts", "--no-audit", "--no-fund"); code != 0 {
		if os.Getenv("CI") == "true" {
			t.Fatalf("npm ci: %s", out)
		}
		t.Skipf("left out: npm cannot install what %s needs here; give it a registry", folder)
	}
	return dir
}

// TestPagesWorkInChromium is the first administrator with nothing but the link
// and an app, and a guest with a link to a study on a telephone: the pages work
// under their own content policy, and no request goes elsewhere.
func TestPagesWorkInChromium(t *testing.T) {
	t.Parallel()
	node, chromium := harness.Tool(t, "node", "nodejs"), harness.Tool(t, "chromium", "chromium")
	dir := npmInstall(t, "browser")
	s := harness.Start(t)
	keys := s.Device("WS1", harness.All...)
	var study string
	for i := range 3 {
		in := harness.Instance{PatientID: "ZZPHI-1", Study: "2.25.4711", Series: "2.25.47110", UID: "2.25.47110" + string(rune('1'+i)), Pixels: 4096, Fill: byte(60 * i)}
		study = in.Study
		s.Must("send", s.Peer(), "--as", keys, in.Write(t, t.TempDir()))
	}
	link := func(pattern, text string) string {
		t.Helper()
		found := regexp.MustCompile(pattern).FindString(text)
		u, err := url.Parse(found)
		if err != nil || found == "" {
			t.Fatalf("no link in %s", text)
		}
		_, port, _ := strings.Cut(s.HTTP, ":")
		u.Host = "localhost:" + port
		return u.String()
	}
	if !s.Says("/setup/") {
		t.Fatalf("the server offers no one-time link:\n%s", s.Output())
	}
	made := s.Must("share", "create", "--study", study, "--password", "--data", s.Data)
	password := regexp.MustCompile(`another way: (\S+)`).FindStringSubmatch(made)[1]
	pictures := os.Getenv("COLLIMATOR_PICTURES")
	if pictures == "" {
		pictures = t.TempDir()
	}
	out, code := harness.Exec(t, 2*time.Minute, []string{"CHROMIUM=" + chromium}, node, filepath.Join(dir, "pages.mjs"),
		link(`https://\S+/setup/\S+`, s.Output()), link(`https://\S+/share/\S+`, made), password, pictures)
	if code != 0 {
		t.Fatalf("the pages do not work: %s", out)
	}
	var seen struct {
		Troubles                         []string
		Hosts                            map[string]bool
		German, SignedIn, Title, Address string
		QR, Codes, Images, Full          int
		Wide                             bool
		Secrets                          []string // addresses once the secrets are in the forms
	}
	if err := json.Unmarshal([]byte(out), &seen); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	if len(seen.Troubles) > 0 || len(seen.Hosts) != 1 {
		t.Errorf("troubles %q, hosts %v", seen.Troubles, seen.Hosts)
	}
	for _, address := range seen.Secrets {
		if _, fragment, found := strings.Cut(address, "#"); found || !strings.HasSuffix(address, "/open") {
			t.Errorf("the address still has %d bytes of the secret", len(fragment))
		}
	}
	if len(seen.Secrets) != 2 {
		t.Errorf("%d addresses of links were looked at, want 2", len(seen.Secrets))
	}
	if seen.German != "Passwort setzen" || seen.QR != 1 || seen.Codes != 10 || !strings.Contains(seen.SignedIn, "ada") {
		t.Errorf("the first administrator sees %+v", seen)
	}
	if seen.Images != 1 || seen.Full != 1 || seen.Wide || seen.Address != "/share/?frame=1&series=1" {
		t.Errorf("the guest sees %+v", seen)
	}
}
