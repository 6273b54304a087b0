//go:build interop

package interop_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"collimator/dicom/tag"
	"collimator/interop/harness"
)

// lightScriptMost is the bytes that the script of the light page may have.
const lightScriptMost = 30_000

// lightSeen is what light.mjs saw.
type lightSeen struct {
	Troubles      []string
	Hosts         map[string]bool
	Script        int
	Shown         []string
	Compared, Off int
	Wide          []string
	Axe           []string
	Guessed       map[string]int
	Plain         []string
}

// TestTheLightPageWorksOnATelephone is somebody with a link to a study on a telephone: the frames go by with one finger,
// grow with two, and play; what is drawn is what the server renders; other studies stay out of reach.
func TestTheLightPageWorksOnATelephone(t *testing.T) {
	t.Parallel()
	node, chromium := harness.Tool(t, "node", "nodejs"), harness.Tool(t, "chromium", "chromium")
	dir := npmInstall(t, "browser")
	s := harness.Start(t)
	keys := s.Device("CT1", harness.All...)
	send := func(kind string, flags ...string) string {
		sample := filepath.Join(t.TempDir(), "sample")
		s.Must(append([]string{"sample", "--kind", kind, "--out", sample}, flags...)...)
		s.Must("send", s.Peer(), "--as", keys, sample)
		files, err := filepath.Glob(filepath.Join(sample, "*.dcm"))
		if err != nil || len(files) == 0 {
			t.Fatalf("no files: %v", err)
		}
		return studyOf(files[0])
	}
	password := filepath.Join(t.TempDir(), "password")
	if err := os.WriteFile(password, []byte(facePassword), 0o600); err != nil {
		t.Fatal(err)
	}
	s.Must("init", "--data", s.Data, "--admin", "ada", "--password-file", password)
	s.Must("user", "add", "rita", "--role", "radiologist", "--password-file", password, "--data", s.Data)
	ct, us := send("ct", "--images", "20"), send("us")
	hostile := hostileStudy(t)
	s.Must("send", s.Peer(), "--as", keys, hostile)

	_, port, _ := strings.Cut(s.HTTP, ":")
	link := func(study string) string {
		made := s.Must("share", "create", "--study", study, "--data", s.Data)
		return regexp.MustCompile(`^https://[^/]+`).ReplaceAllString(regexp.MustCompile(`https://\S+/share/\S+`).FindString(made), "https://localhost:"+port)
	}
	out, code := harness.Exec(t, 3*time.Minute, []string{"CHROMIUM=" + chromium}, node, filepath.Join(dir, "light.mjs"),
		"https://localhost:"+port, "rita", facePassword, link(ct), link(us), link(studyOf(hostile)), ct, us, os.Getenv("COLLIMATOR_PICTURES"))
	if code != 0 {
		t.Fatalf("the light page does not work: %s\n%s", out, s.Output())
	}
	lines := strings.Split(strings.TrimSpace(out), "\n")
	var seen lightSeen
	if err := json.Unmarshal([]byte(lines[len(lines)-1]), &seen); err != nil {
		t.Fatalf("%v: %s", err, out)
	}

	t.Logf("the script has %d bytes", seen.Script)
	if seen.Script == 0 || seen.Script >= lightScriptMost {
		t.Errorf("the script has %d bytes, want fewer than %d", seen.Script, lightScriptMost)
	}
	if len(seen.Troubles) > 0 || len(seen.Hosts) != 1 || len(seen.Axe) > 0 || len(seen.Wide) > 0 {
		t.Errorf("troubles %q, hosts %v, axe %q, too wide %q", seen.Troubles, seen.Hosts, seen.Axe, seen.Wide)
	}
	want := "1 finger-down:>1 finger-up:1 zoomed reset presets-hidden presets-shown window:-600,1500 window-differs key:2 end:20 slider:7 played stopped " +
		"us:32 us-played signed-in:20 signed-in-end:20"
	if got := strings.Join(seen.Shown, " "); got != want {
		t.Errorf("seen\n%s\nwant\n%s", got, want)
	}
	if seen.Compared < 10 || seen.Off > 0 {
		t.Errorf("%d pictures compared with rendered ones, %d differ", seen.Compared, seen.Off)
	}
	for address, status := range seen.Guessed {
		if status != 404 {
			t.Errorf("%s: %d", address, status)
		}
	}
	if got := strings.Join(seen.Plain, " "); len(seen.Guessed) < 5 || got != "1 / 20 2 / 20 1 / 20" {
		t.Errorf("%d addresses guessed; without script %s", len(seen.Guessed), got)
	}
}

// hostileStudy is a study whose texts are scripts, run from right to left, pile up marks and do not end.
func hostileStudy(t *testing.T) string {
	t.Helper()
	in := harness.Instance{PatientID: "ZZPHI-9", Study: "2.25.4790", Series: "2.25.47901", UID: "2.25.479011", Pixels: 4096, Fill: 90}
	ds := in.DataSet(t)
	if err := ds.SetCharacterSet("ISO_IR 192"); err != nil {
		t.Fatal(err)
	}
	for _, x := range []struct {
		tag  tag.Tag
		text string
	}{
		{tag.PatientName, `ZZPHI^<script>alert(1)</script>"'><img src=x onerror=alert(2)>`},
		{tag.StudyDescription, "\u202e\u05d0\u05d1\u05d2 <svg onload=alert(3)> " + strings.Repeat("e\u0301\u0302\u0303\u0304\u0305\u0306\u0307\u0308", 40)},
		{tag.SeriesDescription, strings.Repeat("W", 60<<10)},
		{tag.Modality, "OT"},
	} {
		if err := ds.SetText(x.tag, x.text); err != nil {
			t.Fatal(err)
		}
	}
	return harness.WriteFile(t, t.TempDir(), ds)
}
