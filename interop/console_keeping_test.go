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

	"collimator/dicom"
	"collimator/dicom/dcmtktest"
	"collimator/dicom/tag"
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
	Mail     bool
	Opened   []int
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

// tell runs a story in a folder; no page may complain of anything but that nobody is signed in any more.
func tell(t *testing.T, s *harness.Server, story, dir string, env ...string) (seen keeping) {
	t.Helper()
	node, chromium := harness.Tool(t, "node", "nodejs"), harness.Tool(t, "chromium", "chromium")
	npm := npmInstall(t, "browser")
	_, port, _ := strings.Cut(s.HTTP, ":")
	path := filepath.Dir(dcmtktest.Find(t, "storescu")) + ":" + os.Getenv("PATH")
	out, code := harness.Exec(t, 3*time.Minute, append(env, "CHROMIUM="+chromium, "PATH="+path), node, filepath.Join(npm, "consolekeeping.mjs"),
		story, "https://localhost:"+port, "ada", facePassword, dir)
	if code != 0 {
		t.Fatalf("%s: %s\n%s", story, out, s.Output())
	}
	lines := strings.Split(strings.TrimSpace(out), "\n")
	if err := json.Unmarshal([]byte(lines[len(lines)-1]), &seen); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	for _, trouble := range seen.Troubles {
		if !strings.Contains(trouble, "status of 401") {
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

// TestSomebodyIsInvitedSeesAGrantedStudyAndIsDisabled is all of it in the browser, and emergency access to another study.
func TestSomebodyIsInvitedSeesAGrantedStudyAndIsDisabled(t *testing.T) {
	t.Parallel()
	s := keeper(t)
	keys, in := s.Device("CT1", harness.All...), harness.Instance{PatientID: "ZZPHI-1"}
	ds := in.DataSet(t)
	s.Must("send", s.Peer(), "--as", keys, harness.WriteFile(t, t.TempDir(), ds))
	other := harness.Instance{PatientID: "ZZPHI-2"}
	stored := harness.WriteFile(t, t.TempDir(), other.DataSet(t))
	s.Must("send", s.Peer(), "--as", keys, stored)

	study := ds.Text(tag.StudyInstanceUID)
	dir := t.TempDir()
	seen := tell(t, s, "invite", dir, "STUDY="+study, "PATIENT=ZZPHI-2")
	if seen.Link != "/setup/open" || strings.Join(seen.Studies, " ") != study || seen.Disabled != 401 {
		t.Errorf("the link leads to %q, seen are %q, then the session answers %d", seen.Link, seen.Studies, seen.Disabled)
	}
	if len(seen.Files) != 1 || harness.ReadFile(t, filepath.Join(dir, seen.Files[0])).DataSet.Text(tag.PatientID) != "ZZPHI-2" {
		t.Errorf("in an emergency %q was saved", seen.Files)
	}
	if out := s.Must("audit", "search", "--data", s.Data, "--event", "emergency-access"); !strings.Contains(out, "grace") || !strings.Contains(out, "Überwachung") {
		t.Errorf("the alarm is not recorded with its reason:\n%s", out)
	}
}

// TestAnEntryOfTheQuarantineIsLookedAtAndReleased is held back for a program in it.
func TestAnEntryOfTheQuarantineIsLookedAtAndReleased(t *testing.T) {
	t.Parallel()
	s := keeper(t)
	study := hold(t, s, s.Device("CT1", harness.All...))

	seen := tell(t, s, "quarantine", t.TempDir())
	if len(seen.Found) != 1 || !strings.Contains(seen.Found[0], "inspect.programs") || seen.Left != 0 || len(seen.Files) != 1 {
		t.Errorf("found %q, saved %q, left %d", seen.Found, seen.Files, seen.Left)
	}
	if out := s.Must("find", s.Peer(), "--as", s.Device("WS1", harness.All...), "-o", "uids", "StudyInstanceUID="+study); !strings.Contains(out, study) {
		t.Errorf("it is not stored:\n%s", out)
	}
}

// hold sends what the inspection holds back.
func hold(t *testing.T, s *harness.Server, keys string) (study string) {
	t.Helper()
	program := make([]byte, 8192)
	copy(program, "MZ")
	program[60] = 128
	copy(program[128:], "PE\x00\x00")
	in := harness.Instance{PatientID: "ZZPHI-held"}
	ds := in.DataSet(t)
	ds.Set(dicom.NewText(0x00110010, dicom.LO, "TEST"))
	ds.Set(dicom.NewElement(0x00111001, dicom.OB, program))
	if out, code := harness.Run(t, "send", s.Peer(), "--as", keys, harness.WriteFile(t, t.TempDir(), ds)); code != 3 {
		t.Fatalf("exit code %d: %s", code, out)
	}
	return ds.Text(tag.StudyInstanceUID)
}

// TestAVerificationInTheBrowserFindsAChangedRow changes the trail around the program.
func TestAVerificationInTheBrowserFindsAChangedRow(t *testing.T) {
	t.Parallel()
	s := keeper(t)
	python := harness.Tool(t, "python3", "python3")
	change := "import sqlite3,sys; d=sqlite3.connect(sys.argv[1]); d.execute(\"UPDATE audit_record SET principal='nobody' WHERE sequence=(SELECT MIN(sequence) FROM audit_record)\"); d.commit()"
	if out, code := harness.Exec(t, time.Minute, nil, python, "-c", change, filepath.Join(s.Data, "index.db")); code != 0 {
		t.Fatal(out)
	}

	seen := tell(t, s, "verify", t.TempDir())
	if len(seen.Problems) == 0 || !strings.Contains(strings.Join(seen.Problems, "\n"), "audit") {
		t.Errorf("it finds %q", seen.Problems)
	}
}

// TestALinkIsMadeOpenedAndRevokedInTheBrowser has its password told on another way than the link.
func TestALinkIsMadeOpenedAndRevokedInTheBrowser(t *testing.T) {
	t.Parallel()
	s := keeper(t)
	in := harness.Instance{PatientID: "ZZPHI-1"}
	ds := in.DataSet(t)
	s.Must("send", s.Peer(), "--as", s.Device("CT1", harness.All...), harness.WriteFile(t, t.TempDir(), ds))

	seen := tell(t, s, "share", t.TempDir(), "STUDY="+ds.Text(tag.StudyInstanceUID))
	if !seen.Mail || !slices.Equal(seen.Opened, []int{200, 401}) {
		t.Errorf("the mail is right: %v; with the link, and after it was revoked: %v", seen.Mail, seen.Opened)
	}
}

// TestSomebodyKeepsTheirAccountInTheBrowser makes and ends what leads to a session.
func TestSomebodyKeepsTheirAccountInTheBrowser(t *testing.T) {
	t.Parallel()
	s := keeper(t)
	seen := tell(t, s, "account", t.TempDir())
	if !slices.Equal(seen.Opened, []int{200, 401}) || len(seen.Files) != 1 || seen.Link != "/console/account" {
		t.Errorf("with the token, and after it was revoked: %v; saved %q; then at %s", seen.Opened, seen.Files, seen.Link)
	}
	if out := s.Must("user", "show", "ada", "--data", s.Data); !strings.Contains(out, "1 passkey") {
		t.Errorf("the passkey is not there:\n%s", out)
	}
}

// TestARouteIsClosedOpenedTaughtAndPatchedInTheBrowser changes the file of the routes.
func TestARouteIsClosedOpenedTaughtAndPatchedInTheBrowser(t *testing.T) {
	t.Parallel()
	s := keeper(t)
	s.Device("CT1", harness.All...)
	s.Must("gate", "add", "PACS", "--data", s.Data, "--protect", "OLDPACS@"+harness.FreeAddress(t), "--allow", "CT1:echo,store", "--no-check")

	seen := tell(t, s, "gate", t.TempDir())
	if out := s.Must("gate", "list", "--data", s.Data); !seen.Stored || !strings.Contains(out, "LEARNING") {
		t.Errorf("patched %v:\n%s", seen.Stored, out)
	}
}

// keep puts something behind every page of what is kept: a study with a link, an entry of the quarantine, a route, an
// invitation, and a token.
func keep(t *testing.T, s *harness.Server, keys string) {
	t.Helper()
	in := harness.Instance{PatientID: "ZZPHI-held"}
	ds := in.DataSet(t)
	s.Must("send", s.Peer(), "--as", keys, harness.WriteFile(t, t.TempDir(), ds))
	hold(t, s, keys)
	s.Must("share", "create", "--data", s.Data, "--study", ds.Text(tag.StudyInstanceUID), "--expires", "7d", "--password")
	s.Must("gate", "add", "PACS", "--data", s.Data, "--protect", "OLDPACS@"+harness.FreeAddress(t), "--allow", "CT1:echo,store", "--no-check")
	s.Must("user", "add", "grace", "--data", s.Data, "--role", "radiologist", "--password-file", passwordFile(t))
	s.Must("user", "link", "linus", "--data", s.Data, "--role", "referrer")
	s.Must("token", "create", "--data", s.Data, "--user", "grace", "--scope", "read", "--expires", "1h")
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
