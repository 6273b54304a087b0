//go:build interop

package interop_test

import (
	"archive/zip"
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"
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

// TestAPersonWorksWithAStudyInTheConsole uploads some, and finds, opens, labels, shares, downloads and deletes one.
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
	files := toUpload(t, s)

	var seen struct {
		Troubles, Steps, Leaked []string
		Hosts                   map[string]bool
	}
	browse(t, s, "studies.mjs", &seen, "2.25.4711", "24.12.2025 ber zzphi", files, os.Getenv("COLLIMATOR_PICTURES"))
	troubles := strings.Join(seen.Troubles, "\n")
	if strings.Count(troubles, "status of 404") != len(seen.Troubles) || len(seen.Hosts) != 1 || len(seen.Leaked) > 0 {
		t.Errorf("troubles %s, hosts %v, names in %q", troubles, seen.Hosts, seen.Leaked)
	}
	want := `cd: 3 images are stored. 1 file is no image and was left out. 0
zip: 3 images are stored. 1 file is no image and was left out. 0
bomb: 0 images are stored. 1
found #q=24.12.2025+ber+zzphi
opened 1 series, title Study · Collimator
tags (0010,0010) PN PatientName ZZPHI^Berta
accesses true
proof ledger-proof.json true
labelled
shared 3 true true false
open in a viewer
downloaded study.zip null
downloaded study.iso null
deleted`
	if got := strings.Join(seen.Steps, "\n"); got != want {
		t.Errorf("seen\n%s\nwant\n%s", got, want)
	}
	wholeMedia(t, s, filepath.Join(files, "down"))
}

// toUpload is a folder with a CD, a ZIP and one that unpacks without end.
func toUpload(t *testing.T, s *harness.Server) string {
	t.Helper()
	files := t.TempDir()
	sample := filepath.Join(files, "sample")
	s.Must("sample", "--kind", "ct", "--images", "3", "--out", sample)
	s.Must("media", "make", filepath.Join(files, "cd"), sample)
	for name, of := range map[string]fs.FS{
		"study.zip": os.DirFS(filepath.Join(files, "cd")),
		"bomb.zip":  fstest.MapFS{"IM": {Data: make([]byte, 300<<20)}},
	} {
		f, err := os.Create(filepath.Join(files, name))
		if err != nil {
			t.Fatal(err)
		}
		z := zip.NewWriter(f)
		if err := errors.Join(z.AddFS(of), z.Close(), f.Close()); err != nil {
			t.Fatal(err)
		}
	}
	return files
}

// wholeMedia holds a downloaded study against our own reader and those of others.
func wholeMedia(t *testing.T, s *harness.Server, dir string) {
	t.Helper()
	for _, name := range []string{"study.zip", "study.iso"} {
		s.Must("media", "check", filepath.Join(dir, name))
	}
	isoinfo, dump := harness.Tool(t, "isoinfo", "genisoimage"), harness.Tool(t, "dcmdump", "dcmtk")
	image := filepath.Join(dir, "study.iso")
	listed, code := harness.Exec(t, time.Minute, nil, isoinfo, "-f", "-i", image)
	for _, want := range []string{"/DICOMDIR.;1", "/INDEX.HTM;1", "/README.TXT;1", "/PT000000/ST000000/SE000000/IM000000.;1", "/VIEW/SE000000.HTM;1"} {
		if code != 0 || !strings.Contains(listed, want) {
			t.Errorf("isoinfo does not list %s: %s", want, listed)
		}
	}
	for _, of := range []string{"/DICOMDIR.;1", "/PT000000/ST000000/SE000000/IM000000.;1"} {
		b, code := harness.Exec(t, time.Minute, nil, isoinfo, "-x", of, "-i", image)
		path := filepath.Join(t.TempDir(), "extracted")
		if err := os.WriteFile(path, []byte(b), 0o600); err != nil || code != 0 {
			t.Fatalf("%d: %v", code, err)
		}
		if out, code := harness.Exec(t, time.Minute, nil, dump, path); code != 0 || !strings.Contains(out, "PatientID") {
			t.Errorf("dcmdump of %s: %s", of, out)
		}
	}
}
